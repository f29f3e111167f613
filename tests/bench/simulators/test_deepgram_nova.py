"""Nova's results over scripted hearing: exact, in audio time, no socket."""

from collections.abc import AsyncIterable
from dataclasses import replace

import pytest

from bench.simulators.deepgram_audio import AudioDecoder
from bench.simulators.deepgram_hearing import Script, silence, tone
from bench.simulators.deepgram_nova import Message, Nova
from bench.simulators.deepgram_parameters import NovaSettings

_SETTINGS = NovaSettings(
    model="nova-3",
    encoding="mulaw",
    sample_rate_hz=8000,
    interim_results=False,
    endpointing_s=0.3,
    utterance_end_s=None,
    vad_events=False,
    smart_format=False,
    punctuate=True,
    no_delay=False,
    keyterms=(),
)


def _nova(*lines: str, settings: NovaSettings = _SETTINGS) -> Nova:
    return Nova(Script(lines).hearing(), settings)


async def _hear(nova: Nova, mulaw: bytes) -> list[Message]:
    decoder = AudioDecoder("mulaw", 8000)
    messages: list[Message] = []
    for at in range(0, len(mulaw), 160):
        messages += await _all(nova.hear(decoder.decode(mulaw[at : at + 160])))
    return messages


async def _all(messages: AsyncIterable[Message]) -> list[Message]:
    return [message async for message in messages]


def _end_s(result: Message) -> float:
    return round(float(result["start"] + result["duration"]), 3)


def _text(result: Message) -> str:
    return str(result["channel"]["alternatives"][0]["transcript"])


async def test_endpointing_ends_speech_and_spans_follow_one_another() -> None:
    heard = await _hear(_nova("Hello there.", "Goodbye."), (tone(0.6) + silence(0.6)) * 2)
    assert [(r["start"], _end_s(r), r["is_final"], r["speech_final"], _text(r)) for r in heard] == [
        (0.0, 0.9, True, True, "Hello there."),
        (0.9, 2.1, True, True, "Goodbye."),
    ]


async def test_interims_come_each_second_and_may_be_empty() -> None:
    nova = _nova("one two three four", settings=replace(_SETTINGS, interim_results=True))
    heard = await _hear(nova, silence(0.5) + tone(1.6) + silence(1.6))
    assert [(_end_s(r), r["is_final"], r["speech_final"], _text(r)) for r in heard] == [
        (1.0, False, False, "one two"),
        (2.0, False, False, "one two three four"),
        (2.4, True, True, "one two three four"),
        (3.4, False, False, ""),
    ]


async def test_long_speech_is_settled_at_a_pause_and_its_end_comes_empty() -> None:
    heard = await _hear(_nova("a long story"), tone(3.5) + silence(0.5))
    assert [(r["is_final"], r["speech_final"], _text(r)) for r in heard] == [
        (True, False, "a long story"),
        (True, True, ""),
    ]


async def test_silence_is_settled_wordless() -> None:
    (only,) = await _hear(_nova(), silence(4.0))
    assert (_end_s(only), only["is_final"], only["speech_final"], _text(only)) == (3.0, True, False, "")


async def test_endpointing_off_never_says_speech_final() -> None:
    nova = _nova("Hello", settings=replace(_SETTINGS, endpointing_s=None))
    heard = await _hear(nova, tone(0.6) + silence(2.0))
    assert [(_end_s(r), r["is_final"], r["speech_final"], _text(r)) for r in heard] == [
        (1.6, True, False, "Hello")
    ]


async def test_speech_started_and_utterance_end_are_sent_when_asked_for() -> None:
    settings = replace(_SETTINGS, vad_events=True, interim_results=True, utterance_end_s=1.0)
    heard = await _hear(_nova("Hello", settings=settings), silence(0.2) + tone(0.6) + silence(2.0))
    events = [message for message in heard if message["type"] != "Results"]
    assert events == [
        {"type": "SpeechStarted", "channel": [0, 1], "timestamp": 0.2},
        {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": 0.8},
    ]


async def test_speech_before_the_utterance_end_puts_it_off() -> None:
    settings = replace(_SETTINGS, interim_results=True, utterance_end_s=1.0)
    nova = _nova("Hello", "again", settings=settings)
    heard = await _hear(nova, tone(0.6) + silence(0.8) + tone(0.6) + silence(1.5))
    assert [m["last_word_end"] for m in heard if m["type"] == "UtteranceEnd"] == [2.0]


@pytest.mark.parametrize(
    ("settings", "end_s"),
    [
        (replace(_SETTINGS, smart_format=True), 3.6),
        (replace(_SETTINGS, smart_format=True, no_delay=True), 0.9),
        (_SETTINGS, 0.9),
    ],
)
async def test_smart_formatting_holds_an_unfinished_number_back(settings: NovaSettings, end_s: float) -> None:
    heard = await _hear(_nova("four seven two", settings=settings), tone(0.6) + silence(3.4))
    assert [_end_s(r) for r in heard if r["speech_final"]] == [end_s]


async def test_finalize_flushes_and_says_so() -> None:
    nova = _nova("one two three")
    await _hear(nova, tone(0.55))
    (result,) = await _all(nova.finalize())
    assert (result["is_final"], result["from_finalize"], _text(result)) == (True, True, "one two")


async def test_finalize_of_silence_is_not_answered() -> None:
    nova = _nova("Hello")
    await _hear(nova, silence(0.5))
    assert await _all(nova.finalize()) == []


async def test_words_are_bare_without_punctuation() -> None:
    settings = replace(_SETTINGS, punctuate=False)
    (result,) = await _hear(_nova("Hello, Dr. Patel.", settings=settings), tone(0.6) + silence(0.5))
    assert _text(result) == "hello dr patel"
    assert "punctuated_word" not in result["channel"]["alternatives"][0]["words"][0]


@pytest.mark.parametrize(
    ("model", "keyterms", "answer"),
    [
        ("nova-3", ["botox"], {"type": "ConfigureSuccess", "keyterms": ["botox"]}),
        ("nova-3", [], {"type": "ConfigureSuccess", "keyterms": []}),
        ("nova-3", None, {"type": "ConfigureSuccess"}),
        ("nova-3", ["rhinoplasty"] * 200, "CONFIGURE_KEYTERM_LIMIT_EXCEEDED"),
        ("nova-2", ["botox"], "CONFIGURE_KEYTERMS_NOT_SUPPORTED"),
    ],
)
def test_configure(model: str, keyterms: list[str] | None, answer: Message | str) -> None:
    nova = _nova(settings=replace(_SETTINGS, model=model))
    given = nova.configure({"type": "Configure", "keyterms": keyterms})
    assert given == answer or given.get("code") == answer
