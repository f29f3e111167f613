"""Every function that the application may call, as one org, with each of another org's ids in each place.

The functions come from the catalogue, arguments from their types and names. All runs in one transaction that
is undone, as `gw_app` by SET ROLE, so that the superuser can look at the other org's rows at each step.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking import bookings, calls, orgs, otp
from booking.db import claims_json, fetch
from booking.holds import claim_slot, set_hold_contact
from booking.slots import next_available
from booking.types import CallTurn, Claim, Held, Said
from tests.conftest import Clinic, Stack
from tests.proofs.catalogue import Function, functions, tenant_tables

TTL = timedelta(minutes=10)
# Which table's id a parameter of this name is; any other uuid is tried with the ids of all tables.
KINDS = {
    "p_slot": "public.slots",
    "p_hold": "public.appointment_holds",
    "p_booking": "public.appointments",
    "p_contact": "public.contacts",
    "p_call": "public.calls",
    "p_service": "public.services",
    "p_practitioner": "public.practitioners",
}
_BY_NAME = {
    "p_keep_hold": "true",
    "p_status": "'cancelled'",
    "p_actor_kind": "'token'",
    "p_ttl": "interval '5 minutes'",
}
_BY_TYPE = {
    "text": "'slot'",
    "integer": "3",
    "boolean": "false",
    "interval": "interval '1 minute'",
    "bytea": "sha256('x')",
    "bytea[]": "array[sha256('x')]",
    "jsonb": "'{}'",
    "double precision": "1",
    "date": "current_date",
    "timestamp with time zone": "now()",
    "timestamp without time zone": "localtimestamp",
    "time without time zone": "localtime",
}
_REFUSED = ("42501", "not the org of the armed claim")
_ROOT = Path(__file__).parents[2]
PYTHON = "\n".join(
    path.read_text() for package in ("booking", "gateway") for path in (_ROOT / package).rglob("*.py")
)


@dataclass(frozen=True, slots=True)
class Rows:
    """One org's ids, by table."""

    org: UUID
    by_table: dict[str, UUID]

    def kinds_for(self, parameter: str) -> list[str]:
        return [KINDS[parameter]] if parameter in KINDS else list(self.by_table)


@dataclass(frozen=True, slots=True)
class Answer:
    """`state` and `reason`: the SQLSTATE and message of a refusal, else None."""

    text: str
    state: str | None
    changed: bool
    reason: str | None = None


async def fill(pool: asyncpg.Pool, clinic: Clinic) -> None:
    """A call with a booking, one that holds a slot and is sent a code, a contact, a message."""
    claim, now, contact = clinic.claim, datetime.now(UTC), uuid4()
    digest = contact.bytes * 2
    await fetch(pool, claim, "save_contact", contact, [digest], b"sealed", b"sealed", b"sealed")
    await orgs.store_credentials(pool, claim, "deepgram", b"sealed")
    slots = await next_available(pool, claim, service_id=clinic.service_ids[0], after=now, limit=2)
    for slot, booked in zip(slots, (True, False), strict=True):
        call = uuid4()
        await calls.open_call(
            pool, claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=now
        )
        turn = CallTurn(turn=1, said=(Said("caller", "hello"),), outcome="answered")
        await calls.store_turn(pool, claim, call_id=call, turn=turn)
        held = await claim_slot(pool, claim, slot_id=slot.id, call_id=call, ttl=TTL)
        assert isinstance(held, Held)
        hold = held.hold_id
        await set_hold_contact(pool, claim, hold_id=hold, contact_id=contact)
        await otp.store_otp(pool, claim, hold_id=hold, digest=digest, receiver_digest=digest, ttl=TTL)
        if booked:
            await otp.verify_otp(pool, claim, hold_id=hold, digests=[digest])
            await bookings.confirm_booking(pool, claim, hold_id=hold)
    await fetch(pool, claim, "record_sms", uuid4(), "otp", uuid4(), digest, b"sealed", b"sealed")
    await fetch(pool, claim, "audit", "operator", None, "clinic_opened", "org", claim.org_id)


