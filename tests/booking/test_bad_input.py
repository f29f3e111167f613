"""Values that cannot be meant, given to booking's coroutines themselves: a typed error each, nothing changed,
and nothing of the value in the message.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking import (
    audit,
    bookings,
    calendar_sync,
    calls,
    contacts,
    db,
    holds,
    hours,
    messages,
    orgs,
    otp,
    pages,
    slots,
    staff,
    verification,
)
from booking.contacts import Person, find_contact, save_contact
from booking.errors import (
    BookingError,
    BookingUnknown,
    CallUnknown,
    ContactUnknown,
    HoldUnknown,
    NumberInvalid,
    PractitionerUnknown,
    ServiceUnknown,
    SlotUnknown,
    StatementRefused,
    ValueInvalid,
)
from booking.pages import AfterSlot
from booking.types import Actor, AfterBooking, CallTurn, Claim, Conflict, Said
from tests.booking.patients import Desk, new_phone
from tests.conftest import Clinic

NAIVE = datetime(2031, 5, 6, 10, 0)
AWARE = NAIVE.replace(tzinfo=UTC)
SQL = "'; drop table public.slots; --"
NO_TEXT = ("Anna\x00Smith", "Anna\ud800Smith")
TTL = timedelta(minutes=5)

Asked = Callable[[Desk], Awaitable[object]]

TIMES: Mapping[str, Asked] = {
    "audit.page_of_records": lambda desk: audit.page_of_records(
        desk.pool, desk.clinic.claim, limit=1, before=NAIVE
    ),
    "bookings.page_of_bookings": lambda desk: bookings.page_of_bookings(
        desk.pool, desk.clinic.claim, limit=1, last=AfterBooking(NAIVE, uuid4())
    ),
    "calls.open_call": lambda desk: calls.open_call(
        desk.pool,
        desk.clinic.claim,
        call_id=uuid4(),
        carrier="twilio",
        carrier_call_id="CA1",
        started_at=NAIVE,
    ),
    "calls.close_call": lambda desk: calls.close_call(
        desk.pool, desk.clinic.claim, call_id=uuid4(), end_reason="hung_up", ended_at=NAIVE
    ),
    "pages.page_of_free_slots": lambda desk: pages.page_of_free_slots(
        desk.pool,
        desk.clinic.claim,
        service_id=desk.clinic.service_ids[0],
        after=AWARE,
        limit=1,
        last=AfterSlot(NAIVE, uuid4()),
    ),
    "slots.next_available": lambda desk: slots.next_available(
        desk.pool, desk.clinic.claim, service_id=desk.clinic.service_ids[0], after=NAIVE
    ),
    "staff.issue_token": lambda desk: staff.issue_token(
        desk.pool, desk.clinic.claim, name="kiosk", scopes=["slots:read"], expires_at=NAIVE
    ),
}


def takes_an_instant(coroutine: Callable[..., Any]) -> bool:
    told = [str(each.annotation) for each in inspect.signature(coroutine).parameters.values()]
    return any(word in annotation for annotation in told for word in ("datetime.datetime", "After"))


def with_instants(module: ModuleType) -> set[str]:
    """The public coroutines of a module that take an instant, or a place in an order that holds one."""
    return {
        f"{module.__name__.partition('.')[2]}.{name}"
        for name, each in vars(module).items()
        if inspect.iscoroutinefunction(each) and each.__module__ == module.__name__
        if not name.startswith("_") and takes_an_instant(each)
    }


def test_every_coroutine_that_takes_an_instant_is_tried() -> None:
    modules = (
        *(audit, bookings, calendar_sync, calls, contacts, holds, hours, messages, orgs, otp, pages),
        *(slots, staff, verification),
    )
    assert set().union(*(with_instants(module) for module in modules)) == set(TIMES)


@pytest.mark.parametrize("asked", TIMES.values(), ids=TIMES.keys())
async def test_a_time_without_an_offset_is_nobodys_local_time(desk: Desk, asked: Asked) -> None:
    with pytest.raises(ValueInvalid) as refused:
        await asked(desk)
    assert (refused.value.reason, refused.value.retryable) == ("time_without_offset", False)
    assert "2031" not in str(refused.value)


async def test_nor_in_a_list_or_where_no_claim_is_needed(desk: Desk) -> None:
    with pytest.raises(ValueInvalid):
        await db.fetch(desk.pool, desk.clinic.claim, "finish_busy_sync", uuid4(), uuid4(), [AWARE], [NAIVE])
    with pytest.raises(ValueInvalid):
        await db.fetch_value(desk.pool, "select $1::timestamptz", NAIVE)


def holding(slot_id: Any, ttl: Any = TTL, call_id: Any = None) -> Asked:
    return lambda desk: holds.claim_slot(
        desk.pool, desk.clinic.claim, slot_id=slot_id, call_id=call_id or uuid4(), ttl=ttl
    )


async def hold_any(desk: Desk, ttl: Any) -> object:
    (slot,) = await desk.free()
    return await holding(slot.id, ttl)(desk)


async def turn_of_a_call(desk: Desk, words: str) -> object:
    turn = CallTurn(turn=1, said=(Said("caller", words),), outcome="answered")
    return await calls.store_turn(desk.pool, desk.clinic.claim, call_id=uuid4(), turn=turn)


async def person(desk: Desk, phone: str, name: str | None = None) -> object:
    return await save_contact(desk.pool, desk.clinic.claim, desk.sealer, Person(phone, name))


REFUSED: Mapping[str, tuple[Asked, type[BookingError]]] = {
    "unknown slot": (holding(uuid4()), SlotUnknown),
    "unknown slot's hold": (
        lambda desk: holds.hold_status(desk.pool, desk.clinic.claim, slot_id=uuid4()),
        SlotUnknown,
    ),
    "unknown hold": (
        lambda desk: bookings.confirm_booking(desk.pool, desk.clinic.claim, hold_id=uuid4()),
        HoldUnknown,
    ),
    "unknown hold's contact": (
        lambda desk: holds.set_hold_contact(
            desk.pool, desk.clinic.claim, hold_id=uuid4(), contact_id=uuid4()
        ),
        ContactUnknown,
    ),
    "unknown booking": (
        lambda desk: bookings.cancel_booking(desk.pool, desk.clinic.claim, booking_id=uuid4()),
        BookingUnknown,
    ),
    "unknown service": (
        lambda desk: pages.page_of_free_slots(
            desk.pool, desk.clinic.claim, service_id=uuid4(), after=AWARE, limit=1
        ),
        ServiceUnknown,
    ),
    "unknown practitioner": (
        lambda desk: hours.generate_slots(
            desk.pool,
            desk.clinic.claim,
            first_day=AWARE.date(),
            last_day=AWARE.date(),
            practitioner_id=uuid4(),
        ),
        PractitionerUnknown,
    ),
    "unknown call": (lambda desk: turn_of_a_call(desk, "Hello"), CallUnknown),
    "malformed id": (holding("42"), StatementRefused),
    "SQL for an id": (holding(SQL), StatementRefused),
    "a number for an id": (holding(2**200), StatementRefused),
    "no id": (holding(None), SlotUnknown),
    "ttl of nothing": (lambda desk: hold_any(desk, timedelta(0)), ValueInvalid),
    "ttl below nothing": (lambda desk: hold_any(desk, -TTL), ValueInvalid),
    "ttl beyond a day": (lambda desk: hold_any(desk, timedelta(days=1, microseconds=1)), ValueInvalid),
    "endless ttl": (lambda desk: hold_any(desk, timedelta.max), ValueInvalid),
    "ttl that is none": (lambda desk: hold_any(desk, "a while"), ValueInvalid),
    "no ttl": (lambda desk: hold_any(desk, None), ValueInvalid),
    "an instant beyond all": (
        lambda desk: slots.next_available(
            desk.pool, desk.clinic.claim, service_id=uuid4(), after=datetime.max.astimezone(UTC), limit=2**40
        ),
        StatementRefused,
    ),
    "number that is none": (lambda desk: person(desk, "020 7946 0000"), NumberInvalid),
    "number with SQL": (lambda desk: person(desk, "+442079460000" + SQL), NumberInvalid),
    "number looked up": (
        lambda desk: find_contact(desk.pool, desk.clinic.claim, desk.sealer, phone="anonymous"),
        NumberInvalid,
    ),
    "a name of 2 MB": (lambda desk: person(desk, new_phone(), "Anna Smith" * 200_000), StatementRefused),
    "name with NUL": (lambda desk: person(desk, new_phone(), NO_TEXT[0]), ValueInvalid),
    "name that is no text": (lambda desk: person(desk, new_phone(), NO_TEXT[1]), ValueInvalid),
    "words with NUL": (lambda desk: turn_of_a_call(desk, NO_TEXT[0]), StatementRefused),
    "words that are no text": (lambda desk: turn_of_a_call(desk, NO_TEXT[1]), ValueInvalid),
    "token that is no text": (lambda desk: staff.resolve_token(desk.pool, NO_TEXT[1]), ValueInvalid),
    "number that is no text": (lambda desk: orgs.resolve_number(desk.pool, NO_TEXT[1]), ValueInvalid),
    "action that is SQL": (
        lambda desk: audit.record(
            desk.pool, desk.clinic.claim, actor=Actor("worker"), action=SQL, subject_kind="hold"
        ),
        StatementRefused,
    ),
}


@pytest.mark.parametrize(("asked", "error"), REFUSED.values(), ids=REFUSED.keys())
async def test_each_is_refused_by_its_type_and_changes_nothing(
    desk: Desk, owner: asyncpg.Connection, asked: Asked, error: type[BookingError]
) -> None:
    before = await everything(desk, owner)
    with pytest.raises(error) as refused:
        await asked(desk)
    assert type(refused.value) is error
    told = str(refused.value)
    assert not [word for word in ("Anna", "7946", "drop", "42 ", "1606938") if word in told]
    assert refused.value.__cause__ is None
    assert await everything(desk, owner) == before


async def everything(desk: Desk, owner: asyncpg.Connection) -> dict[str, str]:
    """Each table's rows of this clinic, as one digest."""
    found: dict[str, str] = {}
    async with owner.transaction():
        await owner.execute("select app.arm($1)", db.claims_json(desk.clinic.claim))
        for row in await owner.fetch("select tablename from pg_tables where schemaname = 'public'"):
            table = row["tablename"]
            found[table] = await owner.fetchval(
                f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from public.{table} t"
            )
    return found


