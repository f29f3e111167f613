"""What the schema makes impossible whatever the functions do: SQL written by hand as the application's role,
under the clinic's own claim, with every right that it has.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import product

import asyncpg
import pytest

from booking.db import claims_json, open_pool
from booking.errors import StatementRefused
from booking.types import Slot
from tests.booking.patients import Desk, make_sealer
from tests.conftest import Clinic, Stack
from tests.proofs.waiting import wait_for_waiters

OVERLAP, REFERENCE, DUPLICATE, DEADLOCK = "23P01", "23503", "23505", "40P01"

_HOLD = """
insert into public.appointment_holds
    (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, expires_at, state, ended_at)
select org_id, id, gen_random_uuid(), practitioner_number, starts_at, ends_at, now() + $3, $2,
    case when $2 in ('released', 'expired') then now() end
from public.slots where id = $1 returning id
"""
_APPOINTMENT = """
with held as (
    insert into public.appointment_holds
        (org_id, slot_id, call_id, practitioner_number, starts_at, ends_at, expires_at, state)
    select org_id, id, gen_random_uuid(), practitioner_number, starts_at, ends_at, now(), 'booked'
    from public.slots where id = $1
    returning *
)
insert into public.appointments
    (org_id, hold_id, slot_id, contact_id, practitioner_number, starts_at, ends_at)
select org_id, id, slot_id, $2, practitioner_number, starts_at, ends_at from held
"""
_REVIVE = "update public.appointment_holds set state = $2, ended_at = null where id = $1"
_MOVE = """
update public.appointment_holds h set slot_id = s.id, starts_at = s.starts_at, ends_at = s.ends_at
from public.slots s where h.id = $1 and s.id = $2
"""
_END_ALL = """
update public.appointment_holds set state = 'released', ended_at = now() where state in ('held', 'booked')
"""
HOUR, OVER = timedelta(hours=1), timedelta(hours=-1)
LIVE = ("held", "booked")


@pytest.fixture
async def desk(stack: Stack, clinic: Clinic) -> AsyncIterator[Desk]:
    async with await open_pool(stack.postgres.app, min_size=3, max_size=3, statement_timeout_s=20) as pool:
        yield Desk(pool, clinic, make_sealer())


@pytest.fixture
async def keeper(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """The superuser's, which sees who waits."""
    connection = await asyncpg.connect(stack.admin)
    yield connection
    await connection.close()


async def pair(desk: Desk, which: str) -> tuple[Slot, Slot]:
    """Two slots of one practitioner that overlap: wholly, or the first's end and the second's beginning; or
    the same one twice.
    """
    long = (await desk.free(1, service=1, practitioner=0))[0]
    short, later, *_ = await desk.free(2, service=0, practitioner=0)
    assert long.starts_at == short.starts_at < later.starts_at < long.ends_at < later.ends_at
    return {"same": (long, long), "inside": (long, short), "across": (long, later)}[which]


PAIRS = pytest.mark.parametrize("which", ["same", "inside", "across"])
ORDERS = pytest.mark.parametrize("swapped", [False, True])


async def ordered(desk: Desk, which: str, swapped: bool) -> tuple[Slot, Slot]:
    one, other = await pair(desk, which)
    return (other, one) if swapped else (one, other)


@PAIRS
@ORDERS
async def test_no_second_live_row_is_inserted(desk: Desk, which: str, swapped: bool) -> None:
    """Also beside one whose time is over: it stands until somebody flips it."""
    one, other = await ordered(desk, which, swapped)
    for first, second, ttl in product(LIVE, LIVE, (HOUR, OVER)):
        await desk.by_hand(_HOLD, one.id, first, ttl)
        with pytest.raises(StatementRefused, match=OVERLAP):
            await desk.by_hand(_HOLD, other.id, second, HOUR)
        await desk.by_hand(_END_ALL)


@PAIRS
@ORDERS
async def test_no_second_live_row_is_made_of_an_ended_one(desk: Desk, which: str, swapped: bool) -> None:
    one, other = await ordered(desk, which, swapped)
    ((ended,),) = await desk.by_hand(_HOLD, other.id, "released", HOUR)
    for first, second in product(LIVE, LIVE):
        await desk.by_hand(_HOLD, one.id, first, HOUR)
        with pytest.raises(StatementRefused, match=OVERLAP):
            await desk.by_hand(_REVIVE, ended, second)
        await desk.by_hand(_END_ALL)


@pytest.mark.parametrize("which", ["inside", "across"])
@ORDERS
async def test_no_live_row_is_moved_onto_another(desk: Desk, which: str, swapped: bool) -> None:
    one, other = await ordered(desk, which, swapped)
    far = (await desk.free(9, service=0, practitioner=0))[-1]
    await desk.by_hand(_HOLD, one.id, "booked", HOUR)
    ((moving,),) = await desk.by_hand(_HOLD, far.id, "held", HOUR)
    with pytest.raises(StatementRefused, match=OVERLAP):
        await desk.by_hand(_MOVE, moving, other.id)


