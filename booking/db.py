"""The pool, and the one place where an org's claim is armed.

Row level security lets a statement see the org named in `request.jwt.claims` and nothing else. The claim is
set for the transaction alone, so a pooler in transaction mode may hand the connection to anyone afterwards.
Two ways:

- `fetch`: a function of schema `app` in one round trip. Its first argument is `app.arm(claims)`, which sets
  the claim and answers its org; arguments are evaluated before the body runs, all in the statement's own
  transaction.
- `org_transaction`: for other SQL; BEGIN, arm, work, COMMIT. `armed` is its half on a connection at hand.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import msgspec

from booking.errors import (
    BookingError,
    BookingOver,
    BookingUnavailable,
    BookingUnknown,
    CallOver,
    CallUnknown,
    CampaignUnknown,
    ContactUnknown,
    HandoverUnknown,
    HoldOver,
    HoldUnknown,
    HoldUnverified,
    OrgStands,
    PlacedCallUnknown,
    PractitionerUnknown,
    ServiceUnknown,
    SlotUnknown,
    SlotUnsuitable,
    StatementRefused,
    UnsafeRole,
    ValueInvalid,
)
from booking.types import Claim
from booking.values import require_sound

_BY_SQLSTATE: dict[str, type[BookingError]] = {
    "GW001": SlotUnknown,
    "GW002": CallOver,
    "GW003": CallUnknown,
    "GW010": HoldUnknown,
    "GW011": HoldOver,
    "GW012": HoldUnverified,
    "GW013": ContactUnknown,
    "GW014": BookingUnknown,
    "GW015": BookingOver,
    "GW016": SlotUnsuitable,
    "GW150": ServiceUnknown,
    "GW151": PractitionerUnknown,
    "GW180": OrgStands,
    "GW190": CampaignUnknown,
    "GW191": PlacedCallUnknown,
    "GW192": HandoverUnknown,
}
# InternalClientError is what asyncpg says of a connection whose end the server has told and not yet closed.
_GONE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
)
# A busy or stopping server, a lock or statement that took too long: all are worth asking again.
_GONE_CLASSES = ("08", "53", "57", "58")
_GONE_STATES = ("40001", "40P01", "55P03")

# How long a statement waits for a connection of a busy pool before the caller hears `BookingUnavailable`.
ACQUIRE_TIMEOUT_S = 5.0

_ROLE_FACTS = """
select r.rolname as role,
       exists (
           select from pg_roles x where x.rolsuper and pg_has_role(r.oid, x.oid, 'member')
       ) as superuser,
       exists (
           select from pg_roles x
           where (x.rolbypassrls or x.rolname = 'gw_resolver') and pg_has_role(r.oid, x.oid, 'member')
       ) as bypasses,
       exists (
           select from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname in ('public', 'app') and c.relkind in ('r', 'p')
             and pg_has_role(r.oid, c.relowner, 'member')
       ) as owner
from pg_roles r where r.rolname in (session_user, current_user)
"""


async def open_pool(
    dsn: str,
    *,
    min_size: int = 1,
    max_size: int = 10,
    connect_timeout_s: float = 5.0,
    statement_timeout_s: float = 5.0,
) -> asyncpg.Pool:
    """A pool that sees nothing until a claim is armed.

    Raises `UnsafeRole` if its role could step over row level security, `BookingUnavailable` if no server
    answers.
    """
    with _translated():
        pool = await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            timeout=connect_timeout_s,
            command_timeout=statement_timeout_s,
            reset=_nothing_to_reset,
            server_settings={"application_name": "clinic-voice-gateway"},
        )
        try:
            await _require_safe_role(pool)
        except BaseException:
            pool.terminate()
            raise
    return pool


async def fetch(pool: asyncpg.Pool, claim: Claim, function: str, *arguments: Any) -> list[asyncpg.Record]:
    """Call `app.<function>(org, …arguments)` under the claim, in one round trip.

    Cancelling it cancels the statement at the server, which then leaves no trace. Raises `ValueInvalid`, and
    what the function's refusals are named in `booking.errors`.
    """
    require_sound(arguments)
    statement = _statement(function, len(arguments))
    with _translated():
        async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, claims_json(claim), *arguments)
    return rows


async def fetch_value(pool: asyncpg.Pool, statement: str, *arguments: Any) -> Any:
    """The one value of a statement that needs no claim. Raises `ValueInvalid` as `fetch` does."""
    require_sound(arguments)
    with _translated():
        async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            return await connection.fetchval(statement, *arguments)


@asynccontextmanager
async def org_transaction(pool: asyncpg.Pool, claim: Claim) -> AsyncIterator[asyncpg.Connection]:
    """A transaction, for SQL alone, in which the claim is armed; an error rolls it back."""
    with _translated():
        async with pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection, armed(connection, claim):
            yield connection


@asynccontextmanager
async def armed(connection: asyncpg.Connection, claim: Claim) -> AsyncIterator[None]:
    """The same on a connection that the caller has, of whatever role; its errors are asyncpg's."""
    async with connection.transaction():
        await connection.execute("select app.arm($1)", claims_json(claim))
        yield


def _statement(function: str, arguments: int) -> str:
    placeholders = "".join(f", ${n}" for n in range(2, arguments + 2))
    return f"select * from app.{function}(app.arm($1){placeholders})"  # noqa: S608 - our own function names


def claims_json(claim: Claim) -> str:
    """The claim as `app.arm` takes it."""
    try:
        return msgspec.json.encode({"org_id": claim.org_id}).decode()
    except UnicodeEncodeError:
        raise ValueInvalid("text") from None


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """The claim ends with its transaction, so the round trip of a RESET ALL on each release is spared."""


async def _require_safe_role(pool: asyncpg.Pool) -> None:
    for facts in await pool.fetch(_ROLE_FACTS):
        for danger in ("superuser", "bypasses", "owner"):
            if facts[danger]:
                raise UnsafeRole(_DANGERS[danger].format(facts["role"]))


_DANGERS = {
    "superuser": "the database role {} is or may become a superuser: row level security would not bind it",
    "bypasses": "the database role {} may step over row level security",
    "owner": "the database role {} owns the tables or is a member of their owner",
}


@contextmanager
def _translated() -> Iterator[None]:
    """Vendor errors become ours, once. `from None`: the cause may hold values of the row."""
    try:
        yield
    except asyncpg.exceptions.ClientConfigurationError:
        raise
    except _GONE as error:
        if isinstance(error, ValueError):  # a value that cannot be encoded, found before it was sent
            raise StatementRefused("22000") from None
        raise BookingUnavailable(f"the database does not answer: {type(error).__name__}") from None
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if known := _BY_SQLSTATE.get(state):
            raise known(known.__doc__) from None
        if state[:2] in _GONE_CLASSES or state in _GONE_STATES:
            raise BookingUnavailable(f"the database could not do it now: SQLSTATE {state}") from None
        raise StatementRefused(state) from None
