"""The record of a call: that it took place, and its turns in redacted words. Neither end's number is kept."""

from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.errors import ValueInvalid
from booking.types import CallTurn, Claim


async def open_call(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    call_id: UUID,
    carrier: str,
    carrier_call_id: str,
    started_at: datetime,
) -> bool:
    """Record that a call has begun. False if it was recorded before (a carrier may bring a call back)."""
    (row,) = await db.fetch(pool, claim, "begin_call", call_id, carrier, carrier_call_id, started_at)
    opened: bool = row[0]
    return opened


async def close_call(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    call_id: UUID,
    end_reason: str,
    ended_at: datetime,
    keep_hold: bool = True,
) -> int:
    """Record that the call is over; from now on it can hold nothing new. Asked twice, the first end stands.

    `keep_hold`: what it holds lives to its expiry; else it is given back. How many holds were given back.
    """
    (row,) = await db.fetch(pool, claim, "close_call", call_id, end_reason, ended_at, keep_hold)
    released: int = row[0]
    return released


async def store_turn(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, turn: CallTurn) -> None:
    """Keep one turn; a turn stored again replaces itself. Its texts must be redacted before they come here.

    Raises `CallUnknown` if the call was never opened, `ValueInvalid`.
    """
    await db.fetch(
        pool,
        claim,
        "keep_turn",
        call_id,
        turn.turn,
        json_text(turn.said),
        turn.outcome,
        json_text(turn.stages_s),
        turn.ttfb_ms,
        turn.overhead_ms,
        turn.speculated,
        turn.wasted_tokens,
        turn.wasted_characters,
    )


def json_text(value: object) -> str:
    """Raises `ValueInvalid` for what no database takes."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # a lone surrogate, quoted
        raise ValueInvalid("text") from None
