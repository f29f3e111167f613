"""Plivo's webhooks of calls that we placed.

Plivo docs, "Make an outbound call", "Asynchronous machine detection" (read 2026-11). Whether a person answers
is told of machines alone for certain; a machine is told of before its greeting is over.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.placed_calls import AnsweredBy
from gateway.caller import Ends
from gateway.carriers.answers import hang_up
from gateway.carriers.plivo_answers import MEDIA_TYPE, connect_stream, leave_message, say_and_hang_up
from gateway.control.plivo_placing import word_of
from gateway.placed_address import LEG, PlacedAddress, PlacedAddresses
from gateway.routes.documents import ByDocument
from gateway.routes.edge import edge_of
from gateway.routes.forgeries import require_speaker
from gateway.routes.forms import with_plus
from gateway.routes.placed import Leg, named_leg
from gateway.routes.placed_forms import PlacedForm, PlacedForms
from gateway.routes.plivo import MEDIA, OVER, STATUS, call_id_in, held, is_put_through, signed_form
from gateway.routes.ringing import Line, Opening
from gateway.settings import Settings
from gateway.tenancy.credentials import PlivoAccount

log = structlog.get_logger("gateway.webhooks")

_ANSWERED_BY: Final[Mapping[str, AnsweredBy]] = {"true": "machine", "false": "human"}


async def message(request: Request) -> Response:
    """What is left on a machine that has answered."""
    told = await _told(request)
    try:
        sentence = await told.leg.spoken_message()
    except BookingUnavailable as error:  # the machine is not kept waiting for that
        log.warning("message_not_left", stream=told.leg.call_id, error=type(error).__name__)
        sentence = ""
    return Response(leave_message(sentence) if sentence else hang_up(), media_type=MEDIA_TYPE)


async def _told(request: Request) -> PlacedForm[PlivoAccount]:
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    call_id = call_id_in(form)
    await require_speaker(request, edge, signed.signer, call_id)
    leg = named_leg(request, edge, edge.carriers.plivo, signed.signer, call_id)
    word = word_of(form.get("CallStatus", ""), form.get("HangupCauseCode", "")[:8])
    return PlacedForm(leg, _line(leg, form), word, _ANSWERED_BY.get(form.get("Machine", "").lower()))


def _line(leg: Leg[PlivoAccount], form: Mapping[str, str]) -> Line[PlivoAccount]:
    settings = leg.edge.settings
    called, clinics = (with_plus(form.get(name, "")) for name in ("To", "From"))
    ends = Ends.told(called, clinics)
    opened = partial(_connected, settings, _address(leg))
    return Line(
        edge=leg.edge,
        carrier=leg.carrier,
        answers=ByDocument(MEDIA_TYPE, opened, say_and_hang_up, hang_up),
        signer=leg.signer,
        call_id=leg.call_id,
        ends=Ends(ends.caller, ends.dialled, leg.placed_id),
        dialled=clinics,
        is_over=form.get("CallStatus") in OVER,
    )


async def _leave(leg: Leg[PlivoAccount], _message: str) -> None:
    """Plivo asks for the words, and says them behind the beep. The stream is closed from here: whether it
    outlives a transfer Plivo does not say.
    """
    orders = leg.edge.carriers.plivo_orders
    await orders.answer_anew(leg.call_id, leg.signer.account, _address(leg).message)
    await leg.over()


async def _waits(told: PlacedForm[PlivoAccount], request: Request) -> Response | None:
    """An order that Plivo has taken may be carried out after the stream's end."""
    leg = told.leg
    is_elsewhere = await is_put_through(told.line, leg.org_id)
    with suppress(BookingUnavailable):
        is_elsewhere = is_elsewhere or await leg.is_a_machines()
    return held(_address(leg).after, request) if is_elsewhere and not told.line.is_over else None


def _address(leg: Leg[PlivoAccount]) -> PlacedAddress:
    public = leg.edge.settings.public
    return PlacedAddresses(public).of("plivo", leg.org_id, leg.placed_id, leg.attempt)


def _connected(settings: Settings, at: PlacedAddress, opening: Opening) -> str:
    return connect_stream(
        settings.media_url(MEDIA + opening.whose),
        after_url=f"{at.after}?attempt={opening.attempt}",
        status_url=settings.public(STATUS + opening.whose),
        parameters=opening.parameters,
    )


ROUTES = [
    *PlacedForms(_told, _leave, _waits).routes("plivo"),
    Route(f"/plivo{LEG}/message", message, methods=["POST"]),
]
