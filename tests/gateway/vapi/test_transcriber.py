"""The transcriber's wire: what starts it, which samples are the caller's, however frames are cut."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import MalformedFrame
from gateway.vapi.transcriber import CallerChannel, Start, failed, heard, read_text

START = {"type": "start", "encoding": "linear16", "container": "raw", "sampleRate": 16000, "channels": 2}


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ({}, Start(16_000, 2)),
        ({"sampleRate": 8000.0, "channels": 1, "future": {}}, Start(8_000, 1)),
        ({"container": ""}, Start(16_000, 2)),
        ({"type": "model-output"}, None),
    ],
)
def test_a_start_tells_how_audio_comes_and_other_text_tells_nothing(
    change: dict[str, Any], start: Start | None
) -> None:
    assert read_text(json.dumps(START | change)) == start


@pytest.mark.parametrize(
    "change",
    [
        {"encoding": "mulaw"},
        {"encoding": None},
        {"container": "wav"},
        {"sampleRate": 7_999},
        {"sampleRate": 48_001},
        {"sampleRate": 16_000.5},
        {"sampleRate": "16000"},
        {"channels": 0},
        {"channels": 3},
    ],
)
def test_audio_that_cannot_be_heard_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedFrame):
        read_text(json.dumps(START | change))


def test_nesting_without_end_is_garbage() -> None:
    with pytest.raises(MalformedFrame):
        read_text('{"x": ' + "[" * 20_000 + "]" * 20_000 + "}")


@given(st.text(max_size=80))
def test_garbage_is_garbage_and_nothing_else(frame: str) -> None:
    try:
        assert read_text(frame) is None
    except MalformedFrame:
        return


@given(st.lists(st.integers(-32_768, 32_767), max_size=50), st.sampled_from([1, 2]), st.data())
def test_the_callers_samples_are_the_same_however_frames_are_cut(
    samples: list[int], channels: int, data: st.DataObject
) -> None:
    caller = np.array(samples, "<i2")
    sides = [caller, np.full_like(caller, 257)][:channels]
    audio = np.stack(sides, axis=1).astype("<i2").tobytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(audio)), max_size=6)))
    channel = CallerChannel(channels)
    pieces = [
        channel.feed(audio[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(audio)], strict=True)
    ]
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert b"".join(pieces) == caller.tobytes()


def test_answers_name_the_caller_and_whether_they_may_still_change() -> None:
    assert json.loads(heard('I said "yes".', "partial")) == {
        "type": "transcriber-response",
        "transcription": 'I said "yes".',
        "channel": "customer",
        "transcriptType": "partial",
    }
    assert json.loads(failed("idle")) == {"type": "error", "error": "idle"}
