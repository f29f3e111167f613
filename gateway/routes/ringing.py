"""What is decided of a call that rings or has lost its stream, whichever carrier brings it.

The carriers differ in how they are answered alone: each gives its `Answers`.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol
from uuid import UUID

import structlog
from starlette.responses import Response

from booking.values import E164
from gateway.call import CALLER_HUNG_UP, Call
from gateway.caller import PARAMETER, Ends, seal_ends
from gateway.errors import OrgUnavailable
from gateway.routes.edge import Carrier, Edge
from gateway.tenancy.accounts import A, Signer

log = structlog.get_logger("gateway.webhooks")

NOT_IN_SERVICE: Final = "I'm sorry, this number is not in service. Goodbye."
LINES_BUSY: Final = (
    "I'm sorry, all our lines are busy at the moment. Please call again in a few minutes. Goodbye."
)
CANNOT_CONNECT: Final = "I'm sorry, we cannot take your call at the moment. Please try again later. Goodbye."


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens the media socket. `whose`: "" or "/" and the org's id, for an org with its own account;
    `attempt`: how often the stream was asked for again.
    """

    parameters: Mapping[str, str]
    whose: str
    attempt: int
    org_id: UUID


class Answers(Protocol):
    """How one call's carrier is answered: by a document, or by orders over REST and an empty answer."""

    async def connect(self, opening: Opening) -> Response: ...

    async def say_and_hang_up(self, sentence: str) -> Response: ...

    async def hang_up(self) -> Response: ...


@dataclass(frozen=True, slots=True)
class Line(Generic[A]):
    """One call as its carrier's signed webhook tells of it. `is_over`: the carrier says that it has ended."""

    edge: Edge
    carrier: Carrier[A]
    answers: Answers
    signer: Signer[A]
    call_id: str
    ends: Ends
    dialled: str
    is_over: bool

    async def rings(self) -> Response:
        """Connect it to its media socket, or say why not."""
        edge = self.edge
        if await edge.endings.is_over(self.call_id):  # replayed: the signature does not age
            return self._refused("call_over", await self.answers.hang_up())
        if edge.calls.draining:
            return self._refused("draining", Response(status_code=503, headers={"Retry-After": "0"}))
        if not E164.fullmatch(self.dialled) and edge.settings.default_org is None:
            return await self._said("unknown_number", NOT_IN_SERVICE)
        if edge.calls.is_full and self.call_id not in edge.calls:
            return await self._said("max_calls", LINES_BUSY)
        return await self._connected(attempt=0, rings=True)

    async def stream_ended(self, attempt: int) -> Response:
        """Hang up if that was meant, else ask for the stream again, a bounded number of times.

        `attempt`: how often it has been asked for again.
        """
        edge = self.edge
        if self.is_over or await edge.endings.is_over(self.call_id):
            return await self.answers.hang_up()
        if attempt >= edge.settings.limits.reconnect_attempts:
            return await self._said("reconnects_used_up", CANNOT_CONNECT)
        log.warning("stream_lost", stream=self.call_id, attempt=attempt + 1)
        return await self._connected(attempt=attempt + 1)

    async def comes_back(self) -> Response:
        """From whoever it was handed over to, or was to be."""
        if self.is_over or await self.edge.endings.is_over(self.call_id):
            return await self.answers.hang_up()
        return await self._connected(attempt=0)

    async def _connected(self, *, attempt: int, rings: bool = False) -> Response:
        """The document that opens the media socket, once the org is known: the token names it."""
        edge = self.edge
        owner = edge.calls.org_of(self.call_id)
        if owner is not None and not self.signer.speaks_for(owner):
            return await self._foreign()
        call = edge.calls.expect(self.carrier.name, self.call_id, self.ends, rings=rings)
        try:
            async with asyncio.timeout(edge.settings.waits.webhook_s):
                office = await call.office()
        except (OrgUnavailable, TimeoutError):
            return await self._abandoned(call, "org_unavailable", CANNOT_CONNECT)
        if office is None:
            return await self._abandoned(call, "unknown_number", NOT_IN_SERVICE)
        org_id = office.profile.org_id
        if not self.signer.speaks_for(org_id):
            return await self._foreign()
        parameters = {
            "token": edge.admission.issue(self.call_id, org_id),
            PARAMETER: seal_ends(edge.desk.vault, org_id, self.call_id, self.ends),
        }
        whose = "" if self.carrier.accounts.own(office.keys) is None else f"/{org_id}"
        return await self.answers.connect(Opening(parameters, whose, attempt, org_id))

    async def _foreign(self) -> Response:
        """Another org's account names a call that is not its own."""
        await self.edge.refusals.record(self.signer.org_id, "webhook_refused", "webhook")
        return self._refused("foreign_call", Response(status_code=403))

    async def _abandoned(self, call: Call, reason: str, sentence: str) -> Response:
        call.abandon()
        return await self._said(reason, sentence)

    async def _said(self, reason: str, sentence: str) -> Response:
        return self._refused(reason, await self.answers.say_and_hang_up(sentence))

    def _refused(self, reason: str, response: Response) -> Response:
        self.edge.metrics.refused.labels(reason).inc()
        log.warning("call_refused", reason=reason)
        return response


async def call_over(edge: Edge, call_id: str) -> None:
    """The carrier says that the call has ended, whatever became of its socket."""
    await edge.endings.mark_over(call_id)
    edge.desk.recollections.forget(call_id)
    edge.calls.line_closed(call_id, CALLER_HUNG_UP)


def asked_again(text: str) -> int:
    """How often the stream was asked for again, as we told the carrier and it tells us, signed."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
