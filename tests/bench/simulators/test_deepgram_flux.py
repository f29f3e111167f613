"""The Flux state machine over scripted hearing: exact, in audio time, no socket."""

from collections.abc import AsyncIterable

import numpy as np
import pytest

from bench.simulators.deepgram_audio import AudioDecoder
from bench.simulators.deepgram_flux import Flux, Message
from bench.simulators.deepgram_hearing import Script, silence, tone
from bench.simulators.deepgram_parameters import FluxSettings


def _flux(*lines: str, eager: float | None = None, eot: float = 0.7, timeout_s: float = 5.0) -> Flux:
    settings = FluxSettings("flux-general-en", "mulaw", 8000, eot, eager, timeout_s, (), (), False)
    return Flux(Script(lines).hearing(), settings)


async def _hear(flux: Flux, mulaw: bytes, frame_bytes: int = 160) -> list[Message]:
    decoder = AudioDecoder("mulaw", 8000)
    messages: list[Message] = []
    for at in range(0, len(mulaw), frame_bytes):
        messages += await _all(flux.hear(decoder.decode(mulaw[at : at + frame_bytes])))
    return messages


async def _all(messages: AsyncIterable[Message]) -> list[Message]:
    return [message async for message in messages]


def _events(messages: list[Message]) -> list[tuple[str, float, str]]:
    """What changed: (event, audio time, transcript), without the Updates."""
    return [
        (message["event"], message["audio_window_end"], message["transcript"])
        for message in messages
        if message["event"] != "Update"
    ]


async def test_a_turn_starts_and_ends_by_audio_time() -> None:
    flux = _flux("I would like a consultation.")
    heard = await _hear(flux, silence(0.5) + tone(1.2) + silence(1.0))
    assert _events(heard) == [
        ("StartOfTurn", 0.6, ""),
        ("EndOfTurn", 2.2, "I would like a consultation."),  # half a second of silence
    ]
    end = next(message for message in heard if message["event"] == "EndOfTurn")
    assert end["trigger"] == "model"
    assert end["end_of_turn_confidence"] >= 0.7
    assert [word["word"] for word in end["words"]] == ["I", "would", "like", "a", "consultation."]
    assert (end["words"][0]["start"], end["words"][-1]["end"]) == (0.5, 1.7)


async def test_updates_come_each_quarter_second_with_the_words_so_far() -> None:
    heard = await _hear(_flux("one two three four"), tone(1.2))
    updates = [(m["audio_window_end"], m["transcript"]) for m in heard if m["event"] == "Update"]
    assert updates == [
        (0.36, "one"),
        (0.62, "one two"),
        (0.88, "one two three"),
        (1.14, "one two three four"),
    ]


async def test_silence_is_told_as_empty_updates_of_the_turn_to_come() -> None:
    heard = await _hear(_flux(), silence(1.0))
    assert {message["event"] for message in heard} == {"Update"}
    assert {message["transcript"] for message in heard} == {""}
    assert len(heard) == 3


async def test_eager_end_comes_first_and_with_the_same_words() -> None:
    heard = await _hear(_flux("Tuesday at ten please", eager=0.5), tone(1.0) + silence(1.0))
    assert _events(heard) == [
        ("StartOfTurn", 0.1, ""),
        ("EagerEndOfTurn", 1.2, "Tuesday at ten please"),
        ("EndOfTurn", 1.32, "Tuesday at ten please"),
    ]


async def test_without_an_eager_threshold_there_is_no_eager_end() -> None:
    heard = await _hear(_flux("Hello there"), tone(1.0) + silence(0.4) + tone(0.5) + silence(1.5))
    assert {event for event, _, _ in _events(heard)} == {"StartOfTurn", "EndOfTurn"}


async def test_resumed_speech_takes_the_eager_end_back() -> None:
    flux = _flux("I would like", "a consultation", eager=0.4)
    heard = await _hear(flux, tone(1.0) + silence(0.46) + tone(0.6) + silence(1.5))
    assert _events(heard) == [
        ("StartOfTurn", 0.1, ""),
        ("EagerEndOfTurn", 1.44, "I would like"),  # dangling: more patience
        ("TurnResumed", 1.56, "I would like"),
        ("EagerEndOfTurn", 2.28, "I would like a consultation"),
        ("EndOfTurn", 2.56, "I would like a consultation"),
    ]


async def test_wordless_noise_starts_a_turn_that_ends_empty_and_never_eagerly() -> None:
    heard = await _hear(_flux("", eager=0.3), tone(0.3) + silence(1.0))
    assert [(event, text) for event, _, text in _events(heard)] == [("StartOfTurn", ""), ("EndOfTurn", "")]


async def test_an_open_turn_never_ends_while_no_audio_comes() -> None:
    flux = _flux("A consultation")
    assert _events(await _hear(flux, tone(0.5) + silence(0.2)))[-1][0] == "StartOfTurn"
    assert _events(await _hear(flux, silence(0.5)))[-1][0] == "EndOfTurn"


