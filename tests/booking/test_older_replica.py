"""A replica of an older release keeps working on the newest schema, beside replicas of this one.

What it sends stands in `older_release.toml`. Each statement is prepared and run as the role that sends it;
the main ones take a slot from free to booked and cancelled, as that release does.
"""

import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.db import claims_json
from booking.holds import claim_slot, hold_status
from booking.types import Claim, Conflict
from tests.booking.patients import TTL, WRONG, Desk, new_phone
from tests.conftest import Stack


@dataclass(frozen=True)
class Statement:
    """`takes`: types of its parameters; `answers`: `name type` of its columns."""

    role: str
    sql: str
    takes: list[str]
    answers: list[str]

    @property
    def function(self) -> str | None:
        start, _, rest = self.sql.partition("select * from app.")
        return rest.partition("(")[0] if not start else None


OLDER = [
    Statement(**each)
    for each in tomllib.loads(Path(__file__).with_name("older_release.toml").read_text("utf-8"))["statement"]
]
CALLED = {each.function: each for each in OLDER if each.function}
ROLES = ("gw_owner", "gw_app", "gw_worker")

NOBODY = Claim(uuid4())
SAMPLES: dict[str, object] = {
    "bool": False,
    "bytea": bytes(32),
    "date": date(2030, 1, 1),
    "float8": 1.0,
    "int2": 1,
    "int4": 1,
    "int8": 1,
    "interval": TTL,
    "jsonb": "{}",
    "text": "booked",
    "time": time(9),
    "timestamptz": datetime(2030, 1, 1, tzinfo=UTC),
    "uuid": NOBODY.org_id,
}
# The statement, a right or a table is not what it was: 42 syntax or access, 0A not supported, XX internal.
BROKEN = ("42", "0A", "XX")


def sample(type_name: str) -> object:
    element = type_name.removesuffix("[]")
    return SAMPLES[element] if element == type_name else [SAMPLES[element]]


def values_for(statement: Statement) -> list[object]:
    values = [sample(each) for each in statement.takes]
    return [claims_json(NOBODY), *values[1:]] if "app.arm($1)" in statement.sql else values


async def faults(connection: asyncpg.Connection, statements: Sequence[Statement]) -> list[str]:
    """What of these cannot be sent any more, or is answered otherwise. Leaves nothing changed."""
    return [fault for each in statements if (fault := await _fault(connection, each))]


async def _fault(connection: asyncpg.Connection, statement: Statement) -> str | None:
    undone = connection.transaction()
    await undone.start()
    try:
        if statement.role != "gw_worker":
            await connection.execute("select app.arm($1)", claims_json(NOBODY))
        prepared = await connection.prepare(statement.sql)
        if (now := _types(prepared)) != (statement.takes, statement.answers):
            return f"{statement.sql}: {now}"
        await prepared.fetch(*values_for(statement))
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        return f"{statement.sql}: {state} {error}" if state[:2] in BROKEN else None
    finally:
        await undone.rollback()
    return None


def _types(prepared: Any) -> tuple[list[str], list[str]]:
    takes = [_name(each) for each in prepared.get_parameters()]
    return takes, [f"{each.name} {_name(each.type)}" for each in prepared.get_attributes()]


def _name(kind: asyncpg.Type) -> str:
    return kind.name if kind.schema == "pg_catalog" else f"{kind.schema}.{kind.name}"


@pytest.mark.parametrize("role", ROLES)
async def test_each_statement_is_understood_and_answered_as_before(stack: Stack, role: str) -> None:
    urls = dict(zip(ROLES, (stack.postgres.owner, stack.postgres.app, stack.postgres.worker), strict=True))
    connection = await asyncpg.connect(urls[role])
    try:
        assert await faults(connection, [each for each in OLDER if each.role == role]) == []
    finally:
        await connection.close()


