"""Which calls were ended on purpose: it decides between hanging up and reconnecting after a stream."""

from contextlib import suppress
from typing import Final

from gateway.errors import SharedStoreAway
from gateway.lately import Lately
from gateway.shared_store import SharedStore
from pipeline.ports import Clock

_KEPT_S: Final = 3_600
_OWN_KEPT_S: Final = 60  # a carrier asks what follows a stream at once


class Endings:
    """Shared by the replicas through Redis; without it a replica still knows its own."""

    def __init__(self, store: SharedStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._own: Lately[str] = Lately()

    async def mark_over(self, call_id: str) -> None:
        """This carrier call is to end, or has ended. Never raises."""
        now_s = self._clock.now_s()
        self._own.add(call_id, until_s=now_s + _OWN_KEPT_S, now_s=now_s)
        with suppress(SharedStoreAway):
            await self._store.put(_key(call_id), b"1", _KEPT_S)

    async def is_over(self, call_id: str) -> bool:
        """Whether it was marked, here or on another replica. Never raises."""
        if self._own.holds(call_id, self._clock.now_s()):
            return True
        try:
            return await self._store.get(_key(call_id)) is not None
        except SharedStoreAway:
            return False


def _key(call_id: str) -> str:
    return f"gw:over:{call_id}"
