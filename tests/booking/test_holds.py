"""Holds on the real server, through the gateway's own pool."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking import calls, holds
from booking.db import org_transaction
from booking.errors import CallOver, SlotUnknown, StatementRefused
from booking.slots import next_available
from booking.types import Conflict, Held, HoldStatus, Slot
from tests.conftest import Clinic

TTL = timedelta(minutes=10)
EXCLUSION_VIOLATION, FOREIGN_KEY_VIOLATION = "23P01", "23503"


async def free_slots(pool: asyncpg.Pool, clinic: Clinic, limit: int = 3, service: int = 0) -> list[Slot]:
    service_id = clinic.service_ids[service]
    return await next_available(
        pool, clinic.claim, service_id=service_id, after=datetime.now(UTC), limit=limit
    )


async def ask(pool: asyncpg.Pool, clinic: Clinic, slot: Slot, call_id: UUID | None = None) -> Held | Conflict:
    return await holds.claim_slot(pool, clinic.claim, slot_id=slot.id, call_id=call_id or uuid4(), ttl=TTL)


async def hold(pool: asyncpg.Pool, clinic: Clinic, slot: Slot, call_id: UUID | None = None) -> Held:
    taken = await ask(pool, clinic, slot, call_id)
    assert isinstance(taken, Held)
    return taken


async def states(pool: asyncpg.Pool, clinic: Clinic) -> list[str]:
    async with org_transaction(pool, clinic.claim) as connection:
        rows = await connection.fetch("select state from appointment_holds order by created_at")
    return [row["state"] for row in rows]


async def lapse(pool: asyncpg.Pool, clinic: Clinic, held: Held) -> None:
    """Let the hold's time pass."""
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute(
            "update appointment_holds set expires_at = now() - interval '1 second' where id = $1",
            held.hold_id,
        )


async def book(pool: asyncpg.Pool, clinic: Clinic, held: Held) -> None:
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute("update appointment_holds set state = 'booked' where id = $1", held.hold_id)


