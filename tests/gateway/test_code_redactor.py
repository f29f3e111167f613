"""While a code is out, no transcript shows it, however it is said."""

import re
from dataclasses import dataclass

import pytest

from compliance.redaction import CallRedactor
from gateway.code_redactor import HIDDEN, CodeRedactor, without_codes


@dataclass
class Out:
    """Whether a code is out."""

    code: bool = True

    def __call__(self) -> bool:
        return self.code


def redactor(out: Out | None = None) -> CodeRedactor:
    return CodeRedactor(CallRedactor(), out or Out())


@pytest.mark.parametrize(
    "said",
    [
        "It's four two one nine oh three",
        "421903",
        "4 2 1, 9 0 3.",
        "Four-two-one, nine-oh-three",
        "forty two nineteen oh three",
        "double two treble one nine",
        "four twenty-one nine hundred",
    ],
)
def test_a_code_is_not_shown(said: str) -> None:
    public = redactor().caller(said)
    assert "[REDACTED: " in public
    for part in ("four", "two", "one", "nine", "oh", "4", "2", "1", "9", "nineteen", "forty"):
        assert part not in re.sub(r"\[.*?\]", "", public.casefold())


def test_nor_in_pieces_over_several_turns() -> None:
    live = redactor()
    assert [live.caller(piece) for piece in ("four", "two one", "nine.", "oh three")] == [
        HIDDEN, HIDDEN, f"{HIDDEN}.", HIDDEN,
    ]  # fmt: skip


def test_without_a_code_numbers_are_words_like_others() -> None:
    out = Out(code=False)
    live = redactor(out)
    assert live.caller("Tuesday at ten thirty") == "Tuesday at ten thirty"
    out.code = True
    assert live.caller("Tuesday at ten thirty") == f"Tuesday at {HIDDEN}"


def test_of_our_own_words_times_are_shown_and_codes_are_not() -> None:
    live = redactor()
    times = "Tuesday the 24th at ten twenty, or at half past two."
    assert live.agent(times) == times
    assert "nine" not in live.agent("You said four two one nine oh three?")


def test_what_is_masked_already_stays_as_it_is() -> None:
    public = redactor().caller("My number is oh seven seven double oh nine hundred one two three.")
    assert "[REDACTED: PHONE" in public
    assert HIDDEN not in public


def test_what_may_be_the_code_is_not_kept_even_sealed() -> None:
    kept: list[str] = []
    out = Out()
    live = CallRedactor(on_masked=without_codes(lambda speaker, entity, value: kept.append(value), out))
    live.caller("It's four two one nine oh three.")
    live.caller("421903")
    assert kept == []
    live.caller("My number is oh seven seven double oh nine hundred one two three.")
    assert len(kept) == 1
    out.code = False
    live.caller("My number is four two one nine oh three.")
    assert len(kept) == 2
