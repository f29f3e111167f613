"""Raw audio over a WebSocket, for whatever has no carrier of its own, sans I/O.

The protocol is ours; `docs/raw-audio.schema.json` is the schema of its text frames, each one JSON object with
a `type`. Binary frames are audio, mono, in the encoding and at the rate that `start` names, both ways.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final, assert_never

import msgspec

from gateway.carriers.codec import Message
from gateway.carriers.events import (
    CallEnded,
    CallerAudio,
    CallStarted,
    CarrierAction,
    CarrierEvent,
    Clear,
    Mark,
    MarkReached,
    PlayAudio,
)
from gateway.carriers.frames import DtmfPart, parsed
from gateway.carriers.raw_sound import Encoding, RawSound, SampleRate
from gateway.errors import ForeignFrame, MalformedFrame

_CALL_ID: Final = re.compile(r"[0-9A-Za-z\-_.:]{1,64}")
_MOST_BYTES: Final = 64_000


class Start(msgspec.Struct, frozen=True, tag="start", tag_field="type"):
    """First of all, once. `token` and `parameters`: what the answer to the call's announcement said."""

    call_id: Annotated[str, msgspec.Meta(pattern=rf"^{_CALL_ID.pattern}$")]
    token: Annotated[str, msgspec.Meta(max_length=1024)]
    encoding: Encoding = "pcm_s16le"
    sample_rate: SampleRate = 8000
    parameters: dict[str, str] = {}


class Digit(msgspec.Struct, frozen=True, tag="dtmf", tag_field="type"):
    """A key of the keypad."""

    digit: Annotated[str, msgspec.Meta(pattern="^[0-9*#]$")]


class Played(msgspec.Struct, frozen=True, tag="mark", tag_field="type"):
    """What was sent before this mark has been played or, after a clear, dropped."""

    name: Annotated[str, msgspec.Meta(max_length=256)]


class Stop(msgspec.Struct, frozen=True, tag="stop", tag_field="type"):
    """The caller is gone."""


class Drop(msgspec.Struct, frozen=True, tag="clear", tag_field="type"):
    """Drop what is queued, and give back its marks."""


FromPeer = Start | Digit | Played | Stop
ToPeer = Played | Drop

_decoder: Final[msgspec.json.Decoder[FromPeer]] = msgspec.json.Decoder(FromPeer)
_encode: Final = msgspec.json.Encoder().encode


class RawCodec:
    """One stream. Satisfies `gateway.carriers.codec.Codec`."""

    ends_by_close: Final = True

    def __init__(self) -> None:
        self._call_id = ""
        self._sound = RawSound("pcm_s16le", 8000)
        self._heard_bytes = 0
        self._pieces = 0

    def decode(self, message: Message) -> Sequence[CarrierEvent]:
        """The event of a frame."""
        if isinstance(message, bytes):
            return self._audio(message)
        frame = parsed(_decoder, message)
        match frame:
            case Start():
                return (self._started(frame),)
            case Digit(digit):
                return (DtmfPart(digit).event(),)
            case Played(name):
                return (MarkReached(name),)
            case Stop():
                return (CallEnded(),)
            case _:
                assert_never(frame)

    def encode(self, action: CarrierAction) -> Sequence[Message]:
        """One frame; audio is binary."""
        match action:
            case PlayAudio(mulaw):
                return (self._sound.said(mulaw),)
            case Mark(name):
                return (_encode(Played(name)).decode(),)
            case Clear():
                self._sound.cleared()
                return (_encode(Drop()).decode(),)
            case _:
                assert_never(action)

    def _started(self, start: Start) -> CallStarted:
        if not _CALL_ID.fullmatch(start.call_id):  # it goes into logs and Redis keys
            raise MalformedFrame("ids")
        if self._call_id and start.call_id != self._call_id:
            raise ForeignFrame
        if not self._call_id:
            self._sound = RawSound(start.encoding, start.sample_rate)
        self._call_id = start.call_id
        return CallStarted(start.call_id, start.call_id, "", {**start.parameters, "token": start.token})

    def _audio(self, audio: bytes) -> Sequence[CarrierEvent]:
        if len(audio) > _MOST_BYTES:
            raise MalformedFrame("too much audio in one frame")
        mulaw = self._sound.heard(audio)
        at_ms = self._heard_bytes // self._sound.bytes_per_ms
        self._heard_bytes += len(audio)
        if not mulaw:
            return ()
        self._pieces += 1
        return (CallerAudio(mulaw, at_ms, self._pieces),)


def schema() -> dict[str, Any]:
    """JSON Schema of the text frames; each direction's under `$defs`, as a whole what goes either way."""
    schemas, definitions = msgspec.json.schema_components([FromPeer, ToPeer], ref_template="#/$defs/{name}")
    from_peer, to_peer = schemas
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Text frames of a raw audio socket",
        "anyOf": [{"$ref": "#/$defs/ToGateway"}, {"$ref": "#/$defs/FromGateway"}],
        "$defs": {"ToGateway": from_peer, "FromGateway": to_peer, **definitions},
    }
