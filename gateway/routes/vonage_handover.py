"""Vonage's webhooks of callers who are put through: the person has picked up, is joined, is gone.

The call goes on with a document that dials the person, whose leg's events tell whether anybody answers; an
event that nobody does is answered with the agent again. None of them names the caller's leg: the addresses
do, with both ends sealed for that very call. The person has taken the caller when they have heard the
announcement to its end, which a `notify` behind it tells: one who hangs up in it has not. Without one,
whoever stayed longer than any announcement takes has talked. Vonage may ask for the announcement by GET, of
which only the time is signed: nobody else has its address.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable, HandoverUnknown
from booking.handovers import HandoverState, answer_handover, end_handover, find_handover
from booking.types import Claim
from compliance.vault import Vault
from gateway.caller import PARAMETER, open_ends, seal_ends
from gateway.carriers.vonage import CALL_ID
from gateway.carriers.vonage_answers import MEDIA_TYPE, Dialling, announce, hang_up, put_through
from gateway.control.vonage import VonageControl
from gateway.handover import HANDOVER, PUTTING_THROUGH, HandoverOrder, announced, handover_address
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import require_speaker
from gateway.routes.handed_over import Handed
from gateway.routes.ringing import Line
from gateway.routes.vonage import vonage_line
from gateway.routes.vonage_signed import SignedEvent, call_id_of, signed_event
from gateway.settings import Settings
from gateway.tenancy.credentials import VonageAccount

_AT: Final = "/vonage" + HANDOVER
_NEXT: Final = "/next"
_JOINED: Final = "/joined"
# Vonage docs, "NCCO reference: connect" (read 2026-11): the states whose event may be answered with an NCCO.
_NOBODY: Final = frozenset({"busy", "cancelled", "failed", "rejected", "timeout", "unanswered"})
_ENDED: Final = "completed"
LONGEST_ANNOUNCEMENT_S: Final = 60
"""Of its 600 characters at most, spoken slowly."""


@dataclass(frozen=True, slots=True)
class VonageHandover:
    """Satisfies what `Carrier.hand_over` is."""

    control: VonageControl
    settings: Settings
    vault: Vault

    async def order(self, call_id: str, account: VonageAccount, order: HandoverOrder) -> None:
        """Raises as `VonageControl.hang_up`."""
        at = handover_address(self.settings.public, "vonage", order.org_id, order.handover_id)
        sealed = seal_ends(self.vault, order.org_id, call_id, order.ends)
        whose = urlencode({CALL_ID: call_id, PARAMETER: sealed})
        person = Dialling(
            number=order.number.removeprefix("+"),
            dialled=order.ends.dialled.removeprefix("+"),
            whisper_url=at.whisper,
            over_url=f"{at.over}?{whose}",
            next_url=f"{at.root}{_NEXT}?{whose}",
            ring_s=order.ring_s,
            longest_s=order.longest_s,
        )
        await self.control.answer_anew(call_id, account, put_through(PUTTING_THROUGH, person))


@dataclass(frozen=True, slots=True)
class _Told:
    """A verified webhook of one handover."""

    edge: Edge
    event: SignedEvent
    handed: Handed[VonageAccount]

    @property
    def claim(self) -> Claim:
        return Claim(self.handed.org_id)

    async def state(self) -> HandoverState | None:
        """None if there is no such handover. Raises `BookingUnavailable`."""
        found = await find_handover(self.edge.desk.pool, self.claim, handover_id=self.handed.handover_id)
        return None if found is None else found.state


async def whisper(request: Request) -> Response:
    """The person has picked up, and hears what the caller wants."""
    told = await _told(request)
    handed = told.handed
    summary = None
    with suppress(BookingUnavailable):  # the caller is not kept waiting for that
        found = await find_handover(told.edge.desk.pool, told.claim, handover_id=handed.handover_id)
        if found is None:
            return _document(hang_up())
        summary = found.summary
    at = handover_address(told.edge.settings.public, "vonage", handed.org_id, handed.handover_id)
    return _document(announce(announced(summary), joined_url=at.root + _JOINED))


async def joined(request: Request) -> Response:
    """The person has heard it, and is joined to the caller now. Told again later if it cannot be put down."""
    told = await _told(request)
    try:
        await answer_handover(told.edge.desk.pool, told.claim, handover_id=told.handed.handover_id)
    except HandoverUnknown:
        return Response(status_code=204)
    except BookingUnavailable:
        return Response(status_code=503)
    return Response(status_code=204)


async def over(request: Request) -> Response:
    """What becomes of the person's leg: whether there was one, or that it has ended."""
    told = await _told(request)
    line = await _line(request, told)
    status = told.event.told.status
    if status in _NOBODY:
        return await told.handed.over(line, talked=False)
    if status != _ENDED:
        return Response(status_code=204)
    has_talked = await _has_talked(told)
    return (
        Response(status_code=204) if has_talked is None else await told.handed.over(line, talked=has_talked)
    )


async def following(request: Request) -> Response:
    """The person's leg is over, and the caller still there: those who have talked are done."""
    told = await _told(request)
    line = await _line(request, told)
    with suppress(BookingUnavailable):
        if await told.state() in ("answered", None):
            return await line.answers.hang_up()
        with suppress(HandoverUnknown):
            await end_handover(
                told.edge.desk.pool, told.claim, handover_id=told.handed.handover_id, state="unanswered"
            )
    return await line.comes_back()


async def _has_talked(told: _Told) -> bool | None:
    """Of a leg that was answered and has ended. None if all is decided already, or there is nothing to be."""
    stayed = told.event.duration_s > LONGEST_ANNOUNCEMENT_S
    try:
        state = await told.state()
    except BookingUnavailable:
        return stayed
    if state == "asked" and stayed:
        await _answered_late(told)
    return {"answered": True, "asked": stayed}.get(state or "")


async def _answered_late(told: _Told) -> None:
    with suppress(BookingUnavailable, HandoverUnknown):
        await answer_handover(told.edge.desk.pool, told.claim, handover_id=told.handed.handover_id)


async def _line(request: Request, told: _Told) -> Line[VonageAccount]:
    """The caller's own leg, as our address names it."""
    edge, query = told.edge, request.query_params
    call_id = call_id_of(query.get(CALL_ID))
    await require_speaker(request, edge, told.event.signer, call_id)
    ends = open_ends(edge.desk.vault, told.handed.org_id, call_id, query.get(PARAMETER, ""))
    ends = replace(ends, placed_id=None, came_back=True)
    return vonage_line(edge, told.event.signer, call_id, ends)


async def _told(request: Request) -> _Told:
    edge = edge_of(request)
    event = await signed_event(request, edge)
    path = request.path_params
    return _Told(edge, event, Handed(edge, path["org"], path["handover"]))


def _document(text: str) -> Response:
    return Response(text, media_type=MEDIA_TYPE)


ROUTES = [
    Route(_AT + "/whisper", whisper, methods=["GET", "POST"]),
    Route(_AT + _JOINED, joined, methods=["POST"]),
    Route(_AT + "/over", over, methods=["POST"]),
    Route(_AT + _NEXT, following, methods=["POST"]),
]
