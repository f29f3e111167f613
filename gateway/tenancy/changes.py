"""Changes of what is remembered, told to all replicas over Redis.

Who changes something marks its copy in Redis and publishes its key, in one transaction; every replica drops
what it remembers under that key. Redis keeps no message for who does not listen: after a lost connection all
that is remembered is looked up again, at Redis, before it serves. While Redis is away a replica goes by its
own memory for `CREDENTIALS_MEMORY_S`, then asks Postgres.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import structlog

from gateway.errors import SharedStoreAway
from gateway.shared_store import SharedStore
from gateway.tenancy.shelf import CHANGED_LIFE_S, changed

log = structlog.get_logger("gateway.changes")

CHANNEL: Final = "gw:changed"


class Remembers(Protocol):
    """A cache of this process, as the news reach it."""

    def forget_shared(self, shared_key: str) -> None:
        """What stands in Redis under this key has changed."""

    def doubt(self) -> None:
        """Changes may have been missed."""


async def tell_changed(store: SharedStore, shared_key: str) -> None:
    """To be called after the change has committed. Raises `SharedStoreAway`: then nobody has been told."""
    await store.put_and_tell(shared_key, changed(), CHANGED_LIFE_S, CHANNEL, shared_key.encode())


class Changes:
    """Listens for this process, in a task of its own: `run`."""

    def __init__(
        self, store: SharedStore, caches: Sequence[Remembers], *, quiet_s: float, retry_s: float
    ) -> None:
        self._store = store
        self._caches = caches
        self._quiet_s = quiet_s
        self._retry_s = retry_s
        self._lost = False
        self.heard = asyncio.Event()
        """Set while it listens."""

    async def run(self) -> None:
        """Listen until cancelled, over as many connections as that takes."""
        while True:
            try:
                await self._listen()
            except SharedStoreAway as away:
                self._note_lost(away)
            finally:
                self.heard.clear()
            await asyncio.sleep(self._retry_s)

    async def _listen(self) -> None:
        async with self._store.listening(CHANNEL, quiet_s=self._quiet_s) as messages:
            for cache in self._caches:
                cache.doubt()
            self._note_heard()
            async for message in messages:
                self._forget(message.decode(errors="replace"))

    def _forget(self, shared_key: str) -> None:
        for cache in self._caches:
            cache.forget_shared(shared_key)

    def _note_heard(self) -> None:
        self.heard.set()
        if self._lost:
            log.info("changes_heard_again")
        self._lost = False

    def _note_lost(self, away: SharedStoreAway) -> None:
        if not self._lost:
            log.warning("changes_not_heard", error=str(away))
        self._lost = True
