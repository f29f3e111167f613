"""Who is kept and who is closed of the clients that calls share."""

import asyncio

import pytest

from gateway.client_pool import ClientPool


class Client:
    """Notes that it was closed; may fail at that."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.closed = asyncio.Event()
        self._fault = fault

    async def aclose(self) -> None:
        self.closed.set()
        if self._fault is not None:
            raise self._fault


async def used(pool: ClientPool[str, Client], key: str) -> Client:
    """The client of this key, after one call that used it; whatever had to be closed is."""
    with pool.lease(key):
        client = pool.get(key) or pool.add(key, Client())
    await asyncio.sleep(0)
    return client


async def test_those_used_longest_ago_are_closed_beyond_the_bound() -> None:
    async with ClientPool[str, Client](spare=2) as pool:
        first, second = await used(pool, "a"), await used(pool, "b")
        assert await used(pool, "a") is first
        third = await used(pool, "c")
        assert [each.closed.is_set() for each in (first, second, third)] == [False, True, False]
        assert pool.get("b") is None
    assert first.closed.is_set()
    assert third.closed.is_set()


async def test_what_a_call_uses_stays_until_the_last_such_call_ends() -> None:
    async with ClientPool[str, Client](spare=0) as pool:
        with pool.lease("a"):
            with pool.lease("a"):
                client = pool.add("a", Client())
            await used(pool, "b")
            assert not client.closed.is_set()
            assert pool.get("a") is client
        async with asyncio.timeout(5):
            await client.closed.wait()
        assert pool.get("a") is None


async def test_a_client_that_cannot_be_closed_ends_nothing_else() -> None:
    async with ClientPool[str, Client](spare=0) as pool:
        with pool.lease("a"), pool.lease("b"):
            pool.add("a", Client(OSError("gone")))
            other = pool.add("b", Client())
    assert other.closed.is_set()


async def test_a_lease_without_a_client_leaves_nothing() -> None:
    async with ClientPool[str, Client](spare=0) as pool:
        with pool.lease("a"):
            pass
        client = await used(pool, "b")
        assert client.closed.is_set()


async def fail(client: Client) -> None:
    async with ClientPool[str, Client](spare=1) as pool:
        pool.add("a", client)
        raise KeyError


async def test_all_are_closed_when_the_body_fails() -> None:
    client = Client()
    with pytest.raises(KeyError):
        await fail(client)
    assert client.closed.is_set()
