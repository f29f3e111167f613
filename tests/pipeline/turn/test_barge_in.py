"""Which words stop us."""

import pytest

from pipeline.turn.barge_in import interrupts, voice_interrupts_at_s
from pipeline.turn.limits import TurnLimits

LIMITS = TurnLimits()


@pytest.mark.parametrize("text", ["", "  ", "Mm-hm.", "mmhm", "Yes.", "Okay, right.", "uh-huh", "Oh!", "..."])
def test_a_listeners_sounds_do_not(text: str) -> None:
    assert not interrupts(text, LIMITS)


@pytest.mark.parametrize("text", ["No", "Wait", "yes but", "okay okay okay", "Yes, Tuesday", "10", "stop"])
def test_words_do(text: str) -> None:
    assert interrupts(text, LIMITS)


@pytest.mark.parametrize("text", ["Bye", "Thank you, bye bye.", "Okay, thanks", "Goodbye"])
def test_a_farewell_stops_anything_but_our_goodbye(text: str) -> None:
    assert interrupts(text, LIMITS)
    assert not interrupts(text, LIMITS, leaving=True)


def test_the_length_of_a_backchannel_is_a_setting() -> None:
    assert not interrupts("okay okay okay", TurnLimits(backchannel_words=3))


@pytest.mark.parametrize(("voiced_since_s", "at_s"), [(None, None), (4.0, 5.8), (5.5, 6.3)])
def test_a_lasting_voice_counts_from_the_later_of_voice_and_turn(
    voiced_since_s: float | None, at_s: float | None
) -> None:
    assert voice_interrupts_at_s(5.0, voiced_since_s, LIMITS) == (
        None if at_s is None else pytest.approx(at_s)
    )
