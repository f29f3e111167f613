"""Both ends of each carrier's stream, without a socket: our codec and the carrier's side of `bench/carrier`.

What one end writes the other understands, whatever the audio; what the codec sends keeps to the rules.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.carrier.faults import garbled
from bench.carrier.plivo.frames import PlivoWire
from bench.carrier.telnyx.frames import Introduction, TelnyxWire
from bench.carrier.twilio.frames import TwilioWire
from bench.carrier.vonage.frames import VonageWire
from bench.carrier.wire import Clear as ClearOrder
from bench.carrier.wire import Mark as MarkOrder
from bench.carrier.wire import Media, Wire
from gateway.carriers.codec import Codec
from gateway.carriers.events import (
    CallerAudio,
    CallStarted,
    CarrierEvent,
    Clear,
    Dtmf,
    Mark,
    MarkReached,
    PlayAudio,
)
from gateway.carriers.plivo import PlivoCodec
from gateway.carriers.telnyx import TelnyxCodec, client_state
from gateway.carriers.twilio import TwilioCodec
from gateway.carriers.vonage import CALL_ID, VonageCodec
from gateway.errors import ForeignFrame, LateFrame, MalformedFrame, UnknownFrame

CALL = "a1b2-c3"
TOLD = {"token": "abc", "ends": "sealed"}
FRAME = 160


@dataclass(frozen=True)
class Pair:
    """Both ends of one carrier."""

    codec: Callable[[], Codec]
    wire: Callable[[], Wire]


def telnyx() -> TelnyxWire:
    told = Introduction("u-1", CALL, "cs-1", "+447700900123", "+442079460018", client_state(TOLD), {})
    return TelnyxWire("s-1", told)


PAIRS = {
    "twilio": Pair(TwilioCodec, lambda: TwilioWire("AC1", CALL.replace("-", ""), "MZ1", TOLD)),
    "telnyx": Pair(TelnyxCodec, telnyx),
    "plivo": Pair(PlivoCodec, lambda: PlivoWire("MA1", CALL, "s-1", TOLD)),
    "vonage": Pair(VonageCodec, lambda: VonageWire("leg-1", 8000, {CALL_ID: CALL, **TOLD})),
}


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> Pair:
    return PAIRS[request.param]


def introduced(pair: Pair) -> tuple[Codec, Wire, list[CarrierEvent]]:
    """Both ends after the stream's first messages, and what our codec understood."""
    codec, wire = pair.codec(), pair.wire()
    return codec, wire, [event for message in wire.opening() for event in codec.decode(message)]


def test_the_stream_introduces_itself(pair: Pair) -> None:
    _, _, (started,) = introduced(pair)
    assert isinstance(started, CallStarted)
    assert started.call_id.replace("-", "") == CALL.replace("-", "")
    assert started.parameters == TOLD


@pytest.mark.parametrize("name", PAIRS)
@given(audio=st.lists(st.binary(min_size=FRAME, max_size=FRAME), min_size=1, max_size=6))
def test_the_callers_audio_arrives(name: str, audio: list[bytes]) -> None:
    codec, wire, _ = introduced(PAIRS[name])
    heard = [
        event for number, frame in enumerate(audio) for event in codec.decode(wire.audio(frame, number * 20))
    ]
    assert all(isinstance(event, CallerAudio) for event in heard)
    assert same(b"".join(event.mulaw for event in heard if isinstance(event, CallerAudio)), b"".join(audio))


@pytest.mark.parametrize("name", PAIRS)
@given(pieces=st.lists(st.binary(min_size=1, max_size=700), min_size=1, max_size=6))
def test_what_we_play_is_played_and_marked(name: str, pieces: list[bytes]) -> None:
    codec, wire, _ = introduced(PAIRS[name])
    sent = [message for piece in pieces for message in codec.encode(PlayAudio(piece))]
    sent += codec.encode(Mark("t1.c1"))
    *played, mark = (wire.order(message) for message in sent)
    audio = b"".join(order.mulaw for order in played if isinstance(order, Media))
    assert len(played) == sum(isinstance(order, Media) for order in played)
    assert len(audio) >= len(b"".join(pieces))
    if name in ("twilio", "plivo"):
        assert audio == b"".join(pieces)
    assert isinstance(mark, MarkOrder)
    assert list(codec.decode(wire.mark(mark.name))) == [MarkReached("t1.c1")]


def test_the_rest_of_the_protocol(pair: Pair) -> None:
    codec, wire, _ = introduced(pair)
    assert [wire.order(message) for message in codec.encode(Clear())] == [ClearOrder()]
    for told in wire.cleared():
        assert list(codec.decode(told)) == []
    for digit in "0123456789*#":
        assert list(codec.decode(wire.dtmf(digit))) == [Dtmf(digit)]


@pytest.mark.parametrize("name", PAIRS)
@given(chance=st.randoms(use_true_random=False))
def test_garbage_is_passed_over_or_refused(name: str, chance: object) -> None:
    codec, wire, _ = introduced(PAIRS[name])
    for number in range(8):
        try:
            events = codec.decode(garbled(wire.audio(b"\x10" * FRAME, number), chance))  # type: ignore[arg-type]
        except (MalformedFrame, ForeignFrame, LateFrame, UnknownFrame):
            continue
        assert all(isinstance(event, CallerAudio) for event in events)


def same(heard: bytes, said: bytes) -> bool:
    """mu-law has two zeros, PCM one."""
    return heard.replace(b"\x7f", b"\xff") == said.replace(b"\x7f", b"\xff")
