"""Twilio's webhooks of callers who are put through: the person has picked up, or the caller is back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from starlette.requests import Request

from gateway.caller import Ends
from gateway.carriers.answers import (
    MEDIA_TYPE,
    connect_stream,
    hang_up,
    put_through,
    say,
    say_and_hang_up,
)
from gateway.control.twilio import TwilioControl
from gateway.handover import PUTTING_THROUGH, HandoverAddress, HandoverOrder, handover_address
from gateway.routes.documents import ByDocument
from gateway.routes.edge import edge_of
from gateway.routes.handed_forms import HandedForm, HandedForms
from gateway.routes.handed_over import Handed
from gateway.routes.ringing import Line, Opening
from gateway.routes.twilio import MEDIA, OVER, STATUS, SignedForm, call_id_in, signed_form
from gateway.settings import Settings
from gateway.tenancy.credentials import TwilioAccount

# Twilio docs, "TwiML <Dial>: DialCallStatus" (read 2026-11): whoever was dialled has talked with the caller.
_TALKED: Final = frozenset({"completed", "answered"})


@dataclass(frozen=True, slots=True)
class TwilioHandover:
    """Satisfies what `Carrier.hand_over` is: the call goes on with a document that dials the person."""

    control: TwilioControl
    settings: Settings

    async def order(self, call_id: str, account: TwilioAccount, order: HandoverOrder) -> None:
        """Raises as `TwilioControl.hang_up`."""
        at = handover_address(self.settings.public, "twilio", order.org_id, order.handover_id)
        document = put_through(
            PUTTING_THROUGH,
            order.number,
            over_url=at.over,
            whisper_url=at.whisper,
            ring_s=order.ring_s,
            longest_s=order.longest_s,
        )
        await self.control.answer_anew(call_id, account, document)


async def _told(request: Request) -> HandedForm[TwilioAccount]:
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    path = request.path_params
    handed: Handed[TwilioAccount] = Handed(edge, path["org"], path["handover"])
    return HandedForm(handed, signed.signer, partial(_line, handed, signed), _has_talked(signed.fields))


def _has_talked(form: Mapping[str, str]) -> bool:
    """Twilio's word counts: whoever picks up may hang up before they have talked with the caller."""
    return form.get("DialCallStatus") in _TALKED and form.get("DialBridged") != "false"


def _line(handed: Handed[TwilioAccount], signed: SignedForm) -> Line[TwilioAccount]:
    """Of a call that the clinic placed, the caller is whoever was called."""
    edge, form = handed.edge, signed.fields
    is_placed = form.get("Direction", "").startswith("outbound")
    caller, dialled = (form.get(name, "") for name in (("To", "From") if is_placed else ("From", "To")))
    at = handover_address(edge.settings.public, "twilio", handed.org_id, handed.handover_id)
    return Line(
        edge=edge,
        carrier=edge.carriers.twilio,
        answers=ByDocument(MEDIA_TYPE, partial(_connected, edge.settings, at), say_and_hang_up, hang_up),
        signer=signed.signer,
        call_id=call_id_in(form),
        ends=replace(Ends.told(caller, dialled), came_back=True),
        dialled=dialled,
        is_over=form.get("CallStatus") in OVER,
    )


def _connected(settings: Settings, at: HandoverAddress, opening: Opening) -> str:
    return connect_stream(
        settings.media_url(MEDIA + opening.whose),
        action_url=f"{at.after}?attempt={opening.attempt}",
        status_url=settings.public(STATUS + opening.whose),
        parameters=opening.parameters,
    )


ROUTES = HandedForms(_told, MEDIA_TYPE, say, hang_up).routes("twilio")
