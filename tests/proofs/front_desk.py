"""A clinic whose slots lie in a knot, three callers, and clients that die: what the life cycle is played on.

A step's operations run at once, each over a connection of its own. A gate (a lock on one of the tables) makes
them meet inside the database. Some clients die of their operation: before it could go on, or at the moment
when it does; because the server ends their connection, because they drop the socket and hear no more (the
server then goes on without them), or because they run out of patience.

Nothing is waited for by time: a hold runs out by being dated back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any, Literal
from uuid import UUID, uuid4

import asyncpg

from booking.bookings import cancel_booking, confirm_booking, reschedule_booking
from booking.db import fetch, fetch_value, open_pool
from booking.errors import BookingOver, BookingUnavailable, HoldOver, HoldUnverified
from booking.holds import claim_slot, release_call, release_expired_holds, release_hold
from booking.otp import store_otp, verify_otp
from booking.slots import next_available
from booking.types import Booking, Held, Slot
from tests.conftest import Clinic, Stack, make_clinic
from tests.proofs.linearizable import (
    Appointment,
    CallReleased,
    Cancelled,
    Claimed,
    CodeChecked,
    CodeStored,
    Confirmed,
    Live,
    Moved,
    Operation,
    Released,
    Rules,
    State,
    What,
)

CLIENTS, CALLS, CODES = 4, 3, 2
TTL, CODE_TTL = timedelta(hours=1), timedelta(minutes=10)
DEADLINE_S = 30.0

Death = Literal["none", "killed", "hung up", "impatient"]
Gate = Literal["", "slots", "appointment_holds", "otp_codes", "appointments", "contacts"]

_LIVE = """
select h.slot_id::text, h.call_id::text, h.id::text, h.state = 'booked' as booked,
    h.state = 'held' and h.expires_at <= clock_timestamp() as lapsed,
    (select c.digest from public.otp_codes c where c.hold_id = h.id and c.state = 'live') as digest,
    exists (select from public.otp_codes c where c.hold_id = h.id and c.state = 'used') as verified,
    (select count(*) from public.otp_codes c where c.hold_id = h.id) as codes,
    (select coalesce(sum(c.failures), 0) from public.otp_codes c where c.hold_id = h.id) as failures
from public.appointment_holds h where h.org_id = $1 and h.state in ('held', 'booked')
"""
_APPOINTMENTS = """
select slot_id::text, contact_id, hold_id::text, id::text, status, replaces_id::text
from public.appointments where org_id = $1
"""
_NUMBERS = """
select receiver_digest, count(*), sum(failures) from public.otp_codes where org_id = $1 group by 1
"""
_OVERLAPS = """
select count(*) from public.appointment_holds a join public.appointment_holds b
  on a.org_id = b.org_id and a.practitioner_number = b.practitioner_number and a.id < b.id
 and a.starts_at < b.ends_at and b.starts_at < a.ends_at
where a.org_id = $1 and a.state in ('held', 'booked') and b.state in ('held', 'booked')
"""
_ODD_ONES = """
select count(*) from public.appointments a
full join (select * from public.appointment_holds where org_id = $1) h on h.id = a.hold_id
where coalesce(a.org_id, h.org_id) = $1 and (a.status is not distinct from 'booked')
    is distinct from (h.state is not distinct from 'booked')
"""
_VISIBLE = """
select (select count(*) from public.slots) + (select count(*) from public.appointment_holds)
    + (select count(*) from public.appointments) + (select count(*) from public.otp_codes)
    + (select count(*) from public.contacts)
"""
_WAITING = "select count(*) from pg_stat_activity where pid = any ($1::int[]) and wait_event_type = 'Lock'"
_BUSY = """
select count(*) from pg_stat_activity
where pid = any ($1::int[]) and state <> 'idle' or pid = any ($2::int[])
"""
_EMPTY = """
delete from public.appointments where org_id = $1;
delete from public.otp_codes where org_id = $1;
delete from public.appointment_holds where org_id = $1
"""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a client sets out to do; numbers choose among what there is. `early`: it dies before the gate
    opens.
    """

    kind: str
    which: int
    call: int
    death: Death = "none"
    early: bool = False