@PAIRS
@ORDERS
async def test_no_two_overlapping_appointments_are_inserted(desk: Desk, which: str, swapped: bool) -> None:
    one, other = await ordered(desk, which, swapped)
    contact = await desk.contact()
    await desk.by_hand(_APPOINTMENT, one.id, contact)
    with pytest.raises(StatementRefused, match=OVERLAP):
        await desk.by_hand(_APPOINTMENT, other.id, contact)


async def test_both_in_one_statement_are_none(desk: Desk) -> None:
    one, other = await pair(desk, "across")
    both = _HOLD.replace("id = $1", "id = any ($1::uuid[])")
    with pytest.raises(StatementRefused, match=OVERLAP):
        await desk.by_hand(both, [one.id, other.id], "held", HOUR)
    assert await desk.states() == []


@asynccontextmanager
async def uncommitted(desk: Desk, statement: str, *values: object) -> AsyncIterator[None]:
    async with desk.pool.acquire() as connection, connection.transaction():
        await connection.execute("select app.arm($1)", claims_json(desk.clinic.claim))
        await connection.execute(statement, *values)
        yield


@pytest.mark.parametrize("which", ["same", "inside", "across"])
@pytest.mark.parametrize("how", ["insert", "update"])
async def test_who_comes_while_the_first_has_not_committed_is_refused(
    desk: Desk, keeper: asyncpg.Connection, which: str, how: str
) -> None:
    one, other = await pair(desk, which)
    ((ended,),) = await desk.by_hand(_HOLD, other.id, "expired", HOUR)
    second = (_HOLD, other.id, "held", HOUR) if how == "insert" else (_REVIVE, ended, "booked")
    async with asyncio.TaskGroup() as group, uncommitted(desk, _HOLD, one.id, "booked", HOUR):
        task = group.create_task(refusal(desk, *second))
        await wait_for_waiters(keeper, [task])
    assert task.result() == OVERLAP
    assert sorted(await desk.states()) == ["booked", "expired"]


async def refusal(desk: Desk, statement: str, *values: object) -> str:
    """The SQLSTATE with which the statement is refused."""
    connection: asyncpg.Connection
    async with desk.pool.acquire() as connection:
        try:
            async with connection.transaction():
                await connection.execute("select app.arm($1)", claims_json(desk.clinic.claim))
                await connection.execute(statement, *values)
        except asyncpg.PostgresError as error:
            return str(error.sqlstate)
    return ""


async def test_of_a_crowd_that_writes_by_hand_one_gets_in(desk: Desk) -> None:
    """Some may be ended as a deadlock, which only the functions' locks prevent; two never get in."""
    one, other = await pair(desk, "across")
    for _ in range(5):
        slots = (one, other) * 3
        states = await asyncio.gather(*(refusal(desk, _HOLD, slot.id, "held", HOUR) for slot in slots))
        assert states.count("") == 1
        assert set(states) <= {"", OVERLAP, DEADLOCK}
        await desk.by_hand(_END_ALL)


# --- and besides overlaps ---------------------------------------------------------------------------------


async def test_a_hold_of_a_booked_appointment_stays_booked(desk: Desk) -> None:
    booking = await desk.book((await desk.free())[0])
    for statement, row in (
        (
            "update public.appointment_holds set state = 'released', ended_at = now() where id = $1",
            booking.hold_id,
        ),
        ("update public.appointment_holds set state = 'held' where id = $1", booking.hold_id),
        ("update public.appointments set status = 'cancelled', changed_at = now() where id = $1", booking.id),
    ):
        with pytest.raises(StatementRefused, match=REFERENCE):
            await desk.by_hand(statement, row)


async def test_a_hold_has_one_live_code(desk: Desk) -> None:
    held = await desk.hold((await desk.free())[0])
    code = """
    insert into public.otp_codes (org_id, hold_id, receiver_digest, digest, expires_at)
    select org_id, id, sha256('number'), sha256('code'), clock_timestamp() + interval '9 min'
    from public.appointment_holds where id = $1
    """
    await desk.by_hand(code, held.hold_id)
    with pytest.raises(StatementRefused, match=DUPLICATE):
        await desk.by_hand(code, held.hold_id)


async def test_the_sweeper_makes_expired_holds_and_nothing_else(desk: Desk, stack: Stack) -> None:
    held = await desk.hold((await desk.free())[0])
    await desk.lapse(held.hold_id)
    worker = await asyncpg.connect(stack.postgres.worker)
    try:
        for state in ("released", "booked"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await worker.execute(
                    "update public.appointment_holds set state = $2, ended_at = now() where id = $1",
                    held.hold_id,
                    state,
                )
    finally:
        await worker.close()
