"""Telnyx media streaming in `rtp` mode, sans I/O: text frames to events, actions to text frames.

Telnyx docs, "Media Streaming over WebSockets" (read 2026-11). All frames are text and hold one JSON object.
Audio is PCMU both ways: we ask for it when we answer the call. The order of `media` is not promised, so it is
restored from `chunk`. A piece sent in `rtp` mode lasts 20 ms at the least: a shorter one is filled up with
silence. What we put into the call comes back in `start`: as custom parameters (an object or a list, the docs
do not say which) or in `client_state`, base64 of a JSON object.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

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
from gateway.carriers.reorder import ChunkOrder
from gateway.errors import ForeignFrame, FrameObjected, MalformedFrame, UnknownFrame
from pipeline.audio.mulaw import SILENCE

SMALLEST_BYTES: Final = 160
CALL_ID: Final = re.compile(r"[0-9A-Za-z:._\-]{1,160}")
_STREAM_ID: Final = re.compile(r"[0-9A-Za-z\-]{1,64}")


class _MediaFormat(msgspec.Struct, frozen=True, gc=False):
    encoding: str = "PCMU"
    sample_rate: int = 8_000
    channels: int = 1


class _Parameter(msgspec.Struct, frozen=True):
    name: str
    value: str


class _Start(msgspec.Struct, frozen=True):
    call_control_id: str
    user_id: str = ""
    client_state: str | None = None
    media_format: _MediaFormat = _MediaFormat()
    custom_parameters: dict[str, str] | list[_Parameter] | None = None


class _Frame(msgspec.Struct, frozen=True, gc=False):
    event: str
    stream_id: str = ""
    payload: Any = None
    media: MediaPart | None = None
    start: _Start | None = None
    dtmf: DtmfPart | None = None
    mark: MarkPart | None = None


_decoder: Final = msgspec.json.Decoder(_Frame, strict=False)  # numbers may come as strings
_state: Final = msgspec.json.Decoder(dict[str, str])
_encode_json: Final = msgspec.json.Encoder().encode
_CLEAR: Final = ('{"event":"clear"}',)


class TelnyxCodec:
    """One stream. Satisfies `gateway.carriers.codec.Codec`."""

    ends_by_close: Final = False

    def __init__(self) -> None:
        self._stream_id = ""
        self._order = ChunkOrder()

    def decode(self, message: Message) -> Sequence[CarrierEvent]:
        """The frame's events; audio that waits for an earlier piece comes with that, or with the end."""
        frame = parsed(_decoder, message)
        if frame.event != "start" and self._stream_id and frame.stream_id not in ("", self._stream_id):
            raise ForeignFrame
        match frame.event:
            case "media":
                return self._audio(present(frame.media))
            case "mark":
                return (MarkReached(present(frame.mark).name),)
            case "dtmf":
                return (present(frame.dtmf).event(),)
            case "start":
                return (self._started(present(frame.start), frame.stream_id),)
            case "stop":
                return (*self._order.rest(), CallEnded())
            case "error":
                raise FrameObjected(_code(frame.payload))
            case "connected":
                return ()
            case _:
                raise UnknownFrame

    def encode(self, action: CarrierAction) -> Sequence[Message]:
        """One text frame; none names the stream, there is one per socket."""
        match action:
            case PlayAudio(mulaw):
                whole = mulaw.ljust(SMALLEST_BYTES, bytes([SILENCE]))
                payload = binascii.b2a_base64(whole, newline=False).decode("ascii")
                return (f'{{"event":"media","media":{{"payload":"{payload}"}}}}',)
            case Mark(name):
                return (f'{{"event":"mark","mark":{{"name":{_encode_json(name).decode()}}}}}',)
            case Clear():
                return _CLEAR
            case _:
                assert_never(action)

    def _audio(self, media: MediaPart) -> Sequence[CarrierEvent]:
        if not media.is_heard:
            return ()
        return self._order.put(CallerAudio(media.payload, media.timestamp, media.chunk))

    def _started(self, start: _Start, stream_id: str) -> CallStarted:
        if start.media_format != _MediaFormat():
            raise MalformedFrame("media format")
        if not CALL_ID.fullmatch(start.call_control_id) or not _STREAM_ID.fullmatch(stream_id):
            raise MalformedFrame("ids")
        self._stream_id = self._stream_id or stream_id
        return CallStarted(start.call_control_id, stream_id, start.user_id, _parameters(start))


def _code(objection: object) -> str:
    """Nothing else of it is kept: its text may repeat what we sent."""
    code = objection.get("code") if isinstance(objection, dict) else None
    return str(code) if isinstance(code, int) and 0 <= code < 10**9 else ""


def client_state(parameters: Mapping[str, str]) -> str:
    """What `start` brings back as parameters, as the commands of the call take it."""
    return base64.b64encode(_encode_json(dict(parameters))).decode()


def told_by_state(state: str | None) -> Mapping[str, str]:
    """What `client_state` was made of; nothing for a state that is not ours."""
    try:
        return _state.decode(base64.b64decode(state or "", validate=True) or b"{}")
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        return {}


def _parameters(start: _Start) -> Mapping[str, str]:
    """Custom parameters over those of the call's state."""
    given = start.custom_parameters or {}
    custom = given if isinstance(given, dict) else {each.name: each.value for each in given}
    return {**told_by_state(start.client_state), **custom}
