"""Twilio Media Streams, sans I/O: text frames to events, actions to text frames.

Twilio docs, "Media Streams: WebSocket messages" (read 2026-11). All frames are text and hold one JSON
object; numbers in them are strings. Carriers add keys and events without notice: unknown ones are passed
over, not faults. Audio stays mu-law throughout; msgspec decodes its base64 straight into `bytes`.
"""

import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeVar, assert_never

import msgspec

from gateway.carriers.codec import Message
from gateway.carriers.events import (
    CallEnded,
    CallerAudio,
    CallStarted,
    CarrierAction,
    CarrierEvent,
    Clear,
    Dtmf,
    Mark,
    MarkReached,
    PlayAudio,
)
from gateway.errors import ForeignFrame, MalformedFrame

T = TypeVar("T")

DIGITS: Final = frozenset("0123456789*#")
_Count = Annotated[int, msgspec.Meta(ge=0, lt=10**15)]
_ID: Final = re.compile(r"[0-9A-Za-z]{1,64}")
ENCODING: Final = "audio/x-mulaw"
SAMPLE_RATE_HZ: Final = 8_000


class _MediaFormat(msgspec.Struct, rename="camel", frozen=True, gc=False):
    encoding: str = ENCODING
    sample_rate: int = SAMPLE_RATE_HZ
    channels: int = 1


class _Start(msgspec.Struct, rename="camel", frozen=True):
    account_sid: str
    stream_sid: str
    call_sid: str
    media_format: _MediaFormat = _MediaFormat()
    custom_parameters: dict[str, str] = {}


class _Media(msgspec.Struct, frozen=True, gc=False):
    payload: bytes
    timestamp: _Count = 0
    chunk: _Count = 0
    track: str = "inbound"


class _Dtmf(msgspec.Struct, frozen=True, gc=False):
    digit: str


class _Mark(msgspec.Struct, frozen=True, gc=False):
    name: str


class _Frame(msgspec.Struct, frozen=True, gc=False):
    event: str
    stream_sid: str = msgspec.field(name="streamSid", default="")
    media: _Media | None = None
    start: _Start | None = None
    dtmf: _Dtmf | None = None
    mark: _Mark | None = None


_decoder: Final = msgspec.json.Decoder(_Frame, strict=False)  # numbers may come as strings
_encode_json: Final = msgspec.json.Encoder().encode


class TwilioCodec:
    """One stream. Satisfies `gateway.carriers.codec.Codec`."""

    ends_by_close: Final = False

    def __init__(self) -> None:
        self._stream_id = ""

    def decode(self, message: Message) -> Sequence[CarrierEvent]:
        """See `decode`; the first `start` names the stream."""
        if isinstance(message, bytes):
            raise MalformedFrame("binary", reason="binary")
        event = decode(message, self._stream_id)
        if event is None:
            return ()
        if isinstance(event, CallStarted) and not self._stream_id:
            self._stream_id = event.stream_id
        return (event,)

    def encode(self, action: CarrierAction) -> Sequence[Message]:
        """One text frame."""
        return (encode(action, self._stream_id),)


def decode(text: str, stream_id: str = "") -> CarrierEvent | None:
    """The event in one text frame; None for a frame that means nothing to us.

    Raises `MalformedFrame`; `ForeignFrame` for what names another stream than `stream_id`, if that is known.
    A `start` is how a stream introduces itself, so it is never foreign; nor is a frame that names no stream.
    """
    try:
        frame = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise MalformedFrame("not a frame of the protocol") from None
    if frame.stream_sid != stream_id and _is_foreign(frame, stream_id):
        raise ForeignFrame
    match frame.event:
        case "media":
            return _audio(frame.media)
        case "mark":
            return MarkReached(_present(frame.mark).name)
        case "dtmf":
            return _digit(_present(frame.dtmf))
        case "start":
            return _started(_present(frame.start))
        case "stop":
            return CallEnded()
        case _:
            return None


def encode(action: CarrierAction, stream_id: str) -> str:
    """The text frame that makes Twilio do `action` on this stream."""
    match action:
        case PlayAudio(mulaw):
            payload = b2a_base64(mulaw, newline=False).decode("ascii")
            return f'{{"event":"media","streamSid":{_quoted(stream_id)},"media":{{"payload":"{payload}"}}}}'
        case Mark(name):
            return f'{{"event":"mark","streamSid":{_quoted(stream_id)},"mark":{{"name":{_quoted(name)}}}}}'
        case Clear():
            return f'{{"event":"clear","streamSid":{_quoted(stream_id)}}}'
        case _:
            assert_never(action)


def _is_foreign(frame: _Frame, stream_id: str) -> bool:
    return bool(stream_id and frame.stream_sid) and frame.event != "start"


def _audio(media: _Media | None) -> CallerAudio | None:
    heard = _present(media)
    if heard.track != "inbound" or not heard.payload:  # an empty chunk would end the recogniser's stream
        return None
    return CallerAudio(heard.payload, heard.timestamp, heard.chunk)


def _digit(dtmf: _Dtmf) -> Dtmf:
    if dtmf.digit not in DIGITS:
        raise MalformedFrame("digit")
    return Dtmf(dtmf.digit)


def _started(start: _Start) -> CallStarted:
    if start.media_format != _MediaFormat():
        raise MalformedFrame("media format")
    if not all(map(_ID.fullmatch, (start.stream_sid, start.call_sid))):  # they go into logs and Redis keys
        raise MalformedFrame("ids")
    parameters: Mapping[str, str] = start.custom_parameters
    return CallStarted(start.call_sid, start.stream_sid, start.account_sid, parameters)


def _present(part: T | None) -> T:
    if part is None:
        raise MalformedFrame("its own part is missing")
    return part


def _quoted(text: str) -> str:
    return _encode_json(text).decode()
