"""Every function of a call is one round trip: claim and work in one statement."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest

from booking import audit
from booking.bookings import (
    cancel_booking,
    confirm_booking,
    find_booking,
    page_of_bookings,
    reschedule_booking,
)
from booking.calls import open_call
from booking.contacts import find_contact, read_contact
from booking.db import open_pool
from booking.holds import claim_slot, hold_status, release_call, release_hold, set_hold_contact
from booking.hours import generate_slots, set_hours
from booking.otp import clear_call_otp, clear_otp, store_call_otp, store_otp, verify_call_otp, verify_otp
from booking.reception import verified_caller
from booking.types import Actor, WorkingHours
from tests.booking.following import following
from tests.booking.patients import TTL, Desk, make_sealer, new_phone
from tests.conftest import Clinic, Stack


class SyncCounter:
    """Stands between client and server and counts the client's round trips: Sync and simple Query messages.

    PostgreSQL documentation, Frontend/Backend Protocol: after the start-up packet, a type byte and a length.
    """

    def __init__(self, upstream: Path) -> None:
        self._upstream = upstream
        self.round_trips = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self._upstream)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._count(reader, up_writer))
            tasks.create_task(self._copy(up_reader, writer))

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(4)
        writer.write(head + await reader.readexactly(int.from_bytes(head) - 4))
        try:
            while True:
                head = await reader.readexactly(5)
                writer.write(head + await reader.readexactly(int.from_bytes(head[1:]) - 4))
                self.round_trips += head[:1] in (b"S", b"Q")
        except asyncio.IncompleteReadError:
            writer.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


@dataclass(frozen=True)
class Counted:
    """A desk whose one connection is counted."""

    desk: Desk
    counter: SyncCounter

    async def trips(self, ask: Callable[[], Awaitable[object]]) -> int:
        """Of the second time: the first also prepares the statement."""
        await ask()
        before = self.counter.round_trips
        await ask()
        return self.counter.round_trips - before


@pytest.fixture
async def counted(stack: Stack, clinic: Clinic, tmp_path: Path) -> AsyncIterator[Counted]:
    host = Path(parse_qs(urlsplit(stack.postgres.app).query)["host"][0])
    counter = SyncCounter(host / ".s.PGSQL.5432")
    server = await asyncio.start_unix_server(counter.serve, tmp_path / ".s.PGSQL.5432")
    async with (
        server,
        await open_pool(stack.postgres.app.replace(str(host), str(tmp_path)), max_size=1) as pool,
    ):
        yield Counted(Desk(pool, clinic, make_sealer()), counter)


async def test_finding_and_holding(counted: Counted) -> None:
    desk = counted.desk
    pool, claim, call = desk.pool, desk.clinic.claim, uuid4()
    slots = iter(await desk.free(5))

    async def take() -> None:
        await claim_slot(pool, claim, slot_id=next(slots).id, call_id=call, ttl=TTL)

    assert await counted.trips(desk.free) == 1
    assert await counted.trips(take) == 1
    held = await desk.hold(next(slots))
    contact = await desk.contact()
    assert await counted.trips(lambda: hold_status(pool, claim, slot_id=held.slot.id)) == 1
    assert (
        await counted.trips(lambda: set_hold_contact(pool, claim, hold_id=held.hold_id, contact_id=contact))
        == 1
    )
    assert await counted.trips(lambda: release_hold(pool, claim, hold_id=held.hold_id)) == 1
    assert await counted.trips(lambda: release_call(pool, claim, call_id=call)) == 1


async def test_codes(counted: Counted) -> None:
    desk = counted.desk
    pool, claim, phone = desk.pool, desk.clinic.claim, new_phone()
    hold = (await desk.hold((await desk.free())[0])).hold_id
    digest, receiver = desk.digest(hold), desk.receiver(phone)

    async def store() -> None:
        await store_otp(pool, claim, hold_id=hold, digest=digest, receiver_digest=receiver, ttl=TTL)

    assert await counted.trips(store) == 1
    assert await counted.trips(lambda: verify_otp(pool, claim, hold_id=hold, digests=[digest])) == 1
    assert await counted.trips(lambda: clear_otp(pool, claim, hold_id=hold, digest=digest)) == 1


async def test_codes_of_a_call(counted: Counted) -> None:
    desk = counted.desk
    pool, claim, phone, call = desk.pool, desk.clinic.claim, new_phone(), uuid4()
    now = datetime.now(UTC)
    await open_call(pool, claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=now)
    digest, receiver = desk.digest(call), desk.receiver(phone)

    async def store() -> None:
        await store_call_otp(pool, claim, call_id=call, digest=digest, receiver_digest=receiver, ttl=TTL)

    assert await counted.trips(store) == 1
    assert await counted.trips(lambda: verify_call_otp(pool, claim, call_id=call, digests=[digest])) == 1
    assert await counted.trips(lambda: clear_call_otp(pool, claim, call_id=call, digest=digest)) == 1
    assert await counted.trips(lambda: verified_caller(pool, claim, call_id=call)) == 1


async def test_appointments(counted: Counted) -> None:
    desk = counted.desk
    pool, claim = desk.pool, desk.clinic.claim
    first, second = await desk.free(2)
    held, contact = await desk.verified(first)

    async def confirm() -> None:
        await confirm_booking(pool, claim, hold_id=held.hold_id, contact_id=contact)

    assert await counted.trips(confirm) == 1
    (booking,) = await page_of_bookings(pool, claim, limit=1)
    assert await counted.trips(lambda: page_of_bookings(pool, claim, limit=5, contact_id=contact)) == 1
    assert await counted.trips(lambda: find_booking(pool, claim, booking_id=booking.id)) == 1
    assert (
        await counted.trips(lambda: reschedule_booking(pool, claim, booking_id=booking.id, slot_id=second.id))
        == 1
    )
    (moved,) = await page_of_bookings(pool, claim, limit=1, status="booked")
    assert await counted.trips(lambda: cancel_booking(pool, claim, booking_id=moved.id)) == 1


async def test_people_hours_and_records(counted: Counted) -> None:
    desk = counted.desk
    pool, claim, phone, operator = desk.pool, desk.clinic.claim, new_phone(), Actor("operator")
    contact = await desk.contact(phone)
    day = datetime.now(UTC).date() + timedelta(days=1)
    week = [WorkingHours(weekday, time(9), time(17)) for weekday in range(7)]
    person = desk.clinic.practitioner_ids[0]
    asked: list[Callable[[], Awaitable[object]]] = [
        lambda: find_contact(pool, claim, desk.sealer, phone=phone),
        lambda: read_contact(pool, claim, desk.sealer, contact_id=contact, actor=operator),
        lambda: set_hours(pool, claim, practitioner_id=person, hours=week),
        lambda: generate_slots(pool, claim, first_day=day, last_day=day),
        lambda: audit.record(pool, claim, actor=operator, action="looked", subject_kind="hold"),
        lambda: audit.owned_elsewhere(pool, claim, kind="contact", row_id=contact),
    ]
    assert [await counted.trips(ask) for ask in asked] == [1] * len(asked)


async def test_a_follow_up(counted: Counted) -> None:
    """Facts, put through?, rules, known?, account, words, contact, consent, begun, key, recorded, taken, and
    the facts again.
    """
    async with following(counted.desk.pool, counted.desk.clinic) as calls:
        await calls.go_on(await calls.call())
        call_id = await calls.call()
        before = counted.counter.round_trips
        await calls.go_on(call_id)
        assert counted.counter.round_trips - before == 13
        assert len(calls.sent) == 2
