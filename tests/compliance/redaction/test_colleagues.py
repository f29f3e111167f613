"""First names of the staff stay; the same names of patients go."""

import pytest

from compliance.redaction import redact


@pytest.mark.parametrize(
    "text",
    [
        "i spoke to becky on reception yesterday",
        "ask for linda at the front desk",
        "karen from accounts will call you back",
        "you'd be seeing sarah our osteopath",
        "the midwife's name is fiona",
        "sister margaret will be with you shortly",
        "mr carter the consultant has a clinic on the third",
        "is it still mr patel who does the tuesdays",
        "your reference is bravo charlie four four one nine",
    ],
)
def test_of_the_staff(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("it's karen from accounts", "it's [PERSON] from accounts"),
        ("my sister margaret will bring me", "my sister [PERSON] will bring me"),
        ("it's for sarah the nurse said it was fine", "it's for [PERSON] the nurse said it was fine"),
        ("i'm ringing for charlie four months old", "i'm ringing for [PERSON] four months old"),
    ],
)
def test_of_patients(text: str, public: str) -> None:
    assert redact(text).replace("REDACTED: ", "") == public
