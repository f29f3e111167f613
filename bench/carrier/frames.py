"""Messages of Twilio's media socket: those Twilio sends, key for key, and those it takes, checked.

Source: Twilio docs "Media Streams WebSocket messages", read 2026-11. `sequenceNumber`, `chunk` and
`timestamp` are strings; `sampleRate` and `channels` are numbers; `track` is `inbound` in media and
`inbound_track` in dtmf.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.carrier.errors import StreamFault

INVALID_MESSAGE = 31951


@dataclass(slots=True)
class FrameWriter:
    """Numbers and writes what Twilio says on one stream."""

    account_sid: str
    call_sid: str
    stream_sid: str
    sequence: int = 0
    chunk: int = 0

    def connected(self) -> str:
        return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self, parameters: Mapping[str, str]) -> str:
        body = {
            "accountSid": self.account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(parameters),
        }
        return self._numbered("start", {"start": body})

    def media(self, mulaw: bytes, timestamp_ms: int) -> str:
        self.chunk += 1
        body = {
            "track": "inbound",
            "chunk": str(self.chunk),
            "timestamp": str(timestamp_ms),
            "payload": base64.b64encode(mulaw).decode(),
        }
        return self._numbered("media", {"media": body})

    def mark(self, name: str) -> str:
        return self._numbered("mark", {"mark": {"name": name}})

    def dtmf(self, digit: str) -> str:
        return self._numbered("dtmf", {"dtmf": {"track": "inbound_track", "digit": digit}})

    def stop(self) -> str:
        return self._numbered("stop", {"stop": {"accountSid": self.account_sid, "callSid": self.call_sid}})

    def _numbered(self, event: str, body: Mapping[str, Any]) -> str:
        self.sequence += 1
        head = {"event": event, "sequenceNumber": str(self.sequence), "streamSid": self.stream_sid}
        return json.dumps({**head, **body})


@dataclass(frozen=True, slots=True)
class Media:
    """Audio to queue: mu-law, mono, 8 kHz."""

    mulaw: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    pass


Order = Media | Mark | Clear


def decode_order(message: str | bytes, stream_sid: str) -> Order:
    """What the gateway asks of the stream. Raises `StreamFault` for anything that Twilio would not play."""
    if isinstance(message, bytes):
        raise _invalid("a binary message")
    try:
        frame = json.loads(message)
    except ValueError:
        raise _invalid("not JSON") from None
    if not isinstance(frame, dict):
        raise _invalid("not a JSON object")
    if frame.get("streamSid") != stream_sid:
        raise _invalid("a missing or wrong streamSid")
    match frame.get("event"):
        case "media":
            return Media(_payload(frame.get("media")))
        case "mark":
            return Mark(_mark_name(frame.get("mark")))
        case "clear":
            return Clear()
        case other:
            raise _invalid(f"event {other!r:.40}")


def _payload(media: object) -> bytes:
    payload = media.get("payload") if isinstance(media, dict) else None
    if not isinstance(payload, str) or not payload:
        raise _invalid("media without a payload")
    try:
        mulaw = base64.b64decode(payload, validate=True)
    except binascii.Error:
        raise _invalid("a media payload that is not base64") from None
    if mulaw.startswith(b"RIFF"):
        raise _invalid("a media payload with a WAV header")
    return mulaw


def _mark_name(mark: object) -> str:
    name = mark.get("name") if isinstance(mark, dict) else None
    if not isinstance(name, str) or not name:
        raise _invalid("a mark without a name")
    return name


def _invalid(fact: str) -> StreamFault:
    return StreamFault(INVALID_MESSAGE, f"the gateway sent {fact}")
