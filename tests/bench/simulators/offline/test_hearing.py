"""The offline engines on real speech: the recordings that the recogniser's wheel carries."""

import asyncio
import re
import wave
from collections.abc import AsyncIterator, Iterator
from difflib import SequenceMatcher
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soxr

from bench.simulators.deepgram_flux import Flux, Message
from bench.simulators.deepgram_hearing import Samples
from bench.simulators.deepgram_nova import Nova
from bench.simulators.deepgram_parameters import parse_flux, parse_nova
from bench.simulators.offline.hearing import OfflineEars

_AUDIO = {"encoding": ["mulaw"], "sample_rate": ["8000"]}
_SECOND = 8_000


@pytest.fixture(scope="module")
def ears() -> Iterator[OfflineEars]:
    with OfflineEars() as loaded:
        yield loaded


def _recording(name: str, seconds: float = 60.0) -> Samples:
    """A recording of the moonshine-voice wheel as a telephone hears it: int16, 8 kHz."""
    spec = find_spec("moonshine_voice")
    assert spec is not None
    assert spec.submodule_search_locations
    with wave.open(str(Path(spec.submodule_search_locations[0]) / "assets" / name)) as file:
        raw = np.frombuffer(file.readframes(round(seconds * file.getframerate())), np.int16)
        heard: Samples = soxr.resample(raw, file.getframerate(), _SECOND)
    return np.concatenate((heard, np.zeros(2 * _SECOND, np.int16)))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def _right(heard: list[str], said: list[str]) -> int:
    """How many words of `said` were heard, in their order."""
    return sum(block.size for block in SequenceMatcher(a=heard, b=said, autojunk=False).get_matching_blocks())


async def _heard(messages: AsyncIterator[Message]) -> list[Message]:
    return [message async for message in messages]


def _flux(ears: OfflineEars) -> Flux:
    query = {"model": ["flux-general-en"], "eager_eot_threshold": ["0.5"], "eot_threshold": ["0.9"]}
    return Flux(ears.hearing(), parse_flux(query | _AUDIO))


async def test_the_words_of_a_recording_come_out_of_flux(ears: OfflineEars) -> None:
    heard = await _heard(_flux(ears).hear(_recording("beckett.wav")))
    turns = [message["transcript"] for message in heard if message["event"] == "EndOfTurn"]
    said = _words("Ever tried. Ever failed. No matter. Try again. Fail again. Fail better.")
    assert _right(_words(" ".join(turns)), said) >= 10  # of twelve: an f is hard to hear at 8 kHz


async def test_previews_come_while_the_caller_speaks(ears: OfflineEars) -> None:
    heard = await _heard(_flux(ears).hear(_recording("clone-test.wav")))
    events = [message["event"] for message in heard]
    start, end = events.index("StartOfTurn"), events.index("EndOfTurn")
    previews = [message["transcript"] for message in heard[start:end] if message["event"] == "Update"]
    first_words_s = next(message["audio_window_end"] for message in heard if message["transcript"])
    assert first_words_s - heard[start]["audio_window_start"] < 2.0  # 0.5 on a machine that is free
    assert len(set(previews)) >= 4  # the words grow


async def test_the_end_of_a_turn_has_the_words_of_its_eager_end(ears: OfflineEars) -> None:
    heard = await _heard(_flux(ears).hear(_recording("beckett.wav")))
    eager = ""
    for message in heard:
        if message["event"] == "EagerEndOfTurn":
            eager = message["transcript"]
        if message["event"] == "EndOfTurn":
            assert message["transcript"] == eager != ""


async def test_long_speech_is_decoded_in_pieces_and_loses_nothing(ears: OfflineEars) -> None:
    query = {"model": ["nova-3"], "endpointing": ["false"]}
    nova = Nova(ears.hearing(), parse_nova(query | _AUDIO))
    heard = await _heard(nova.hear(_recording("two_cities.wav", seconds=30.0)))
    text = " ".join(message["channel"]["alternatives"][0]["transcript"] for message in heard)
    said = """It was the best of times, it was the worst of times, it was the age of wisdom, it was the age
    of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the season of light,
    it was the season of darkness, it was the spring of hope, it was the winter of despair"""
    assert _right(_words(text), _words(said)) >= 0.9 * len(_words(said))


async def test_a_long_turn_is_heard_whole(ears: OfflineEars) -> None:
    query = {"model": ["flux-general-en"], "eot_threshold": ["1.0"]}
    flux = Flux(ears.hearing(), parse_flux(query | _AUDIO))
    await _heard(flux.hear(_recording("two_cities.wav", seconds=20.0)))
    (end,) = await _heard(flux.force_end())
    starts = [word["start"] for word in end["words"]]
    assert starts == sorted(starts)
    assert {"best", "worst", "wisdom", "foolishness", "belief", "light"} <= set(_words(end["transcript"]))


async def test_noise_and_silence_hold_no_words(ears: OfflineEars) -> None:
    noise = np.random.default_rng(7).normal(0, 300, 3 * _SECOND).astype(np.int16)
    for sound in (noise, np.zeros(3 * _SECOND, np.int16)):
        heard = await _heard(_flux(ears).hear(sound))
        assert {message["event"] for message in heard} == {"Update"}


async def test_the_event_loop_stays_free_while_the_recogniser_works(ears: OfflineEars) -> None:
    hearing = asyncio.create_task(_heard(_flux(ears).hear(_recording("clone-test.wav"))))
    turns = 0
    while not hearing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 50