class Client:
    """A pool of one connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.pool: asyncpg.Pool | None = None

    async def connect(self) -> None:
        self.pool = await open_pool(self._url, min_size=1, max_size=1, statement_timeout_s=DEADLINE_S)

    async def pid(self) -> int:
        assert self.pool is not None
        pid: int = await self.pool.fetchval("select pg_backend_pid()")
        return pid

    async def close(self) -> None:
        assert self.pool is not None
        await self.pool.close()

    async def reconnect(self) -> None:
        """Until the pool has noticed that its connection is gone, and made another."""
        assert self.pool is not None
        while True:
            try:
                await fetch_value(self.pool, "select 1")
            except BookingUnavailable:
                continue
            return

    async def hang_up(self) -> None:
        """Drops the socket in the middle of whatever it is at."""
        assert self.pool is not None
        self.pool.terminate()


class FrontDesk:
    """One clinic, which each life begins with empty books."""

    def __init__(self, closing: AsyncExitStack, keeper: asyncpg.Connection, clinic: Clinic) -> None:
        self.closing, self.keeper, self.clinic = closing, keeper, clinic
        self.clients: list[Client] = []
        self.worker: asyncpg.Pool | None = None
        self.slots: list[Slot] = []
        self.contacts = [uuid4() for _ in range(CALLS)]
        self.calls = [uuid4() for _ in range(CALLS)]
        self.before = State()
        self.clock = count()

    @classmethod
    async def open(cls, stack: Stack) -> "FrontDesk":
        closing = AsyncExitStack()
        keeper = await asyncpg.connect(stack.admin)
        closing.push_async_callback(keeper.close)
        owner = await asyncpg.connect(stack.postgres.owner)
        closing.push_async_callback(owner.close)
        desk = cls(closing, keeper, await make_clinic(owner))
        for _ in range(CLIENTS):
            client = Client(stack.postgres.app)
            await client.connect()
            closing.push_async_callback(client.close)
            desk.clients.append(client)
        desk.worker = await closing.enter_async_context(await open_pool(stack.postgres.worker, max_size=1))
        await desk._find_slots()
        for contact in desk.contacts:
            seal = (contact, [receiver(contact)], b"sealed", b"sealed", b"sealed")
            await fetch(desk._anyone, desk.clinic.claim, "save_contact", *seal)
        return desk

    async def _find_slots(self) -> None:
        """Both practitioners' first hour and a half: four and four of two services, which overlap."""
        for service in self.clinic.service_ids:
            self.slots += await next_available(
                self._anyone, self.clinic.claim, service_id=service, after=datetime.now(UTC), limit=4
            )

    @property
    def _anyone(self) -> asyncpg.Pool:
        return self.clients[0].pool

    @property
    def rules(self) -> Rules:
        return Rules({
            str(a.id): frozenset(str(b.id) for b in self.slots if overlap(a, b)) for a in self.slots
        })  # fmt: skip

    async def new_life(self) -> None:
        await self.keeper.execute(_EMPTY.replace("$1", f"'{self.clinic.claim.org_id}'"))
        self.calls = [uuid4() for _ in range(CALLS)]
        self.before = State()

    # --- what there is ------------------------------------------------------------------------------------

    async def look(self) -> State:
        org = self.clinic.claim.org_id
        live = frozenset([self._live(*row) for row in await self.keeper.fetch(_LIVE, org)])
        rows = await self.keeper.fetch(_APPOINTMENTS, org)
        numbers = await self.keeper.fetch(_NUMBERS, org)
        by_receiver = {
            receiver(contact): str(call) for contact, call in zip(self.contacts, self.calls, strict=True)
        }
        counted = frozenset((by_receiver[digest], codes, failures) for digest, codes, failures in numbers)
        by_contact = {contact: str(call) for contact, call in zip(self.contacts, self.calls, strict=True)}
        made = frozenset(Appointment(slot, by_contact[contact], *rest) for slot, contact, *rest in rows)
        return State(live, made, counted)

    def _live(self, slot: str, call: str, hold: str, booked: bool, lapsed: bool, *code: Any) -> Live:
        digest, verified, codes, failures = code
        number = next((n for n in range(CODES) if digest == code_digest(hold, n)), None)
        found = Live(slot, call, hold, booked, lapsed, number, verified, codes, failures)
        return found.as_booked() if booked else found

    async def require_sound(self) -> None:
        """Invariants 1 and 2."""
        org = self.clinic.claim.org_id
        assert await self.keeper.fetchval(_OVERLAPS, org) == 0
        assert await self.keeper.fetchval(_ODD_ONES, org) == 0
        for client in self.clients:
            assert client.pool is not None
            assert await client.pool.fetchval(_VISIBLE) == 0, "seen without a claim"
        async with self._anyone.acquire() as connection, connection.transaction():
            await connection.execute("select app.arm($1)", f'{{"org_id": "{uuid4()}"}}')
            assert await connection.fetchval(_VISIBLE) == 0, "seen under another org's claim"

    # --- what happens -------------------------------------------------------------------------------------

    async def time_passes(self, call: int) -> None:
        """What the call holds runs out."""
        await self.keeper.execute(
            "update public.appointment_holds set expires_at = clock_timestamp() - interval '1 ms'"
            " where org_id = $1 and call_id = $2 and state = 'held'",
            self.clinic.claim.org_id, self.calls[call],
        )  # fmt: skip
        self.before = await self.look()

    async def sweep(self) -> None:
        """The sweeper flips what has run out, and nothing else."""
        assert self.worker is not None
        before = await self.look()
        await release_expired_holds(self.worker)
        self.before = await self.look()
        held_in_vain = {live for live in before.live if live.lapsed}
        assert self.before == before.with_live(held_in_vain)

    async def lose_idle(self, client: int) -> None:
        """A connection dies between two operations."""
        pid = await self.clients[client].pid()
        await self.keeper.fetchval("select pg_terminate_backend($1)", pid)
        await self._settled([], [pid])
        await self.clients[client].reconnect()

    async def at_once(self, intents: Sequence[Intent], gate: Gate) -> list[Operation]:
        clients = self.clients[: len(intents)]
        pids = [await client.pid() for client in clients]
        doomed = [
            pid for pid, intent in zip(pids, intents, strict=True) if intent.death in ("killed", "hung up")
        ]
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
            plays = [
                Play(self, client, intent, pid)
                for client, intent, pid in zip(clients, intents, pids, strict=True)
            ]
            async with self.keeper.transaction():
                if gate:
                    await self.keeper.execute(f"lock table public.{gate} in access exclusive mode")
                tasks = [group.create_task(play.run()) for play in plays]
                await self._all_wait(tasks, pids)
                for play in plays:
                    if play.intent.early:
                        await play.die()
            for play in plays:
                if not play.intent.early:
                    await play.die()
        await self._settled(pids, doomed)
        for play in plays:
            await play.revive()
        return [task.result() for task in tasks]

    async def _all_wait(self, tasks: Sequence[asyncio.Task[Operation]], pids: list[int]) -> None:
        while await self.keeper.fetchval(_WAITING, pids) < sum(not task.done() for task in tasks):
            pass

    async def _settled(self, pids: list[int], doomed: list[int]) -> None:
        """Until the server is done with all that was asked of it, and rid of the dead."""
        while await self.keeper.fetchval(_BUSY, pids, doomed):
            pass

    # --- how it is asked ----------------------------------------------------------------------------------

    def asked(self, intent: Intent) -> What:
        """The operation, without an answer."""
        call = str(self.calls[intent.call])
        holds = sorted(str(live.hold) for live in self.before.live) or [str(uuid4())]
        hold = holds[intent.which % len(holds)]
        made = sorted(self.before.appointments, key=lambda each: str(each.id))
        match intent.kind:
            case "release_call":
                return CallReleased(call)
            case "release":
                return Released(hold)
            case "store" | "check" | "confirm" if self.before.live:
                code = intent.call % CODES
                kinds = {"store": CodeStored(hold, code), "check": CodeChecked(hold, code)}
                return kinds.get(intent.kind, Confirmed(hold, self._patient(hold, intent)))
            case "cancel" if made:
                return Cancelled(str(made[intent.which % len(made)].id))
            case "move" if made:
                old = made[intent.which % len(made)]
                return Moved(str(old.id), self._other_slot(old.slot, intent.which + intent.call), call)
        return Claimed(str(self.slots[intent.which % len(self.slots)].id), call)

    def number_of_hold(self, call: int) -> int:
        """What chooses the call's own hold, if it has one."""
        holds = sorted((str(live.hold), live.call) for live in self.before.live)
        own = [number for number, (_, whose) in enumerate(holds) if whose == str(self.calls[call])]
        return own[-1] if own else 0

    def _other_slot(self, slot: str, number: int) -> str:
        """One of the same service."""
        service = next(each.service_id for each in self.slots if str(each.id) == slot)
        same = [str(each.id) for each in self.slots if each.service_id == service]
        return same[number % len(same)]

    def _patient(self, hold: str, intent: Intent) -> str:
        """Mostly whose call it is, at times whoever."""
        live = self.before.hold(hold)
        assert live is not None
        return live.call if intent.which < 6 else str(self.calls[intent.call])

    def contact_of(self, call: str) -> UUID:
        return self.contacts[self.calls.index(UUID(call))]

    def receiver_for(self, hold: str) -> bytes:
        """The number of the hold's call."""
        live = self.before.hold(hold)
        assert live is not None
        return receiver(self.contact_of(live.call))

    async def ask(self, pool: asyncpg.Pool, asked: What) -> What:
        """The operation with its answer."""
        return await _ASK[type(asked)](self, pool, asked)


