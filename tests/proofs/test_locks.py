"""What each lock is there for, beyond what constraints and unique indexes guarantee anyhow.

Two who want overlapping slots of one practitioner are kept apart by no row. The constraint on overlaps would
let in at most one of them, but both insert first and look for others then: if a third who stood in their way
is undone at that moment, each waits for the other, until the server ends one as a deadlock. Behind the
practitioner's lock one is told `held` and the other `taken`, at once.

Who comes second is made to come while the first has done its work and not committed it.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.bookings import cancel_booking, confirm_booking, reschedule_booking
from booking.calls import close_call, open_call
from booking.db import claims_json, open_pool
from booking.errors import BookingOver, CallOver, HoldOver
from booking.holds import claim_slot, release_call
from booking.otp import store_otp, verify_otp
from booking.types import Booking, CodeCheck, Conflict, Held, Slot
from tests.booking.patients import CODE, TTL, WRONG, Desk, make_sealer, new_phone
from tests.conftest import Clinic, Stack
from tests.proofs.waiting import wait_for_waiters

Work = Coroutine[Any, Any, Any]


@pytest.fixture
async def busy(stack: Stack, clinic: Clinic) -> AsyncIterator[Desk]:
    """A desk at which several ask at once."""
    async with await open_pool(stack.postgres.app, min_size=4, max_size=4, statement_timeout_s=20) as pool:
        yield Desk(pool, clinic, make_sealer())


@pytest.fixture
async def keeper(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """The superuser's, which sees who waits and may lock what it likes."""
    connection = await asyncpg.connect(stack.admin)
    yield connection
    await connection.close()


async def knot(desk: Desk) -> tuple[Slot, Slot, Slot]:
    """Three slots of one practitioner, each of which overlaps the two others: a long one, and a long and a
    short one that begin before its end.
    """
    first, other = await desk.free(2, service=1, practitioner=0)
    short = next(s for s in await desk.free(6, practitioner=0) if s.starts_at == other.starts_at)
    assert other.starts_at < first.ends_at
    return first, other, short


@asynccontextmanager
async def unfinished(desk: Desk, function: str, *arguments: Any, undo: bool = False) -> AsyncIterator[None]:
    """A call of a function whose transaction ends on exit: commits, or `undo`."""
    places = "".join(f", ${n}" for n in range(2, len(arguments) + 2))
    async with desk.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        statement = f"select * from app.{function}(app.arm($1){places})"
        await connection.fetch(statement, claims_json(desk.clinic.claim), *arguments)
        yield
        await (transaction.rollback() if undo else transaction.commit())


async def meanwhile(
    keeper: asyncpg.Connection, first: AbstractAsyncContextManager[None], *work: Work
) -> list[Any]:
    """What becomes of the work, all of which has come to a lock (or its end) before `first` ends."""
    async with asyncio.TaskGroup() as group, first:
        tasks = []
        for each in work:
            tasks.append(group.create_task(each))
            await wait_for_waiters(keeper, tasks)
    return [task.result() for task in tasks]


def claim(desk: Desk, slot: Slot, call: UUID | None = None) -> Coroutine[Any, Any, Held | Conflict]:
    return claim_slot(desk.pool, desk.clinic.claim, slot_id=slot.id, call_id=call or uuid4(), ttl=TTL)


def move(desk: Desk, booking: Booking, slot: Slot) -> Coroutine[Any, Any, Booking | Conflict]:
    return reschedule_booking(desk.pool, desk.clinic.claim, booking_id=booking.id, slot_id=slot.id)


def guess(desk: Desk, hold_id: UUID, code: str) -> Coroutine[Any, Any, CodeCheck]:
    digests = [desk.digest(hold_id, code)]
    return verify_otp(desk.pool, desk.clinic.claim, hold_id=hold_id, digests=digests)


async def refused(work: Work, error: type[Exception]) -> bool:
    try:
        await work
    except error:
        return True
    return False


def require_one_winner(answers: list[Any]) -> None:
    (loser,) = [answer for answer in answers if isinstance(answer, Conflict)]
    assert loser.reason == "taken"
    assert len(loser.slots) == 3
    assert len(answers) == 2


# --- the practitioner's lock ------------------------------------------------------------------------------


async def test_of_two_claims_of_overlapping_slots_one_holds_and_one_is_told_what_is_free(
    busy: Desk, keeper: asyncpg.Connection
) -> None:
    gone, one, other = await knot(busy)
    first = unfinished(busy, "claim_slot_atomic", gone.id, uuid4(), TTL, undo=True)
    require_one_winner(await meanwhile(keeper, first, claim(busy, one), claim(busy, other)))


