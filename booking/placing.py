"""Places calls: one attempt after the other, each recorded before the carrier is asked, none made twice.

A call's job goes step by step (`booking.placing_steps`). What a crash leaves in `placing` is not dialled
again: a webhook of that very attempt tells of its call, or, once it would be there, the carrier's list does;
only an attempt that is in neither gives way to the next. `docs/outbound.md` says what that leaves open.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, assert_never
from uuid import UUID

import asyncpg

from booking import db
from booking.calling_rules import CallingRules, load_calling_rules
from booking.contacts import read_contact
from booking.errors import (
    CallingNotConfigured,
    CallingRefused,
    CallingUnavailable,
    CallingUnconfirmed,
    SealUnreadable,
)
from booking.follow_up_hours import next_decent, zones_of
from booking.placed_calls import CarrierWord, report_call
from booking.placing_steps import AskCarrier, Nothing, Place, PlacedFacts, Refuse, Settle, Step, next_step
from booking.ports import Sealer
from booking.types import Actor, Claim

# How long after it was recorded a call is in the carrier's list, if it ever came there.
UNSURE: Final = timedelta(minutes=5)
# After so long between recording and asking, somebody else may have taken over: nobody is called any more.
_ASK_WITHIN_S: Final = 10.0
_CLOCKS_DIFFER: Final = timedelta(seconds=30)
_MOST_STEPS: Final = 6
_WORKER: Final = Actor("worker")


@dataclass(frozen=True, slots=True)
class CallOrder:
    """One attempt, as a carrier is asked for it. `from_` and `to` are E.164.

    `sealed`: the org's own account there, None where the process's serves it; `ring_s`: how long it rings.
    """

    org_id: UUID
    placed_id: UUID
    attempt: int
    from_: str = field(repr=False)
    to: str = field(repr=False)
    carrier: str
    sealed: bytes | None = field(repr=False)
    ring_s: int


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """A call as its carrier knows it."""

    carrier_call_id: str
    word: CarrierWord


class Dialler(Protocol):
    """Asks carriers for calls, never twice for the same."""

    async def place(self, order: CallOrder) -> str:
        """The carrier's id of the call. Raises `CallingNotConfigured`, `CallingRefused` (there is no call and
        will be none), `CallingUnavailable` (nor is there one, but there may be later) or `CallingUnconfirmed`
        (nobody knows; ask `find`). Cancelled: as `CallingUnconfirmed`.
        """
        ...

    async def find(self, order: CallOrder, *, since: datetime) -> Sequence[CarrierCall]:
        """Calls between these very numbers that the carrier has made since then, oldest first. Raises
        `CallingUnavailable`, `CallingNotConfigured`.
        """
        ...

    async def look(self, order: CallOrder, carrier_call_id: str) -> CarrierCall | None:
        """What has become of a call; None if the carrier knows nothing of it. Raises as `find`."""
        ...


class PlacingWatch(Protocol):
    """Is told how attempts fare."""

    def attempted(self, carrier: str, outcome: str) -> None:
        """`outcome`: taken refused unavailable unconfirmed."""
        ...

    def ended(self, outcome: str) -> None:
        """A call is given up; `outcome` is one of a closed set of words."""
        ...


class Unwatched:
    """A watch that keeps nothing. Satisfies `PlacingWatch`."""

    def attempted(self, carrier: str, outcome: str) -> None: ...

    def ended(self, outcome: str) -> None: ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Placing:
    """Does the job `place_call`. `unsure`: see `UNSURE`; `now_s` is monotonic."""

    pool: asyncpg.Pool
    sealer: Sealer
    dialler: Dialler
    watch: PlacingWatch = field(default_factory=Unwatched)
    unsure: timedelta = UNSURE
    now: Callable[[], datetime] = _utc_now
    now_s: Callable[[], float] = time.monotonic

    async def go_on(self, claim: Claim, placed_id: UUID) -> None:
        """Satisfies `booking.jobs.Handler`. Raises `BookingError`; may be cut off anywhere."""
        for _ in range(_MOST_STEPS):
            facts = await self._facts(claim, placed_id)
            rules = await load_calling_rules(self.pool, claim)
            step = next_step(facts, rules, self.now())
            if not await self._take(claim, placed_id, facts, rules, step):
                return

    async def _facts(self, claim: Claim, placed_id: UUID) -> PlacedFacts:
        (row,) = await db.fetch(self.pool, claim, "placed_call_facts", placed_id)
        told = {each.name: row[each.name] for each in fields(PlacedFacts) if each.name != "has_contact"}
        return PlacedFacts(has_contact=row["contact_id"] is not None, **told)

    async def _take(
        self, claim: Claim, placed_id: UUID, facts: PlacedFacts, rules: CallingRules, step: Step
    ) -> bool:
        """Whether there may be a further step now."""
        match step:
            case Nothing():
                return False
            case Place():
                return await self._place(claim, placed_id, facts, rules)
            case AskCarrier():
                return await self._ask_carrier(claim, placed_id, facts, rules)
            case Settle(after):
                return await self._settle(claim, placed_id, facts, after)
            case Refuse(reason):
                return await self._refuse(claim, placed_id, reason)
            case _:
                assert_never(step)

    # --- an attempt -----------------------------------------------------------------------------------------

    async def _place(self, claim: Claim, placed_id: UUID, facts: PlacedFacts, rules: CallingRules) -> bool:
        to = await self._number(claim, placed_id)
        if to is None:
            return await self._refuse(claim, placed_id, "no_number")
        zones = zones_of(to, facts.contact_zone, facts.org_zone)
        decent_at = next_decent(self.now(), zones, facts.quiet_from, facts.quiet_to)
        if decent_at > self.now():
            await db.fetch(self.pool, claim, "postpone_placed_call", placed_id, decent_at)
            return False
        until_s = self.now_s() + _ASK_WITHIN_S
        (begun,) = await db.fetch(
            self.pool, claim, "begin_placing", placed_id, facts.attempt, facts.carrier, self.unsure
        )
        if begun[0] == "again":
            return False
        if begun[0] != "begun":
            return await self._refuse(claim, placed_id, begun[0])
        await self._ask(claim, self._order(claim, placed_id, facts, rules, to, facts.attempt + 1), until_s)
        return True

    async def _ask(self, claim: Claim, order: CallOrder, until_s: float) -> None:
        """What is unclear stays in `placing`, for whoever learns more."""
        outcome = "taken"
        try:
            if self.now_s() > until_s:
                raise CallingUnavailable(CallingUnavailable.__doc__)
            carrier_call_id = await self.dialler.place(order)
            await self._told(claim, order, CarrierCall(carrier_call_id, "ringing"))
        except CallingNotConfigured:
            outcome = "refused"
            await self._failed(claim, order, "not_configured")
        except CallingRefused as refusal:
            outcome = "refused"
            await self._failed(claim, order, refusal.reason)
        except CallingUnavailable:
            outcome = "unavailable"
            await self._failed(claim, order, "unavailable")
        except CallingUnconfirmed:
            outcome = "unconfirmed"
        self.watch.attempted(order.carrier, outcome)

    def _order(
        self, claim: Claim, placed_id: UUID, facts: PlacedFacts, rules: CallingRules, to: str, attempt: int
    ) -> CallOrder:
        return CallOrder(
            org_id=claim.org_id,
            placed_id=placed_id,
            attempt=attempt,
            from_=facts.number or "",
            to=to,
            carrier=facts.carrier,
            sealed=facts.sealed,
            ring_s=rules.ring_s,
        )

    async def _number(self, claim: Claim, placed_id: UUID) -> str | None:
        """Whom to call. That it was read is on record with the contact."""
        (row,) = await db.fetch(self.pool, claim, "placed_call_facts", placed_id)
        if row["contact_id"] is None:
            return None
        try:
            contact = await read_contact(
                self.pool, claim, self.sealer, contact_id=row["contact_id"], actor=_WORKER
            )
        except SealUnreadable:
            return None
        return contact.phone or None if contact is not None else None

    # --- what became of it ----------------------------------------------------------------------------------

    async def _ask_carrier(
        self, claim: Claim, placed_id: UUID, facts: PlacedFacts, rules: CallingRules
    ) -> bool:
        """Whether the carrier has told. If it cannot be asked now, it is asked again later."""
        to = await self._number(claim, placed_id) if facts.carrier_call_id is None else ""
        order = self._order(claim, placed_id, facts, rules, to or "", facts.attempt)
        try:
            found = await self._found(order, facts)
        except (CallingUnavailable, CallingNotConfigured):
            await db.fetch(self.pool, claim, "postpone_placed_call", placed_id, self.now() + self.unsure)
            return False
        if found is None and facts.state == "talking" and facts.carrier_call_id is not None:
            found = CarrierCall(facts.carrier_call_id, "ended")
        if found is None:  # one that rang is not tried again: who knows what became of it
            outcome = "lost" if facts.carrier_call_id is None else "vanished"
            return await self._failed(claim, order, outcome)
        if await self._told(claim, order, found):
            return True
        await db.fetch(self.pool, claim, "postpone_placed_call", placed_id, self.now() + self.unsure)
        return False

    async def _found(self, order: CallOrder, facts: PlacedFacts) -> CarrierCall | None:
        if facts.carrier_call_id is not None:
            return await self.dialler.look(order, facts.carrier_call_id)
        if not order.to or facts.placing_at is None:
            return None
        listed = await self.dialler.find(order, since=facts.placing_at - _CLOCKS_DIFFER)
        return listed[0] if listed else None

    async def _told(self, claim: Claim, order: CallOrder, call: CarrierCall) -> bool:
        """Whether it says something new."""
        taken = await report_call(
            self.pool,
            claim,
            placed_id=order.placed_id,
            attempt=order.attempt,
            carrier_call_id=call.carrier_call_id,
            word=call.word,
        )
        return taken == "taken"

    async def _failed(self, claim: Claim, order: CallOrder, outcome: str) -> bool:
        await db.fetch(self.pool, claim, "fail_placing", order.placed_id, order.attempt, outcome)
        return True

    async def _settle(
        self, claim: Claim, placed_id: UUID, facts: PlacedFacts, after: timedelta | None
    ) -> bool:
        (row,) = await db.fetch(self.pool, claim, "settle_placed_call", placed_id, facts.attempt, after)
        if row[0] and after is None:
            self.watch.ended(facts.outcome or "")
        return after == timedelta(0)

    async def _refuse(self, claim: Claim, placed_id: UUID, reason: str) -> bool:
        (row,) = await db.fetch(self.pool, claim, "refuse_placed_call", placed_id, reason)
        if row[0]:
            self.watch.ended(reason)
        return False
