"""Which calls were ended on purpose: it decides between hanging up and reconnecting after a stream."""

from contextlib import suppress
from typing import Final

from gateway.errors import SharedStoreAway
from gateway.shared_store import SharedStore

_KEPT_S: Final = 3_600
_ENTRIES: Final = 4_096


class Endings:
    """Shared by the replicas through Redis; without it a replica still knows its own."""

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self._own: dict[str, None] = {}

    async def mark_over(self, call_id: str) -> None:
        """This carrier call is to end, or has ended. Never raises."""
        self._own[call_id] = None
        if len(self._own) > _ENTRIES:
            del self._own[next(iter(self._own))]
        with suppress(SharedStoreAway):
            await self._store.put(_key(call_id), b"1", _KEPT_S)

    async def is_over(self, call_id: str) -> bool:
        """Whether it was marked, here or on another replica. Never raises."""
        if call_id in self._own:
            return True
        try:
            return await self._store.get(_key(call_id)) is not None
        except SharedStoreAway:
            return False


def _key(call_id: str) -> str:
    return f"gw:over:{call_id}"
