"""Messages of Plivo's media socket: those Plivo sends, key for key, and those it takes, checked.

Source: Plivo docs, "Audio streaming" (read 2026-11), and the clients that Plivo publishes. There is no
`connected`; `sequenceNumber` and `chunk` are numbers, a `timestamp` is text and the clock's milliseconds.
What the answer put into the call comes back as one text, in braces. A checkpoint that was cleared never
comes back.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bench.carrier.errors import Rule, StreamFault
from bench.carrier.playback import QueueRules
from bench.carrier.plivo.rules import MEDIA, MESSAGE, QUEUE, SLOW_READER
from bench.carrier.wire import (
    Clear,
    Keys,
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

QUEUE_RULES: Final = QueueRules(most_ms=10 * 60 * 1000, overflow=QUEUE, flushes_marks=False)
CONTENT_TYPE: Final = "audio/x-mulaw"
SAMPLE_RATE_HZ: Final = 8000
_KEYS: Final = frozenset("0123456789*#ABCDabcdwW")


@dataclass(slots=True)
class PlivoWire:
    """One stream. Satisfies `bench.carrier.wire.Wire`."""

    auth_id: str
    call_uuid: str
    stream_id: str
    parameters: Mapping[str, str]
    sequence: int = -1
    chunk: int = 0

    @property
    def queue_rules(self) -> QueueRules:
        return QUEUE_RULES

    @property
    def slow_reader(self) -> Rule:
        return SLOW_READER

    def opening(self) -> list[Message]:
        start = {
            "callId": self.call_uuid,
            "streamId": self.stream_id,
            "accountId": self.auth_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": CONTENT_TYPE, "sampleRate": SAMPLE_RATE_HZ},
        }
        self.sequence += 1
        told = {"event": "start", "sequenceNumber": self.sequence, "start": start}
        return [json.dumps({**told, "extra_headers": self._extra_headers()})]

    def audio(self, mulaw: bytes, at_ms: int) -> Message:
        self.chunk += 1
        media = {
            "track": "inbound",
            "timestamp": _clock_ms(),
            "chunk": self.chunk,
            "payload": encoded(mulaw),
        }
        return self._numbered("media", media=media, extra_headers=self._extra_headers())

    def mark(self, name: str) -> Message:
        return self._numbered("playedStream", name=name)

    def cleared(self) -> list[Message]:
        return [self._numbered("clearedAudio")]

    def dtmf(self, digit: str) -> Message:
        return self._numbered("dtmf", dtmf={"track": "inbound", "digit": digit, "timestamp": _clock_ms()})

    def closing(self) -> list[Message]:
        """The socket is closed without a word: a `stop` is in no text of Plivo's."""
        return []

    def order(self, message: Message) -> Order:
        frame = json_object(message, MESSAGE)
        match frame.get("event"):
            case "playAudio":
                return Media(_audio(frame.get("media")))
            case "checkpoint":
                self._check_stream(frame)
                return Mark(name_of(frame, MESSAGE))
            case "clearAudio":
                self._check_stream(frame)
                return Clear()
            case "sendDTMF":
                return Keys(_keys(frame.get("dtmf")))
            case other:
                raise sent(MESSAGE, f"event {other!r:.40}")

    def objection(self, fault: StreamFault) -> None:
        """Plivo's text does not say what becomes of it; here the stream ends."""

    def _check_stream(self, frame: Mapping[str, Any]) -> None:
        if frame.get("streamId") != self.stream_id:
            raise sent(MESSAGE, "a missing or wrong streamId")

    def _extra_headers(self) -> str:
        return "{" + ";".join(f"{name}: {value}" for name, value in self.parameters.items()) + "}"

    def _numbered(self, event: str, **parts: Any) -> str:
        self.sequence += 1
        head = {"event": event, "sequenceNumber": self.sequence, "streamId": self.stream_id}
        return json.dumps({**head, **parts})


def _audio(media: object) -> bytes:
    if not isinstance(media, dict):
        raise sent(MEDIA, "playAudio without media")
    if media.get("contentType") != CONTENT_TYPE:
        raise sent(MEDIA, f"contentType {media.get('contentType')!r:.40}")
    if str(media.get("sampleRate")) != str(SAMPLE_RATE_HZ):
        raise sent(MEDIA, f"sampleRate {media.get('sampleRate')!r:.40}")
    return payload_of(media, MEDIA)


def _keys(digits: object) -> str:
    if not isinstance(digits, str) or not digits or not _KEYS.issuperset(digits):
        raise sent(MESSAGE, "sendDTMF without digits")
    return digits


def _clock_ms() -> str:
    return str(time.time_ns() // 1_000_000)
