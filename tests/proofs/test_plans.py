"""The hot statements find their rows by index, with 100 clinics in the tables.

What is judged is what the functions themselves do when they run, as the application's role under a claim: how
often they read a table from end to end, and how many pages they touch, as PostgreSQL counts both. That is so
for the plan made for the first arguments and for the generic one of a connection that has been in use for
some time, and the pages do not grow with the table:

pytest tests/proofs/test_plans.py --slots-per-org 50000      (5 million slots)
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from booking.db import claims_json
from booking.types import Claim
from tests.conftest import Stack
from tests.proofs.beside import beside
from tests.proofs.crowded_clinics import ORGS, id_of, seed

SLOTS_PER_ORG = 1_000
DATABASE = "plans"
BIG = ("slots", "appointment_holds", "appointments", "otp_codes", "contacts")
USES_BEFORE_A_GENERIC_PLAN = 6

pytestmark = pytest.mark.timeout(3600)


@dataclass(frozen=True, slots=True)
class Hot:
    """A call of `app.<call>`; {names} are rows'. `pages`: how many it may touch at most, in any plan."""

    call: str
    pages: int
    role: str = "app"


# Practitioner 1 of clinic 50: start 7 is booked, 1 held, 2 held in vain, 3 released, 4 to 6 never held.
HOT = [
    Hot("get_next_available_slots({org}, {service 50 1}, now())", 400),
    Hot("get_next_available_slots({org}, {service 50 1}, now() + interval '4 hours', 20)", 400),
    Hot("get_next_available_slots({org}, {service 50 1}, now(), 3, null, {practitioner 50 1})", 200),
    Hot("free_slots({org}, {service 50 1}, now(), 3, null, null, '13:00')", 400),
    Hot("page_of_free_slots({org}, {service 50 1}, now(), 20)", 6000),
    Hot("get_slot_hold_status({org}, {slot 50 1 1 7})", 60),
    Hot("claim_slot_atomic({org}, {slot 50 1 1 4}, gen_random_uuid(), interval '5 min')", 250),
    Hot("claim_slot_atomic({org}, {slot 50 1 1 4}, {call 50 1 1}, interval '5 min')", 250),
    Hot("claim_slot_atomic({org}, {slot 50 1 1 2}, gen_random_uuid(), interval '5 min')", 250),
    Hot("claim_slot_atomic({org}, {slot 50 1 1 7}, gen_random_uuid(), interval '5 min')", 500),
    Hot("release_slot_lock({org}, {hold 50 1 1})", 100),
    Hot("release_call_holds({org}, {call 50 1 1})", 100),
    Hot("find_hold({org}, {hold 50 1 1})", 60),
    Hot("store_otp({org}, {hold 50 1 1}, sha256('new'), sha256('another phone'), interval '5 min')", 120),
    Hot("verify_otp({org}, {hold 50 1 1}, array[sha256('wrong')])", 120),
    Hot("verify_otp({org}, {hold 50 1 1}, array[sha256('code')])", 120),
    Hot("confirm_booking({org}, {hold 50 1 7}, {contact 50 7})", 100),
    Hot("find_booking({org}, {appointment 7})", 60),
    Hot("cancel_booking({org}, {appointment 7})", 250),
    Hot("reschedule_booking({org}, {appointment 7}, {slot 50 1 1 4})", 450),
    Hot("reschedule_booking({org}, {appointment 7}, {slot 50 1 1 1})", 450),
    Hot("page_of_bookings({org}, 20)", 300),
    Hot("page_of_bookings({org}, 20, {contact 50 7})", 200),
    Hot("page_of_bookings({org}, 20, null, 'booked', now(), now() + interval '2 days')", 300),
    Hot("find_contact({org}, array[sha256('phone 50 7')])", 40),
    Hot("release_expired_slot_holds(20)", 1200, role="worker"),
]


