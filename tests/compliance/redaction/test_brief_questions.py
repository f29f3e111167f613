"""Questions of a few words and no mark, in transcripts that say nowhere who speaks."""

import pytest

from compliance.redaction import redact


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("is there a house name", "Fernbank"),
        ("and the house number", "two one four"),
        ("his date of birth", "the second of a pril twenty eleven"),
        ("then his date of birth", "the eleven of june two thousand and six teen"),
        ("a postcode for you", "ess double you four free bee tea"),
    ],
)
def test_a_question_of_a_few_words_expects_an_answer(question: str, answer: str) -> None:
    public = redact(f"{question}\n{answer}")
    assert public.startswith(f"{question}\n[REDACTED: ")
    assert public.endswith("]")


def test_what_is_asked_for_again_is_still_expected() -> None:
    public = redact("your postcode\nell you one\none what\none free dee see")
    assert public.splitlines() == [
        "your postcode",
        "[REDACTED: POSTCODE]",
        "one what",
        "[REDACTED: POSTCODE]",
    ]
    public = redact("and when was she born\nfour teen\nsorry\nfourteenth of july oh tree")
    assert public.endswith("\nsorry\n[REDACTED: DOB]")


@pytest.mark.parametrize(
    "text",
    [
        "I lost my phone number\nit was in the car that got towed",
        "forgot my own postcode\ncan you believe that",
        "it's my birthday soon\nwe're going to the beach for it",
        "sorry\nI was miles away",
    ],
)
def test_what_is_told_in_a_few_words_expects_none(text: str) -> None:
    assert redact(text) == text


def test_how_far_and_how_long_ask_for_no_address() -> None:
    for asks in ("How far from us do you live?", "How long have you been at that address?"):
        assert redact(f"Agent: {asks}\nCaller: six").endswith("Caller: six")
    assert redact("Agent: Where does she live?\nCaller: twelve elmhurst").endswith("[REDACTED: ADDRESS]")