class Matrix:
    """Calls functions as one org and watches the other."""

    def __init__(self, admin: asyncpg.Connection, tables: list[str], ours: Rows, theirs: Rows) -> None:
        self.admin, self.ours, self.theirs = admin, ours, theirs
        self._fingerprint = " union all ".join(
            f"select '{table}', count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), ''))"
            f" from {table} t where org_id = $1"
            for table in tables
        )
        self.secrets: set[str] = set()

    async def look(self) -> list[asyncpg.Record]:
        return list(await self.admin.fetch(self._fingerprint, self.theirs.org))

    async def call(self, function: Function, arguments: list[str], armed: UUID | None) -> Answer:
        before, state, text = await self.look(), None, ""
        transaction = self.admin.transaction()
        await transaction.start()
        try:
            try:
                text = await self._answer(function, arguments, armed)
            except asyncpg.PostgresError as error:
                return Answer("", error.sqlstate, changed=False, reason=error.message)
            return Answer(text, state, changed=await self.look() != before)
        finally:
            await transaction.rollback()

    async def _answer(self, function: Function, arguments: list[str], armed: UUID | None) -> str:
        await self.admin.execute("set local role gw_app")
        if armed is not None:
            await self.admin.execute("select app.arm($1)", claims_json(Claim(armed)))
        rows = await self.admin.fetch(f"select f::text from app.{function.name}({', '.join(arguments)}) f")
        await self.admin.execute("reset role")
        return "\n".join(str(row[0]) for row in rows)

    def leaks(self, answer: Answer, arguments: list[str]) -> bool:
        known = " ".join(arguments)
        return answer.changed or any(secret in answer.text for secret in self.secrets if secret not in known)

    def arguments(self, function: Function, org: UUID, rows: Rows, **foreign: UUID) -> list[str]:
        """The org, `rows`' ids by name, a value by type; `foreign` ids in place of what they name."""
        made = []
        for name, kind in zip(function.names, function.types, strict=True):
            if name == "p_org":
                made.append(f"'{org}'::uuid")
            elif kind == "uuid":
                own = rows.by_table[rows.kinds_for(name)[0]]
                made.append(f"'{foreign.get(name, own)}'::uuid")
            elif kind == "uuid[]":
                made.append(f"array['{foreign.get(name, uuid4())}'::uuid]")
            else:
                made.append(f"{self._value(name, kind)}::{kind}")
        return made

    @staticmethod
    def _value(name: str, kind: str) -> str:
        return _BY_NAME.get(name) or _BY_TYPE.get(kind) or ("'{}'" if kind.endswith("[]") else "null")

    def foreign_places(self, function: Function) -> Iterator[dict[str, UUID]]:
        """One place after another takes the other org's id, of its kind if the name tells, else of each."""
        for name, kind in zip(function.names, function.types, strict=True):
            if name != "p_org" and kind in ("uuid", "uuid[]"):
                for table in self.theirs.kinds_for(name):
                    yield {name: self.theirs.by_table[table]}


