"""Appointments on the real server: from a verified hold, moved, cancelled, listed."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.bookings import (
    cancel_booking,
    confirm_booking,
    find_booking,
    page_of_bookings,
    reschedule_booking,
)
from booking.db import fetch
from booking.errors import (
    BookingOver,
    BookingUnknown,
    ContactUnknown,
    HoldOver,
    HoldUnknown,
    HoldUnverified,
    SlotUnknown,
    SlotUnsuitable,
    StatementRefused,
)
from booking.holds import hold_status, release_expired_holds, release_hold, set_hold_contact
from booking.types import AfterBooking, Booking, Conflict
from tests.booking.patients import Desk, new_phone
from tests.conftest import Stack

EXCLUSION_VIOLATION, FOREIGN_KEY_VIOLATION, DENIED = "23P01", "23503", "42501"


async def confirm(desk: Desk, hold_id: UUID, contact_id: UUID | None = None) -> Booking:
    return await confirm_booking(desk.pool, desk.clinic.claim, hold_id=hold_id, contact_id=contact_id)


async def move(desk: Desk, booking: Booking, slot_id: UUID, **more: UUID) -> Booking | Conflict:
    return await reschedule_booking(
        desk.pool, desk.clinic.claim, booking_id=booking.id, slot_id=slot_id, **more
    )


@pytest.fixture
async def calendars(desk: Desk) -> None:
    """Every practitioner has a calendar, which an appointment's job brings up to date."""
    for number, practitioner_id in enumerate(desk.clinic.practitioner_ids):
        await fetch(
            desk.pool,
            desk.clinic.claim,
            "set_practitioner_calendar",
            practitioner_id,
            f"cal{number}@example.com",
        )


async def jobs_for(owner: asyncpg.Connection, booking: Booking) -> int:
    count: int = await owner.fetchval(
        "select count(*) from jobs.pgqueuer where entrypoint = 'calendar_push' and substr(payload, 17) = $1",
        booking.id.bytes,
    )
    return count


# --- confirming -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("calendars")
async def test_a_verified_hold_becomes_an_appointment(desk: Desk, owner: asyncpg.Connection) -> None:
    (slot,) = await desk.free()
    held, contact_id = await desk.verified(slot)
    booking = await confirm(desk, held.hold_id, contact_id)
    assert (booking.hold_id, booking.contact_id, booking.slot) == (held.hold_id, contact_id, slot)
    assert (booking.status, booking.changed_at, booking.replaces) == ("booked", None, None)
    assert await find_booking(desk.pool, desk.clinic.claim, booking_id=booking.id) == booking
    assert (await hold_status(desk.pool, desk.clinic.claim, slot_id=slot.id)).state == "booked"
    assert slot not in await desk.free(50)
    assert await jobs_for(owner, booking) == 1


@pytest.mark.usefixtures("calendars")
async def test_confirming_again_is_the_same_appointment(desk: Desk, owner: asyncpg.Connection) -> None:
    held, contact_id = await desk.verified((await desk.free())[0])
    first = await confirm(desk, held.hold_id, contact_id)
    assert await confirm(desk, held.hold_id, contact_id) == first
    assert await confirm(desk, held.hold_id) == first
    with pytest.raises(HoldOver):
        await confirm(desk, held.hold_id, await desk.contact())
    assert await jobs_for(owner, first) == 1


async def test_the_holds_own_contact_is_booked_if_none_is_named(desk: Desk) -> None:
    held, contact_id = await desk.verified((await desk.free())[0])
    with pytest.raises(ContactUnknown):
        await confirm(desk, held.hold_id)
    await set_hold_contact(desk.pool, desk.clinic.claim, hold_id=held.hold_id, contact_id=contact_id)
    assert (await confirm(desk, held.hold_id)).contact_id == contact_id


async def test_an_unverified_hold_is_not_booked(desk: Desk) -> None:
    held = await desk.hold((await desk.free())[0])
    with pytest.raises(HoldUnverified):
        await confirm(desk, held.hold_id, await desk.contact())
    assert await desk.states() == ["held"]


async def test_a_code_books_for_the_number_it_was_sent_to_alone(desk: Desk) -> None:
    held, _ = await desk.verified((await desk.free())[0])
    with pytest.raises(HoldUnverified):
        await confirm(desk, held.hold_id, await desk.contact())