# A change, and what of the older release's it breaks.
MUTATIONS = [
    ("app.release_slot_lock", "drop function app.release_slot_lock(uuid, uuid)"),
    ("app.get_slot_hold_status", "alter function app.get_slot_hold_status(uuid, uuid) rename to slot_status"),
    (
        "app.store_otp",
        """alter function app.store_otp(uuid, uuid, bytea, bytea, interval) rename to without_reason;
        create function app.store_otp(uuid, uuid, bytea, bytea, interval, text)
            returns table (outcome text, expires_at timestamptz, codes_left integer)
            language sql as $$ select * from app.without_reason($1, $2, $3, $4, $5) $$""",
    ),
    (
        "app.release_call_holds",
        """drop function app.release_call_holds(uuid, uuid);
        create function app.release_call_holds(uuid, text) returns integer language sql as 'select 0';
        grant execute on function app.release_call_holds(uuid, text) to gw_app""",
    ),
    (
        "app.record_sms",
        """drop function app.record_sms(uuid, uuid, text, uuid, bytea, bytea, bytea);
        create function app.record_sms(uuid, uuid, text, uuid, bytea, bytea, bytea) returns text
            language sql as $$ select 'recorded' $$;
        grant execute on function app.record_sms(uuid, uuid, text, uuid, bytea, bytea, bytea) to gw_app""",
    ),
    ("app.verify_otp", "revoke execute on function app.verify_otp(uuid, uuid, bytea[]) from gw_app"),
    ("app.claim_slot_atomic", "alter table public.slots rename to bookable"),
    ("public.org_credentials", "alter table public.org_credentials rename column provider to vendor"),
    ("public.org_credentials", "revoke delete on public.org_credentials from gw_app"),
]


@pytest.mark.parametrize(("broken", "change"), MUTATIONS)
async def test_a_change_that_an_older_replica_would_meet_is_noticed(
    stack: Stack, broken: str, change: str
) -> None:
    async with as_app_after(stack, change) as connection:
        found = await faults(connection, [each for each in OLDER if each.role == "gw_app"])
    assert any(broken in fault for fault in found)