@pytest.fixture(scope="module")
def clinics(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The clinics' database, gone afterwards: it may be large."""
    with beside(stack, DATABASE) as database:
        seed(database.admin, slots_per_org(request.config))
        yield database


def slots_per_org(config: pytest.Config) -> int:
    return int(config.getoption("slots_per_org", default=None) or SLOTS_PER_ORG)


@pytest.fixture
async def admin(clinics: Stack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(clinics.admin)
    yield connection
    await connection.close()


async def filled(connection: asyncpg.Connection, call: str) -> str:
    """The call with ids in place of names."""
    for name in re.findall(r"\{([^}]+)\}", call):
        row = "org 50" if name == "org" else name
        if number := re.fullmatch(r"appointment (\d+)", name):
            row = f"appointment {await id_of(connection, f'hold 50 1 {number[1]}')}"
        call = call.replace(f"{{{name}}}", f"'{await id_of(connection, row)}'::uuid")
    return call


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run of a statement read."""

    pages: int
    whole_tables: tuple[str, ...]


class Observer:
    """Runs a call as a role under clinic 50's claim, undone afterwards, and answers what it read."""

    def __init__(self, connection: asyncpg.Connection, admin: asyncpg.Connection) -> None:
        self._connection, self._admin = connection, admin

    async def cost(self, call: str) -> Cost:
        org = await id_of(self._admin, "org 50")
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            await self._connection.execute(
                "select set_config('request.jwt.claims', $1, true)", claims_json(Claim(org))
            )
            before = await self._whole_reads()
            explain = f"explain (analyze, buffers, costs off, format json) select * from app.{call}"
            plan = json.loads(await self._connection.fetchval(explain))[0]
            after = await self._whole_reads()
        finally:
            await transaction.rollback()
        grown = tuple(table for table in BIG if after[table] > before[table])
        return Cost(_pages(plan["Plan"]), grown)

    async def _whole_reads(self) -> dict[str, int]:
        """How often this transaction has read each of the big tables from end to end, so far."""
        rows = await self._connection.fetch(
            "select relname::text as name, pg_stat_get_xact_numscans(oid) as scans from pg_class"
            " where relnamespace = 'public'::regnamespace and relname = any ($1::text[])",
            list(BIG),
        )
        return {row["name"]: row["scans"] for row in rows}


def _pages(plan: dict[str, Any]) -> int:
    return sum(int(plan[f"Shared {kind} Blocks"]) for kind in ("Hit", "Read"))


@pytest.mark.parametrize("hot", HOT, ids=lambda hot: hot.call.replace("{", "").replace("}", ""))
async def test_a_hot_statement_reads_by_index(clinics: Stack, admin: asyncpg.Connection, hot: Hot) -> None:
    call = await filled(admin, hot.call)
    connection = await asyncpg.connect(getattr(clinics.postgres, hot.role))
    try:
        observer = Observer(connection, admin)
        await observer.cost(call)  # fills the catalogue's caches
        for plan in ["custom"] * USES_BEFORE_A_GENERIC_PLAN + ["generic"]:
            cost = await observer.cost(call)
            assert cost.whole_tables == (), plan
            assert cost.pages <= hot.pages, plan
    finally:
        await connection.close()


async def test_the_observer_notices_a_whole_table(clinics: Stack, admin: asyncpg.Connection) -> None:
    await admin.execute(
        "create or replace function app.whole_table() returns bigint language plpgsql as"
        " $$ begin return (select count(*) from public.slots s where s.ends_at is not null); end $$"
    )
    cost = await Observer(admin, admin).cost("whole_table()")
    assert cost.whole_tables == ("slots",)
    assert cost.pages > 1000


async def test_the_clinics_are_there(admin: asyncpg.Connection, request: pytest.FixtureRequest) -> None:
    found = await admin.fetch("select count(*) as slots from public.slots group by org_id")
    assert [row["slots"] for row in found] == [slots_per_org(request.config)] * ORGS