async def test_an_expired_or_released_hold_is_not_booked(desk: Desk) -> None:
    first, second = await desk.free(2)
    late, contact_id = await desk.verified(first)
    await desk.lapse(late.hold_id)
    with pytest.raises(HoldOver):
        await confirm(desk, late.hold_id, contact_id)
    given_back, contact_id = await desk.verified(second)
    assert await release_hold(desk.pool, desk.clinic.claim, hold_id=given_back.hold_id)
    with pytest.raises(HoldOver):
        await confirm(desk, given_back.hold_id, contact_id)
    assert await desk.by_hand("select from appointments") == []


async def test_a_foreign_or_unknown_hold_or_contact_is_unknown(desk: Desk, other_desk: Desk) -> None:
    held, contact_id = await other_desk.verified((await other_desk.free())[0])
    for hold_id in (held.hold_id, uuid4()):
        with pytest.raises(HoldUnknown):
            await confirm(desk, hold_id, contact_id)
    mine, _ = await desk.verified((await desk.free())[0])
    with pytest.raises(ContactUnknown):
        await confirm(desk, mine.hold_id, contact_id)
    with pytest.raises(ContactUnknown):
        await set_hold_contact(desk.pool, desk.clinic.claim, hold_id=mine.hold_id, contact_id=contact_id)
    with pytest.raises(HoldUnknown):
        await set_hold_contact(
            desk.pool, desk.clinic.claim, hold_id=held.hold_id, contact_id=await desk.contact()
        )


# --- cancelling -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("calendars")
async def test_a_cancelled_appointment_frees_its_slot_once(desk: Desk, owner: asyncpg.Connection) -> None:
    (slot,) = await desk.free()
    booking = await desk.book(slot)
    first = await cancel_booking(desk.pool, desk.clinic.claim, booking_id=booking.id)
    assert first.status == "cancelled"
    assert first.changed_at is not None
    assert slot in await desk.free(50)
    again = await desk.book(slot)
    assert await cancel_booking(desk.pool, desk.clinic.claim, booking_id=booking.id) == first
    assert await find_booking(desk.pool, desk.clinic.claim, booking_id=again.id) == again
    assert await confirm(desk, booking.hold_id) == first  # as it stands now, not booked anew
    assert await jobs_for(owner, booking) == 1


async def test_one_contact_cannot_cancel_or_move_anothers(desk: Desk, other_desk: Desk) -> None:
    booking = await desk.book((await desk.free())[0])
    (slot,) = await desk.free()
    stranger = await desk.contact()
    with pytest.raises(BookingUnknown):
        await cancel_booking(desk.pool, desk.clinic.claim, booking_id=booking.id, contact_id=stranger)
    with pytest.raises(BookingUnknown):
        await move(desk, booking, slot.id, contact_id=stranger)
    with pytest.raises(BookingUnknown):
        await cancel_booking(desk.pool, other_desk.clinic.claim, booking_id=booking.id)
    with pytest.raises(BookingUnknown):
        await move(other_desk, booking, (await other_desk.free())[0].id)
    assert await find_booking(desk.pool, desk.clinic.claim, booking_id=booking.id) == booking


async def test_an_appointment_ends_once_whoever_ends_it(desk: Desk) -> None:
    """The status moves by compare-and-set, also where no function has looked at it before."""
    booking, org_id = await desk.book((await desk.free())[0]), desk.clinic.claim.org_id
    ended = "select app.end_booking($1, $2, 'cancelled')"
    assert [row[0] for _ in range(2) for row in await desk.by_hand(ended, org_id, booking.id)] == [
        True,
        False,
    ]
    assert not (await desk.by_hand(ended.replace("cancelled", "rescheduled"), org_id, booking.id))[0][0]
    found = await find_booking(desk.pool, desk.clinic.claim, booking_id=booking.id)
    assert found is not None
    assert found.status == "cancelled"


# --- moving -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("calendars")
async def test_a_moved_appointment_takes_the_new_slot_and_frees_the_old(
    desk: Desk, owner: asyncpg.Connection
) -> None:
    old, new = await desk.free(2)
    booking = await desk.book(old)
    moved = await move(desk, booking, new.id, contact_id=booking.contact_id)
    assert isinstance(moved, Booking)
    assert (moved.slot, moved.status, moved.replaces) == (new, "booked", booking.id)
    assert moved.contact_id == booking.contact_id
    before = await find_booking(desk.pool, desk.clinic.claim, booking_id=booking.id)
    assert before is not None
    assert before.status == "rescheduled"
    free = await desk.free(50)
    assert old in free
    assert new not in free
    assert [await jobs_for(owner, each) for each in (booking, moved)] == [1, 1]
    assert await move(desk, booking, new.id) == moved  # asked again
    assert await move(desk, moved, new.id) == moved  # where it stands already
    with pytest.raises(BookingOver):
        await move(desk, booking, old.id)
    with pytest.raises(BookingOver):
        await cancel_booking(desk.pool, desk.clinic.claim, booking_id=booking.id)


