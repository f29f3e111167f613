"""Where a name that was asked for, told, spelled or called begins and ends, and what beside it is none."""

import pytest

from compliance.redaction import find

CALLS = [
    "Agent: any middle names\nCaller: {james} after my dad",
    "Agent: emergency contact\nCaller: {malcolm} my brother",
    "Agent: Am I speaking with {Hyacinth}?\nCaller: No, this is her daughter, {Petunia}.",
    "Agent: whos it for\nCaller: me {denise}",
    "Agent: What name is it?\nCaller: Try {Bryce}.",
    "Agent: And what's he called?\nCaller: {Jaxon}, with an X.",
    "Agent: surname please\nCaller: {mcglynn}\nAgent: is that {m c} or {m a c}",
    "Agent: And first?\nCaller: {Holly}.",
    "aye it's for my da {seamus}",
    "my nana {betty} is with me",
    "{winnie} fell last night",
    "Agent: name on the account\nCaller: it's my late husband's, {kenneth oldroyd}",
    "Agent: surname\nCaller: {cropper} i'm only across the road",
    "Agent: help me with that\nCaller: {c a o i m h e}, then {s o r c h a}",
    "ask {kenji} he works days",
    "it's under {farthing} {rafe farthing}",
    "ask for sister doyle and bring {tom}'s sample",
    "it's {mo} short for {mohammed}",
    "you're a star {debbie}",
    "hello it's {joy} and the surname is {n i space d h o m h n a i l l}",
    "Agent: And {Art}, have you got a pen?",
    "You'll be seeing Hope, our nurse.",
    "hi my name's {april} i know like the month",
    "hello it's {may} here",
    "there's two of us, {Jordan} and {Sky Petersen}, what have you got",
    "Caller: It's for {Penny}.\nAgent: {Penny} who?",
    "{cliff} it's {cliff} from the post office",
    "No, it's Q for Queen.",
    "Miss Thornley is only here on Tuesdays.",
    "may i come in may",
    "he's only having ice lollies",
    "take the red line to belmont",
    "i got {lorna prices} letter and she got mine",
    "tell the doctor it's mrs {twistleton} shell know",
    "tell her {jock} rang",
    "it's {gill} {gill} with a g",
    "Is Mrs {Castle} able to come to the phone?",
    "Agent: Did you say {Dunn} with an E?\nCaller: No E. {D U double N}.",
    "mr lyle is our audiologist",
    "i'd to drive to sligo and back",
    "flattery will get you nowhere",
]


@pytest.mark.parametrize("said", CALLS)
def test_a_name_is_masked_from_end_to_end(said: str) -> None:
    text = said.replace("{", "").replace("}", "")
    names = [part.split("}")[0] for part in said.split("{")[1:]]
    found = [text[start:end] for start, end, kind in find(text) if kind == "PERSON"]
    assert [value.removesuffix("'s") for value in found] == names
