"""Messages of Vonage's voice WebSocket: those Vonage sends, and those it takes, checked.

Source: Vonage docs, "WebSockets" guide (read 2026-11). Audio is binary both ways, 16-bit PCM, little-endian,
20 ms a frame. The answer's headers come back beside the first frame's own fields. A mark is a `notify`, which
comes back with its payload when the audio before it has been played. What a clear does to it is not said:
here it never comes back, the harder of both. There is no stop: the socket closes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bench.carrier.errors import Rule, StreamFault
from bench.carrier.playback import FRAME_MS, QueueRules
from bench.carrier.vonage.pcm import Upsampler, telephone
from bench.carrier.vonage.rules import FRAME, MESSAGE, QUEUE, SLOW_READER
from bench.carrier.wire import Clear, Mark, Media, Message, Order, json_object, sent

BUFFER_FRAMES: Final = 1024
BYTES_PER_SAMPLE: Final = 2
QUEUE_RULES: Final = QueueRules(most_ms=BUFFER_FRAMES * FRAME_MS, overflow=QUEUE, flushes_marks=False)


@dataclass(slots=True)
class VonageWire:
    """One stream. Satisfies `bench.carrier.wire.Wire`. `stream_id` is the leg's: no frame names it."""

    stream_id: str
    rate_hz: int
    headers: Mapping[str, Any]
    _up: Upsampler = field(init=False)

    def __post_init__(self) -> None:
        self._up = Upsampler(self.rate_hz)

    @property
    def queue_rules(self) -> QueueRules:
        return QUEUE_RULES

    @property
    def slow_reader(self) -> Rule:
        return SLOW_READER

    @property
    def frame_bytes(self) -> int:
        return self.rate_hz * FRAME_MS // 1000 * BYTES_PER_SAMPLE

    def opening(self) -> list[Message]:
        own = {"event": "websocket:connected", "content-type": f"audio/l16;rate={self.rate_hz}"}
        return [json.dumps({**self.headers, **own})]

    def audio(self, mulaw: bytes, at_ms: int) -> Message:
        return self._up.pcm(mulaw)

    def mark(self, name: str) -> Message:
        return json.dumps({"event": "websocket:notify", "payload": json.loads(name)})

    def cleared(self) -> list[Message]:
        return [json.dumps({"event": "websocket:cleared"})]

    def dtmf(self, digit: str) -> Message:
        return json.dumps({"event": "websocket:dtmf", "digit": digit, "duration": 260})

    def closing(self) -> list[Message]:
        return []

    def order(self, message: Message) -> Order:
        """A mark's name is its payload, as JSON."""
        if isinstance(message, bytes):
            if len(message) != self.frame_bytes:
                raise sent(FRAME, f"a frame of {len(message)} bytes, not {self.frame_bytes}")
            return Media(telephone(message, self.rate_hz))
        told = json_object(message, MESSAGE)
        match told:
            case {"action": "clear"}:
                return Clear()
            case {"action": "notify", "payload": dict(payload)}:
                return Mark(json.dumps(payload))
        raise sent(MESSAGE, f"action {told.get('action')!r:.40}")

    def objection(self, fault: StreamFault) -> None:
        """Vonage's text does not say what becomes of it; here the stream ends."""
