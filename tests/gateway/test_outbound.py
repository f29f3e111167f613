"""The outgoing half of a stream, over a socket that keeps what it is sent."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.events import CarrierAction, Clear, Mark, PlayAudio
from gateway.outbound import Outbound
from pipeline.errors import LineClosed


class KeptSocket:
    """Takes frames as long as it is `open`; `gate` holds them up."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed: list[tuple[int, str | None]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def send_text(self, data: str) -> None:
        await self.gate.wait()
        if self.closed:
            raise RuntimeError("closed")
        self.sent.append(data)

    async def send_bytes(self, data: bytes) -> None:
        raise AssertionError("this stream's frames are text")

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed.append((code, reason))


class Stream:
    """An `Outbound` whose frames stay actions."""

    def __init__(self, end_call: Callable[[str], Awaitable[None]] | None = None, send_s: float = 5.0) -> None:
        self.actions: list[CarrierAction] = []
        self.socket = KeptSocket()
        self.ended: list[str] = []
        self.line = Outbound(self.socket, self._encode, end_call or self._end, frame_ms=100, send_s=send_s)

    def _encode(self, action: CarrierAction) -> tuple[str]:
        self.actions.append(action)
        return ("",)

    async def _end(self, reason: str) -> None:
        self.ended.append(reason)

    @property
    def frame_sizes(self) -> list[int]:
        return [len(action.mulaw) for action in self.actions if isinstance(action, PlayAudio)]

    @property
    def audio(self) -> bytes:
        return b"".join(action.mulaw for action in self.actions if isinstance(action, PlayAudio))


@given(st.lists(st.binary(max_size=3000), max_size=8))
def test_audio_arrives_whole_in_frames_of_20_to_100_ms(chunks: list[bytes]) -> None:
    async def play() -> Stream:
        stream = Stream()
        for chunk in chunks:
            await stream.line.play(chunk)
        await stream.line.mark("end")
        return stream

    stream = asyncio.run(play())
    assert stream.audio == b"".join(chunks)
    assert all(size <= 800 for size in stream.frame_sizes)
    assert all(size >= 160 for size in stream.frame_sizes[:-1])
    assert stream.actions[-1] == Mark("end")


async def test_audio_leaves_at_once_but_for_a_short_rest() -> None:
    stream = Stream()
    await stream.line.play(bytes(1_000))
    assert stream.frame_sizes == [800, 200]
    await stream.line.play(bytes(100))
    assert stream.frame_sizes == [800, 200]
    await stream.line.play(bytes(100))
    assert stream.frame_sizes == [800, 200, 200]


async def test_no_audio_follows_a_clear() -> None:
    stream = Stream()
    stream.socket.gate.clear()
    playing = asyncio.create_task(stream.line.play(bytes(8_000)))
    await asyncio.sleep(0)
    clearing = asyncio.create_task(stream.line.clear())
    await asyncio.sleep(0)
    stream.socket.gate.set()
    await asyncio.gather(playing, clearing)
    assert stream.frame_sizes == [800]
    assert stream.actions[-1] == Clear()


async def test_clear_drops_the_rest_of_the_cancelled_turn() -> None:
    stream = Stream()
    await stream.line.play(b"\x01" * 900)
    await stream.line.clear()
    await stream.line.play(b"\x02" * 160)
    assert stream.audio == b"\x01" * 800 + b"\x02" * 160


async def test_carrier_that_does_not_read_closes_the_line() -> None:
    stream = Stream(send_s=0.02)
    stream.socket.gate.clear()
    with pytest.raises(LineClosed):
        await stream.line.play(bytes(160))
    assert stream.line.closed == "send_stalled"
    with pytest.raises(LineClosed):
        await stream.line.mark("x")


async def test_hanging_up_ends_the_call_then_the_socket() -> None:
    stream = Stream()
    await stream.line.hang_up("goodbye")
    await stream.line.hang_up("goodbye")
    assert stream.ended[0] == "goodbye"
    assert stream.socket.closed == [(1000, "goodbye")]
    with pytest.raises(LineClosed):
        await stream.line.play(bytes(160))


async def test_carrier_interface_that_fails_does_not_keep_the_socket_open() -> None:
    async def refuse(_reason: str) -> None:
        raise ConnectionError

    stream = Stream(refuse)
    await stream.line.hang_up("goodbye")
    assert stream.socket.closed == [(1000, "goodbye")]
