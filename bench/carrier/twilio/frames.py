"""Messages of Twilio's media socket: those Twilio sends, key for key, and those it takes, checked.

Source: Twilio docs "Media Streams WebSocket messages", read 2026-11. `sequenceNumber`, `chunk` and
`timestamp` are strings; `sampleRate` and `channels` are numbers; `track` is `inbound` in media and
`inbound_track` in dtmf.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.carrier.errors import Rule, StreamFault
from bench.carrier.playback import QueueRules
from bench.carrier.twilio.rules import MESSAGE, QUEUE, SLOW_READER
from bench.carrier.wire import (
    Clear,
    Mark,
    Media,
    Message,
    Order,
    encoded,
    json_object,
    name_of,
    payload_of,
    sent,
)

QUEUE_RULES: Final = QueueRules(most_ms=10 * 60 * 1000, overflow=QUEUE, flushes_marks=True)


@dataclass(slots=True)
class TwilioWire:
    """One stream. Satisfies `bench.carrier.wire.Wire`."""

    account_sid: str
    call_sid: str
    stream_id: str
    parameters: Mapping[str, str]
    sequence: int = 0
    chunk: int = 0

    @property
    def queue_rules(self) -> QueueRules:
        return QUEUE_RULES

    @property
    def slow_reader(self) -> Rule:
        return SLOW_READER

    def opening(self) -> list[Message]:
        return [self._connected(), self._start()]

    def audio(self, mulaw: bytes, at_ms: int) -> Message:
        self.chunk += 1
        body = {
            "track": "inbound",
            "chunk": str(self.chunk),
            "timestamp": str(at_ms),
            "payload": encoded(mulaw),
        }
        return self._numbered("media", {"media": body})

    def mark(self, name: str) -> Message:
        return self._numbered("mark", {"mark": {"name": name}})

    def cleared(self) -> list[Message]:
        """Nothing but its marks says so."""
        return []

    def dtmf(self, digit: str) -> Message:
        return self._numbered("dtmf", {"dtmf": {"track": "inbound_track", "digit": digit}})

    def closing(self) -> list[Message]:
        body = {"accountSid": self.account_sid, "callSid": self.call_sid}
        return [self._numbered("stop", {"stop": body})]

    def order(self, message: Message) -> Order:
        frame = json_object(message, MESSAGE)
        if frame.get("streamSid") != self.stream_id:
            raise sent(MESSAGE, "a missing or wrong streamSid")
        match frame.get("event"):
            case "media":
                return Media(payload_of(frame.get("media"), MESSAGE))
            case "mark":
                return Mark(name_of(frame.get("mark"), MESSAGE))
            case "clear":
                return Clear()
            case other:
                raise sent(MESSAGE, f"event {other!r:.40}")

    def objection(self, fault: StreamFault) -> None:
        """Twilio ends the stream."""

    def _connected(self) -> str:
        return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def _start(self) -> str:
        body = {
            "accountSid": self.account_sid,
            "streamSid": self.stream_id,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(self.parameters),
        }
        return self._numbered("start", {"start": body})

    def _numbered(self, event: str, body: Mapping[str, Any]) -> str:
        self.sequence += 1
        head = {"event": event, "sequenceNumber": str(self.sequence), "streamSid": self.stream_id}
        return json.dumps({**head, **body})
