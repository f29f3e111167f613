"""The TTFB that the gateway tells is the one that the caller hears."""

from pathlib import Path

import numpy as np
import pytest

from bench.carrier import CallRecord
from bench.carrier.playback import BYTES_PER_MS, FRAME_BYTES, FRAME_MS
from bench.carrier.record import is_audible
from bench.demo import recordings
from bench.recording import read_recording, split_turns
from bench.simulators.deepgram_hearing import tone
from pipeline.audio.mulaw import decode, encode
from tests.calls.conftest import Calling

LINES = ["Tell me about the clinic."]
ANSWERS = ["We are open every day."] * 4  # guesses at the pauses of a recorded voice are thrown away
APART_MS = 40


def fading() -> bytes:
    """A word that ends quietly: 140 ms of it some 30 dB below the rest."""
    return tone(0.6) + encode((decode(tone(0.14)) // 50).astype(np.int16))


def recorded(name: str) -> bytes:
    return split_turns(read_recording(Path(recordings.__path__[0]) / f"{name}.wav"))[0]


VOICES = {"steady": tone(0.6), "fading": fading(), "tuesday": recorded("tuesday")}


@pytest.mark.parametrize("voice", VOICES.values(), ids=VOICES.keys())
async def test_ttfb_is_the_silence_between_the_two_channels(calling: Calling, voice: bytes) -> None:
    async with calling(LINES, ANSWERS) as made:
        async with made.call() as live:
            await live.agent_answers(500)
            asked_ms = live.record.now_ms
            await live.say(voice)
            await live.agent_answers(500)
        [turn] = await made.events("TurnFinished")
    assert abs(turn["ttfb_ms"] - silence_ms(live.record, asked_ms)) <= APART_MS


def silence_ms(record: CallRecord, asked_ms: int) -> int:
    """The end of the caller's last audible frame to the start of the agent's first one after it."""
    fell_silent_ms = audible_ms(record.caller_channel, asked_ms)[-1] + FRAME_MS
    return audible_ms(record.agent_channel, fell_silent_ms)[0] - fell_silent_ms


def audible_ms(channel: bytearray, from_ms: int) -> list[int]:
    """Where the audible frames of this channel start."""
    starts = range(from_ms * BYTES_PER_MS, len(channel), FRAME_BYTES)
    return [at // BYTES_PER_MS for at in starts if is_audible(bytes(channel[at : at + FRAME_BYTES]))]
