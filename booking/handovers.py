"""Handing a caller over to a person at the clinic: to whom, when, and what has come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from booking import db
from booking.errors import ClinicInvalid, NumberInvalid
from booking.types import Actor, Claim
from booking.values import require_e164

HandoverState = Literal["asked", "answered", "unanswered", "failed"]
LONGEST_SUMMARY: Final = 500
STALE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Handover:
    """One attempt. `summary`: what the person is still to be told, redacted."""

    state: HandoverState
    summary: str | None


@dataclass(frozen=True, slots=True)
class HandoverRules:
    """`number` (E.164) None: nobody is handed over. `days`: Monday is 0; `opens` to `closes` in the clinic's
    time, all day if they are the same. `ring_s`: for how long it rings there.
    """

    number: str | None = field(default=None, repr=False)
    days: Sequence[int] = (0, 1, 2, 3, 4)
    opens: time = time(9)
    closes: time = time(17)
    ring_s: int = 25

    def is_staffed(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether somebody can be expected there. `now` is aware."""
        local = now.astimezone(zone)
        if self.number is None or local.weekday() not in self.days:
            return False
        return self.opens == self.closes or self.opens <= local.time() < self.closes


_SETTLE_STALE: Final = """
update public.handovers set state = 'unanswered', summary = null, settled_at = clock_timestamp()
where org_id = $1 and state = 'asked' and asked_at < clock_timestamp() - $2::interval
"""
_FIND: Final = "select h.state, h.summary from public.handovers h where h.org_id = $1 and h.id = $2"
_IS_BEING: Final = """
select exists (
    select from public.calls c join public.handovers h on h.org_id = c.org_id and h.call_id = c.id
    where c.org_id = $1 and c.carrier = $2 and c.carrier_call_id = $3 and h.state in ('asked', 'answered'))
"""
NOBODY: Final = HandoverRules()
"""Of a clinic that hands nobody over."""


def require_sound(rules: HandoverRules) -> None:
    """Raises `ClinicInvalid`, which names the first field that makes no sense."""
    if rules.number is not None:
        try:
            require_e164(rules.number)
        except NumberInvalid:
            raise ClinicInvalid("number", "is no number in E.164") from None
    if len(set(rules.days)) != len(rules.days) or not set(rules.days) <= set(range(7)):
        raise ClinicInvalid("days", "are not among 0 to 6, each once")
    if rules.opens > rules.closes:
        raise ClinicInvalid("closes", "is before `opens`")
    if not 5 <= rules.ring_s <= 60:
        raise ClinicInvalid("ring_s", "is not 5 to 60")


async def load_handover_rules(pool: asyncpg.Pool, claim: Claim) -> HandoverRules:
    """Raises `BookingUnavailable`."""
    (row,) = await db.fetch(pool, claim, "handover_rules")
    return HandoverRules(**(dict(row) | {"days": tuple(row["days"])}))


async def store_handover_rules(
    pool: asyncpg.Pool, claim: Claim, rules: HandoverRules, *, actor: Actor
) -> None:
    """From now on these hold. Audited. Raises `ClinicInvalid`, also for one of the clinic's own numbers."""
    require_sound(rules)
    (row,) = await db.fetch(
        pool,
        claim,
        "set_handover_rules",
        rules.number,
        list(rules.days),
        rules.opens,
        rules.closes,
        rules.ring_s,
        actor.kind,
        actor.id,
    )
    if not row[0]:
        raise ClinicInvalid("number", "is the clinic's own: the call would come back to the agent")


async def ask_handover(
    pool: asyncpg.Pool, claim: Claim, *, handover_id: UUID, call_id: UUID, summary: str | None
) -> None:
    """On record before the carrier is asked. `summary`: redacted. Raises `CallUnknown`."""
    told = summary[:LONGEST_SUMMARY] if summary else None
    await db.fetch(pool, claim, "ask_handover", handover_id, call_id, told)


async def find_handover(pool: asyncpg.Pool, claim: Claim, *, handover_id: UUID) -> Handover | None:
    async with db.org_transaction(pool, claim) as connection:
        row = await connection.fetchrow(_FIND, claim.org_id, handover_id)
    return None if row is None else Handover(**dict(row))


async def is_being_handed_over(
    pool: asyncpg.Pool, claim: Claim, *, carrier: str, carrier_call_id: str
) -> bool:
    """Whether the carrier has this call ring at a person's, or they are talking."""
    async with db.org_transaction(pool, claim) as connection:
        found: bool = await connection.fetchval(_IS_BEING, claim.org_id, carrier, carrier_call_id)
    return found


async def answer_handover(pool: asyncpg.Pool, claim: Claim, *, handover_id: UUID) -> str | None:
    """A person has picked up: what they are to be told, told once. Raises `HandoverUnknown`."""
    (row,) = await db.fetch(pool, claim, "answer_handover", handover_id)
    summary: str | None = row[0]
    return summary


async def end_handover(
    pool: asyncpg.Pool, claim: Claim, *, handover_id: UUID, state: Literal["unanswered", "failed"]
) -> None:
    """Nobody was there, or nobody who talked to the caller. Raises `HandoverUnknown`."""
    await db.fetch(pool, claim, "end_handover", handover_id, state)


async def settle_stale_handovers(pool: asyncpg.Pool, claim: Claim, *, after: timedelta = STALE) -> None:
    """Of which the carrier has never told how they ended: what was to be said of the caller goes."""
    async with db.org_transaction(pool, claim) as connection:
        await connection.execute(_SETTLE_STALE, claim.org_id, after)


async def was_handed_over(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID) -> bool:
    """Whether a person at the clinic has taken the call over."""
    (row,) = await db.fetch(pool, claim, "was_handed_over", call_id)
    handed: bool = row[0]
    return handed
