"""Races of everything that takes or frees a slot, between real connections. A deadlock would show as
`BookingUnavailable`, which no test here expects.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.bookings import cancel_booking, confirm_booking, find_booking, reschedule_booking
from booking.db import open_pool
from booking.errors import BookingOver, HoldOver
from booking.holds import claim_slot, release_call, release_expired_holds, release_hold
from booking.types import Booking, Conflict, Held, Slot
from tests.booking.patients import TTL, Desk, make_sealer, new_phone
from tests.conftest import Clinic, Stack

CONNECTIONS = 16
ROUNDS = 15

_OVERLAPS = """
select count(*) from appointment_holds a join appointment_holds b
  on a.practitioner_number = b.practitioner_number and a.id < b.id
 and a.starts_at < b.ends_at and b.starts_at < a.ends_at
where a.state in ('held', 'booked') and b.state in ('held', 'booked')
"""
_ODD_ONES = """
select count(*) from appointments a full join appointment_holds h on h.id = a.hold_id
where (a.status = 'booked') is distinct from (h.state = 'booked') and (a.id is not null or h.state = 'booked')
"""


@pytest.fixture
async def busy(stack: Stack, clinic: Clinic) -> AsyncIterator[Desk]:
    """A desk at which many ask at once."""
    async with await open_pool(stack.postgres.app, min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        yield Desk(pool, clinic, make_sealer())


@pytest.fixture
async def sweeper(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(stack.postgres.worker, min_size=1, max_size=2, command_timeout=5) as pool:
        yield pool


async def claim(desk: Desk, slot: Slot, ttl: timedelta = TTL) -> Held | Conflict:
    return await claim_slot(desk.pool, desk.clinic.claim, slot_id=slot.id, call_id=uuid4(), ttl=ttl)


async def confirm(desk: Desk, held: Held, contact_id: UUID) -> Booking | None:
    try:
        return await confirm_booking(
            desk.pool, desk.clinic.claim, hold_id=held.hold_id, contact_id=contact_id
        )
    except HoldOver:
        return None


async def move(desk: Desk, booking: Booking, slot: Slot) -> Booking | Conflict | None:
    try:
        return await reschedule_booking(desk.pool, desk.clinic.claim, booking_id=booking.id, slot_id=slot.id)
    except BookingOver:
        return None


async def cancel(desk: Desk, booking: Booking) -> Booking | None:
    try:
        return await cancel_booking(desk.pool, desk.clinic.claim, booking_id=booking.id)
    except BookingOver:
        return None


async def require_sound(desk: Desk) -> None:
    """No two live rows of a practitioner overlap, and booked appointments and booked holds are the same."""
    for statement in (_OVERLAPS, _ODD_ONES):
        ((count,),) = await desk.by_hand(statement)
        assert count == 0


async def test_a_hold_confirmed_as_it_expires_is_booked_or_anothers(
    busy: Desk, sweeper: asyncpg.Pool
) -> None:
    dice = random.Random(3)
    for slot in await busy.free(ROUNDS):
        held, contact_id = await busy.verified(slot)
        await busy.by_hand(
            "update appointment_holds set expires_at = clock_timestamp() + $2 where id = $1",
            held.hold_id,
            timedelta(milliseconds=dice.uniform(0, 12)),
        )
        booking, _, *answers = await asyncio.gather(
            confirm(busy, held, contact_id),
            release_expired_holds(sweeper),
            *(claim(busy, slot) for _ in range(CONNECTIONS - 2)),
        )
        winners = [answer for answer in answers if isinstance(answer, Held)]
        assert len(winners) + (booking is not None) <= 1
        await require_sound(busy)


async def test_a_hold_confirmed_many_times_at_once_is_one_appointment(busy: Desk) -> None:
    for slot in await busy.free(ROUNDS):
        held, contact_id = await busy.verified(slot)
        answers = await asyncio.gather(*(confirm(busy, held, contact_id) for _ in range(CONNECTIONS)))
        assert len(set(answers)) == 1
        assert answers[0] is not None


async def test_a_hold_confirmed_while_it_is_given_back_is_one_or_the_other(busy: Desk) -> None:
    for slot in await busy.free(ROUNDS):
        call = uuid4()
        held, contact_id = await busy.verified(slot, call)
        booking, released, by_call = await asyncio.gather(
            confirm(busy, held, contact_id),
            release_hold(busy.pool, busy.clinic.claim, hold_id=held.hold_id),
            release_call(busy.pool, busy.clinic.claim, call_id=call),
        )
        assert (booking is not None) + released + by_call == 1
    await require_sound(busy)


async def test_of_many_who_move_to_one_slot_one_gets_it(busy: Desk) -> None:
    wanted, *theirs = await busy.free(9)
    bookings = [await busy.book(slot) for slot in theirs]
    answers = await asyncio.gather(*(move(busy, booking, wanted) for booking in bookings))
    assert sum(isinstance(answer, Booking) for answer in answers) == 1
    stand = [await find_booking(busy.pool, busy.clinic.claim, booking_id=booking.id) for booking in bookings]
    for booking, answer, found in zip(bookings, answers, stand, strict=True):
        assert found is not None
        assert found.status == ("rescheduled" if isinstance(answer, Booking) else "booked")
        assert isinstance(answer, Booking) or found == booking
    await require_sound(busy)


async def test_two_who_would_swap_both_keep_theirs(busy: Desk) -> None:
    """Each waits for the slot that the other has: in both orders of practitioners, and never for ever."""
    for number in range(ROUNDS):
        (left,) = await busy.free(practitioner=number % 2)
        (right,) = await busy.free(practitioner=1 - number % 2)
        one, other = await busy.book(left), await busy.book(right)
        answers = await asyncio.gather(move(busy, one, right), move(busy, other, left))
        assert all(isinstance(answer, Conflict) for answer in answers)
    await require_sound(busy)


async def test_an_appointment_cancelled_and_moved_at_once_is_one_or_the_other(busy: Desk) -> None:
    for _ in range(ROUNDS):
        old, first, second = await busy.free(3)
        booking = await busy.book(old)
        cancelled, *moves = await asyncio.gather(
            cancel(busy, booking), move(busy, booking, first), move(busy, booking, second)
        )
        assert (cancelled is not None) + sum(isinstance(each, Booking) for each in moves) == 1
        for each in moves:
            if isinstance(each, Booking):
                await cancel(busy, each)
    await require_sound(busy)


@dataclass
class Crowd:
    """Callers who book, move, cancel and hold at random, and the sweeper among them."""

    desk: Desk
    sweeper: asyncpg.Pool
    slots: list[Slot]
    dice: random.Random
    bookings: list[Booking] = field(default_factory=list)

    async def book(self) -> None:
        answer = await claim(self.desk, self.dice.choice(self.slots))
        if isinstance(answer, Held):
            phone = new_phone()
            contact_id = await self.desk.contact(phone)
            await self.desk.verify(answer.hold_id, phone)
            if booking := await confirm(self.desk, answer, contact_id):
                self.bookings.append(booking)

    async def move(self) -> None:
        if self.bookings:
            booking = self.dice.choice(self.bookings)
            same = [slot for slot in self.slots if slot.service_id == booking.slot.service_id]
            if isinstance(moved := await move(self.desk, booking, self.dice.choice(same)), Booking):
                self.bookings.append(moved)

    async def cancel(self) -> None:
        if self.bookings:
            await cancel(self.desk, self.bookings.pop(self.dice.randrange(len(self.bookings))))

    async def hold_briefly(self) -> None:
        await claim(self.desk, self.dice.choice(self.slots), timedelta(microseconds=1))

    async def sweep(self) -> None:
        await release_expired_holds(self.sweeper, batch=3)

    async def act(self, times: int) -> None:
        acts = [self.book, self.book, self.move, self.move, self.cancel, self.hold_briefly, self.sweep]
        for _ in range(times):
            await self.dice.choice(acts)()


async def test_everything_at_once_stays_sound(busy: Desk, sweeper: asyncpg.Pool) -> None:
    slots = [*await busy.free(12, service=0), *await busy.free(12, service=1)]
    crowd = Crowd(busy, sweeper, slots, random.Random(11))
    for _ in range(5):
        await asyncio.gather(*(crowd.act(12) for _ in range(CONNECTIONS)))
        await require_sound(busy)
    assert crowd.bookings
