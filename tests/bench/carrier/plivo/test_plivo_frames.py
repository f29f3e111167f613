"""Frames: key for key as Plivo sends them; what it refuses from a gateway is refused."""

import json

import pytest

from bench.carrier.errors import StreamFault
from bench.carrier.plivo.frames import PlivoWire
from bench.carrier.wire import Clear, Keys, Mark, Media

AUDIO = '{"event":"playAudio","media":{"contentType":"audio/x-mulaw","sampleRate":%s,"payload":"//8="}}'


def wire() -> PlivoWire:
    return PlivoWire("MA1", "c-1", "s-1", {"org": "7", "token": "abc"})


def test_frames_as_plivo_sends_them() -> None:
    speaking = wire()
    assert [json.loads(frame) for frame in speaking.opening()] == [
        {
            "event": "start",
            "sequenceNumber": 0,
            "start": {
                "callId": "c-1",
                "streamId": "s-1",
                "accountId": "MA1",
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
            },
            "extra_headers": "{org: 7;token: abc}",
        }
    ]
    media = json.loads(speaking.audio(b"\xff\xff", 0))
    timestamp = media["media"].pop("timestamp")
    assert isinstance(timestamp, str)
    assert timestamp.isdigit()
    assert media == {
        "event": "media",
        "sequenceNumber": 1,
        "streamId": "s-1",
        "media": {"track": "inbound", "chunk": 1, "payload": "//8="},
        "extra_headers": "{org: 7;token: abc}",
    }
    rest = [json.loads(frame) for frame in (speaking.mark("m"), *speaking.cleared(), speaking.dtmf("5"))]
    assert rest[0] == {"event": "playedStream", "sequenceNumber": 2, "streamId": "s-1", "name": "m"}
    assert rest[1] == {"event": "clearedAudio", "sequenceNumber": 3, "streamId": "s-1"}
    assert rest[2]["dtmf"]["digit"] == "5"
    assert speaking.closing() == []


def test_orders() -> None:
    assert wire().order(AUDIO % 8000) == wire().order(AUDIO % '"8000"') == Media(b"\xff\xff")
    assert wire().order('{"event":"checkpoint","streamId":"s-1","name":"m"}') == Mark("m")
    assert wire().order('{"event":"clearAudio","streamId":"s-1"}') == Clear()
    assert wire().order('{"event":"sendDTMF","dtmf":"12#"}') == Keys("12#")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"{}", "message"),
        ("not json", "message"),
        ("[]", "message"),
        ('{"event":"media","media":{"payload":"//8="}}', "message"),
        ('{"event":"checkpoint","name":"m"}', "message"),
        ('{"event":"checkpoint","streamId":"s-2","name":"m"}', "message"),
        ('{"event":"checkpoint","streamId":"s-1"}', "message"),
        ('{"event":"clearAudio"}', "message"),
        ('{"event":"sendDTMF","dtmf":"x"}', "message"),
        ('{"event":"playAudio"}', "media"),
        (AUDIO.replace("x-mulaw", "x-mulaw;rate=8000") % 8000, "media"),
        (AUDIO % 16000, "media"),
        (AUDIO.replace("//8=", "%%%%") % 8000, "media"),
        (AUDIO.replace("//8=", "UklGRiQAAABXQVZF") % 8000, "media"),
    ],
)
def test_refused(message: str | bytes, code: str) -> None:
    with pytest.raises(StreamFault) as refusal:
        wire().order(message)
    assert refusal.value.code == code
