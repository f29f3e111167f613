"""One media stream's messages as a carrier writes and reads them: what each carrier's `frames` fulfil.

No I/O and no clock. What a gateway sends becomes an order; what the carrier would not play is refused.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Protocol

from bench.carrier.errors import Rule, StreamFault
from bench.carrier.playback import QueueRules

Message = str | bytes


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


@dataclass(frozen=True, slots=True)
class Keys:
    """Tones to send to the caller's side."""

    digits: str


Order = Media | Mark | Clear | Keys


class Wire(Protocol):
    """One stream."""

    @property
    def stream_id(self) -> str: ...

    @property
    def queue_rules(self) -> QueueRules: ...

    @property
    def slow_reader(self) -> Rule:
        """Broken by a gateway that leaves the caller's audio unread."""

    def opening(self) -> list[Message]: ...

    def audio(self, mulaw: bytes, at_ms: int) -> Message:
        """20 ms of the caller. `at_ms` counts from the stream's start."""

    def dtmf(self, digit: str) -> Message: ...

    def mark(self, name: str) -> Message: ...

    def cleared(self) -> list[Message]:
        """What says that a clear has been carried out."""

    def closing(self) -> list[Message]:
        """What is said before the socket is closed in order."""

    def order(self, message: Message) -> Order:
        """Raises `StreamFault` for anything that the carrier would not play."""

    def objection(self, fault: StreamFault) -> Message | None:
        """What the carrier says to a refused message before the stream goes on; None if the stream ends."""


def json_object(message: Message, rule: Rule) -> dict[str, Any]:
    """The object in a text message. Raises `StreamFault` by that rule."""
    if isinstance(message, bytes):
        raise sent(rule, "a binary message")
    try:
        frame = json.loads(message)
    except ValueError:
        raise sent(rule, "what is not JSON") from None
    if not isinstance(frame, dict):
        raise sent(rule, "what is not a JSON object")
    return frame


def payload_of(media: object, rule: Rule) -> bytes:
    """The audio of a media part. Raises `StreamFault` by that rule."""
    payload = media.get("payload") if isinstance(media, dict) else None
    if not isinstance(payload, str) or not payload:
        raise sent(rule, "media without a payload")
    try:
        audio = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise sent(rule, "a media payload that is not base64") from None
    if audio[:4] == b"RIFF" and audio[8:12] == b"WAVE":
        raise sent(rule, "a media payload with a WAV header")
    return audio


def name_of(part: object, rule: Rule, key: str = "name") -> str:
    """A mark's name. Raises `StreamFault` by that rule."""
    name = part.get(key) if isinstance(part, dict) else None
    if not isinstance(name, str) or not name:
        raise sent(rule, "a mark without a name")
    return name


def sent(rule: Rule, what: str) -> StreamFault:
    return StreamFault(rule, f"the gateway sent {what}")


def encoded(audio: bytes) -> str:
    return base64.b64encode(audio).decode()
