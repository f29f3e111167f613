"""Twilio Media Streams, sans I/O: text frames to events, actions to text frames.

Twilio docs, "Media Streams: WebSocket messages" (read 2026-11). All frames are text and hold one JSON
object; numbers in them are strings. Carriers add keys and events without notice: unknown ones are passed
over, not faults. Audio stays mu-law throughout.
"""

import re
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from typing import Final, assert_never

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
from gateway.carriers.frames import DtmfPart, MarkPart, MediaPart, parsed, present
from gateway.errors import ForeignFrame, MalformedFrame, UnknownFrame

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


class _Frame(msgspec.Struct, frozen=True, gc=False):
    event: str
    stream_sid: str = msgspec.field(name="streamSid", default="")
    media: MediaPart | None = None
    start: _Start | None = None
    dtmf: DtmfPart | None = None
    mark: MarkPart | None = None


_decoder: Final = msgspec.json.Decoder(_Frame, strict=False)  # numbers may come as strings
_encode_json: Final = msgspec.json.Encoder().encode


class TwilioCodec:
    """One stream. Satisfies `gateway.carriers.codec.Codec`."""

    ends_by_close: Final = False

    def __init__(self) -> None:
        self._stream_id = ""

    def decode(self, message: Message) -> Sequence[CarrierEvent]:
        """See `decode`; the first `start` names the stream."""
        event = decode(message, self._stream_id)
        if event is None:
            return ()
        if isinstance(event, CallStarted) and not self._stream_id:
            self._stream_id = event.stream_id
        return (event,)

    def encode(self, action: CarrierAction) -> Sequence[Message]:
        """One text frame."""
        return (encode(action, self._stream_id),)


def decode(message: Message, stream_id: str = "") -> CarrierEvent | None:
    """The event in one text frame; None for a frame that means nothing to us.

    Raises `MalformedFrame`, `UnknownFrame`; `ForeignFrame` for what names another stream than `stream_id`, if
    that is known.
    A `start` is how a stream introduces itself, so it is never foreign; nor is a frame that names no stream.
    """
    frame = parsed(_decoder, message)
    if frame.stream_sid != stream_id and _is_foreign(frame, stream_id):
        raise ForeignFrame
    match frame.event:
        case "media":
            return _audio(frame.media)
        case "mark":
            return MarkReached(present(frame.mark).name)
        case "dtmf":
            return present(frame.dtmf).event()
        case "start":
            return _started(present(frame.start))
        case "stop":
            return CallEnded()
        case "connected":
            return None
        case _:
            raise UnknownFrame


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


def _audio(media: MediaPart | None) -> CallerAudio | None:
    heard = present(media)
    if not heard.is_heard:
        return None
    return CallerAudio(heard.payload, heard.timestamp, heard.chunk)


def _started(start: _Start) -> CallStarted:
    if start.media_format != _MediaFormat():
        raise MalformedFrame("media format")
    if not all(map(_ID.fullmatch, (start.stream_sid, start.call_sid))):  # they go into logs and Redis keys
        raise MalformedFrame("ids")
    parameters: Mapping[str, str] = start.custom_parameters
    return CallStarted(start.call_sid, start.stream_sid, start.account_sid, parameters)


def _quoted(text: str) -> str:
    return _encode_json(text).decode()
