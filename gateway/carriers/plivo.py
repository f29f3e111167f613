"""Plivo audio streaming, sans I/O: text frames to events, actions to text frames.

Plivo docs, "Audio streaming" and the XML element `Stream` (read 2026-11). All frames are text and hold one
JSON object; there is no `connected`. Audio is mu-law both ways: the element says so, Plivo's default is
another. A checkpoint (our mark) comes back as `playedStream` when its audio has been played, and never after
a clear.

What we put into the call comes back as one string in `extra_headers`, in a syntax that Plivo's own texts do
not agree on, of letters and digits alone.
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
from gateway.carriers.frames import DtmfPart, MediaPart, parsed, present
from gateway.errors import ForeignFrame, MalformedFrame, UnknownFrame

CONTENT_TYPE: Final = "audio/x-mulaw"
SAMPLE_RATE_HZ: Final = 8_000
MOST_EXTRA_BYTES: Final = 512

_ID: Final = re.compile(r"[0-9A-Za-z\-]{1,64}")
_PLAIN: Final = re.compile(r"[0-9A-Ya-z]")
_ESCAPED: Final = re.compile(rb"Z([0-9a-f]{2})")
_PAIR: Final = re.compile(r"\s*\"?([0-9A-Za-z]+)\"?\s*[=:]\s*\"?([0-9A-Za-z]*)\"?\s*")


class _MediaFormat(msgspec.Struct, rename="camel", frozen=True, gc=False):
    encoding: str = CONTENT_TYPE
    sample_rate: int = SAMPLE_RATE_HZ


class _Start(msgspec.Struct, rename="camel", frozen=True):
    call_id: str
    stream_id: str
    account_id: str = ""
    media_format: _MediaFormat = _MediaFormat()


class _Frame(msgspec.Struct, frozen=True, gc=False):
    event: str
    stream_id: str = msgspec.field(name="streamId", default="")
    media: MediaPart | None = None
    start: _Start | None = None
    dtmf: DtmfPart | None = None
    name: str | None = None
    extra_headers: str | dict[str, str] | None = None


_decoder: Final = msgspec.json.Decoder(_Frame, strict=False)  # numbers may come as strings
_headers: Final = msgspec.json.Decoder(dict[str, str], strict=False)
_encode_json: Final = msgspec.json.Encoder().encode


class PlivoCodec:
    """One stream. Satisfies `gateway.carriers.codec.Codec`."""

    ends_by_close: Final = True

    def __init__(self) -> None:
        self._stream_id = ""

    def decode(self, message: Message) -> Sequence[CarrierEvent]:
        """The frame's event; `stop` is not in Plivo's texts, but its clients know it."""
        frame = parsed(_decoder, message)
        if frame.event != "start" and self._stream_id and frame.stream_id not in ("", self._stream_id):
            raise ForeignFrame
        match frame.event:
            case "media":
                media = present(frame.media)
                # Plivo's time is the clock's, not the stream's: the order of the pieces says enough.
                return (CallerAudio(media.payload, 0, media.chunk),) if media.is_heard else ()
            case "playedStream":
                return (MarkReached(present(frame.name)),)
            case "dtmf":
                return (present(frame.dtmf).event(),)
            case "start":
                return (self._started(present(frame.start), frame.extra_headers),)
            case "stop":
                return (CallEnded(),)
            case "clearedAudio":
                return ()
            case _:
                raise UnknownFrame

    def encode(self, action: CarrierAction) -> Sequence[Message]:
        """One text frame."""
        match action:
            case PlayAudio(mulaw):
                payload = b2a_base64(mulaw, newline=False).decode("ascii")
                return (
                    f'{{"event":"playAudio","media":{{"contentType":"{CONTENT_TYPE}",'
                    f'"sampleRate":{SAMPLE_RATE_HZ},"payload":"{payload}"}}}}',
                )
            case Mark(name):
                return (
                    f'{{"event":"checkpoint","streamId":{_quoted(self._stream_id)},"name":{_quoted(name)}}}',
                )
            case Clear():
                return (f'{{"event":"clearAudio","streamId":{_quoted(self._stream_id)}}}',)
            case _:
                assert_never(action)

    def _started(self, start: _Start, extra: str | dict[str, str] | None) -> CallStarted:
        if start.media_format != _MediaFormat():
            raise MalformedFrame("media format")
        if not all(map(_ID.fullmatch, (start.call_id, start.stream_id))):  # they go into logs and Redis keys
            raise MalformedFrame("ids")
        self._stream_id = self._stream_id or start.stream_id
        return CallStarted(start.call_id, start.stream_id, start.account_id, _told(extra))


def extra_headers(parameters: Mapping[str, str]) -> str:
    """The element's attribute that brings `parameters` back in `start`.

    Names must be letters and digits. Raises ValueError above 512 bytes, Plivo's limit.
    """
    text = ",".join(f"{name}={_escaped(value)}" for name, value in parameters.items())
    if len(text) > MOST_EXTRA_BYTES:
        raise ValueError(f"Plivo takes {MOST_EXTRA_BYTES} bytes of extra headers, not {len(text)}")
    return text


def _told(extra: str | dict[str, str] | None) -> Mapping[str, str]:
    """What is no pair of ours is left out: without its token the stream is not admitted."""
    pairs = extra if isinstance(extra, dict) else _pairs(extra or "")
    return {name: _unescaped(value) for name, value in pairs.items()}


def _pairs(text: str) -> Mapping[str, str]:
    """JSON, or `name=value` or `name: value`, between commas or semicolons, with or without braces."""
    try:
        return _headers.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        parts = re.split("[,;]", text.strip().removeprefix("{").removesuffix("}"))
        return {pair[1]: pair[2] for part in parts if (pair := _PAIR.fullmatch(part))}


def _escaped(value: str) -> str:
    """Letters and digits alone: any other byte, and Z itself, is Z and two hexadecimal digits."""
    return "".join(
        chr(byte) if _PLAIN.fullmatch(chr(byte)) else f"Z{byte:02x}" for byte in value.encode("utf-8")
    )


def _unescaped(value: str) -> str:
    raw = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), value.encode("utf-8", "replace"))
    return raw.decode("utf-8", "replace")


def _quoted(text: str) -> str:
    return _encode_json(text).decode()