async def test_a_move_to_a_taken_slot_changes_nothing(desk: Desk) -> None:
    old, taken = await desk.free(2)
    booking = await desk.book(old)
    await desk.book(taken)
    answer = await move(desk, booking, taken.id)
    assert isinstance(answer, Conflict)
    assert answer.reason == "taken"
    assert len(answer.slots) == 3
    assert old not in answer.slots
    assert await find_booking(desk.pool, desk.clinic.claim, booking_id=booking.id) == booking


async def test_an_appointment_may_move_into_its_own_time(desk: Desk) -> None:
    """The 45-minute slots start every 30 minutes, so each meets the next one."""
    first, second = await desk.free(2, service=1, practitioner=0)
    assert second.starts_at < first.ends_at
    booking = await desk.book(first)
    assert isinstance(await move(desk, booking, second.id), Booking)
    assert await desk.states() == ["released", "booked"]


async def test_what_the_call_holds_gives_way_to_its_move(desk: Desk) -> None:
    old, new, other = await desk.free(3)
    booking, call, rival = await desk.book(old), uuid4(), uuid4()
    await desk.hold(new, call)
    await desk.hold(other, rival)
    assert isinstance(await move(desk, booking, other.id, call_id=call), Conflict)
    assert isinstance(await move(desk, booking, new.id), Conflict)
    assert isinstance(await move(desk, booking, new.id, call_id=call), Booking)
    assert await desk.states() == ["released", "released", "held", "booked"]


async def test_a_move_to_another_service_or_nowhere_is_refused(desk: Desk, other_desk: Desk) -> None:
    booking = await desk.book((await desk.free())[0])
    with pytest.raises(SlotUnsuitable):
        await move(desk, booking, (await desk.free(service=1))[0].id)
    for slot_id in (uuid4(), (await other_desk.free())[0].id):
        with pytest.raises(SlotUnknown):
            await move(desk, booking, slot_id)
    with pytest.raises(BookingUnknown):
        await reschedule_booking(
            desk.pool, desk.clinic.claim, booking_id=uuid4(), slot_id=(await desk.free())[0].id
        )


# --- listing ----------------------------------------------------------------------------------------------


async def test_a_contacts_appointments_are_listed_by_the_page(desk: Desk) -> None:
    phone = new_phone()
    contact_id = await desk.contact(phone)
    mine = []
    for slot in await desk.free(3, practitioner=0):
        held = await desk.hold(slot)
        await desk.verify(held.hold_id, phone)
        mine.append(await confirm(desk, held.hold_id, contact_id))
    others = await desk.book((await desk.free())[0])
    pool, claim = desk.pool, desk.clinic.claim
    assert await page_of_bookings(pool, claim, limit=10, contact_id=contact_id) == mine
    first = await page_of_bookings(pool, claim, limit=2, contact_id=contact_id)
    last = AfterBooking(first[-1].slot.starts_at, first[-1].id)
    assert [*first, *await page_of_bookings(pool, claim, limit=2, contact_id=contact_id, last=last)] == mine
    everybody = await page_of_bookings(pool, claim, limit=10)
    assert {each.id for each in everybody} == {each.id for each in [*mine, others]}
    cancelled = await cancel_booking(pool, claim, booking_id=mine[1].id)
    assert await page_of_bookings(pool, claim, limit=10, status="cancelled") == [cancelled]
    begin = mine[1].slot.starts_at
    assert mine[0] not in await page_of_bookings(
        pool, claim, limit=10, after=begin + timedelta(microseconds=1), contact_id=contact_id
    )
    before = await page_of_bookings(pool, claim, limit=10, until=begin, contact_id=contact_id)
    assert all(each.slot.starts_at < begin for each in before)


async def test_another_orgs_appointments_are_not_listed(desk: Desk, other_desk: Desk) -> None:
    booking = await other_desk.book((await other_desk.free())[0])
    pool, claim = desk.pool, desk.clinic.claim
    assert await page_of_bookings(pool, claim, limit=10) == []
    assert await page_of_bookings(pool, claim, limit=10, contact_id=booking.contact_id) == []
    assert await find_booking(pool, claim, booking_id=booking.id) is None


# --- the schema, whatever the functions do ----------------------------------------------------------------

_BY_HAND = """
with held as (
    insert into appointment_holds
        (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, expires_at, state)
    select org_id, id, gen_random_uuid(), practitioner_number, starts_at, ends_at, now(), 'booked'
    from slots where id = $1
    returning *
)
insert into appointments (org_id, hold_id, slot_id, contact_id, practitioner_number, starts_at, ends_at)
select org_id, id, slot_id, $2, practitioner_number, starts_at, ends_at from held
"""


