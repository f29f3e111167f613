"""Streets named in talk, and pieces of an address that make a turn of their own. All are invented."""

import pytest

from compliance.redaction import redact

MASKED = [
    "hiya it's {bev} from {corporation road} can you ring me",
    "This is {Tyrell} over on {East Kilbourn Avenue}, about my refill.",
    "she has a flat on {Duke Street} so she can walk it",
    "I'm just up the road on {Beaconsfield Terrace}.",
    "we're at {12 Mill Lane}\nis that the one on {priory lane}",
    "It's {61 Wentworth Drive}.\n{16 Wentworth Drive}?\nNo, {sixty-one}. {Six one}.",
    "and are you still at {hollywell crescent}\ni am number {forty four}",
    "You said {Larch Avenue}?\n{Larch Close}.",
    "what's your address\nI'm in {Drumlish, Ballinamore, County Leitrim}",
    "whats the address\nits {six eleven east main}",
    "Mailing address?\n{PO Box 719, Bozeman, Montana}, {59771}.",
    "she lives down in {Bridport} with my brother",
    "how do you spell the road\n{k i n g s l e y}",
    "you want {Sycamore Close}, not {Sycamore Drive}, they get that wrong",
    "Zip?\n{97214}. Wait, that's the office. {97202}.",
    "I've moved to {41 Thornleigh Gardens}.\nIs that in {Fulwood}?",
    "I've got {M21 9WG}, is that right?\nNo, it's {Q for Queen} at the end, {W Q}.",
    "my postcode's {s e fifteen four n x}\n{s e fifty four n x}\n{fifteen one five}",
    "what's the address\n{apartment forty one the mill}\n{the mill}\n{jersey street ancoats}",
    "What address do we have?\n{33 Cotham Vale}.\n{Basement flat}?\n{Basement flat}, yes.",
    "what road do you live on\n{heaton moor road}\nnumber\n{three eight four}",
    "You've given me {BN1 6}, what's the rest?",
    "could you change it from {Ridge Road} to {Ridge Avenue} please",
    "The form says {Blossom Street}. Do you mean {Blossom Way}?",
    "it's {hilltop farm near hawes}",
    "what's the first line of the address\n{unit three}\nand is that {leeds}\nno {manchester}",
]
KEPT = [
    "I was living in Spain when it started",
    "it's the SE15 branch that's shut, not the SE1",
    "I had a coffee across the road first",
    "turn left onto Mill Road and we're on the right",
    "I was on Oxford Street when you rang",
    "she lives near the high street",
    "is the Mill Road branch open on Saturdays",
    "what insurance do you have\nblue cross",
    "how many were there\nsixty",
]


def plain(text: str) -> str:
    return text.replace("{", "").replace("}", "")


@pytest.mark.parametrize("text", MASKED)
def test_what_is_told_of_a_home_is_masked(text: str) -> None:
    public = redact(plain(text))
    for part in text.split("{")[1:]:
        assert part.split("}")[0] not in public
    assert public.count("[REDACTED") == text.count("{")


@pytest.mark.parametrize("text", KEPT)
def test_a_street_of_no_home_stays(text: str) -> None:
    assert redact(text) == text