async def test_a_free_slot_is_held_until_its_expiry(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    call = uuid4()
    held = await hold(pool, clinic, slot, call)
    status = await holds.hold_status(pool, clinic.claim, slot_id=slot.id)
    assert held.slot == slot
    assert abs(held.expires_at - datetime.now(UTC) - TTL) < timedelta(seconds=5)
    assert status == HoldStatus("held", held.expires_at, call)
    assert slot not in await free_slots(pool, clinic, limit=50)


async def test_the_same_call_asking_again_gets_the_same_hold(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    call = uuid4()
    first = await hold(pool, clinic, slot, call)
    assert await hold(pool, clinic, slot, call) == first
    assert await states(pool, clinic) == ["held"]


async def test_the_loser_is_told_what_is_free_from_then_on(pool: asyncpg.Pool, clinic: Clinic) -> None:
    wanted, *others = await free_slots(pool, clinic, limit=4)
    await hold(pool, clinic, wanted)
    assert await ask(pool, clinic, wanted) == Conflict("taken", tuple(others))


async def test_an_expired_hold_is_free_and_flipped(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    await lapse(pool, clinic, await hold(pool, clinic, slot))
    assert (await free_slots(pool, clinic, limit=1)) == [slot]
    assert (await holds.hold_status(pool, clinic.claim, slot_id=slot.id)).state == "open"
    await hold(pool, clinic, slot)
    assert await states(pool, clinic) == ["expired", "held"]


async def test_a_call_whose_hold_expired_gets_a_new_one(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    call = uuid4()
    first = await hold(pool, clinic, slot, call)
    await lapse(pool, clinic, first)
    assert (await hold(pool, clinic, slot, call)).hold_id != first.hold_id


async def test_a_call_holds_one_slot_at_a_time(pool: asyncpg.Pool, clinic: Clinic) -> None:
    first, second = await free_slots(pool, clinic, limit=2)
    call = uuid4()
    await hold(pool, clinic, first, call)
    await hold(pool, clinic, second, call)
    assert await states(pool, clinic) == ["released", "held"]
    assert first in await free_slots(pool, clinic)


async def test_a_call_that_loses_keeps_what_it_held(pool: asyncpg.Pool, clinic: Clinic) -> None:
    mine, wanted = await free_slots(pool, clinic, limit=2)
    call = uuid4()
    held = await hold(pool, clinic, mine, call)
    await hold(pool, clinic, wanted)
    answer = await ask(pool, clinic, wanted, call)
    assert isinstance(answer, Conflict)
    assert mine not in answer.slots
    assert await hold(pool, clinic, mine, call) == held


async def test_overlapping_slots_of_one_practitioner_exclude_each_other(
    pool: asyncpg.Pool, clinic: Clinic
) -> None:
    (short,) = await free_slots(pool, clinic, limit=1, service=0)
    long = next(
        s
        for s in await free_slots(pool, clinic, limit=4, service=1)
        if s.practitioner_id == short.practitioner_id and s.starts_at == short.starts_at
    )
    call = uuid4()
    await hold(pool, clinic, short, call)
    assert isinstance(await ask(pool, clinic, long), Conflict)
    assert (await holds.hold_status(pool, clinic.claim, slot_id=long.id)).state == "held"
    await hold(pool, clinic, long, call)  # its own hold does not stand in its way
    assert await states(pool, clinic) == ["released", "held"]


async def test_a_booking_outlives_its_expiry_and_stays_the_calls(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    call = uuid4()
    held = await hold(pool, clinic, slot, call)
    await book(pool, clinic, held)
    await lapse(pool, clinic, held)
    assert (await holds.hold_status(pool, clinic.claim, slot_id=slot.id)) == HoldStatus("booked")
    assert isinstance(await ask(pool, clinic, slot), Conflict)
    assert (await hold(pool, clinic, slot, call)).hold_id == held.hold_id
    assert not await holds.release_hold(pool, clinic.claim, hold_id=held.hold_id)
    assert await holds.release_call(pool, clinic.claim, call_id=call) == 0


async def test_a_slot_that_has_begun_is_past(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", f'{{"org_id": "{clinic.claim.org_id}"}}')
        begun = "update slots set starts_at = now() - '1 m'::interval, ends_at = now() + '1 m' where id = $1"
        await owner.execute(begun, slot.id)
    answer = await ask(pool, clinic, slot)
    assert isinstance(answer, Conflict)
    assert answer.reason == "past"
    assert len(answer.slots) == 3
    assert await holds.hold_status(pool, clinic.claim, slot_id=slot.id) == HoldStatus("past")


async def test_a_slot_that_is_offered_no_more_is_none(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    """As a claim, which refuses it; whoever has it keeps it."""
    withdrawn, had = await free_slots(pool, clinic, limit=2)
    held = await hold(pool, clinic, had)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", f'{{"org_id": "{clinic.claim.org_id}"}}')
        await owner.execute(
            "update slots set withdrawn_at = now() where id = any ($1::uuid[])", [withdrawn.id, had.id]
        )
    assert isinstance(await ask(pool, clinic, withdrawn), Conflict)
    with pytest.raises(SlotUnknown):
        await holds.hold_status(pool, clinic.claim, slot_id=withdrawn.id)
    assert (await holds.hold_status(pool, clinic.claim, slot_id=had.id)).expires_at == held.expires_at


async def test_nor_is_one_of_a_practitioner_who_has_left(
    pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic
) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", f'{{"org_id": "{clinic.claim.org_id}"}}')
        await owner.execute("update practitioners set active = false where id = $1", slot.practitioner_id)
    with pytest.raises(SlotUnknown):
        await holds.hold_status(pool, clinic.claim, slot_id=slot.id)


async def test_an_unknown_and_a_foreign_slot_are_the_same(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    (foreign,) = await free_slots(pool, other_clinic, limit=1)
    with pytest.raises(SlotUnknown):
        await ask(pool, clinic, foreign)
    with pytest.raises(SlotUnknown):
        await holds.hold_status(pool, clinic.claim, slot_id=uuid4())


async def test_a_hold_given_back_is_free_once(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    held = await hold(pool, clinic, slot)
    assert await holds.release_hold(pool, clinic.claim, hold_id=held.hold_id)
    assert not await holds.release_hold(pool, clinic.claim, hold_id=held.hold_id)
    assert slot in await free_slots(pool, clinic)


async def test_a_hold_that_has_run_out_is_not_given_back(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    held = await hold(pool, clinic, slot)
    await lapse(pool, clinic, held)
    assert not await holds.release_hold(pool, clinic.claim, hold_id=held.hold_id)
    assert await states(pool, clinic) == ["held"]


async def test_another_org_cannot_give_a_hold_back(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    call = uuid4()
    held = await hold(pool, clinic, slot, call)
    assert not await holds.release_hold(pool, other_clinic.claim, hold_id=held.hold_id)
    assert await holds.release_call(pool, other_clinic.claim, call_id=call) == 0
    assert await states(pool, clinic) == ["held"]


@pytest.mark.parametrize(("keep", "left"), [(True, "held"), (False, "released")])
async def test_a_call_that_ended_holds_nothing_new(
    pool: asyncpg.Pool, clinic: Clinic, keep: bool, left: str
) -> None:
    first, second = await free_slots(pool, clinic, limit=2)
    call, now = uuid4(), datetime.now(UTC)
    await calls.open_call(
        pool, clinic.claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=now
    )
    await hold(pool, clinic, first, call)
    released = await calls.close_call(
        pool, clinic.claim, call_id=call, end_reason="goodbye", ended_at=now, keep_hold=keep
    )
    assert released == (0 if keep else 1)
    with pytest.raises(CallOver):
        await ask(pool, clinic, second, call)
    assert await states(pool, clinic) == [left]


# --- the schema, whatever the functions do ----------------------------------------------------------------

_INSERT = """
insert into appointment_holds (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, expires_at)
select org_id, id, gen_random_uuid(), practitioner_number + $2, starts_at + $3, ends_at + $3, now() + '1 h'
from slots where id = $1
"""


async def test_live_rows_of_a_practitioner_cannot_overlap(pool: asyncpg.Pool, clinic: Clinic) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    await hold(pool, clinic, slot)
    with pytest.raises(StatementRefused, match=EXCLUSION_VIOLATION):
        async with org_transaction(pool, clinic.claim) as connection:
            await connection.execute(_INSERT, slot.id, 0, timedelta())


@pytest.mark.parametrize(("practitioner", "shift"), [(1, timedelta()), (0, timedelta(days=1))])
async def test_a_hold_cannot_claim_other_times_or_people_than_its_slot(
    pool: asyncpg.Pool, clinic: Clinic, practitioner: int, shift: timedelta
) -> None:
    (slot,) = await free_slots(pool, clinic, limit=1)
    with pytest.raises(StatementRefused, match=FOREIGN_KEY_VIOLATION):
        async with org_transaction(pool, clinic.claim) as connection:
            await connection.execute(_INSERT, slot.id, practitioner, shift)


async def test_a_hand_made_booking_in_flight_is_a_conflict_not_an_error(
    pool: asyncpg.Pool, clinic: Clinic
) -> None:
    """Under REPEATABLE READ the function cannot see what came after the snapshot; the constraint does."""
    wanted, _ = await free_slots(pool, clinic, limit=2)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        await connection.execute("select app.arm($1)", f'{{"org_id": "{clinic.claim.org_id}"}}')
        await connection.fetch("select from slots")  # takes the snapshot
        await hold(pool, clinic, wanted)
        answer = await connection.fetchrow(
            "select * from app.claim_slot_atomic($1, $2, $3, $4)",
            clinic.claim.org_id,
            wanted.id,
            uuid4(),
            TTL,
        )
    assert answer["outcome"] == "taken"