async def test_no_statement_books_two_overlapping_slots(desk: Desk) -> None:
    short = (await desk.free(service=0, practitioner=0))[0]
    long = (await desk.free(service=1, practitioner=0))[0]
    assert long.starts_at < short.ends_at
    contact_id = await desk.contact()
    await desk.by_hand(_BY_HAND, short.id, contact_id)
    with pytest.raises(StatementRefused, match=EXCLUSION_VIOLATION):
        await desk.by_hand(_BY_HAND, long.id, contact_id)


@pytest.mark.parametrize("state", ["held", "released", "expired"])
async def test_no_statement_books_without_a_booked_hold(desk: Desk, state: str) -> None:
    (slot,) = await desk.free()
    insert = _BY_HAND.replace("now(), 'booked'", f"now(), '{state}'")
    if state != "held":
        insert = insert.replace("expires_at, state)", "expires_at, state, ended_at)").replace(
            f"'{state}'", f"'{state}', now()"
        )
    with pytest.raises(StatementRefused, match=FOREIGN_KEY_VIOLATION):
        await desk.by_hand(insert, slot.id, await desk.contact())


async def test_no_statement_frees_the_slot_of_a_booked_appointment(desk: Desk) -> None:
    booking = await desk.book((await desk.free())[0])
    freed = "update appointment_holds set state = 'released', ended_at = now() where id = $1"
    with pytest.raises(StatementRefused, match=FOREIGN_KEY_VIOLATION):
        await desk.by_hand(freed, booking.hold_id)
    ended = "update appointments set status = 'cancelled', changed_at = now() where id = $1"
    with pytest.raises(StatementRefused, match=FOREIGN_KEY_VIOLATION):
        await desk.by_hand(ended, booking.id)


@pytest.mark.parametrize("column", ["contact_id", "slot_id", "starts_at", "org_id", "hold_id"])
async def test_an_appointments_facts_cannot_be_rewritten(desk: Desk, column: str) -> None:
    booking = await desk.book((await desk.free())[0])
    with pytest.raises(StatementRefused, match=DENIED):
        await desk.by_hand(f"update appointments set {column} = {column} where id = $1", booking.id)


# --- expired holds ----------------------------------------------------------------------------------------


@pytest.fixture
async def sweeper(stack: Stack) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(stack.postgres.worker, min_size=1, max_size=2, command_timeout=5) as pool:
        yield pool


async def test_expired_holds_of_all_orgs_are_flipped_and_no_others(
    sweeper: asyncpg.Pool, desk: Desk, other_desk: Desk
) -> None:
    for each in (desk, other_desk):
        late, live, booked = await each.free(3)
        await each.book(booked)
        await each.hold(live)
        await each.lapse((await each.hold(late)).hold_id)
    while await release_expired_holds(sweeper, batch=1):
        pass
    for each in (desk, other_desk):
        assert await each.states() == ["booked", "held", "expired"]


async def test_the_sweeper_passes_over_what_somebody_is_at(sweeper: asyncpg.Pool, desk: Desk) -> None:
    first, second = await desk.free(2)
    busy, idle = await desk.hold(first), await desk.hold(second)
    await desk.lapse(busy.hold_id)
    await desk.lapse(idle.hold_id)
    async with desk.pool.acquire() as connection, connection.transaction():
        await connection.execute("select app.arm($1)", f'{{"org_id": "{desk.clinic.claim.org_id}"}}')
        await connection.fetch("select from appointment_holds where id = $1 for update", busy.hold_id)
        while await release_expired_holds(sweeper):
            pass
        assert await desk.states() == ["held", "expired"]


async def test_the_sweeper_can_do_nothing_else(sweeper: asyncpg.Pool, desk: Desk) -> None:
    live, late = await desk.free(2)
    held = await desk.hold(live)
    lapsed = await desk.hold(late)
    await desk.lapse(lapsed.hold_id)
    seen = await sweeper.fetch("select id from appointment_holds where org_id = $1", desk.clinic.claim.org_id)
    assert [row["id"] for row in seen] == [lapsed.hold_id]
    changed = "update appointment_holds set state = 'expired', ended_at = now() where id = $1"
    assert await sweeper.execute(changed, held.hold_id) == "UPDATE 0"
    booked = "update appointment_holds set state = 'booked' where id = $1"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sweeper.execute(booked, lapsed.hold_id)
    for statement in ("select slot_id from appointment_holds", "select from appointments"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await sweeper.fetch(statement)
