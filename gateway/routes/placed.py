"""Calls that we placed, as their carriers tell of them: whatever the carrier, one leg of one placed call."""

from dataclasses import dataclass
from typing import Generic
from uuid import UUID

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request

from booking.calling_rules import load_brief, load_calling_rules, spoken_message
from booking.errors import PlacedCallUnknown
from booking.orgs import load_profile
from booking.placed_calls import AnsweredBy, CarrierWord, find_placed_call, note_answered_by, report_call
from booking.types import Claim
from gateway.errors import CarrierRefused
from gateway.placed_address import MOST_ATTEMPTS
from gateway.routes.edge import Carrier, Edge
from gateway.routes.ringing import call_over
from gateway.tenancy.accounts import A, Signer

log = structlog.get_logger("gateway.webhooks")

LIVE: frozenset[CarrierWord] = frozenset({"ringing", "talking"})


@dataclass(frozen=True, slots=True)
class Leg(Generic[A]):
    """One attempt's call, as a signed webhook at the attempt's own address tells of it."""

    edge: Edge
    carrier: Carrier[A]
    signer: Signer[A]
    org_id: UUID
    placed_id: UUID
    attempt: int
    call_id: str

    async def is_ours(self, word: CarrierWord) -> bool:
        """Take the carrier's word. False for a call that nobody waits for any more: then it is hung up.

        Raises `BookingUnavailable`.
        """
        try:
            taken = await report_call(
                self.edge.desk.pool,
                Claim(self.org_id),
                placed_id=self.placed_id,
                attempt=self.attempt,
                carrier_call_id=self.call_id,
                word=word,
            )
        except PlacedCallUnknown:
            taken = "foreign"
        if taken != "foreign":
            return True
        self.edge.metrics.refused.labels("attempt_over").inc()
        log.warning("call_refused", reason="attempt_over")
        if word in LIVE:
            await self.hang_up()
        return False

    async def over(self) -> None:
        """The carrier says that it has ended, whatever became of its socket."""
        await call_over(self.edge, self.call_id)

    async def hang_up(self) -> None:
        """Never raises. One that the carrier does not let go now loses its stream, and is hung up when the
        carrier asks what follows; else the carrier's own limit ends it.
        """
        await self.edge.endings.mark_over(self.call_id)
        try:
            await self.carrier.hang_up(self.call_id, self.signer.account)
        except (CarrierRefused, OSError, TimeoutError) as error:
            log.warning("hang_up_failed", stream=self.call_id, error=type(error).__name__)
            await self.over()

    async def message(self, answered_by: AnsweredBy) -> str | None:
        """Note who answers. What is to be left on the machine that does; "": it is hung up; None: the call
        goes on, as it does for a carrier that repeats itself.
        """
        spoken = await self.spoken_message() if answered_by == "machine" else ""
        is_new = await note_answered_by(
            self.edge.desk.pool,
            Claim(self.org_id),
            placed_id=self.placed_id,
            attempt=self.attempt,
            carrier_call_id=self.call_id,
            answered_by=answered_by,
            outcome="message_left" if spoken else None,
        )
        if not is_new:
            return None
        self.edge.metrics.calls_answered.labels(answered_by).inc()
        return spoken if answered_by in ("machine", "fax") else None

    async def is_a_machines(self) -> bool:
        """Whether a machine has answered, so that whatever becomes of the stream is meant."""
        placed = await find_placed_call(self.edge.desk.pool, Claim(self.org_id), placed_id=self.placed_id)
        return placed is not None and placed.answered_by == "machine"

    async def spoken_message(self) -> str:
        """What is left on a machine, "" for nothing. Raises `BookingUnavailable`."""
        pool, claim = self.edge.desk.pool, Claim(self.org_id)
        rules = await load_calling_rules(pool, claim)
        profile = await load_profile(pool, claim)
        if rules.on_machine != "message" or profile is None:
            return ""
        brief = await load_brief(pool, claim, placed_id=self.placed_id)
        agent = (brief and brief.agent_name) or profile.agent_name
        return spoken_message(rules, agent, profile.name)


def named_leg(request: Request, edge: Edge, carrier: Carrier[A], signer: Signer[A], call_id: str) -> Leg[A]:
    """The leg that the request's address names. Raises 404 for what no address of ours names."""
    path = request.path_params
    if not 0 < path["attempt"] <= MOST_ATTEMPTS:
        raise HTTPException(404)
    return Leg(
        edge=edge,
        carrier=carrier,
        signer=signer,
        org_id=path["org"],
        placed_id=path["placed"],
        attempt=path["attempt"],
        call_id=call_id,
    )
