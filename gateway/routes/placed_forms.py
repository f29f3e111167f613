"""Calls that we placed over a carrier that tells of them by signed forms, and is answered by documents.

Each form is posted to an address of that very attempt. A call that the database cannot be asked about is told
to come again (503).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.placed_calls import AnsweredBy, CarrierWord
from gateway.errors import CarrierRefused
from gateway.placed_address import LEG
from gateway.routes.placed import Leg
from gateway.routes.ringing import Line, asked_again
from gateway.tenancy.accounts import A

log = structlog.get_logger("gateway.webhooks")


@dataclass(frozen=True, slots=True)
class PlacedForm(Generic[A]):
    """A verified form of one leg. `line`: the call as one that came in, whoever was called as its caller;
    `word`: what has become of it; `answered_by`: by whom, once the carrier can tell.
    """

    leg: Leg[A]
    line: Line[A]
    word: CarrierWord | None
    answered_by: AnsweredBy | None


@dataclass(frozen=True, slots=True)
class PlacedForms(Generic[A]):
    """One carrier's. `told` raises for what is not signed, or no form of a call. `leave` has the carrier's
    own voice leave words on a machine, and may raise as `Carrier.hang_up`. `waits`: of a carrier that carries
    orders out later, the answer to a call whose stream is over by one, None for any other.
    """

    told: Callable[[Request], Awaitable[PlacedForm[A]]]
    leave: Callable[[Leg[A], str], Awaitable[None]]
    waits: Callable[[PlacedForm[A], Request], Awaitable[Response | None]] | None = None

    def routes(self, carrier: str) -> list[Route]:
        """`carrier`: its name, as it is in `PlacedAddresses`."""
        at = f"/{carrier}{LEG}"
        return [
            Route(at, self._endpoint(_answered), methods=["POST"]),
            Route(at + "/after", self._after, methods=["POST"]),
            Route(at + "/status", self._endpoint(_status), methods=["POST"]),
            Route(at + "/machine", self._endpoint(self._machine), methods=["POST"]),
        ]

    def routes_of_events(self, carrier: str) -> list[Route]:
        """Of one that tells all of a call at one address, and of streams elsewhere."""
        at = f"/{carrier}{LEG}"
        return [
            Route(at, self._endpoint(_answered), methods=["POST"]),
            Route(at + "/status", self._endpoint(self._event), methods=["POST"]),
        ]

    async def _event(self, told: PlacedForm[A]) -> Response:
        await _status(told)
        return await self._machine(told)

    async def _after(self, request: Request) -> Response:
        """The stream is over."""
        told = await self.told(request)
        if self.waits is not None and (waiting := await self.waits(told, request)) is not None:
            return waiting
        return await told.line.stream_ended(asked_again(request.query_params.get("attempt", "0")))

    async def _machine(self, told: PlacedForm[A]) -> Response:
        """Who has picked up."""
        leg = told.leg
        message = None if told.answered_by is None else await leg.message(told.answered_by)
        if message == "":
            await leg.hang_up()
        elif message is not None:
            await self._leave(leg, message)
        return Response(status_code=204)

    async def _leave(self, leg: Leg[A], message: str) -> None:
        """The call's stream is over by that."""
        await leg.edge.endings.mark_over(leg.call_id)
        try:
            await self.leave(leg, message)
        except (CarrierRefused, OSError, TimeoutError) as error:
            log.warning("message_not_left", stream=leg.call_id, error=type(error).__name__)
            await leg.hang_up()

    def _endpoint(
        self, answer: Callable[[PlacedForm[A]], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return await answer(await self.told(request))
            except BookingUnavailable as error:
                log.warning("placed_call_unasked", error=type(error).__name__)
                return Response(status_code=503)

        return endpoint


async def _answered(told: PlacedForm[A]) -> Response:
    """Somebody has picked up."""
    if not await told.leg.is_ours("talking"):
        return await told.line.answers.hang_up()
    return await told.line.rings()


async def _status(told: PlacedForm[A]) -> Response:
    """What becomes of the call."""
    if told.word is not None:
        await told.leg.is_ours(told.word)
    if told.line.is_over:
        await told.leg.over()
    return Response(status_code=204)
