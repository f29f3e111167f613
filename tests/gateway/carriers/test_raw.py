"""The raw socket's own: two encodings at two rates, and a schema that says what the codec takes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from gateway.carriers.events import CallerAudio, Clear, Mark, PlayAudio
from gateway.carriers.raw import RawCodec, schema
from gateway.errors import MalformedFrame
from pipeline.audio import mulaw
from pipeline.audio.mulaw import Samples
from pipeline.audio.resample import DELAY_SAMPLES

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "raw-audio.schema.json"
START: dict[str, Any] = {"type": "start", "call_id": "c-1", "token": "t"}

GOOD: list[dict[str, Any]] = [
    START,
    START | {"encoding": "mulaw", "sample_rate": 8000, "parameters": {"a": "b"}},
    START | {"sample_rate": 16000},
    START | {"something": "new"},
    {"type": "dtmf", "digit": "#"},
    {"type": "mark", "name": "t1"},
    {"type": "stop"},
]
BAD: list[dict[str, Any]] = [
    {},
    {"type": "unheard-of"},
    {"type": "start", "call_id": "c-1"},
    START | {"call_id": ""},
    START | {"call_id": "a b"},
    START | {"call_id": "x" * 65},
    START | {"encoding": "opus"},
    START | {"sample_rate": 24000},
    START | {"token": "t" * 1025},
    START | {"parameters": {"a": 1}},
    {"type": "dtmf", "digit": "55"},
    {"type": "mark", "name": "n" * 257},
]


def valid(frame: object, direction: str = "ToGateway") -> bool:
    whole = json.loads(SCHEMA_FILE.read_text())
    part = {"$defs": whole["$defs"], "$ref": f"#/$defs/{direction}"}
    return bool(jsonschema.Draft202012Validator(part).is_valid(frame))


def valid_either_way(frame: object) -> bool:
    return bool(jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).is_valid(frame))


def test_the_published_schema_is_the_codecs() -> None:
    assert json.loads(SCHEMA_FILE.read_text()) == schema()


@pytest.mark.parametrize("frame", GOOD, ids=str)
def test_what_the_schema_allows_is_taken(frame: dict[str, Any]) -> None:
    assert valid(frame)
    assert len(RawCodec().decode(json.dumps(frame))) == 1


@pytest.mark.parametrize("frame", [*BAD, [], "start", 1, None], ids=lambda frame: str(frame)[:60])
def test_the_file_as_a_whole_refuses_what_goes_neither_way(frame: object) -> None:
    assert not valid_either_way(frame)


@pytest.mark.parametrize("frame", [*GOOD, {"type": "clear"}], ids=str)
def test_the_file_as_a_whole_allows_what_goes_either_way(frame: object) -> None:
    assert valid_either_way(frame)


def test_what_goes_one_way_does_not_go_the_other() -> None:
    assert not valid({"type": "clear"})
    assert not valid(START, "FromGateway")


@pytest.mark.parametrize("frame", BAD, ids=lambda frame: str(frame)[:60])
def test_what_it_does_not_allow_is_malformed(frame: dict[str, Any]) -> None:
    assert not valid(frame)
    with pytest.raises(MalformedFrame):
        RawCodec().decode(json.dumps(frame))


def test_a_call_id_with_a_line_break_at_its_end_is_malformed() -> None:
    with pytest.raises(MalformedFrame):
        RawCodec().decode(json.dumps(START | {"call_id": "c-1\n"}))


def test_what_we_send_is_in_the_schema() -> None:
    codec = RawCodec()
    sent = [json.loads(frame) for action in (Mark("t1"), Clear()) for frame in codec.encode(action)]
    assert sent == [{"type": "mark", "name": "t1"}, {"type": "clear"}]
    assert all(valid(frame, "FromGateway") for frame in sent)


def test_mulaw_goes_through_as_it_is() -> None:
    codec = RawCodec()
    codec.decode(json.dumps(START | {"encoding": "mulaw"}))
    assert codec.decode(b"\x7f" * 80) == (CallerAudio(b"\x7f" * 80, 0, 1),)
    assert codec.decode(b"\x7f" * 80) == (CallerAudio(b"\x7f" * 80, 10, 2),)
    assert codec.encode(PlayAudio(b"\x7f\x01")) == (b"\x7f\x01",)


@pytest.mark.parametrize("encoding", ["mulaw", "pcm_s16le"])
def test_audio_at_16_khz_sounds_the_same_at_8(encoding: str) -> None:
    """A second of a tone, in pieces of odd sizes: what is heard, and what is said, is that tone."""
    tone = (8_000 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)).astype("<i2")
    wire = tone.tobytes() if encoding == "pcm_s16le" else mulaw.encode(tone)
    codec = RawCodec()
    codec.decode(json.dumps(START | {"encoding": encoding, "sample_rate": 16_000}))
    heard = [event for piece in _cut(wire, [2, 126, 640, 1000] * 20) for event in codec.decode(piece)]
    audio = [event for event in heard if isinstance(event, CallerAudio)]
    assert len(audio) == len(heard)
    assert 950 <= audio[-1].timestamp_ms < 1000
    sound = mulaw.decode(b"".join(event.mulaw for event in audio))
    late = np.concatenate((np.zeros(DELAY_SAMPLES, np.int16), tone[:-DELAY_SAMPLES]))
    assert _alike(sound, late[::2])
    [said] = codec.encode(PlayAudio(mulaw.encode(tone[::2])))
    assert isinstance(said, bytes)
    assert _alike(np.frombuffer(said, "<i2") if encoding == "pcm_s16le" else mulaw.decode(said), late)


def _cut(audio: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        if piece := audio[at : at + size]:
            yield piece
        at += size


def _alike(sound: Samples, meant: Samples) -> bool:
    """The same but for mu-law's coarseness, from where the filter is full."""
    return len(sound) == len(meant) and bool(np.abs(sound[60:].astype(int) - meant[60:]).max() < 500)


def test_after_a_clear_nothing_sounds_on_at_16_khz() -> None:
    codec = RawCodec()
    codec.decode(json.dumps(START | {"sample_rate": 16_000}))
    codec.encode(PlayAudio(b"\x10" * 160))
    codec.encode(Clear())
    assert codec.encode(PlayAudio(b"\xff" * 160)) == (bytes(640),)


@pytest.mark.parametrize("audio", [b"\x01", b"\x00" * 64_002], ids=["half a sample", "four seconds"])
def test_audio_that_cannot_be_is_malformed(audio: bytes) -> None:
    with pytest.raises(MalformedFrame):
        RawCodec().decode(audio)
