"""Calls that Vapi carries, as the database knows them: whose they are to work on, what their requests share.

One coroutine per SQL function of migrations 0060 and 0062; what is sealed and how is the caller's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.calls import json_text
from booking.types import CallTurn, Claim

CARRIER: Final = "vapi"
"""Whoever carries them, in the record of a call."""


@dataclass(frozen=True, slots=True)
class TakenCall:
    """`taken` False: somebody else works on it now. `sealed_state` None: nothing was shared yet."""

    taken: bool
    settled: bool
    sealed_state: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SeenCall:
    """`free` False: somebody works on it now, and what they share is not told."""

    free: bool
    settled: bool
    sealed_state: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class UnsettledCall:
    """`vapi_id`: Vapi's own; `asked`: how often Vapi was asked for it in vain; `over_for`: how long ago Vapi
    told that it has ended, None if it has not told that.
    """

    vapi_id: str
    started_at: datetime
    asked: int
    over_for: timedelta | None = None


async def open_vapi_call(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    call_id: UUID,
    vapi_id: str,
    started_at: datetime,
    ask_after: timedelta,
) -> bool:
    """Put it on record. False if it was. `ask_after`: so long without a word of it, Vapi is asked."""
    (row,) = await db.fetch(pool, claim, "open_vapi_call", call_id, vapi_id, started_at, ask_after)
    return bool(row[0])


async def note_vapi_call(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    call_id: UUID,
    vapi_id: str,
    started_at: datetime,
    ask_after: timedelta,
    is_over: bool,
) -> bool:
    """Something was heard of the call, be it that it has ended. Whether it was put on record by that.

    Vapi is asked for it after `ask_after`, or sooner where it is known to be over.
    """
    (row,) = await db.fetch(pool, claim, "note_vapi_call", call_id, vapi_id, started_at, ask_after, is_over)
    return bool(row[0])


async def take(
    pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, holder: UUID, lasting: timedelta
) -> TakenCall:
    """Be the one who works on it, for so long at most. Raises `CallUnknown`."""
    (row,) = await db.fetch(pool, claim, "take_vapi_call", call_id, holder, lasting)
    return TakenCall(**dict(row))


async def look_at(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID) -> SeenCall:
    """What its requests share, for whoever changes nothing of it. Raises `CallUnknown`."""
    (row,) = await db.fetch(pool, claim, "look_at_vapi_call", call_id)
    return SeenCall(**dict(row))


async def keep_state(
    pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, holder: UUID, sealed: bytes | None, leave: bool
) -> bool:
    """Have this found by whoever works on it next; None: what was there. False if it was taken away."""
    (row,) = await db.fetch(pool, claim, "keep_vapi_state", call_id, holder, sealed, leave)
    return bool(row[0])


async def end(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    call_id: UUID,
    holder: UUID,
    end_reason: str,
    ended_reason: str | None,
    ended_at: datetime,
    keep_hold: bool,
) -> int | None:
    """The call is over, and its follow-up due. How many holds were given back; None: it was settled before.

    `end_reason`: in our words; `ended_reason`: in Vapi's.
    """
    (row,) = await db.fetch(
        pool, claim, "end_vapi_call", call_id, holder, end_reason, ended_reason, ended_at, keep_hold
    )
    released: int | None = row[0]
    return released


async def keep_told_turns(
    pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, turns: Sequence[CallTurn]
) -> None:
    """Keep turns of a call that was told as a whole; one stored again replaces itself. Redacted, as in
    `booking.calls.store_turn`. Raises `CallUnknown`, `ValueInvalid`.
    """
    told = [{"turn": each.turn, "said": each.said, "outcome": each.outcome} for each in turns]
    await db.fetch(pool, claim, "keep_told_turns", call_id, json_text(told))


async def unsettled(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID) -> UnsettledCall | None:
    """None if it is settled, or there is none."""
    rows = await db.fetch(pool, claim, "vapi_call_to_ask_for", call_id)
    return UnsettledCall(**dict(rows[0])) if rows else None


async def ask_again(
    pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, after: timedelta, counts: bool
) -> None:
    """Vapi was asked in vain; once more, after that. `counts`: one of the times that it may be."""
    await db.fetch(pool, claim, "ask_again_for_vapi_call", call_id, after, counts)


async def due_vapi_calls(worker: asyncpg.Pool, *, limit: int = 200) -> list[tuple[Claim, UUID]]:
    """Calls of all orgs that Vapi is to be asked for now; role gw_worker's pool."""
    statement = (
        "select coalesce(jsonb_agg(jsonb_build_array(org_id, call_id)), '[]') from app.due_vapi_calls($1)"
    )
    found = msgspec.json.decode(await db.fetch_value(worker, statement, limit), type=list[tuple[UUID, UUID]])
    return [(Claim(org_id), call_id) for org_id, call_id in found]
