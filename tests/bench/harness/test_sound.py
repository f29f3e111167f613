"""When an agent is first heard, to the sample, and which holes its speech has."""

import numpy as np
import pytest

from bench.carrier.record import ClearCame, MarkCame, MediaCame
from bench.harness.sound import REPLY_HZ, STOCK_HZ, first_audible, gaps_s, heard_after, is_reply
from bench.simulators.deepgram_hearing import silence, tone

REPLY = tone(0.1, round(REPLY_HZ))
FILLER = tone(0.1, round(STOCK_HZ))


def media(mulaw: bytes, came_s: float, waiting_ms: float = 0.0) -> MediaCame:
    return MediaCame(0, len(mulaw) / 8, mulaw, came_s, waiting_ms)


def test_leading_silence_is_not_heard() -> None:
    heard = heard_after([media(silence(0.04) + REPLY, 10.0)], 9.5, marked=True)
    assert heard.reply_s == pytest.approx(10.04, abs=0.001)


def test_what_waits_is_heard_when_it_is_played() -> None:
    heard = heard_after([media(REPLY, 10.0, waiting_ms=250)], 9.5, marked=True)
    assert heard.reply_s == pytest.approx(10.25, abs=0.001)
    assert heard.came_s == 10.0


def test_a_filler_never_stops_the_clock() -> None:
    wire = [media(FILLER, 10.0), MarkCame(0, "m"), media(REPLY, 11.0)]
    heard = heard_after(wire, 9.5, marked=True)
    assert heard.first_s == pytest.approx(10.0, abs=0.001)
    assert heard.reply_s == pytest.approx(11.0, abs=0.001)
    alone = heard_after(wire[:2], 9.5, marked=True)
    assert (alone.first_s is None, alone.reply_s) == (False, None)


def test_any_voice_is_the_reply_of_a_gateway_whose_voice_is_not_ours() -> None:
    assert heard_after([media(FILLER, 10.0)], 9.5, marked=False).reply_s == pytest.approx(10.0, abs=0.001)


def test_what_came_before_the_caller_fell_silent_is_no_answer() -> None:
    assert heard_after([media(REPLY, 9.0)], 9.5, marked=True).reply_s is None


def test_noise_and_clicks_are_not_audible() -> None:
    noise = bytes([0x7A, 0xFA]) * 80
    assert first_audible(noise) is None
    assert first_audible(noise + bytes([0x10]) * 3) is None
    assert first_audible(noise + bytes([0x10]) * 20) == len(noise)


@pytest.mark.parametrize("phase", range(0, 80, 7))
def test_pitch_is_told_wherever_the_piece_begins(phase: int) -> None:
    assert is_reply(REPLY[phase:])
    assert not is_reply(FILLER[phase:])


def test_a_queue_that_ran_dry_is_a_gap_and_one_that_did_not_is_none() -> None:
    piece = bytes(np.full(800, 0x10, np.uint8))
    whole = [media(piece, 1.0), media(piece, 1.05, waiting_ms=50)]
    assert gaps_s(whole, 1.0, 9.0) == []
    dry = [media(piece, 1.0), media(piece, 1.16)]
    assert gaps_s(dry, 1.0, 9.0) == [pytest.approx(0.06)]
    late_tick = [media(piece, 1.0, waiting_ms=4000), media(piece, 1.025, waiting_ms=4100)]
    assert gaps_s(late_tick, 1.0, 9.0) == []


def test_what_follows_a_clear_is_another_stretch() -> None:
    piece = bytes(800)
    assert gaps_s([media(piece, 1.0), ClearCame(0, 0.0), media(piece, 2.0)], 1.0, 9.0) == []
