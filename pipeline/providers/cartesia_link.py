"""One open socket to Cartesia, shared by all turns of all calls that use the same key."""

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
    """Routes by context id. An error that names no context fails them all and ends the link."""

    def __init__(self, socket: ClientConnection, close_s: float) -> None:
        self._socket = socket
        self._close_s = close_s
        self._receivers: dict[str, Receiver] = {}
        self._task = asyncio.create_task(self._read(), name="cartesia-link")

    @classmethod
    async def open(cls, config: CartesiaConfig) -> Self:
        """Raises `ProviderError`."""
        url = websocket_url(config.url, "/tts/websocket")
        headers = {"Authorization": f"Bearer {config.api_key}", "Cartesia-Version": API_VERSION}
        socket = await open_socket("tts", url, headers, open_s=config.open_s, close_s=config.close_s)
        return cls(socket, config.close_s)

    @property
    def is_open(self) -> bool:
        return self._socket.state is State.OPEN and not self._task.done()

    def on_end(self, then: Callable[[], None]) -> None:
        self._task.add_done_callback(lambda _: then())

    def register(self, context_id: str, receiver: Receiver) -> None:
        self._receivers[context_id] = receiver

    def forget(self, context_id: str) -> None:
        """What still comes for this context is dropped."""
        self._receivers.pop(context_id, None)

    async def send(self, message: str) -> None:
        """Raises `ProviderDropped` if the socket is closed or closing."""
        try:
            if self.is_open:
                await self._socket.send(message)
                return
        except ConnectionClosed:
            pass
        raise ProviderDropped("tts", "socket_closed", retryable=True) from None

    async def close(self) -> None:
        """Fails what is open and closes, within about `close_s`; whatever happens, the socket is gone
        then.
        """
        self._task.cancel()
        try:
            await asyncio.wait({self._task})
        finally:
            self._socket.transport.abort()

    async def _read(self) -> None:
        lost = ProviderDropped("tts", "link_closed", retryable=True)
        try:
            while self._route(decode(await self._socket.recv(decode=False))):
                pass
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
            lost = ProviderDropped("tts", f"closed_{code}", retryable=True)
        finally:
            self._fail_all(lost)
            await self._say_goodbye()

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


def _deliver(receiver: Receiver, message: SpeechMessage) -> None:
    match message:
        case Failure():
            receiver.fail(refusal(message))
        case Malformed():
            receiver.fail(ProviderDropped("tts", "malformed_message", retryable=True))
        case _:
            receiver.receive(message)