async def test_turn_index_rises_after_the_end() -> None:
    heard = await _hear(_flux("Yes.", "No."), (tone(0.4) + silence(0.8)) * 2)
    assert [(m["event"], m["turn_index"]) for m in heard if m["event"] != "Update"] == [
        ("StartOfTurn", 0),
        ("EndOfTurn", 0),
        ("StartOfTurn", 1),
        ("EndOfTurn", 1),
    ]
    assert heard[-1]["turn_index"] == 2


async def test_threshold_one_ends_by_timeout_only() -> None:
    heard = await _hear(_flux("Yes.", eot=1.0, timeout_s=2.0), tone(0.4) + silence(3.0))
    end = heard[[m["event"] for m in heard].index("EndOfTurn")]
    assert (end["audio_window_end"], end["trigger"]) == (2.4, "timeout")


async def test_force_end_turn_ends_the_open_turn_and_is_ignored_without_one() -> None:
    flux = _flux("one two three four", eot=1.0)
    assert await _all(flux.force_end()) == []
    await _hear(flux, tone(0.52))
    (end,) = await _all(flux.force_end())
    assert (end["event"], end["trigger"], end["transcript"]) == ("EndOfTurn", "manual", "one two")
    assert await _all(flux.force_end()) == []


async def test_a_turn_forced_in_mid_speech_is_followed_by_another() -> None:
    flux = _flux("Hello there", "my friend")
    await _hear(flux, tone(0.5))
    await _all(flux.force_end())
    assert _events(await _hear(flux, tone(0.5) + silence(1.0))) == [
        ("StartOfTurn", 0.52, ""),
        ("EndOfTurn", 1.5, "my friend"),
    ]


async def test_close_stream_flushes_an_open_turn() -> None:
    flux = _flux("one two three four")
    await _hear(flux, tone(0.8))
    assert [(m["event"], m["transcript"]) for m in await _all(flux.finish())] == [("Update", "one two three")]


@pytest.mark.parametrize("frame_bytes", [160, 640, 1000, 100_000])
async def test_the_cut_into_frames_changes_nothing(frame_bytes: int) -> None:
    audio = silence(0.5) + tone(0.9) + silence(0.2) + tone(0.5) + silence(2.0)
    lines = ("I would like to", "book a consultation")
    assert await _hear(_flux(*lines, eager=0.4), audio, frame_bytes) == await _hear(
        _flux(*lines, eager=0.4), audio
    )


async def test_configure_changes_only_what_it_names() -> None:
    flux = _flux("Four seven two", eager=0.5)
    answer = flux.configure(
        {"type": "Configure", "thresholds": {"eot_threshold": 0.9}, "keyterms": ["botox"]}
    )
    assert answer["type"] == "ConfigureSuccess"
    assert answer["thresholds"] == {
        "eot_threshold": 0.9,
        "eot_timeout_ms": 5000,
        "eager_eot_threshold": 0.5,
    }
    assert answer["keyterms"] == ["botox"]


@pytest.mark.parametrize(
    "change",
    [
        {"thresholds": {"eot_threshold": 2}},
        {"thresholds": {"eot_threshold": "0.9"}},
        {"thresholds": {"eot": 0.9}},
        {"thresholds": {"eot_timeout_ms": 10}},
        {"thresholds": {"eot_timeout_ms": 5000.0}},
        {"thresholds": 0.9},
        {"keyterms": "botox"},
        {"language_hints": ["es"]},
        {"numerals": 1},
        {"endpointing": 300},
    ],
)
async def test_configure_refuses_and_keeps_what_was(change: Message) -> None:
    flux = _flux()
    before = flux.settings
    assert flux.configure({"type": "Configure", **change})["type"] == "ConfigureFailure"
    assert flux.settings == before


def test_callers_are_told_apart_by_pitch() -> None:
    script = Script({440: ["low"], 900: ["high"]})
    decoder = AudioDecoder("mulaw", 8000)
    assert script.voice(decoder.decode(tone(0.02, 900))) == 900
    assert script.voice(decoder.decode(tone(0.02, 440))) == 440


async def test_a_line_is_not_used_up_before_its_turn_is_over() -> None:
    script = Script(["Hello there", "Goodbye"])
    settings = _flux().settings
    dropped = Flux(script.hearing(), settings)
    await _hear(dropped, tone(0.6))
    replayed = Flux(script.hearing(), settings)
    heard = await _hear(replayed, tone(0.9) + silence(1.0) + tone(0.9) + silence(1.0))
    assert [m["transcript"] for m in heard if m["event"] == "EndOfTurn"] == ["Hello there", "Goodbye"]


def test_alaw_and_mulaw_tables_are_symmetric_and_silent_at_zero() -> None:
    mulaw = AudioDecoder("mulaw", 8000).decode(bytes(range(256)))
    alaw = AudioDecoder("alaw", 8000).decode(bytes(range(256)))
    assert mulaw[0xFF] == mulaw[0x7F] == 0
    assert (int(mulaw.max()), int(mulaw.min())) == (32124, -32124)
    assert (int(alaw.max()), int(alaw.min())) == (32256, -32256)
    assert np.array_equal(np.sort(mulaw), np.sort(-mulaw))
    assert np.array_equal(np.sort(alaw), np.sort(-alaw))
