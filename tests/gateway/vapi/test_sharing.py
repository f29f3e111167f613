"""A call is worked on by one request at a time, and by nobody as soon as that one has gone."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from booking.db import org_transaction
from booking.vapi_calls import open_vapi_call
from compliance.vault import MasterKey, Vault
from gateway.vapi.sharing import Sharing, call_id_of
from tests.conftest import Clinic


@dataclass
class OpenCall:
    """One that anybody may take, and a piece of work on it that goes on until it may `end`."""

    sharing: Sharing
    clinic: Clinic
    call_id: UUID
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    end: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        async with self.sharing.taken(self.clinic.claim, self.call_id, within_s=5):
            self.begun.set()
            await self.end.wait()

    async def is_free(self) -> bool:
        async with self.sharing.taken(self.clinic.claim, self.call_id, within_s=1):
            return True


@pytest.fixture
async def call(pool: asyncpg.Pool, clinic: Clinic) -> OpenCall:
    call_id, now = call_id_of(clinic.claim.org_id, "abandoned"), datetime.now(UTC)
    soon = timedelta(hours=1)
    await open_vapi_call(
        pool, clinic.claim, call_id=call_id, vapi_id="abandoned", started_at=now, ask_after=soon
    )
    return OpenCall(Sharing(pool, Vault([MasterKey(bytes(range(32)))])), clinic, call_id)


async def test_whoever_gives_up_at_any_step_keeps_nobody_waiting(call: OpenCall) -> None:
    """A request that nobody reads is cancelled, be it in the middle of taking the call."""
    call.end.set()
    cut = 0
    for steps in range(200):
        working = asyncio.create_task(call.work())
        for _ in range(steps):
            await asyncio.sleep(0)
        working.cancel()
        await asyncio.wait({working})
        cut += working.cancelled()
        assert await call.is_free()
        if not working.cancelled():
            break
    assert cut > 10


async def test_whoever_is_cut_off_while_leaving_has_left(call: OpenCall, pool: asyncpg.Pool) -> None:
    """Somebody holds the row: the database takes its time."""
    working = asyncio.create_task(call.work())
    await call.begun.wait()
    async with org_transaction(pool, call.clinic.claim) as blocking:
        await blocking.execute("select from vapi_calls for update")
        call.end.set()
        for _ in range(20):
            await asyncio.sleep(0.01)
        working.cancel()
        await asyncio.sleep(0.05)
    await asyncio.wait({working})
    assert working.cancelled()
    assert await call.is_free()
