"""Clients of vendors by key: shared by the calls that use them, kept a while for the next, bounded.

A clinic's key or voice may change, and a clinic may leave; a client that no call has used for long only holds
memory and sockets. So those in use always stay, and of the others the ones used last.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import structlog

log = structlog.get_logger("gateway.client_pool")


class Closable(Protocol):
    """What a pool needs of its clients."""

    async def aclose(self) -> None: ...


K = TypeVar("K", bound=Hashable)
C = TypeVar("C", bound=Closable)


class ClientPool(Generic[K, C]):
    """Owns its clients from `async with` to its end. `spare`: how many that no call uses are kept."""

    def __init__(self, spare: int) -> None:
        self._spare = spare
        self._clients: dict[K, C] = {}
        self._leases: Counter[K] = Counter()
        self._unused: OrderedDict[K, None] = OrderedDict()  # of the clients, longest unused first
        self._closing = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._closing.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key in list(self._clients):
            self._forget(key)
        await self._closing.__aexit__(None, None, None)  # a fault of the body's is no reason not to close

    def get(self, key: K) -> C | None:
        """The client, if there is one."""
        return self._clients.get(key)

    def add(self, key: K, client: C) -> C:
        """From now on the pool's to close, once a lease of its key ends; without one it stays."""
        self._clients[key] = client
        return client

    @contextmanager
    def lease(self, key: K) -> Iterator[None]:
        """While it lasts the client of this key, made already or later, is not closed."""
        self._leases[key] += 1
        self._unused.pop(key, None)
        try:
            yield
        finally:
            self._leases[key] -= 1
            if not self._leases[key]:
                del self._leases[key]
                self._rest(key)

    def _rest(self, key: K) -> None:
        if key in self._clients:
            self._unused[key] = None
        while len(self._unused) > self._spare:
            self._forget(next(iter(self._unused)))

    def _forget(self, key: K) -> None:
        self._unused.pop(key, None)
        self._closing.create_task(_close(self._clients.pop(key)))


async def _close(client: Closable) -> None:
    try:
        await client.aclose()
    except Exception as error:  # the edge of a worker: one client's fault closes no other
        log.error("client_not_closed", exc_info=error)
