"""Where recordings lie: S3, or whatever speaks it.

Each part is an object of its own rather than a part of a multipart upload: those are 5 MiB at least, five
minutes of a call that a crash would lose and every call would hold in memory, and an upload that is not
completed lies in the store unseen. obstore works in threads of its own: the event loop merely waits for it.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Protocol, TypeVar

from gateway.errors import RecordingGone, RecordingStoreAway
from gateway.settings import Recordings

T = TypeVar("T")

_LISTED_AT_ONCE: Final = 1000
_RETRIES: Final = 2


class SoundStore(Protocol):
    """What recordings need of a store. All of it raises `RecordingStoreAway`, within a bounded time."""

    async def put(self, place: str, content: bytes) -> None:
        """Whatever lies there is replaced."""

    async def get(self, place: str) -> bytes:
        """Raises `RecordingGone` if nothing lies there."""

    async def remove_all(self, before: str) -> int:
        """Everything goes whose place begins with this and a slash; how many were there."""


class Bucket:
    """One bucket; satisfies `SoundStore`. Answers within `put_s`, each."""

    def __init__(self, store: Any, put_s: float) -> None:
        self._store = store
        self._put_s = put_s

    def close(self) -> None:
        """Its connections go with the library's object, which nothing may hold then but what is under way."""
        self._store = None

    async def put(self, place: str, content: bytes) -> None:
        from obstore import put_async

        await self._within(put_async(self._store, place, content, use_multipart=False))

    async def get(self, place: str) -> bytes:
        return await self._within(self._got(place))

    async def remove_all(self, before: str) -> int:
        from obstore import delete_async

        places = await self._within(self._listed(before))
        if places:
            await self._within(delete_async(self._store, places))
        return len(places)

    async def _got(self, place: str) -> bytes:
        from obstore import get_async

        found = await get_async(self._store, place)
        return bytes(await found.bytes_async())

    async def _listed(self, before: str) -> list[str]:
        found = self._store.list(before, chunk_size=_LISTED_AT_ONCE)
        return [each["path"] async for some in found for each in some]

    async def _within(self, asked: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._put_s):
                with _told():
                    return await asked
        except TimeoutError:
            raise RecordingStoreAway("did not answer in time") from None


@contextmanager
def _told() -> Iterator[None]:
    """The store's errors as ours. Their texts name addresses and quote answers: none is passed on."""
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise RecordingGone("nothing lies there") from None
    except (BaseError, OSError) as error:
        raise RecordingStoreAway(type(error).__name__) from None


def open_bucket(settings: Recordings) -> Bucket:
    """Asks nothing of the store yet. The library is imported here, so that only those need it who record."""
    from obstore.store import S3Store

    store = S3Store(
        settings.bucket,
        region=settings.region,
        endpoint=settings.endpoint or None,
        access_key_id=settings.access_key_id,
        secret_access_key=settings.secret_access_key,
        client_options={
            "allow_http": settings.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=settings.put_s),
            "timeout": timedelta(seconds=settings.put_s),
        },
        retry_config={"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=settings.put_s)},
    )
    return Bucket(store, settings.put_s)
