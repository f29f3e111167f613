"""What every carrier's codec does, run on all of them: each row speaks one carrier's wire."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.codec import Codec, Message
from gateway.carriers.events import (
    CallEnded,
    CallerAudio,
    CallStarted,
    CarrierEvent,
    Clear,
    Dtmf,
    Mark,
    MarkReached,
    PlayAudio,
)
from gateway.carriers.pcm import from_mulaw, to_mulaw
from gateway.carriers.plivo import PlivoCodec, extra_headers
from gateway.carriers.raw import RawCodec
from gateway.carriers.telnyx import TelnyxCodec
from gateway.carriers.twilio import TwilioCodec
from gateway.carriers.vonage import VonageCodec
from gateway.errors import ForeignFrame, FrameObjected, LateFrame, MalformedFrame, UnknownFrame

FRAME = bytes(code for code in range(161) if code != 0x7F)  # negative zero is not kept by PCM
TOLD = {"token": "v1.abc.def", "ends": "sealed=="}


@dataclass(frozen=True)
class Wire:
    """One carrier's messages. `played` finds the audio in what the codec sends, b"" if it is no audio.

    `stop` is None where the socket's end is the stream's, `foreign` where frames name no stream; `unknown`
    may come next year.
    """

    make: Callable[[], Codec]
    start: Message
    audio: Callable[[bytes, int], Message]
    dtmf: Callable[[str], Message]
    mark_back: Callable[[str], Message]
    stop: Message | None
    foreign: Message | None
    unknown: Message
    played: Callable[[Message], bytes]


def _twilio(event: str, stream: str = "MZ1", **parts: Any) -> str:
    return json.dumps({"event": event, "sequenceNumber": "1", "streamSid": stream, **parts})


def _telnyx(event: str, stream: str = "s-1", **parts: Any) -> str:
    return json.dumps({"event": event, "sequence_number": "1", "stream_id": stream, **parts})


def _plivo(event: str, stream: str = "s-1", **parts: Any) -> str:
    return json.dumps({"event": event, "sequenceNumber": 1, "streamId": stream, **parts})


def _vonage(event: str, **parts: Any) -> str:
    return json.dumps({"event": f"websocket:{event}", **parts})


def _raw(kind: str, **parts: Any) -> str:
    return json.dumps({"type": kind, **parts})


def _media(audio: bytes, chunk: int) -> dict[str, str]:
    payload = base64.b64encode(audio).decode()
    return {"track": "inbound", "chunk": str(chunk), "timestamp": str(20 * chunk), "payload": payload}


def _played(message: Message) -> bytes:
    sent = json.loads(message)
    return base64.b64decode(sent["media"]["payload"]) if sent["event"] in ("media", "playAudio") else b""


def _played_pcm(message: Message) -> bytes:
    return to_mulaw(message) if isinstance(message, bytes) else b""


WIRES = {
    "twilio": Wire(
        make=TwilioCodec,
        start=_twilio(
            "start",
            start={"accountSid": "AC1", "streamSid": "MZ1", "callSid": "CA1", "customParameters": TOLD},
        ),
        audio=lambda audio, chunk: _twilio("media", media=_media(audio, chunk)),
        dtmf=lambda digit: _twilio("dtmf", dtmf={"track": "inbound_track", "digit": digit}),
        mark_back=lambda name: _twilio("mark", mark={"name": name}),
        stop=_twilio("stop"),
        foreign=_twilio("stop", stream="MZ2"),
        unknown=_twilio("sentiment", payload="x"),
        played=_played,
    ),
    "telnyx": Wire(
        make=TelnyxCodec,
        start=_telnyx("start", start={"call_control_id": "v3:a_b-c", "custom_parameters": TOLD}),
        audio=lambda audio, chunk: _telnyx("media", media=_media(audio, chunk)),
        dtmf=lambda digit: _telnyx("dtmf", dtmf={"digit": digit}),
        mark_back=lambda name: _telnyx("mark", mark={"name": name}),
        stop=_telnyx("stop", stop={"call_control_id": "v3:a_b-c"}),
        foreign=_telnyx("stop", stream="s-2"),
        unknown=_telnyx("sentiment", payload="x"),
        played=_played,
    ),
    "plivo": Wire(
        make=PlivoCodec,
        start=_plivo(
            "start",
            start={"callId": "c-1", "streamId": "s-1", "accountId": "MA1"},
            extra_headers=extra_headers(TOLD),
        ),
        audio=lambda audio, chunk: _plivo("media", media=_media(audio, chunk)),
        dtmf=lambda digit: _plivo("dtmf", dtmf={"track": "inbound", "digit": digit}),
        mark_back=lambda name: _plivo("playedStream", name=name),
        stop=_plivo("stop"),
        foreign=_plivo("stop", stream="s-2"),
        unknown=_plivo("sentiment", payload="x"),
        played=_played,
    ),
    "vonage": Wire(
        make=VonageCodec,
        start=_vonage("connected", callUuid="aaaa-1", **{"content-type": "audio/l16;rate=8000"}, **TOLD),
        audio=lambda audio, chunk: from_mulaw(audio),
        dtmf=lambda digit: _vonage("dtmf", digit=digit, duration=260),
        mark_back=lambda name: _vonage("notify", payload={"mark": name}),
        stop=None,
        foreign=None,
        unknown=_vonage("sentiment", payload={}),
        played=_played_pcm,
    ),
    "raw": Wire(
        make=RawCodec,
        start=_raw("start", call_id="c-1", token=TOLD["token"], parameters={"ends": TOLD["ends"]}),
        audio=lambda audio, chunk: from_mulaw(audio),
        dtmf=lambda digit: _raw("dtmf", digit=digit),
        mark_back=lambda name: _raw("mark", name=name),
        stop=_raw("stop"),
        foreign=_raw("start", call_id="c-2", token=TOLD["token"]),
        unknown="",
        played=_played_pcm,
    ),
}


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


def told(codec: Codec, *messages: Message) -> list[CarrierEvent]:
    return [event for message in messages for event in codec.decode(message)]


def test_a_stream_from_its_start_to_its_end(wire: Wire) -> None:
    codec = wire.make()
    (started,) = codec.decode(wire.start)
    assert isinstance(started, CallStarted)
    assert started.parameters == TOLD
    assert started.call_id
    (audio, *rest) = told(codec, wire.audio(FRAME, 1), wire.dtmf("#"), wire.mark_back("t1.c2"))
    assert isinstance(audio, CallerAudio)
    assert audio.mulaw == FRAME
    assert rest == [Dtmf("#"), MarkReached("t1.c2")]
    assert codec.ends_by_close if wire.stop is None else told(codec, wire.stop) == [CallEnded()]


def test_audio_reaches_the_carrier_as_it_was(wire: Wire) -> None:
    codec = wire.make()
    told(codec, wire.start)
    sent = [*codec.encode(PlayAudio(FRAME)), *codec.encode(PlayAudio(FRAME * 3)), *codec.encode(Mark("m"))]
    assert b"".join(map(wire.played, sent)) == FRAME * 4


def test_mark_and_clear_are_no_audio(wire: Wire) -> None:
    codec = wire.make()
    told(codec, wire.start)
    sent = [*codec.encode(Mark('quo"ted')), *codec.encode(Clear())]
    assert len(sent) == 2
    assert [wire.played(message) for message in sent] == [b"", b""]


@pytest.mark.parametrize("carrier", [name for name, wire in WIRES.items() if wire.foreign is not None])
def test_another_streams_frame_is_foreign(carrier: str) -> None:
    wire = WIRES[carrier]
    codec = wire.make()
    told(codec, wire.start)
    assert wire.foreign is not None
    with pytest.raises(ForeignFrame):
        codec.decode(wire.foreign)
    assert told(codec, wire.dtmf("1")) == [Dtmf("1")]


@pytest.mark.parametrize("carrier", [name for name, wire in WIRES.items() if wire.unknown])
def test_a_kind_of_frame_that_is_new_is_no_fault(carrier: str) -> None:
    """Of the raw socket all kinds are ours."""
    wire = WIRES[carrier]
    codec = wire.make()
    told(codec, wire.start)
    with pytest.raises(UnknownFrame):
        codec.decode(wire.unknown)
    assert told(codec, wire.dtmf("1")) == [Dtmf("1")]


@pytest.mark.parametrize("digit", ["", "55", "x"])
def test_what_is_no_key_is_malformed(wire: Wire, digit: str) -> None:
    with pytest.raises(MalformedFrame):
        wire.make().decode(wire.dtmf(digit))


@given(st.text() | st.binary(), st.sampled_from(sorted(WIRES)))
def test_garbage_is_malformed_or_means_nothing(garbage: Message, carrier: str) -> None:
    try:
        events = WIRES[carrier].make().decode(garbage)
    except (MalformedFrame, UnknownFrame):
        return
    if isinstance(garbage, str):
        assert list(events) == []
    else:  # where audio is binary, any whole samples are audio
        assert all(isinstance(event, CallerAudio) and event.mulaw for event in events)


@given(st.sampled_from(sorted(WIRES)), st.data())
def test_a_cut_off_frame_is_malformed(carrier: str, data: st.DataObject) -> None:
    wire = WIRES[carrier]
    whole = wire.audio(FRAME, 1) if isinstance(wire.audio(FRAME, 1), str) else wire.start
    with pytest.raises(MalformedFrame):
        wire.make().decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_what_a_codec_remembers_is_one_streams(wire: Wire) -> None:
    one, other = wire.make(), wire.make()
    told(one, wire.start, wire.audio(FRAME, 7))
    one.encode(PlayAudio(FRAME[:50]))
    assert other.encode(Mark("m"))[0] == wire.make().encode(Mark("m"))[0]
    (audio,) = told(other, wire.audio(FRAME, 1))
    assert isinstance(audio, CallerAudio)
    assert audio.mulaw == FRAME


@given(st.permutations(range(1, 40)))
def test_telnyx_audio_comes_in_order_once(chunks: list[int]) -> None:
    wire, codec = WIRES["telnyx"], TelnyxCodec()
    told(codec, wire.start)
    heard, late = [], 0
    for chunk in chunks:
        try:
            heard += codec.decode(wire.audio(bytes([chunk]), chunk))
        except LateFrame:
            late += 1
    assert wire.stop is not None
    *rest, end = codec.decode(wire.stop)
    heard += rest
    assert end == CallEnded()
    numbers = [event.chunk for event in heard if isinstance(event, CallerAudio)]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + late == len(chunks)


def test_telnyx_neighbours_that_changed_places_lose_nothing() -> None:
    wire, codec = WIRES["telnyx"], TelnyxCodec()
    told(codec, wire.start)
    swapped = [2, 1, 4, 5, 3, 6, 8, 7]
    heard = told(codec, *(wire.audio(bytes([chunk]), chunk) for chunk in swapped))
    assert [event.chunk for event in heard if isinstance(event, CallerAudio)] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_telnyx_audio_said_twice_is_late() -> None:
    wire, codec = WIRES["telnyx"], TelnyxCodec()
    told(codec, wire.start, wire.audio(FRAME, 1))
    with pytest.raises(LateFrame):
        codec.decode(wire.audio(FRAME, 1))


def test_telnyx_short_piece_is_filled_up_to_20_ms() -> None:
    (sent,) = TelnyxCodec().encode(PlayAudio(b"\x10" * 50))
    assert _played(sent) == b"\x10" * 50 + b"\xff" * 110


@pytest.mark.parametrize(
    ("payload", "code"),
    [({"code": 100004, "title": "invalid_media"}, "100004"), ({"code": "?"}, ""), ({}, ""), ("x", "")],
)
def test_telnyx_objects_to_what_we_sent(payload: Any, code: str) -> None:
    with pytest.raises(FrameObjected) as objected:
        TelnyxCodec().decode(_telnyx("error", payload=payload))
    assert objected.value.code == code
