"""What Postgres says of a call, as gw_app."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from bench.demo.booked import give_back, read_call, read_closed_call
from booking.calls import close_call, open_call
from booking.holds import claim_slot
from booking.slots import next_available
from booking.types import Held
from tests.booking.patients import Desk, make_sealer
from tests.conftest import Clinic


async def held_call(pool: asyncpg.Pool, clinic: Clinic) -> tuple[UUID, str, Held]:
    call_id, call_sid = uuid4(), f"CA{uuid4().hex}"
    now = datetime.now(UTC)
    await open_call(
        pool, clinic.claim, call_id=call_id, carrier="twilio", carrier_call_id=call_sid, started_at=now
    )
    (slot,) = await next_available(pool, clinic.claim, service_id=clinic.service_ids[0], after=now, limit=1)
    held = await claim_slot(pool, clinic.claim, slot_id=slot.id, call_id=call_id, ttl=timedelta(minutes=10))
    assert isinstance(held, Held)
    return call_id, call_sid, held


async def test_the_slot_that_a_call_holds(pool: asyncpg.Pool, clinic: Clinic) -> None:
    call_id, call_sid, held = await held_call(pool, clinic)
    await close_call(pool, clinic.claim, call_id=call_id, end_reason="goodbye", ended_at=datetime.now(UTC))
    row = await read_closed_call(pool, clinic.claim, call_sid)
    assert row is not None
    assert row.slot is not None
    assert (row.call_id, row.end_reason) == (call_id, "goodbye")
    assert (row.slot.hold_id, row.slot.starts_at) == (held.hold_id, held.slot.starts_at)
    assert row.slot.service == clinic.spec.services[0].name


async def test_another_org_sees_nothing_of_it(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    _, call_sid, _ = await held_call(pool, clinic)
    assert await read_call(pool, other_clinic.claim, call_sid) is None


async def test_ended_calls_give_back_and_live_ones_do_only_if_asked(
    pool: asyncpg.Pool, clinic: Clinic
) -> None:
    call_id, call_sid, _ = await held_call(pool, clinic)
    assert await give_back(pool, clinic.claim) == 0
    await close_call(pool, clinic.claim, call_id=call_id, end_reason="goodbye", ended_at=datetime.now(UTC))
    assert await give_back(pool, clinic.claim) == 1
    row = await read_call(pool, clinic.claim, call_sid)
    assert row is not None
    assert row.slot is None
    _, call_sid, _ = await held_call(pool, clinic)
    assert await give_back(pool, clinic.claim, of_live_calls=True) == 1


async def test_a_booked_slot_is_shown_and_given_back(pool: asyncpg.Pool, clinic: Clinic) -> None:
    desk = Desk(pool, clinic, make_sealer())
    call_id, call_sid = uuid4(), f"CA{uuid4().hex}"
    now = datetime.now(UTC)
    await open_call(
        pool, clinic.claim, call_id=call_id, carrier="twilio", carrier_call_id=call_sid, started_at=now
    )
    [slot] = await desk.free()
    booking = await desk.book(slot, call_id)
    row = await read_call(pool, clinic.claim, call_sid)
    assert row is not None
    assert row.slot is not None
    assert (row.slot.state, row.slot.appointment_id) == ("booked", booking.id)
    assert await give_back(pool, clinic.claim) == 0
    await close_call(pool, clinic.claim, call_id=call_id, end_reason="goodbye", ended_at=now)
    assert await give_back(pool, clinic.claim) == 1
    assert [each.id for each in await desk.free()] == [slot.id]