@pytest.fixture
async def matrix(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> AsyncIterator[Matrix]:
    admin = await asyncpg.connect(stack.admin)
    tables = await tenant_tables(admin)
    ids = [name for name in tables if await _has_id(admin, name)]
    rows = []
    for each in (clinic, other_clinic):
        await fill(pool, each)
        rows.append(Rows(each.claim.org_id, await _ids(admin, ids, each.claim.org_id)))
    made = Matrix(admin, tables, *rows)
    org = other_clinic.claim.org_id
    made.secrets = {str(org), other_clinic.number}
    for name in ids:
        found = await admin.fetch(f"select id::text from {name} where org_id = $1", org)
        made.secrets |= {row[0] for row in found}
    yield made
    await admin.close()


async def _has_id(admin: asyncpg.Connection, table: str) -> bool:
    return bool(
        await admin.fetchval(
            "select exists (select from pg_attribute where attrelid = $1::text::regclass"
            " and attname = 'id' and atttypid = 'uuid'::regtype)",
            table,
        )
    )


async def _ids(admin: asyncpg.Connection, tables: list[str], org: UUID) -> dict[str, UUID]:
    """An id of each table that has rows of this org: of the holds the one held, of the calls its call."""
    found = {
        table: await admin.fetchval(f"select id from {table} where org_id = $1 order by 1 limit 1", org)
        for table in tables
    }
    hold = await admin.fetchrow(
        "select id, call_id from public.appointment_holds where org_id = $1 and state = 'held'", org
    )
    found |= {"public.appointment_holds": hold["id"], "public.calls": hold["call_id"]}
    return {table: row for table, row in found.items() if row is not None}


@pytest.fixture
async def callable_functions(owner: asyncpg.Connection) -> list[Function]:
    return await functions(owner)


async def test_no_function_reaches_another_org_by_its_ids(
    matrix: Matrix, callable_functions: list[Function]
) -> None:
    org, leaking = matrix.ours.org, []
    for function in callable_functions:
        for foreign in matrix.foreign_places(function):
            arguments = matrix.arguments(function, org, matrix.ours, **foreign)
            if matrix.leaks(await matrix.call(function, arguments, org), arguments):
                leaking.append(f"{function.signature} {list(foreign)}")
    assert leaking == []


async def unchecked(matrix: Matrix, function: Function) -> list[str]:
    """How the function answers for another org than the armed one, where it does not refuse."""
    arguments = matrix.arguments(function, matrix.theirs.org, matrix.theirs)
    answers = [await matrix.call(function, arguments, armed) for armed in (matrix.ours.org, None)]
    return [
        f"{function.signature} {answer.state} {answer.reason} {answer.text[:60]}"
        for answer in answers
        if matrix.leaks(answer, arguments) or (answer.state, answer.reason) != _REFUSED
    ]


def called_by_python(all_of_them: list[Function]) -> list[Function]:
    return [each for each in all_of_them if each.takes_org and f'"{each.name}"' in PYTHON]


async def test_every_function_checks_the_org_itself(
    matrix: Matrix, callable_functions: list[Function]
) -> None:
    """Besides row level security: another org than the armed one is refused, not answered with nothing.

    That is asked of whatever Python calls. The rest are parts of these, which give nothing away (below).
    """
    found = [await unchecked(matrix, function) for function in called_by_python(callable_functions)]
    assert [each for each in found if each] == []


_CHECK = "perform app.require_org(p_org);"


async def test_a_function_that_does_not_check_is_noticed(
    matrix: Matrix, callable_functions: list[Function]
) -> None:
    """The check is taken out of each that makes it, in turn."""
    tried, unnoticed = 0, []
    for function in called_by_python(callable_functions):
        text = await matrix.admin.fetchval("select pg_get_functiondef($1::regprocedure)", function.signature)
        if _CHECK not in text:
            continue
        transaction = matrix.admin.transaction()
        await transaction.start()
        try:
            await matrix.admin.execute(text.replace(_CHECK, ""))
            if not await unchecked(matrix, function):
                unnoticed.append(function.signature)
        finally:
            await transaction.rollback()
        tried += 1
    assert tried > 40
    assert unnoticed == []


async def test_no_function_answers_for_another_org_or_without_a_claim(
    matrix: Matrix, callable_functions: list[Function]
) -> None:
    leaking = []
    for function in callable_functions:
        arguments = matrix.arguments(function, matrix.theirs.org, matrix.theirs)
        answers = [await matrix.call(function, arguments, armed) for armed in (matrix.ours.org, None)]
        if any(matrix.leaks(answer, arguments) for answer in answers):
            leaking.append(function.signature)
    assert leaking == []


async def test_most_functions_work_with_ones_own_ids_so_the_matrix_can_fail(
    matrix: Matrix, callable_functions: list[Function]
) -> None:
    """Seen from the other side: as that org, with its ids, its rows are reached."""
    worked = reached = 0
    for function in callable_functions:
        arguments = matrix.arguments(function, matrix.theirs.org, matrix.theirs)
        answer = await matrix.call(function, arguments, matrix.theirs.org)
        worked += answer.state is None
        reached += matrix.leaks(answer, arguments)
    assert worked > len(callable_functions) / 2
    assert reached >= 10


async def test_a_definer_is_the_resolvers_and_trusts_no_search_path(owner: asyncpg.Connection) -> None:
    definers = [each for each in await functions(owner) if each.definer]
    assert definers
    for each in definers:
        assert each.owner == "gw_resolver", each.signature
        assert 'search_path=""' in each.settings, each.signature