async def test_of_two_moves_to_overlapping_slots_one_is_made_and_one_is_told_what_is_free(
    busy: Desk, keeper: asyncpg.Connection
) -> None:
    gone, long, short = await knot(busy)
    long_booking = await busy.book((await busy.free(1, service=1, practitioner=1))[0])
    short_booking = await busy.book((await busy.free(3, service=0, practitioner=1))[-1])
    first = unfinished(busy, "claim_slot_atomic", gone.id, uuid4(), TTL, undo=True)
    moves = move(busy, long_booking, long), move(busy, short_booking, short)
    require_one_winner(await meanwhile(keeper, first, *moves))


async def test_a_hold_confirmed_as_it_expires_stands_in_nobodys_way(
    busy: Desk, keeper: asyncpg.Connection
) -> None:
    """The hold runs out between the check and the appointment, and its slot is claimed just then."""
    (slot,) = await busy.free()
    held, contact_id = await busy.verified(slot)
    soon = timedelta(milliseconds=700)
    await busy.by_hand(
        "update appointment_holds set expires_at = clock_timestamp() + $2 where id = $1", held.hold_id, soon
    )
    confirmed = confirm_booking(busy.pool, busy.clinic.claim, hold_id=held.hold_id, contact_id=contact_id)
    booking, answer = await meanwhile(
        keeper, gate(keeper, "contacts"), confirmed, after(soon, claim(busy, slot))
    )
    assert isinstance(booking, Booking)
    assert isinstance(answer, Conflict)


@asynccontextmanager
async def gate(keeper: asyncpg.Connection, table: str) -> AsyncIterator[None]:
    """Nobody reads the table until it opens, on exit."""
    async with keeper.transaction():
        await keeper.execute(f"lock table public.{table} in access exclusive mode")
        yield


async def after(wait: timedelta, work: Work) -> Any:
    """The one wait for time here: for the database's own clock to pass a hold's end."""
    await asyncio.sleep(wait.total_seconds())
    return await work


# --- the slot's row ---------------------------------------------------------------------------------------


@asynccontextmanager
async def by_hand(desk: Desk, statement: str, *values: Any) -> AsyncIterator[None]:
    """A statement as the application's role, which commits on exit."""
    async with desk.pool.acquire() as connection, connection.transaction():
        await connection.execute("select app.arm($1)", claims_json(desk.clinic.claim))
        await connection.execute(statement, *values)
        yield


_WITHDRAW = "update public.slots set withdrawn_at = now() where id = $1"


async def test_a_claim_waits_for_whoever_withdraws_its_slot(busy: Desk, keeper: asyncpg.Connection) -> None:
    (slot,) = await busy.free()
    (answer,) = await meanwhile(keeper, by_hand(busy, _WITHDRAW, slot.id), claim(busy, slot))
    assert isinstance(answer, Conflict)


async def test_a_move_waits_for_whoever_withdraws_its_slot(busy: Desk, keeper: asyncpg.Connection) -> None:
    old, new = await busy.free(2)
    booking = await busy.book(old)
    (answer,) = await meanwhile(keeper, by_hand(busy, _WITHDRAW, new.id), move(busy, booking, new))
    assert isinstance(answer, Conflict)


# --- the call's lock --------------------------------------------------------------------------------------


async def test_two_claims_of_one_call_leave_it_the_later_slot(busy: Desk, keeper: asyncpg.Connection) -> None:
    call = uuid4()
    (one,), (other,) = await busy.free(practitioner=0), await busy.free(practitioner=1)
    first = unfinished(busy, "claim_slot_atomic", one.id, call, TTL)
    (answer,) = await meanwhile(keeper, first, claim(busy, other, call))
    assert isinstance(answer, Held)
    assert await busy.states() == ["released", "held"]


async def open_a_call(desk: Desk) -> UUID:
    call, now = uuid4(), datetime.now(UTC)
    await open_call(
        desk.pool, desk.clinic.claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=now
    )
    return call


def close(desk: Desk, call: UUID) -> Work:
    now = datetime.now(UTC)
    return close_call(
        desk.pool, desk.clinic.claim, call_id=call, end_reason="hangup", ended_at=now, keep_hold=False
    )


async def test_a_call_that_ends_during_its_claim_holds_nothing(
    busy: Desk, keeper: asyncpg.Connection
) -> None:
    call, (slot,) = await open_a_call(busy), await busy.free()
    first = unfinished(busy, "claim_slot_atomic", slot.id, call, TTL)
    assert await meanwhile(keeper, first, close(busy, call)) == [1]
    assert await busy.states() == ["released"]


