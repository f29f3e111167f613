"""Twilio's webhooks of calls that we placed: answered, the stream over, what became of it, who answers.

Each is a form post to an address of that very attempt, verified before anything is done with it. A call that
the database cannot be asked about is told to come again (503); Twilio then ends it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.placed_calls import AnsweredBy
from gateway.caller import Ends
from gateway.carriers.answers import MEDIA_TYPE, connect_stream, hang_up, say_and_hang_up
from gateway.control.twilio_placing import word_of
from gateway.errors import CarrierRefused
from gateway.placed_address import LEG, PlacedAddress, PlacedAddresses
from gateway.routes.documents import ByDocument
from gateway.routes.edge import edge_of
from gateway.routes.forgeries import require_speaker
from gateway.routes.placed import Leg, named_leg
from gateway.routes.ringing import Line, Opening, asked_again
from gateway.routes.twilio import MEDIA, OVER, STATUS, call_id_in, signed_form
from gateway.settings import Settings
from gateway.tenancy.credentials import TwilioAccount

log = structlog.get_logger("gateway.webhooks")

_AT: Final = "/twilio" + LEG
# Twilio docs, "Answering machine detection: AnsweredBy" (read 2026-11).
_ANSWERED_BY: Final[Mapping[str, AnsweredBy]] = {
    "human": "human",
    "machine_start": "machine",
    "machine_end_beep": "machine",
    "machine_end_silence": "machine",
    "machine_end_other": "machine",
    "fax": "fax",
    "unknown": "unknown",
}


@dataclass(frozen=True, slots=True)
class _Told:
    """A verified webhook of one leg."""

    leg: Leg[TwilioAccount]
    form: Mapping[str, str]

    def line(self) -> Line[TwilioAccount]:
        """The call as one that came in: whoever was called is its caller, the clinic's number was dialled."""
        leg, form = self.leg, self.form
        ends = Ends.told(form.get("To", ""), form.get("From", ""))
        settings = leg.edge.settings
        at = PlacedAddresses(settings.public).of("twilio", leg.org_id, leg.placed_id, leg.attempt)
        return Line(
            edge=leg.edge,
            carrier=leg.carrier,
            answers=ByDocument(MEDIA_TYPE, partial(_connected, settings, at), say_and_hang_up, hang_up),
            signer=leg.signer,
            call_id=leg.call_id,
            ends=Ends(ends.caller, ends.dialled, leg.placed_id),
            dialled=form.get("From", ""),
            is_over=form.get("CallStatus") in OVER,
        )


async def answered(told: _Told) -> Response:
    """Somebody has picked up."""
    if not await told.leg.is_ours("talking"):
        return Response(hang_up(), media_type=MEDIA_TYPE)
    return await told.line().rings()


async def after(told: _Told, attempt: int) -> Response:
    """The stream is over."""
    return await told.line().stream_ended(attempt)


async def status(told: _Told) -> Response:
    """What becomes of the call."""
    word = word_of(told.form.get("CallStatus", ""))
    if word is not None:
        await told.leg.is_ours(word)
    if told.form.get("CallStatus") in OVER:
        await told.leg.over()
    return Response(status_code=204)


async def machine(told: _Told) -> Response:
    """Who has picked up, once Twilio can tell. A machine's greeting is over by then."""
    answered_by = _ANSWERED_BY.get(told.form.get("AnsweredBy", ""))
    leg = told.leg
    message = None if answered_by is None else await leg.message(answered_by)
    if message == "":
        await leg.hang_up()
    elif message is not None:
        await _leave(leg, message)
    return Response(status_code=204)


async def _leave(leg: Leg[TwilioAccount], message: str) -> None:
    """Twilio's own voice says it: the call's stream is over by that."""
    await leg.edge.endings.mark_over(leg.call_id)
    try:
        await leg.edge.carriers.twilio_orders.answer_anew(
            leg.call_id, leg.signer.account, say_and_hang_up(message)
        )
    except (CarrierRefused, OSError, TimeoutError) as error:
        log.warning("message_not_left", stream=leg.call_id, error=type(error).__name__)
        await leg.hang_up()


def _connected(settings: Settings, at: PlacedAddress, opening: Opening) -> str:
    return connect_stream(
        settings.media_url(MEDIA + opening.whose),
        action_url=f"{at.after}?attempt={opening.attempt}",
        status_url=settings.public(STATUS + opening.whose),
        parameters=opening.parameters,
    )


def _endpoint(answer: Callable[[_Told], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await answer(await _told(request))
        except BookingUnavailable as error:
            log.warning("placed_call_unasked", error=type(error).__name__)
            return Response(status_code=503)

    return endpoint


async def _told(request: Request) -> _Told:
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    call_id = call_id_in(signed.fields)
    await require_speaker(request, edge, signed.signer, call_id)
    return _Told(named_leg(request, edge, edge.carriers.twilio, signed.signer, call_id), signed.fields)


async def _after(request: Request) -> Response:
    return await after(await _told(request), asked_again(request.query_params.get("attempt", "0")))


ROUTES = [
    Route(_AT, _endpoint(answered), methods=["POST"]),
    Route(_AT + "/after", _after, methods=["POST"]),
    Route(_AT + "/status", _endpoint(status), methods=["POST"]),
    Route(_AT + "/machine", _endpoint(machine), methods=["POST"]),
]