class Play:
    """One client's part in a step."""

    def __init__(self, desk: FrontDesk, client: Client, intent: Intent, pid: int) -> None:
        self.intent, self._desk, self._client, self._pid = intent, desk, client, pid
        self._patience = asyncio.timeout(None)
        self._waits = False

    async def run(self) -> Operation:
        asked, begin = self._desk.asked(self.intent), next(self._desk.clock)
        try:
            async with self._patience:
                self._waits = True
                what, answered = await self._desk.ask(self._client.pool, asked), True
        except (BookingUnavailable, TimeoutError):
            assert self.intent.death != "none", "nobody is told so but who died of it"
            what, answered = asked, False
        finally:
            self._waits = False
        return Operation(what, begin, next(self._desk.clock), answered)

    async def die(self) -> None:
        match self.intent.death:
            case "killed":
                await self._desk.keeper.fetchval("select pg_terminate_backend($1)", self._pid)
            case "hung up":
                await self._client.hang_up()
            case "impatient" if self._waits:
                self._patience.reschedule(asyncio.get_running_loop().time())

    async def revive(self) -> None:
        if self.intent.death == "hung up":
            await self._client.connect()
        elif self.intent.death != "none":
            await self._client.reconnect()


def receiver(contact: UUID) -> bytes:
    return sha256(contact.bytes).digest()


