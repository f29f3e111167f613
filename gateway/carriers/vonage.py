"""Vonage's voice WebSocket, sans I/O: text and binary frames to events, actions to frames.

Vonage docs, "WebSockets" guide and "NCCO reference" (read 2026-11). Audio is binary, 16-bit PCM,
little-endian whatever "l16" means elsewhere, at the 8 kHz that we ask for. What we send must come in frames
of exactly 20 ms: the rest of a piece waits for the next one, and is filled up with silence before a mark. The
headers that we put into the call, its id among them, come back beside the first frame's own fields. There is
no stop: the socket closes.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, assert_never

import msgspec

from gateway.carriers.codec import Message
from gateway.carriers.events import (
    CallerAudio,
    CallStarted,
    CarrierAction,
    CarrierEvent,
    Clear,
    Mark,
    MarkReached,
    PlayAudio,
)
from gateway.carriers.frames import DtmfPart, parsed, present
from gateway.carriers.pcm import BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, from_mulaw, to_mulaw
from gateway.errors import MalformedFrame, UnknownFrame
from pipeline.audio.framing import Framer
from pipeline.audio.mulaw import SILENCE

CONTENT_TYPE: Final = f"audio/l16;rate={SAMPLE_RATE_HZ}"
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = SAMPLE_RATE_HZ * FRAME_MS // 1000
FRAME_BYTES: Final = FRAME_SAMPLES * BYTES_PER_SAMPLE
CALL_ID: Final = "callUuid"
"""The header of ours that names the call."""
ID: Final = re.compile(r"[0-9A-Za-z\-]{1,64}")
BUFFER_FRAMES: Final = 1024
"""What Vonage holds at least: so the older text; 3072 says the newer one."""
_MOST_BYTES: Final = FRAME_BYTES * 50


class _Payload(msgspec.Struct, frozen=True, gc=False):
    mark: str | None = None


class _Frame(msgspec.Struct, frozen=True, gc=False):
    event: str
    digit: str | None = None
    payload: _Payload | None = None


_decoder: Final = msgspec.json.Decoder(_Frame, strict=False)
_fields: Final = msgspec.json.Decoder(dict[str, Any])
_encode_json: Final = msgspec.json.Encoder().encode
_CLEAR: Final = '{"action":"clear"}'


class VonageCodec:
    """One stream. Satisfies `gateway.carriers.codec.Codec`."""

    ends_by_close: Final = True

    def __init__(self) -> None:
        self._framer = Framer(FRAME_SAMPLES)
        self._pieces = 0

    def decode(self, message: Message) -> Sequence[CarrierEvent]:
        """The event of a frame."""
        if isinstance(message, bytes):
            return self._audio(message)
        frame = parsed(_decoder, message)
        match frame.event:
            case "websocket:connected":
                return (_started(message),)
            case "websocket:dtmf":
                return (DtmfPart(present(frame.digit)).event(),)
            case "websocket:notify":
                return (MarkReached(present(present(frame.payload).mark)),)
            case "websocket:cleared":
                return ()
            case _:
                raise UnknownFrame

    def encode(self, action: CarrierAction) -> Sequence[Message]:
        """Binary frames of 20 ms, none for less; before a mark, the rest of the audio."""
        match action:
            case PlayAudio(mulaw):
                return [from_mulaw(frame) for frame in self._framer.feed(mulaw)]
            case Mark(name):
                rest = self._framer.flush(pad=SILENCE)
                notify = f'{{"action":"notify","payload":{{"mark":{_encode_json(name).decode()}}}}}'
                return [from_mulaw(rest), notify] if rest else [notify]
            case Clear():
                self._framer.flush()
                return (_CLEAR,)
            case _:
                assert_never(action)

    def _audio(self, pcm: bytes) -> Sequence[CarrierEvent]:
        if len(pcm) > _MOST_BYTES:
            raise MalformedFrame("more than a second of audio")
        if not pcm:
            return ()
        self._pieces += 1
        return (CallerAudio(to_mulaw(pcm), self._pieces * FRAME_MS, self._pieces),)


def _started(text: str) -> CallStarted:
    """Our headers stand beside the frame's own fields."""
    told = {name: value for name, value in _fields.decode(text).items() if isinstance(value, str)}
    if told.get("content-type", CONTENT_TYPE).replace(" ", "") != CONTENT_TYPE:
        raise MalformedFrame("media format")
    call_id = told.pop(CALL_ID, "")
    if not ID.fullmatch(call_id):  # it goes into logs and Redis keys
        raise MalformedFrame("ids")
    ours = {name: value for name, value in told.items() if name not in ("event", "content-type")}
    return CallStarted(call_id, call_id, "", ours)