@asynccontextmanager
async def as_app_after(stack: Stack, change: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that has made the change and speaks as gw_app; all of it is undone."""
    connection = await asyncpg.connect(stack.admin)
    undone = connection.transaction()
    await undone.start()
    try:
        await connection.execute(f"{change}; set local role gw_app")
        yield connection
    finally:
        await undone.rollback()
        await connection.close()


@dataclass(frozen=True)
class OlderReplica:
    """Calls functions with the very statements of the older release."""

    pool: asyncpg.Pool
    claim: Claim

    async def rows(self, function: str, *arguments: object) -> list[asyncpg.Record]:
        found: list[asyncpg.Record] = await self.pool.fetch(
            CALLED[function].sql, claims_json(self.claim), *arguments
        )
        return found

    async def row(self, function: str, *arguments: object) -> asyncpg.Record:
        (row,) = await self.rows(function, *arguments)
        return row

    async def value(self, function: str, *arguments: object) -> Any:
        return (await self.row(function, *arguments))[0]

    async def hold(self, service_id: UUID, call_id: UUID) -> tuple[UUID, UUID]:
        """The soonest slot and its hold."""
        slot, *_ = await self.rows("get_next_available_slots", service_id, datetime.now(UTC), 3, None, None)
        held, *_ = await self.rows("claim_slot_atomic", slot["slot_id"], call_id, TTL)
        assert held["outcome"] == "held"
        return slot["slot_id"], held["hold_id"]


@pytest.fixture
def older(desk: Desk) -> OlderReplica:
    return OlderReplica(desk.pool, desk.clinic.claim)


async def test_it_resolves_numbers_and_keeps_calls(older: OlderReplica, desk: Desk) -> None:
    call_id, now = uuid4(), datetime.now(UTC)
    assert await older.pool.fetchval("select app.resolve_org($1)", desk.clinic.number) == older.claim.org_id
    assert (await older.row("org_profile"))["name"] == desk.clinic.spec.name
    assert await older.value("open_call", call_id, "twilio", "CA1", now) is True
    await older.rows("store_turn", call_id, 0, "[]", "answered", "{}", 420.0, 12.0)
    await older.hold(desk.clinic.service_ids[0], call_id)
    assert await older.value("close_call", call_id, "hung_up", now, False) == 1


async def test_its_holds_and_those_of_a_newer_replica_respect_each_other(
    older: OlderReplica, desk: Desk
) -> None:
    slot_id, hold_id = await older.hold(desk.clinic.service_ids[0], uuid4())
    assert (await older.row("get_slot_hold_status", slot_id))["state"] == "held"
    assert (await hold_status(desk.pool, older.claim, slot_id=slot_id)).state == "held"
    newer = await claim_slot(desk.pool, older.claim, slot_id=slot_id, call_id=uuid4(), ttl=TTL)
    assert isinstance(newer, Conflict)
    assert await older.value("release_slot_lock", hold_id) is True
    assert (await older.row("get_slot_hold_status", slot_id))["state"] == "open"

    (slot,) = await desk.free()
    await desk.hold(slot)
    asked, *others = await older.rows("claim_slot_atomic", slot.id, uuid4(), TTL)
    assert asked["outcome"] == "taken"
    assert others
    assert {each["outcome"] for each in others} == {"free"}


async def test_it_books_with_a_code_and_cancels(older: OlderReplica, desk: Desk) -> None:
    phone, contact_id = new_phone(), uuid4()
    receiver = desk.receiver(phone)
    _, hold_id = await older.hold(desk.clinic.service_ids[0], uuid4())
    saved = await older.row("save_contact", contact_id, [receiver], b"sealed", None, None)
    assert tuple(saved) == (contact_id, True)
    assert await older.value("find_contact", [receiver]) == contact_id
    await older.rows("set_hold_contact", hold_id, contact_id)

    digest, wrong = desk.digest(hold_id), desk.digest(hold_id, WRONG)
    assert (await older.row("store_otp", hold_id, digest, receiver, TTL))["outcome"] == "stored"
    assert await older.value("clear_otp", hold_id, digest) is True
    assert (await older.row("store_otp", hold_id, digest, receiver, TTL))["outcome"] == "stored"
    assert (await older.row("verify_otp", hold_id, [wrong]))["outcome"] == "wrong"
    assert (await older.row("verify_otp", hold_id, [digest]))["outcome"] == "verified"
    await older.rows("require_verified", hold_id, [receiver])

    booked = await older.row("confirm_booking", hold_id, contact_id)
    assert booked["status"] == "booked"
    page = await older.rows("page_of_bookings", 10, contact_id, "booked", None, None, None, None)
    assert [each["booking_id"] for each in page] == [booked["booking_id"]]
    cancelled = await older.row("cancel_booking", booked["booking_id"], contact_id)
    assert cancelled["status"] == "cancelled"
    assert (await older.row("find_booking", booked["booking_id"]))["status"] == "cancelled"


async def test_it_moves_an_appointment_that_a_newer_replica_made(older: OlderReplica, desk: Desk) -> None:
    first, *_, last = await desk.free(limit=20)
    booking = await desk.book(first)
    moved, *_ = await older.rows("reschedule_booking", booking.id, last.id, booking.contact_id, None)
    assert (moved["outcome"], moved["replaces_id"]) == ("booked", booking.id)


async def test_it_records_a_text_once_and_settles_it(older: OlderReplica, desk: Desk) -> None:
    text = (uuid4(), "otp", uuid4(), desk.receiver(new_phone()), b"sealed", b"sealed")
    assert await older.value("record_sms", *text) is True
    assert await older.value("record_sms", *text) is False
    settled = await older.row("advance_sms", text[0], "delivered", "SM1", None)
    assert (settled["advanced"], settled["status"]) == (True, "delivered")


async def test_it_flips_expired_holds(stack: Stack, older: OlderReplica, desk: Desk) -> None:
    _, hold_id = await older.hold(desk.clinic.service_ids[0], uuid4())
    await desk.lapse(hold_id)
    worker = await asyncpg.connect(stack.postgres.worker)
    try:
        assert await worker.fetchval("select app.release_expired_slot_holds($1)", 500) >= 1
    finally:
        await worker.close()
    assert await desk.states() == ["expired"]
