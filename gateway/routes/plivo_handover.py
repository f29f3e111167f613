"""Plivo's webhooks of callers who are put through: what the call is to go on with, the person has picked up,
or the caller is back.

Plivo docs, "Transfer a call", "XML: Dial" (read 2026-11). The order names an address, at which Plivo asks
whom to dial. What it plays to the person before they are connected is no talk: `completed` is told of two who
were connected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.handovers import HandoverRules, HandoverState, find_handover, load_handover_rules
from booking.types import Claim
from gateway.caller import Ends
from gateway.carriers.answers import hang_up
from gateway.carriers.plivo_answers import MEDIA_TYPE, connect_stream, put_through, say, say_and_hang_up
from gateway.control.plivo import PlivoControl
from gateway.handover import (
    HANDOVER,
    PUTTING_THROUGH,
    HandoverAddress,
    HandoverOrder,
    handover_address,
    longest_s,
)
from gateway.routes.documents import ByDocument
from gateway.routes.edge import edge_of
from gateway.routes.forms import with_plus
from gateway.routes.handed_forms import HandedForm, HandedForms
from gateway.routes.handed_over import Handed
from gateway.routes.plivo import MEDIA, OVER, STATUS, SignedForm, call_id_in, signed_form
from gateway.routes.ringing import Line, Opening
from gateway.settings import Settings
from gateway.tenancy.credentials import PlivoAccount

log = structlog.get_logger("gateway.webhooks")

_CARRIER: Final = "plivo"
_TALKED: Final = "completed"


@dataclass(frozen=True, slots=True)
class PlivoHandover:
    """Satisfies what `Carrier.hand_over` is: the call goes on with a document that dials the person."""

    control: PlivoControl
    settings: Settings

    async def order(self, call_id: str, account: PlivoAccount, order: HandoverOrder) -> None:
        """Raises as `PlivoControl.hang_up`."""
        at = handover_address(self.settings.public, _CARRIER, order.org_id, order.handover_id)
        await self.control.answer_anew(call_id, account, at.root)


async def dial(request: Request) -> Response:
    """Plivo asks whom to dial, once or again. Who is to be put through no more is back with the agent."""
    told = await _told(request)
    handed, line = told.handed, await told.line_of_speaker(request)
    state, rules = await _stands(handed)
    if state == "answered":
        return await line.answers.hang_up()
    if state != "asked" or rules is None or rules.number is None:
        return await handed.over(line, talked=False)
    at = handover_address(handed.edge.settings.public, _CARRIER, handed.org_id, handed.handover_id)
    document = put_through(
        PUTTING_THROUGH,
        rules.number,
        shown=line.ends.dialled if line.ends.caller is None else None,
        over_url=at.over,
        whisper_url=at.whisper,
        ring_s=rules.ring_s,
        longest_s=longest_s(handed.edge.settings.conversation),
    )
    return Response(document, media_type=MEDIA_TYPE)


async def _stands(handed: Handed[PlivoAccount]) -> tuple[HandoverState | None, HandoverRules | None]:
    """How far the handover is, and to whom it is; None for what is not there, or cannot be told."""
    pool, claim = handed.edge.desk.pool, Claim(handed.org_id)
    try:
        found = await find_handover(pool, claim, handover_id=handed.handover_id)
        return None if found is None else found.state, await load_handover_rules(pool, claim)
    except BookingUnavailable as error:
        log.warning("handover_unasked", error=type(error).__name__)
        return None, None


async def _told(request: Request) -> HandedForm[PlivoAccount]:
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    path = request.path_params
    handed: Handed[PlivoAccount] = Handed(edge, path["org"], path["handover"])
    has_talked = signed.fields.get("DialStatus") == _TALKED
    return HandedForm(handed, signed.signer, partial(_line, handed, signed), has_talked)


def _line(handed: Handed[PlivoAccount], signed: SignedForm) -> Line[PlivoAccount]:
    """Of a call that the clinic placed, the caller is whoever was called."""
    edge, form = handed.edge, signed.fields
    caller, dialled = _ends(form)
    at = handover_address(edge.settings.public, _CARRIER, handed.org_id, handed.handover_id)
    return Line(
        edge=edge,
        carrier=edge.carriers.plivo,
        answers=ByDocument(MEDIA_TYPE, partial(_connected, edge.settings, at), say_and_hang_up, hang_up),
        signer=signed.signer,
        call_id=call_id_in(form),
        ends=replace(Ends.told(caller, dialled), came_back=True),
        dialled=dialled,
        is_over=form.get("CallStatus") in OVER,
    )


def _ends(form: Mapping[str, str]) -> tuple[str, str]:
    from_, to = (with_plus(form.get(name, "")) for name in ("From", "To"))
    return (to, from_) if form.get("Direction") == "outbound" else (from_, to)


def _connected(settings: Settings, at: HandoverAddress, opening: Opening) -> str:
    return connect_stream(
        settings.media_url(MEDIA + opening.whose),
        after_url=f"{at.after}?attempt={opening.attempt}",
        status_url=settings.public(STATUS + opening.whose),
        parameters=opening.parameters,
    )


ROUTES = [
    *HandedForms(_told, MEDIA_TYPE, say, hang_up).routes(_CARRIER),
    Route(f"/{_CARRIER}{HANDOVER}", dial, methods=["POST"]),
]
