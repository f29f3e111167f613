"""Names that are words too, where only a person can stand; names in syllables; the same words as words."""

import pytest

from compliance.redaction import redact

NAMES = [
    "tell {rob} i'm outside",
    "{heather} can bring me",
    "the booking's for {rose} and me",
    "can you swap {barry}'s with mine",
    "{summer} can't make it tomorrow",
    "{patience} and i are sharing a lift",
    "{robin} and {willow} are both due",
    "i've got {robin} with me",
    "could {hope} come instead of me",
    "{art} is eighty six",
    "it'll be under {carpenter}",
    "{drew}, that's my partner",
    "Okay {Summer}, bear with me",
    "{june} wants the afternoon",
    "{mercy} called earlier about the lift",
    "{joy} fell on the stairs",
    "hang on {jean} what's the number",
    "give my love to {reg}",
    "this is {chen mei ling}",
    "my name's {nguyen thi hoa}",
    "my surname's {de la mare}",
    "{moor} no e",
    "anything sooner for {grace} she's down for the twelfth",
    "thank you for calling {ayesha} goodbye",
    "{river} and {hope} are twins",
    "he's a friend of {gill}'s",
    "could you cancel {prudence}'s",
    "was that {olive} i was speaking to",
]
WORDS = [
    "the bill came in the post",
    "summer is really busy for us",
    "to be frank i don't mind which",
    "there's a willow tree outside isn't there",
    "it's been lovely and sunny here all week",
    "can you chase it up",
    "thanks for your patience",
    "the mark on my form was wrong",
    "it's under way",
    "june starts on a sunday",
    "hope got the better of me",
    "may works for us",
    "june would be better for me",
    "I'm parked by the river and the rose garden",
    "thank you for calling lakeview how can i help",
    "in summer is he busier than this",
]


@pytest.mark.parametrize("said", NAMES)
def test_a_word_that_only_a_person_can_be_there_is_masked(said: str) -> None:
    text = said.replace("{", "").replace("}", "")
    shown = redact(text).replace("[REDACTED: PERSON]", "")
    kept = "".join(part.split("}")[-1] for part in said.split("{"))
    assert shown == kept


@pytest.mark.parametrize("said", WORDS)
def test_the_same_words_as_words_stay(said: str) -> None:
    assert redact(said) == said
