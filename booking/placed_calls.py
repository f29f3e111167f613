"""Calls that the clinic places: asked for, told of by their carrier, shown; `booking.placing` places them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.types import Actor, Claim

Asked = Literal["placed", "again", "live", "off", "stopped", "declined", "no_consent", "erased"]
"""What comes of asking for a call: it is to be placed; it was asked for before under this id; the contact has
one that is not over; or why they may not be called.
"""
CarrierWord = Literal["ringing", "talking", "ended", "busy", "no_answer", "failed", "cancelled"]
"""What a carrier says of a call; `ended`: after it was answered."""
AnsweredBy = Literal["human", "machine", "fax", "unknown"]

# After so long without a word of its carrier's a call that rings, or that goes on, is asked for.
_LOOK_AGAIN: Final = {"ringing": timedelta(minutes=2), "talking": timedelta(minutes=10)}


@dataclass(frozen=True, slots=True)
class PlacedCall:
    """One call as its clinic sees it; states and outcomes as `docs/outbound.md` has them."""

    id: UUID
    contact_id: UUID | None
    campaign_id: UUID | None
    state: str
    outcome: str | None
    attempt: int
    answered_by: AnsweredBy | None
    requested_at: datetime
    placing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    next_at: datetime | None
    call_id: UUID | None


async def due_placed_calls(worker: asyncpg.Pool, *, limit: int = 200) -> list[tuple[Claim, UUID]]:
    """Calls of all orgs to look at now; role gw_worker's pool."""
    listed = "coalesce(jsonb_agg(jsonb_build_array(org_id, id)), '[]')"
    statement = f"select {listed} from app.due_placed_calls($1)"  # noqa: S608 - ours
    found = msgspec.json.decode(await db.fetch_value(worker, statement, limit), type=list[tuple[UUID, UUID]])
    return [(Claim(org_id), placed_id) for org_id, placed_id in found]


async def ask_for_call(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    placed_id: UUID,
    contact_id: UUID,
    campaign_id: UUID | None,
    actor: Actor,
) -> Asked:
    """Have this contact called. Audited. The same `placed_id` again places no second call.

    Raises `ContactUnknown`, `CampaignUnknown` for one that is not running or is for somebody else.
    """
    (row,) = await db.fetch(
        pool, claim, "place_call", placed_id, contact_id, campaign_id, actor.kind, actor.id
    )
    asked: Asked = row[0]
    return asked


async def find_placed_call(pool: asyncpg.Pool, claim: Claim, *, placed_id: UUID) -> PlacedCall | None:
    rows = await db.fetch(pool, claim, "placed_calls", placed_id, 1)
    return PlacedCall(**dict(rows[0])) if rows else None


async def page_of_placed_calls(
    pool: asyncpg.Pool, claim: Claim, *, limit: int, before: datetime | None = None
) -> list[PlacedCall]:
    """Newest first, at most 100, asked for before that instant."""
    rows = await db.fetch(pool, claim, "placed_calls", None, limit, before)
    return [PlacedCall(**dict(row)) for row in rows]


async def withdraw_call(pool: asyncpg.Pool, claim: Claim, *, placed_id: UUID, actor: Actor) -> bool:
    """It is not placed, if no carrier was asked yet; else False. Audited."""
    (row,) = await db.fetch(pool, claim, "withdraw_placed_call", placed_id, actor.kind, actor.id)
    withdrawn: bool = row[0]
    return withdrawn


async def report_call(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    placed_id: UUID,
    attempt: int,
    carrier_call_id: str,
    word: CarrierWord,
) -> Literal["taken", "known", "foreign"]:
    """The carrier's word on this attempt's call; words may come twice and in any order.

    `foreign`: this call of the carrier's is none of the attempt's, or that is given up: hang it up. Raises
    `PlacedCallUnknown`.
    """
    look_again = _LOOK_AGAIN.get(word, timedelta(0))
    (row,) = await db.fetch(
        pool, claim, "report_placed_call", placed_id, attempt, carrier_call_id, word, look_again
    )
    taken: Literal["taken", "known", "foreign"] = row[0]
    return taken


async def note_answered_by(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    placed_id: UUID,
    attempt: int,
    carrier_call_id: str,
    answered_by: AnsweredBy,
    outcome: str | None = None,
) -> bool:
    """Who answers, and what the call has come to by that. False if that was told before."""
    (row,) = await db.fetch(
        pool, claim, "note_answered_by", placed_id, attempt, carrier_call_id, answered_by, outcome
    )
    noted: bool = row[0]
    return noted


async def note_calls_wanted(pool: asyncpg.Pool, claim: Claim, *, placed_id: UUID, wanted: bool) -> bool:
    """Whoever is called says whether they want to be. False if it is nobody's call any more."""
    (row,) = await db.fetch(pool, claim, "note_calls_wanted", placed_id, wanted)
    noted: bool = row[0]
    return noted
