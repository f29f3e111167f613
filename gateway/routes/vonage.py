"""Vonage's webhooks: what to do with a call, what to do when its stream is lost, that it has ended.

Each is JSON, signed as a whole; of a GET nothing but its time is signed, so all must come by POST. The
application at Vonage has `/vonage/voice` as its answer address and `/vonage/event` as its event address. The
events of the socket's own leg come to `/vonage/after/` and the org's id; what names the call in them are the
headers that we put into the answer, which come back with the signed body. Whatever becomes of that event, a
call that comes to the end of its document is told of at `/vonage/left/`.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.handovers import is_being_handed_over
from booking.placed_calls import find_placed_call
from booking.types import Claim
from gateway.caller import PARAMETER, Ends, open_ends
from gateway.carriers.vonage import CALL_ID, FRAME_MS, VonageCodec
from gateway.carriers.vonage_answers import MEDIA_TYPE, connect_stream, hang_up, say_and_hang_up
from gateway.carriers.vonage_signature import vonage_signer
from gateway.pace import Pace
from gateway.placing import longest_call_s
from gateway.routes.documents import ByDocument
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import require_speaker
from gateway.routes.media import Door
from gateway.routes.ringing import Line, Opening, asked_again, call_over
from gateway.routes.vonage_signed import call_id_of, signed_event
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import VonageAccount

MEDIA: Final = "/vonage/media"
AFTER: Final = "/vonage/after"
LEFT: Final = "/vonage/left"
_ATTEMPT: Final = "attempt"
LEAD_S: Final = 4.0
"""How far ahead of playing audio is sent, a fifth of what Vonage holds. A shorter stall is not heard."""

# Vonage docs, "Webhook reference" (read 2026-11).
OVER: Final = frozenset({"completed", "busy", "cancelled", "failed", "rejected", "timeout", "unanswered"})
# The same, "WebSockets: fallback options". What a leg is told of otherwise needs no answer.
_STREAM_LOST: Final = frozenset(
    {"disconnected", "busy", "cancelled", "failed", "rejected", "timeout", "unanswered"}
)


async def voice(request: Request) -> Response:
    """A call rings."""
    edge = edge_of(request)
    event = await signed_event(request, edge)
    ends = Ends.told(event.caller, event.dialled)
    return await vonage_line(edge, event.signer, call_id_of(event.told.uuid), ends).rings()


async def after(request: Request) -> Response:
    """What becomes of the socket's leg: if it is lost, what is to be done with the call, unless that goes on
    without it.
    """
    edge = edge_of(request)
    event = await signed_event(request, edge)
    if event.told.status not in _STREAM_LOST:
        return Response(status_code=204)
    call_id = call_id_of(event.header(CALL_ID))
    await require_speaker(request, edge, event.signer, call_id)
    org_id: UUID = request.path_params["org"]
    ends = open_ends(edge.desk.vault, org_id, call_id, event.header(PARAMETER))
    if await _goes_on_without(edge, Claim(org_id), call_id, ends):
        return Response(status_code=204)
    line = vonage_line(edge, event.signer, call_id, ends)
    return await line.stream_ended(asked_again(event.header(_ATTEMPT)))


async def left(request: Request) -> Response:
    """The call has come to the end of the document that opened its stream: it was given no other, neither by
    REST nor in the answer to the event of that stream's end. So the stream was lost, whatever was to come.
    """
    edge = edge_of(request)
    event = await signed_event(request, edge)
    told = request.query_params
    call_id = call_id_of(told.get(CALL_ID))
    await require_speaker(request, edge, event.signer, call_id)
    ends = open_ends(edge.desk.vault, request.path_params["org"], call_id, told.get(PARAMETER, ""))
    return await vonage_line(edge, event.signer, call_id, ends).stream_ended(
        asked_again(told.get(_ATTEMPT, ""))
    )


async def call_event(request: Request) -> Response:
    """What becomes of a call. Its end ends it here too, whatever became of its socket."""
    edge = edge_of(request)
    event = await signed_event(request, edge)
    if event.told.uuid is None:  # an error in an answer of ours, or a kind of event that is of no one call
        return Response(status_code=204)
    call_id = call_id_of(event.told.uuid)
    await require_speaker(request, edge, event.signer, call_id)
    if event.told.status in OVER:
        await call_over(edge, call_id)
    return Response(status_code=204)


async def _goes_on_without(edge: Edge, claim: Claim, call_id: str, ends: Ends) -> bool:
    """Whether a document that was given by REST has taken the stream's place: any that is answered here would
    take that one's.
    """
    pool = edge.desk.pool
    with suppress(BookingUnavailable):
        if await is_being_handed_over(pool, claim, carrier="vonage", carrier_call_id=call_id):
            return True
        if ends.placed_id is not None:
            placed = await find_placed_call(pool, claim, placed_id=ends.placed_id)
            return placed is not None and placed.answered_by == "machine"
    return False


def vonage_line(
    edge: Edge, signer: Signer[VonageAccount], call_id: str, ends: Ends, *, is_over: bool = False
) -> Line[VonageAccount]:
    """One call, whichever webhook tells of it: it is answered with documents."""
    opened = partial(_connected, edge, call_id, ends.dialled)
    return Line(
        edge=edge,
        carrier=edge.carriers.vonage,
        answers=ByDocument(MEDIA_TYPE, opened, say_and_hang_up, hang_up),
        signer=signer,
        call_id=call_id,
        ends=ends,
        dialled=ends.dialled,
        is_over=is_over,
    )


def _connected(edge: Edge, call_id: str, dialled: str, opening: Opening) -> str:
    ours: Mapping[str, str] = {
        CALL_ID: call_id,
        _ATTEMPT: str(opening.attempt),
        **opening.parameters,
    }
    whose = {CALL_ID: call_id, _ATTEMPT: str(opening.attempt), PARAMETER: opening.parameters[PARAMETER]}
    return connect_stream(
        edge.settings.media_url(MEDIA + opening.whose),
        event_url=edge.settings.public(f"{AFTER}/{opening.org_id}"),
        left_url=edge.settings.public(f"{LEFT}/{opening.org_id}?{urlencode(whose)}"),
        dialled=dialled.removeprefix("+"),
        headers=ours,
        longest_s=longest_call_s(edge.settings),
    )


def _upgrade_signed(account: VonageAccount, _url: str, headers: Headers) -> bool:
    """Neither its address nor a body is signed: the token of the first frame says whose call it is."""
    authorization = headers.get("authorization", "")
    signer = vonage_signer(account.signature_secret, authorization, None, now_s=time.time())
    return signer is not None and signer.application_id in ("", account.application_id)


def _pace() -> Pace:
    return Pace(FRAME_MS / 1000, LEAD_S)


ROUTES = [
    Route("/vonage/voice", voice, methods=["POST"]),
    Route("/vonage/event", call_event, methods=["POST"]),
    Route(AFTER + "/{org:uuid}", after, methods=["POST"]),
    Route(LEFT + "/{org:uuid}", left, methods=["POST"]),
    *Door(MEDIA, lambda edge: edge.carriers.vonage, VonageCodec, _upgrade_signed, _pace).routes(),
]
