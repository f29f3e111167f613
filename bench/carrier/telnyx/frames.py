"""Messages of Telnyx's media socket in `rtp` mode: those Telnyx sends, key for key, and those it takes,
checked.

Source: Telnyx docs, "Media Streaming over WebSockets" (read 2026-11). Numbers are text; `stream_id` stands at
the top level alone; what a gateway sends names no stream. A message that is refused is answered with an
`error`, and the stream goes on.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bench.carrier.errors import Rule, StreamFault
from bench.carrier.playback import BYTES_PER_MS, FRAME_BYTES, QueueRules
from bench.carrier.telnyx.rules import MALFORMED, MEDIA, QUEUE, SLOW_READER
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
MOST_BYTES: Final = 30_000 * BYTES_PER_MS
_TITLES: Final[Mapping[int | str, str]] = {100003: "malformed_frame", 100004: "invalid_media"}


@dataclass(frozen=True, slots=True)
class Introduction:
    """What `start` tells of the call."""

    user_id: str
    call_control_id: str
    call_session_id: str
    caller: str
    dialled: str
    client_state: str | None
    custom_parameters: Mapping[str, Any]


@dataclass(slots=True)
class TelnyxWire:
    """One stream. Satisfies `bench.carrier.wire.Wire`."""

    stream_id: str
    introduction: Introduction
    sequence: int = 0
    chunk: int = 0

    @property
    def queue_rules(self) -> QueueRules:
        return QUEUE_RULES

    @property
    def slow_reader(self) -> Rule:
        return SLOW_READER

    def opening(self) -> list[Message]:
        return [json.dumps({"event": "connected", "version": "1.0.0"}), self._start()]

    def audio(self, mulaw: bytes, at_ms: int) -> Message:
        self.chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self.chunk),
            "timestamp": str(at_ms),
            "payload": encoded(mulaw),
        }
        return self._numbered("media", media=media)

    def mark(self, name: str) -> Message:
        return self._numbered("mark", mark={"name": name})

    def cleared(self) -> list[Message]:
        """Nothing but its marks says so."""
        return []

    def dtmf(self, digit: str) -> Message:
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._numbered("dtmf", occurred_at=at, dtmf={"digit": digit})

    def closing(self) -> list[Message]:
        told = self.introduction
        stop = {"user_id": told.user_id, "call_control_id": told.call_control_id}
        return [self._numbered("stop", stop=stop)]

    def order(self, message: Message) -> Order:
        frame = json_object(message, MALFORMED)
        match frame.get("event"):
            case "media":
                return Media(_audio(frame.get("media")))
            case "mark":
                return Mark(name_of(frame.get("mark"), MALFORMED))
            case "clear":
                return Clear()
            case other:
                raise sent(MALFORMED, f"event {other!r:.40}")

    def objection(self, fault: StreamFault) -> Message:
        title = _TITLES.get(fault.code, "unknown")
        told = {"code": fault.code, "title": title, "detail": fault.fact}
        return json.dumps({"event": "error", "stream_id": self.stream_id, "payload": told})

    def _start(self) -> str:
        told = self.introduction
        start: dict[str, Any] = {
            "user_id": told.user_id,
            "call_control_id": told.call_control_id,
            "call_session_id": told.call_session_id,
            "from": told.caller,
            "to": told.dialled,
            "tags": [],
            "client_state": told.client_state,
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        }
        if told.custom_parameters:
            start["custom_parameters"] = dict(told.custom_parameters)
        return self._numbered("start", start=start)

    def _numbered(self, event: str, **parts: Any) -> str:
        self.sequence += 1
        head = {"event": event, "sequence_number": str(self.sequence), "stream_id": self.stream_id}
        return json.dumps({**head, **parts})


def _audio(media: object) -> bytes:
    audio = payload_of(media, MEDIA)
    if not FRAME_BYTES <= len(audio) <= MOST_BYTES:
        raise sent(MEDIA, f"{len(audio) / BYTES_PER_MS:g} ms of audio in one message")
    return audio
