"""The offline voice: its process, its fall-back, and the times it gives to words."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from bench.simulators.offline.espeak import Espeak
from bench.simulators.offline.hibari_voice import LEAD_S, MODEL, HibariVoice
from bench.simulators.offline.models import ModelUnavailable
from bench.simulators.offline.speaker import LENGTH, Made, Speak, Spoken, first_that_loads, serve
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.offline.voice import OfflineVoice
from bench.simulators.offline.word_times import audible_span, word_times
from bench.simulators.sound import Samples, Sound, VoiceFailed, Word, encode, resample

GREETING = "Hello, Harley Street Clinic. How can I help?"


@pytest.fixture
async def voice() -> AsyncIterator[OfflineVoice]:
    async with OfflineVoice() as started:
        yield started


async def test_the_process_speaks_sentence_by_sentence(voice: OfflineVoice) -> None:
    sounds = [sound async for sound in voice.speak(GREETING)]
    assert voice.engine == "hibari"
    assert [word.text for sound in sounds for word in sound.words] == GREETING.split()
    assert all(0.8 < sound.duration_s < 3 for sound in sounds)
    assert max(np.abs(sound.samples).max() for sound in sounds) > 0.1


async def test_callers_at_once_each_get_their_own_words(voice: OfflineVoice) -> None:
    async def say(number: int) -> list[str]:
        return [w.text async for sound in voice.speak(f"Room {number}.") for w in sound.words]

    assert await asyncio.gather(*map(say, range(8))) == [["Room", f"{n}."] for n in range(8)]


async def test_a_listener_who_leaves_does_not_hold_up_the_next(voice: OfflineVoice) -> None:
    speech = voice.speak("One sentence. And another. And a third.")
    await anext(speech)
    await speech.aclose()
    assert [sound async for sound in voice.speak("Next.")]


async def test_a_process_that_has_ended_is_a_failed_voice(voice: OfflineVoice) -> None:
    await voice.__aexit__()
    with pytest.raises(VoiceFailed):
        await anext(voice.speak("Hello."))


async def test_the_same_text_sounds_the_same(voice: OfflineVoice) -> None:
    first, second = [[sound async for sound in voice.speak("Good morning.")] for _ in range(2)]
    assert np.array_equal(first[0].samples, second[0].samples)


def test_speech_begins_without_waiting() -> None:
    (sound,) = HibariVoice().speak("Certainly.")
    (start_s, _), _ = audible_span(sound.samples, sound.rate_hz)
    assert start_s == pytest.approx(LEAD_S, abs=0.011)


def test_another_model_file_is_refused() -> None:
    wrong = replace(MODEL, sha256="0" * 64)
    with pytest.raises(ModelUnavailable):
        HibariVoice(wrong)


def test_espeak_speaks_when_hibari_cannot() -> None:
    def unavailable() -> HibariVoice:
        raise ModelUnavailable("not the expected file")

    engine, reason = first_that_loads(unavailable, Espeak)
    assert (engine.name, reason) == ("espeak-ng", "not the expected file")
    (sound,) = engine.speak("Hello there, caller.")
    assert [word.text for word in sound.words] == ["Hello", "there,", "caller."]
    assert 0.5 < sound.duration_s < 3
    assert sound.words[1].start_s < sound.words[2].start_s


class _Engine:
    name = "test"

    def speak(self, text: str) -> Iterator[Sound]:
        if text == "unspeakable":
            raise ValueError(text)
        yield Sound(np.zeros(4, np.float32), 8000)


def test_a_text_that_cannot_be_spoken_costs_only_itself() -> None:
    texts = io.BytesIO(b"".join(_framed(Speak(n, text)) for n, text in enumerate(("unspeakable", "Hello."))))
    sounds = io.BytesIO()
    serve(_Engine(), texts, sounds)
    sounds.seek(0)
    answers = list(_documents(sounds))
    assert answers == [Spoken(0, failed=True), Made(1, bytes(16), 8000, []), Spoken(1)]


def _framed(request: Speak) -> bytes:
    document = msgspec.msgpack.encode(request)
    return LENGTH.pack(len(document)) + document


def _documents(stream: io.BytesIO) -> Iterator[Made | Spoken]:
    while head := stream.read(LENGTH.size):
        yield msgspec.msgpack.decode(stream.read(LENGTH.unpack(head)[0]), type=Made | Spoken)


def tone(*spans: tuple[float, float], length_s: float) -> Samples:
    """A tone in these spans of seconds, silence elsewhere, at 8 kHz."""
    at_s = np.arange(round(length_s * 8000)) / 8000
    gate = np.any([(at_s >= start) & (at_s < end) for start, end in spans], axis=0)
    return (np.sin(2 * np.pi * 300 * at_s) * gate).astype(np.float32)


def edges(words: list[Word]) -> list[float]:
    return [edge for word in words for edge in (word.start_s, word.end_s)]


def test_words_fill_the_audible_part_by_their_weights() -> None:
    times = word_times(["a", "bb"], [1, 3], tone((0.2, 1.0), length_s=1.5), 8000)
    assert edges(times) == pytest.approx([0.2, 0.4, 0.4, 1.0])


def test_a_measured_pause_parts_the_words_around_a_comma() -> None:
    times = word_times(["a", "b,", "c"], [1, 1, 1], tone((0, 0.6), (1.0, 1.4), length_s=1.4), 8000)
    assert edges(times) == pytest.approx([0, 0.3, 0.3, 0.6, 1.0, 1.4], abs=0.02)


def test_a_pause_where_no_comma_is_parts_nothing() -> None:
    times = word_times(["a", "b", "c"], [1, 1, 1], tone((0, 0.6), (1.0, 1.4), length_s=1.4), 8000)
    assert times[1].end_s == times[2].start_s


async def test_the_tone_sounds_where_its_words_are() -> None:
    (sound,) = [sound async for sound in ToneVoice(ms_per_char=100).speak("ab, c")]
    assert [(w.text, w.start_s, w.end_s) for w in sound.words] == [
        ("ab,", 0.0, pytest.approx(0.3)),
        ("c", 0.4, 0.5),
    ]
    (_, end_s), pauses = audible_span(sound.samples, sound.rate_hz)
    assert end_s == pytest.approx(0.5, abs=0.02)
    assert pauses == [(pytest.approx(0.2, abs=0.02), pytest.approx(0.4, abs=0.02))]


@pytest.mark.parametrize(
    ("encoding", "coded"),
    [
        ("pcm_mulaw", [0xFF, 0x80, 0x00, 0x9F, 0x1F]),
        ("pcm_alaw", [0xD5, 0xAA, 0x2A, 0x8A, 0x0A]),
        ("pcm_s16le", [0, 0, 0xFF, 0x7F, 1, 0x80, 0xFF, 0x1F, 0x01, 0xE0]),
    ],
)
def test_samples_are_encoded_as_the_standard_says(encoding: str, coded: list[int]) -> None:
    samples = np.array([0, 1, -1, 0.25, -0.25], np.float32)
    assert list(encode(samples, encoding)) == coded


def test_resampling_keeps_the_length() -> None:
    assert len(resample(np.zeros(24000, np.float32), 24000, 8000)) == 8000
