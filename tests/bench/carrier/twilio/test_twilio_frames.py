"""Frames: key for key as Twilio sends them; what it refuses from a gateway is refused."""

import json

import pytest

from bench.carrier.errors import StreamFault
from bench.carrier.twilio.frames import TwilioWire
from bench.carrier.wire import Clear, Mark, Media


def wire() -> TwilioWire:
    return TwilioWire("AC1", "CA1", "MZ1", {"token": "t"})


def test_frames_as_twilio_sends_them() -> None:
    speaking = wire()
    frames = [
        *speaking.opening(),
        speaking.audio(b"\xff\xff", 0),
        speaking.mark("m"),
        speaking.dtmf("5"),
        *speaking.cleared(),
        *speaking.closing(),
    ]
    assert [json.loads(frame) for frame in frames] == [
        {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        {
            "event": "start",
            "sequenceNumber": "1",
            "streamSid": "MZ1",
            "start": {
                "accountSid": "AC1",
                "streamSid": "MZ1",
                "callSid": "CA1",
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": {"token": "t"},
            },
        },
        {
            "event": "media",
            "sequenceNumber": "2",
            "streamSid": "MZ1",
            "media": {"track": "inbound", "chunk": "1", "timestamp": "0", "payload": "//8="},
        },
        {"event": "mark", "sequenceNumber": "3", "streamSid": "MZ1", "mark": {"name": "m"}},
        {
            "event": "dtmf",
            "sequenceNumber": "4",
            "streamSid": "MZ1",
            "dtmf": {"track": "inbound_track", "digit": "5"},
        },
        {
            "event": "stop",
            "sequenceNumber": "5",
            "streamSid": "MZ1",
            "stop": {"accountSid": "AC1", "callSid": "CA1"},
        },
    ]


def test_orders() -> None:
    assert wire().order('{"event":"media","streamSid":"MZ1","media":{"payload":"//8="}}') == Media(
        b"\xff\xff"
    )
    assert wire().order('{"event":"mark","streamSid":"MZ1","mark":{"name":"m"}}') == Mark("m")
    assert wire().order('{"event":"clear","streamSid":"MZ1"}') == Clear()


@pytest.mark.parametrize(
    "message",
    [
        b'{"event":"clear","streamSid":"MZ1"}',
        "",
        "not json",
        "[]",
        '{"event":"clear"}',
        '{"event":"clear","streamSid":"MZ2"}',
        '{"event":"dance","streamSid":"MZ1"}',
        '{"streamSid":"MZ1"}',
        '{"event":"media","streamSid":"MZ1"}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":""}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"%%%"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"UklGRiQAAABXQVZF"}}',
        '{"event":"mark","streamSid":"MZ1"}',
        '{"event":"mark","streamSid":"MZ1","mark":{"name":""}}',
    ],
)
def test_refused(message: str | bytes) -> None:
    with pytest.raises(StreamFault):
        wire().order(message)
