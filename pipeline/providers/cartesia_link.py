"""One open socket to Cartesia, shared by all turns of all calls that use the same key.

A peer that has gone without a word (a router that forgot the connection, a host that died) takes what is sent
and answers nothing. So text that goes out after a silence goes with a ping, and a socket that answers neither
is dead. One that answers pings but no text is not trusted with new contexts.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, Self

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from pipeline.errors import ProviderDropped, ProviderError
from pipeline.providers.cartesia_wire import (
    API_VERSION,
    CartesiaConfig,
    Failure,
    Malformed,
    SpeechMessage,
    decode,
    refusal,
)
from pipeline.providers.sockets import open_socket, websocket_url


class Receiver(Protocol):
    """Where the messages of one context go. Neither method may block: the socket's reader serves every
    call.
    """

    def receive(self, message: SpeechMessage) -> None: ...
    def fail(self, error: ProviderError) -> None: ...


class SpeechLink:
    """Routes by context id. An error that names no context fails them all and ends the link.

    `heard_s`: when the last message came, on the loop's clock.
    """

    def __init__(self, socket: ClientConnection, config: CartesiaConfig) -> None:
        self._socket = socket
        self._close_s = config.close_s
        self._alive_s = config.alive_s
        self._receivers: dict[str, Receiver] = {}
        self._is_trusted = True
        self._lost = ProviderDropped("tts", "link_closed", retryable=True)
        self._probe: asyncio.Task[None] | None = None
        self.heard_s = _now_s()
        self._task = asyncio.create_task(self._read(), name="cartesia-link")

    @classmethod
    async def open(cls, config: CartesiaConfig) -> Self:
        """Raises `ProviderError`."""
        url = websocket_url(config.url, "/tts/websocket")
        headers = {"Authorization": f"Bearer {config.api_key}", "Cartesia-Version": API_VERSION}
        socket = await open_socket("tts", url, headers, open_s=config.open_s, close_s=config.close_s)
        return cls(socket, config)

    @property
    def is_open(self) -> bool:
        """Whether text can be sent."""
        return self._socket.state is State.OPEN and not self._task.done()

    @property
    def takes_contexts(self) -> bool:
        """Whether a new context is well placed here."""
        return self.is_open and self._is_trusted

    def on_end(self, then: Callable[[], None]) -> None:
        self._task.add_done_callback(lambda _: then())

    def register(self, context_id: str, receiver: Receiver) -> None:
        self._receivers[context_id] = receiver

    def forget(self, context_id: str) -> None:
        """What still comes for this context is dropped."""
        self._receivers.pop(context_id, None)
        self._end_if_useless()

    def distrust(self) -> None:
        """It may still be open, but a context has waited for it in vain: new ones go elsewhere."""
        self._is_trusted = False
        self._end_if_useless()

    def _end_if_useless(self) -> None:
        if not self._is_trusted and not self._receivers:
            self._task.cancel()

    async def send(self, message: str) -> None:
        """Raises `ProviderDropped` if the socket is closed or closing."""
        try:
            if self.is_open:
                await self._socket.send(message)
                self._make_sure()
                return
        except ConnectionClosed:
            pass
        raise ProviderDropped("tts", "socket_closed", retryable=True) from None

    async def close(self) -> None:
        """Fails what is open and closes, within about `close_s`; whatever happens, the socket is gone
        then.
        """
        self._task.cancel()
        if self._probe is not None:
            self._probe.cancel()
        try:
            await asyncio.wait({self._task})
        finally:
            self._socket.transport.abort()

    def _make_sure(self) -> None:
        """That somebody is there, unless they have been heard just now."""
        if self._probe is None and _now_s() - self.heard_s > self._alive_s:
            self._probe = asyncio.create_task(self._end_if_dead(), name="cartesia-ping")

    async def _end_if_dead(self) -> None:
        asked_s = _now_s()
        try:
            pong = asyncio.ensure_future(await self._socket.ping())
            await asyncio.wait({pong}, timeout=self._alive_s)
            if not pong.done() and self.heard_s < asked_s:
                self._lost = ProviderDropped("tts", "no_answer", retryable=True)
                self._task.cancel()
        except ConnectionClosed:
            pass
        finally:
            self._probe = None

    async def _read(self) -> None:
        try:
            while self._route(await self._next()):
                pass
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            self._lost = ProviderDropped("tts", f"closed_{code}", retryable=True)
        finally:
            self._is_trusted = False
            self._fail_all(self._lost)
            await self._say_goodbye()

    async def _next(self) -> SpeechMessage | None:
        received = await self._socket.recv(decode=False)
        self.heard_s = _now_s()
        return decode(received)

    def _route(self, message: SpeechMessage | None) -> bool:
        """False if the link is of no more use."""
        if message is None:
            return True
        if isinstance(message, Failure) and message.context_id is None:
            self._fail_all(refusal(message))
            return False
        receiver = self._receivers.get(message.context_id or "")
        if receiver is not None:
            _deliver(receiver, message)
        return True

    def _fail_all(self, error: ProviderError) -> None:
        receivers, self._receivers = self._receivers, {}
        for receiver in receivers.values():
            receiver.fail(error)

    async def _say_goodbye(self) -> None:
        try:
            async with asyncio.timeout(self._close_s):
                await self._socket.close()
        except TimeoutError:
            pass
        finally:
            self._socket.transport.abort()


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _deliver(receiver: Receiver, message: SpeechMessage) -> None:
    match message:
        case Failure():
            receiver.fail(refusal(message))
        case Malformed():
            receiver.fail(ProviderDropped("tts", "malformed_message", retryable=True))
        case _:
            receiver.receive(message)