@pytest.mark.parametrize("org", ["", "42", SQL, NO_TEXT[1], None, 2**70, uuid4()])
async def test_a_wrong_or_missing_org_finds_and_holds_nothing(desk: Desk, org: Any) -> None:
    (slot,) = await desk.free()
    with pytest.raises(BookingError) as refused:
        await holds.claim_slot(desk.pool, Claim(org), slot_id=slot.id, call_id=uuid4(), ttl=TTL)
    expected = SlotUnknown if isinstance(org, UUID) else (StatementRefused, ValueInvalid)
    assert isinstance(refused.value, expected)
    assert await desk.states() == []


async def test_a_slot_that_has_begun_is_not_held(desk: Desk, owner: asyncpg.Connection) -> None:
    (slot,) = await desk.free()
    async with owner.transaction():
        await owner.execute("select app.arm($1)", db.claims_json(desk.clinic.claim))
        await owner.execute(
            "update slots set (starts_at, ends_at) = (starts_at - $2::interval, ends_at - $2) where id = $1",
            slot.id,
            timedelta(days=9),
        )
    answer = await holding(slot.id)(desk)
    assert isinstance(answer, Conflict)
    assert (answer.reason, await desk.states()) == ("past", [])
    assert answer.slots
    assert all(free.starts_at > datetime.now(UTC) for free in answer.slots)


async def test_a_number_that_nobody_has(desk: Desk) -> None:
    assert await orgs.resolve_number(desk.pool, "+15005550006") is None
    assert await orgs.resolve_number(desk.pool, SQL) is None
    assert await find_contact(desk.pool, desk.clinic.claim, desk.sealer, phone=new_phone()) is None


async def test_sql_in_a_string_is_a_string(desk: Desk, clinic: Clinic) -> None:
    phone = new_phone()
    contact_id = await save_contact(desk.pool, clinic.claim, desk.sealer, Person(phone, SQL))
    read = await contacts.read_contact(
        desk.pool, clinic.claim, desk.sealer, contact_id=contact_id, actor=Actor("worker")
    )
    assert read is not None
    assert read.name == SQL
    token = await staff.issue_token(desk.pool, clinic.claim, name=SQL, scopes=["slots:read"])
    assert [each.name for each in await staff.live_tokens(desk.pool, clinic.claim)] == [SQL]
    assert await staff.resolve_token(desk.pool, token.secret)
    assert await desk.free()
