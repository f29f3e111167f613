"""Vonage's webhooks of calls that we placed: answered, what becomes of it, who answers.

Each is JSON, signed as a whole, to an address of that very attempt; what becomes of the stream comes where
the streams of all calls do. A machine is told of when it is known for one, and again at its beep or when none
has come (`sub_state`): one that is left nothing is hung up at the first, a message waits for the second.
"""

from contextlib import suppress

from starlette.requests import Request

from booking.placed_calls import AnsweredBy
from gateway.caller import Ends
from gateway.carriers.vonage_answers import say
from gateway.control.vonage_placing import word_of
from gateway.errors import OrgUnavailable
from gateway.routes.edge import edge_of
from gateway.routes.forgeries import require_speaker
from gateway.routes.placed import Leg, named_leg
from gateway.routes.placed_forms import PlacedForm, PlacedForms
from gateway.routes.ringing import Line
from gateway.routes.vonage import OVER, vonage_line
from gateway.routes.vonage_signed import SignedEvent, call_id_of, signed_event
from gateway.tenancy.credentials import VonageAccount


async def _told(request: Request) -> PlacedForm[VonageAccount]:
    edge = edge_of(request)
    event = await signed_event(request, edge)
    call_id = call_id_of(event.told.uuid or event.told.call_uuid)
    await require_speaker(request, edge, event.signer, call_id)
    leg = named_leg(request, edge, edge.carriers.vonage, event.signer, call_id)
    word = word_of(event.told.status or "")
    return PlacedForm(leg, await _line(leg, event), word, await _answered_by(leg, event))


async def _line(leg: Leg[VonageAccount], event: SignedEvent) -> Line[VonageAccount]:
    clinics, called = event.caller, event.dialled
    if event.told.status is None and await _is_turned_round(leg, clinics, called):
        clinics, called = called, clinics
    ends = Ends.told(called, clinics)
    ends = Ends(ends.caller, ends.dialled, leg.placed_id)
    return vonage_line(leg.edge, leg.signer, leg.call_id, ends, is_over=event.told.status in OVER)


async def _is_turned_round(leg: Leg[VonageAccount], clinics: str, called: str) -> bool:
    """Vonage's documentation says both of what the answer address is told: that `from` is the clinic's
    number, and that it is who is called.
    """
    numbers = leg.edge.desk.numbers
    with suppress(OrgUnavailable):
        return await numbers.get(clinics) != leg.org_id and await numbers.get(called) == leg.org_id
    return False


async def _answered_by(leg: Leg[VonageAccount], event: SignedEvent) -> AnsweredBy | None:
    """None as long as a machine's greeting is waited for. Raises `BookingUnavailable`."""
    told = event.told
    if told.status == "human":
        return "human"
    if told.status != "machine":
        return None
    waits = not told.sub_state and await leg.spoken_message() != ""
    return None if waits else "machine"


async def _leave(leg: Leg[VonageAccount], message: str) -> None:
    """Vonage's own voice says it. The stream stays open at Vonage, and is closed from here."""
    orders = leg.edge.carriers.vonage_orders
    await orders.answer_anew(leg.call_id, leg.signer.account, [say(message)])
    await leg.over()


ROUTES = PlacedForms(_told, _leave).routes_of_events("vonage")
