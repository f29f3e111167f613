"""Callers who are put through, as their carriers tell of it: the person has picked up, or the caller is back.

The carriers differ in how a call is sent to a person and in how it tells whether the two have talked; what
follows from that is decided here.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Generic
from uuid import UUID

import structlog
from starlette.responses import Response

from booking.errors import BookingUnavailable, HandoverUnknown
from booking.handovers import answer_handover, end_handover
from booking.types import Claim
from gateway.handover import announced
from gateway.routes.edge import Edge
from gateway.routes.ringing import Line
from gateway.tenancy.accounts import A

log = structlog.get_logger("gateway.webhooks")


@dataclass(frozen=True, slots=True)
class Handed(Generic[A]):
    """One handover that a verified webhook names."""

    edge: Edge
    org_id: UUID
    handover_id: UUID

    async def announcement(self) -> str | None:
        """What the person hears who has picked up; None if there is no such handover. Never raises: while the
        database is away the caller is put through without a word on what they want.
        """
        try:
            summary = await answer_handover(
                self.edge.desk.pool, Claim(self.org_id), handover_id=self.handover_id
            )
        except HandoverUnknown:
            return None
        except BookingUnavailable:
            summary = None
        return announced(summary)

    async def over(self, line: Line[A], *, talked: bool) -> Response:
        """The person's leg has ended, or there was none. A caller who has `talked` to them is done; any other
        is back with the agent, on `line`: their own leg, with `Ends.came_back`.
        """
        answer = await (self._done(line) if talked else self._back(line))
        outcome = "answered" if talked else "unanswered"
        self.edge.metrics.handovers.labels(outcome).inc()
        log.info("handover_over", stream=line.call_id, outcome=outcome)
        return answer

    async def _done(self, line: Line[A]) -> Response:
        self.edge.desk.recollections.forget(line.call_id)
        return await line.answers.hang_up()

    async def _back(self, line: Line[A]) -> Response:
        with suppress(HandoverUnknown, BookingUnavailable):
            await end_handover(
                self.edge.desk.pool, Claim(self.org_id), handover_id=self.handover_id, state="unanswered"
            )
        return await line.comes_back()
