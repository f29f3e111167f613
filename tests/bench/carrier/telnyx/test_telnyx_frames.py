"""Frames: key for key as Telnyx sends them; what it refuses is answered with its error, the stream lives."""

import base64
import json

import pytest

from bench.carrier.errors import StreamFault
from bench.carrier.telnyx.frames import Introduction, TelnyxWire
from bench.carrier.wire import Clear, Mark, Media

FRAME = b"\xff" * 160


def wire() -> TelnyxWire:
    told = Introduction("u-1", "v3:c", "cs-1", "+447700900123", "+442079460018", "e30=", {"org": "7"})
    return TelnyxWire("s-1", told)


def media(audio: bytes) -> str:
    return json.dumps({"event": "media", "media": {"payload": base64.b64encode(audio).decode()}})


def test_frames_as_telnyx_sends_them() -> None:
    speaking = wire()
    connected, start = (json.loads(frame) for frame in speaking.opening())
    assert connected == {"event": "connected", "version": "1.0.0"}
    assert start == {
        "event": "start",
        "sequence_number": "1",
        "stream_id": "s-1",
        "start": {
            "user_id": "u-1",
            "call_control_id": "v3:c",
            "call_session_id": "cs-1",
            "from": "+447700900123",
            "to": "+442079460018",
            "tags": [],
            "client_state": "e30=",
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
            "custom_parameters": {"org": "7"},
        },
    }
    assert json.loads(speaking.audio(b"\xff\xff", 20)) == {
        "event": "media",
        "sequence_number": "2",
        "stream_id": "s-1",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "20", "payload": "//8="},
    }
    mark, dtmf = json.loads(speaking.mark("m")), json.loads(speaking.dtmf("5"))
    assert mark == {"event": "mark", "sequence_number": "3", "stream_id": "s-1", "mark": {"name": "m"}}
    assert (dtmf["dtmf"], dtmf["sequence_number"]) == ({"digit": "5"}, "4")
    assert dtmf["occurred_at"].endswith("Z")
    (stop,) = (json.loads(frame) for frame in speaking.closing())
    assert stop["stop"] == {"user_id": "u-1", "call_control_id": "v3:c"}


def test_orders() -> None:
    assert wire().order(media(FRAME)) == Media(FRAME)
    assert wire().order('{"event":"mark","mark":{"name":"m"}}') == Mark("m")
    assert wire().order('{"event":"clear"}') == Clear()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"{}", 100003),
        ("not json", 100003),
        ("[]", 100003),
        ('{"event":"playAudio"}', 100003),
        ('{"event":"mark"}', 100003),
        ('{"event":"mark","mark":{"name":7}}', 100003),
        ('{"event":"media"}', 100004),
        ('{"event":"media","media":{"payload":"%%%"}}', 100004),
        (media(FRAME[:-1]), 100004),
        (media(b"\xff" * 240_001), 100004),
    ],
)
def test_refused(message: str | bytes, code: int) -> None:
    with pytest.raises(StreamFault) as refusal:
        wire().order(message)
    assert refusal.value.code == code
    error = json.loads(wire().objection(refusal.value))
    assert (error["event"], error["payload"]["code"]) == ("error", code)
    assert error["payload"]["title"] in ("malformed_frame", "invalid_media")