def code_digest(hold: str, code: int) -> bytes:
    return sha256(f"{hold} {code}".encode()).digest()


def overlap(one: Slot, other: Slot) -> bool:
    same = one.practitioner_id == other.practitioner_id
    return same and one.starts_at < other.ends_at and other.starts_at < one.ends_at


async def _claim(desk: FrontDesk, pool: asyncpg.Pool, asked: Claimed) -> What:
    slot, call = UUID(asked.slot), UUID(asked.call)
    told = await claim_slot(pool, desk.clinic.claim, slot_id=slot, call_id=call, ttl=TTL)
    return replace(asked, hold=str(told.hold_id)) if isinstance(told, Held) else asked


async def _release(desk: FrontDesk, pool: asyncpg.Pool, asked: Released) -> What:
    return replace(asked, found=await release_hold(pool, desk.clinic.claim, hold_id=UUID(asked.hold)))


async def _release_call(desk: FrontDesk, pool: asyncpg.Pool, asked: CallReleased) -> What:
    return replace(asked, count=await release_call(pool, desk.clinic.claim, call_id=UUID(asked.call)))


async def _store(desk: FrontDesk, pool: asyncpg.Pool, asked: CodeStored) -> What:
    digest, to = code_digest(asked.hold, asked.code), desk.receiver_for(asked.hold)
    try:
        told = await store_otp(
            pool, desk.clinic.claim,
            hold_id=UUID(asked.hold), digest=digest, receiver_digest=to, ttl=CODE_TTL,
        )  # fmt: skip
    except HoldOver:
        return replace(asked, outcome="over")
    return replace(asked, outcome=told.outcome)


async def _check(desk: FrontDesk, pool: asyncpg.Pool, asked: CodeChecked) -> What:
    digests = [code_digest(asked.hold, asked.code)]
    try:
        told = await verify_otp(pool, desk.clinic.claim, hold_id=UUID(asked.hold), digests=digests)
    except HoldOver:
        return replace(asked, outcome="over")
    return replace(asked, outcome=told.outcome)


async def _confirm(desk: FrontDesk, pool: asyncpg.Pool, asked: Confirmed) -> What:
    contact = desk.contact_of(asked.patient)
    try:
        told = await confirm_booking(pool, desk.clinic.claim, hold_id=UUID(asked.hold), contact_id=contact)
    except HoldOver:
        return replace(asked, outcome="over")
    except HoldUnverified:
        return replace(asked, outcome="unverified")
    return replace(asked, outcome="booked", booking=str(told.id))


async def _cancel(desk: FrontDesk, pool: asyncpg.Pool, asked: Cancelled) -> What:
    try:
        await cancel_booking(pool, desk.clinic.claim, booking_id=UUID(asked.booking))
    except BookingOver:
        return replace(asked, outcome="over")
    return replace(asked, outcome="cancelled")


async def _move(desk: FrontDesk, pool: asyncpg.Pool, asked: Moved) -> What:
    try:
        told = await reschedule_booking(
            pool, desk.clinic.claim,
            booking_id=UUID(asked.booking), slot_id=UUID(asked.slot), call_id=UUID(asked.call),
        )  # fmt: skip
    except BookingOver:
        return replace(asked, outcome="over")
    if not isinstance(told, Booking):
        return replace(asked, outcome="taken")
    return replace(asked, outcome="booked", new=str(told.id), hold=str(told.hold_id))


_ASK: dict[type, Callable[..., Awaitable[What]]] = {
    Claimed: _claim,
    Released: _release,
    CallReleased: _release_call,
    CodeStored: _store,
    CodeChecked: _check,
    Confirmed: _confirm,
    Cancelled: _cancel,
    Moved: _move,
}
