"""An answer that is made while it is sent: its status is known with its first piece.

A fault before that is an answer of its own; one after it cuts the connection, so that nobody takes the part
for the whole. Whoever goes away, or does not read, ends the making.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Literal

import structlog
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from pipeline.errors import ProviderError

log = structlog.get_logger("gateway.streams")

Outcome = Literal["done", "refused", "cut", "abandoned"]
"""`refused`: a fault before the first piece. `cut`: one behind it. `abandoned`: nobody wanted the rest."""


class Streamed:
    """An ASGI answer. `on_fault` is told what refused or cut it, `on_end` how it ended, once. Each piece is
    sent within `send_s`.
    """

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        headers: Mapping[str, str],
        *,
        refusal: Callable[[ProviderError], Response],
        on_fault: Callable[[ProviderError], None],
        on_end: Callable[[Outcome], None],
        send_s: float,
    ) -> None:
        self._pieces = pieces
        self._headers = MutableHeaders(dict(headers))
        self._refusal = refusal
        self._on_fault = on_fault
        self._on_end = on_end
        self._send_s = send_s
        self._outcome: Outcome = "abandoned"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                leaving = group.create_task(_gone(receive))
                answering = group.create_task(self._answer(scope, receive, send))
                await asyncio.wait({leaving, answering}, return_when=asyncio.FIRST_COMPLETED)
                leaving.cancel()
                answering.cancel()
        finally:
            self._on_end(self._outcome)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._pieces) as pieces:
            try:
                first = await anext(pieces, b"")
            except ProviderError as fault:
                self._outcome = "refused"
                self._on_fault(fault)
                await self._refusal(fault)(scope, receive, send)
                return
            try:
                await self._send(send, _start(self._headers))
                if first:
                    await self._send(send, _body(first))
                async for piece in pieces:
                    await self._send(send, _body(piece))
                self._outcome = "done"
                await self._send(send, _body(b"", more=False))
            except ProviderError as fault:
                self._outcome = "cut"
                self._on_fault(fault)
            except TimeoutError:
                self._outcome = "abandoned"
                log.warning("stream_unread")
            except Exception:
                self._outcome = "cut"
                raise

    async def _send(self, send: Send, message: Message) -> None:
        """Raises TimeoutError if nobody reads."""
        async with asyncio.timeout(self._send_s):
            await send(message)


def _start(headers: MutableHeaders) -> Message:
    return {"type": "http.response.start", "status": 200, "headers": headers.raw}


def _body(piece: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": piece, "more_body": more}


async def _gone(receive: Receive) -> None:
    """Returns when the client has closed the connection, or has all of the answer."""
    while (await receive())["type"] != "http.disconnect":
        pass
