"""Short names of conditions, tests and procedures, as letters or in capitals; letters of something else."""

import pytest

from compliance.redaction import CallRedactor, redact


def public(text: str) -> str:
    return redact(text).replace("[REDACTED: ", "[")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i think i've got a u t i", "i think i've got a [MEDICAL]"),
        ("my i b s is playing up", "my [MEDICAL] is playing up"),
        ("it's for my m r i a week on friday", "it's for my [MEDICAL] a week on friday"),
        ("an m r i of my knee, u and e's, l f t's", "an [MEDICAL], [MEDICAL], [MEDICAL]"),
        ("i've got U.T.I. symptoms", "i've got [MEDICAL]. symptoms"),
        ("the h b a one c was fifty two", "the [MEDICAL] was fifty two"),
        ("I had a TIA, and I have MS", "I had a [MEDICAL], and I have [MEDICAL]"),
        ("i've got m s", "i've got [MEDICAL]"),
    ],
)
def test_said_by_letters_and_written(text: str, expected: str) -> None:
    assert public(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "the a a called me out",
        "I saw Ms on the form",
        "do you have a p h d",
        "the v a t on it",
    ],
)
def test_other_letters_stay(text: str) -> None:
    assert public(text) == text


def test_letters_of_a_name_or_a_postcode_are_theirs() -> None:
    call = CallRedactor()
    call.agent("Could you spell your surname for me?")
    assert call.caller("t i a n") == "[REDACTED: PERSON]"
    call.agent("And the postcode?")
    assert call.caller("m e one six four a b") == "[REDACTED: POSTCODE]"