async def test_what_a_call_holds_is_given_back_after_its_claim(
    busy: Desk, keeper: asyncpg.Connection
) -> None:
    call, (slot,) = uuid4(), await busy.free()
    first = unfinished(busy, "claim_slot_atomic", slot.id, call, TTL)
    assert await meanwhile(keeper, first, release_call(busy.pool, busy.clinic.claim, call_id=call)) == [1]


async def test_a_claim_during_the_end_of_its_call_is_refused(busy: Desk, keeper: asyncpg.Connection) -> None:
    call, (slot,) = await open_a_call(busy), await busy.free()
    first = unfinished(busy, "close_call", call, "hangup", datetime.now(UTC), False)
    assert await meanwhile(keeper, first, refused(claim(busy, slot, call), CallOver)) == [True]


# --- the lock on a hold and its number --------------------------------------------------------------------


async def sent(desk: Desk, phone: str | None = None) -> UUID:
    """A hold for which a code is in force."""
    (slot,) = await desk.free()
    held = await desk.hold(slot)
    await store(desk, held.hold_id, phone)
    return held.hold_id


def store(desk: Desk, hold_id: UUID, phone: str | None = None) -> Work:
    receiver, digest = desk.receiver(phone or new_phone()), desk.digest(hold_id)
    return store_otp(
        desk.pool, desk.clinic.claim, hold_id=hold_id, digest=digest, receiver_digest=receiver, ttl=TTL
    )


async def test_the_last_guess_is_the_last_also_for_one_who_guesses_at_once(
    busy: Desk, keeper: asyncpg.Connection
) -> None:
    hold = await sent(busy)
    for _ in range(4):
        await guess(busy, hold, WRONG)
    first = unfinished(busy, "verify_otp", hold, [busy.digest(hold, WRONG)])
    (second,) = await meanwhile(keeper, first, guess(busy, hold, CODE))
    assert second == CodeCheck("locked", 0, hold_verified=False)


async def test_a_code_is_used_once_also_by_two_at_once(busy: Desk, keeper: asyncpg.Connection) -> None:
    hold = await sent(busy)
    first = unfinished(busy, "verify_otp", hold, [busy.digest(hold, CODE)])
    (second,) = await meanwhile(keeper, first, guess(busy, hold, CODE))
    assert second.outcome == "expired"


async def test_two_codes_at_once_leave_the_later_in_force(busy: Desk, keeper: asyncpg.Connection) -> None:
    hold = await sent(busy)
    first = unfinished(busy, "store_otp", hold, busy.digest(hold, WRONG), busy.receiver(new_phone()), TTL)
    (second,) = await meanwhile(keeper, first, store(busy, hold))
    assert (second.outcome, second.codes_left) == ("stored", 1)
    assert (await guess(busy, hold, CODE)).outcome == "verified"


async def test_a_numbers_last_guess_is_the_last_on_any_hold(busy: Desk, keeper: asyncpg.Connection) -> None:
    phone = new_phone()
    one, other, third = [await sent(busy, phone) for _ in range(3)]
    for hold, times in ((one, 4), (other, 4), (third, 4)):
        for _ in range(times):
            await guess(busy, hold, WRONG)
    fourth, fifth = await sent(busy, phone), await sent(busy, phone)
    for _ in range(2):
        await guess(busy, fourth, WRONG)
    first = unfinished(busy, "verify_otp", fourth, [busy.digest(fourth, WRONG)])
    (second,) = await meanwhile(keeper, first, guess(busy, fifth, CODE))
    assert second.outcome == "locked"


async def test_a_hold_given_back_is_not_verified(busy: Desk, keeper: asyncpg.Connection) -> None:
    hold = await sent(busy)
    first = unfinished(busy, "release_slot_lock", hold)
    assert await meanwhile(keeper, first, refused(guess(busy, hold, CODE), HoldOver)) == [True]


# --- an appointment's end ---------------------------------------------------------------------------------


async def test_an_appointment_moved_meanwhile_is_not_cancelled(
    busy: Desk, keeper: asyncpg.Connection
) -> None:
    old, new = await busy.free(2)
    booking = await busy.book(old)
    first = unfinished(busy, "reschedule_booking", booking.id, new.id)
    cancelled = cancel_booking(busy.pool, busy.clinic.claim, booking_id=booking.id)
    assert await meanwhile(keeper, first, refused(cancelled, BookingOver)) == [True]
    assert await busy.states() == ["released", "booked"]


async def test_an_appointment_cancelled_meanwhile_is_cancelled(
    busy: Desk, keeper: asyncpg.Connection
) -> None:
    booking = await busy.book((await busy.free())[0])
    first = unfinished(busy, "cancel_booking", booking.id)
    (again,) = await meanwhile(
        keeper, first, cancel_booking(busy.pool, busy.clinic.claim, booking_id=booking.id)
    )
    assert (again.id, again.status) == (booking.id, "cancelled")
