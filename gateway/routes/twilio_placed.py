"""Twilio's webhooks of calls that we placed. It ends a call whose webhook is answered with 503."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from starlette.requests import Request

from booking.placed_calls import AnsweredBy
from gateway.caller import Ends
from gateway.carriers.answers import MEDIA_TYPE, connect_stream, hang_up, say_and_hang_up
from gateway.control.twilio_placing import word_of
from gateway.placed_address import PlacedAddress, PlacedAddresses
from gateway.routes.documents import ByDocument
from gateway.routes.edge import edge_of
from gateway.routes.forgeries import require_speaker
from gateway.routes.placed import Leg, named_leg
from gateway.routes.placed_forms import PlacedForm, PlacedForms
from gateway.routes.ringing import Line, Opening
from gateway.routes.twilio import MEDIA, OVER, STATUS, call_id_in, signed_form
from gateway.settings import Settings
from gateway.tenancy.credentials import TwilioAccount

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


async def _told(request: Request) -> PlacedForm[TwilioAccount]:
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    call_id = call_id_in(form)
    await require_speaker(request, edge, signed.signer, call_id)
    leg = named_leg(request, edge, edge.carriers.twilio, signed.signer, call_id)
    word, answered_by = word_of(form.get("CallStatus", "")), _ANSWERED_BY.get(form.get("AnsweredBy", ""))
    return PlacedForm(leg, _line(leg, form), word, answered_by)


def _line(leg: Leg[TwilioAccount], form: Mapping[str, str]) -> Line[TwilioAccount]:
    settings = leg.edge.settings
    ends = Ends.told(form.get("To", ""), form.get("From", ""))
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


async def _leave(leg: Leg[TwilioAccount], message: str) -> None:
    """The machine's greeting is over when Twilio tells of it."""
    orders = leg.edge.carriers.twilio_orders
    await orders.answer_anew(leg.call_id, leg.signer.account, say_and_hang_up(message))


def _connected(settings: Settings, at: PlacedAddress, opening: Opening) -> str:
    return connect_stream(
        settings.media_url(MEDIA + opening.whose),
        action_url=f"{at.after}?attempt={opening.attempt}",
        status_url=settings.public(STATUS + opening.whose),
        parameters=opening.parameters,
    )


ROUTES = PlacedForms(_told, _leave).routes("twilio")
