"""Plivo's webhooks: what to do with a call, what to do after its stream, that it has ended.

Each is a form post with a signature of version 3. The application at Plivo has `/plivo/voice` as its answer
address and `/plivo/hangup` as its hang-up address, both by POST.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.handovers import is_being_handed_over
from booking.types import Claim
from gateway.caller import Ends
from gateway.carriers.answers import hang_up
from gateway.carriers.plivo import PlivoCodec
from gateway.carriers.plivo_answers import MEDIA_TYPE, connect_stream, hold, say_and_hang_up
from gateway.carriers.plivo_signature import (
    NONCE_HEADER,
    SIGNATURE_HEADER,
    plivo_signed,
    plivo_signed_upgrade,
)
from gateway.errors import OrgUnavailable
from gateway.routes.documents import ByDocument
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import org_told, require_speaker, signer_of
from gateway.routes.forms import form_fields, public_url, with_plus
from gateway.routes.media import Door
from gateway.routes.ringing import Line, Opening, asked_again, call_over
from gateway.settings import Settings
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import PlivoAccount

log = structlog.get_logger("gateway.webhooks")

MEDIA: Final = "/plivo/media"
AFTER: Final = "/plivo/after"
STATUS: Final = "/plivo/status"

# Plivo docs, "Call object: call status" (read 2026-11).
OVER: Final = frozenset({"completed", "busy", "failed", "timeout", "no-answer", "cancel"})
_MOST_WAITS: Final = 2
_CALL_ID: Final = re.compile(r"[0-9A-Za-z\-]{1,64}")


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A form, and the account that signed it."""

    fields: Mapping[str, str]
    signer: Signer[PlivoAccount]


async def voice(request: Request) -> Response:
    """A call rings."""
    return await (await _line(request)).rings()


async def after(request: Request) -> Response:
    """The stream is over. A call of which Plivo has an order, not yet carried out, waits for that."""
    line = await _line(request)
    if (waiting := await _waits(line, request)) is not None:
        return waiting
    return await line.stream_ended(asked_again(request.query_params.get("attempt", "0")))


async def _waits(line: Line[PlivoAccount], request: Request) -> Response | None:
    edge = line.edge
    with suppress(OrgUnavailable):
        org_id = await edge.desk.numbers.get(line.dialled)
        if org_id is None or line.is_over or not line.signer.speaks_for(org_id):
            return None
        if await is_put_through(line, org_id):
            return held(edge.settings.public(AFTER), request)
    return None


async def is_put_through(line: Line[PlivoAccount], org_id: UUID) -> bool:
    """Whether the call rings at a person's, or is about to. Never raises."""
    with suppress(BookingUnavailable):
        return await is_being_handed_over(
            line.edge.desk.pool, Claim(org_id), carrier=line.carrier.name, carrier_call_id=line.call_id
        )
    return False


def held(after_url: str, request: Request) -> Response | None:
    """The call waits for what Plivo has been ordered, and asks again; None if it has waited for long."""
    attempt, waited = (asked_again(request.query_params.get(name, "0")) for name in ("attempt", "waited"))
    if waited >= _MOST_WAITS:
        return None
    again = f"{after_url}?attempt={attempt}&waited={waited + 1}"
    return Response(hold(again), media_type=MEDIA_TYPE)


async def hangup(request: Request) -> Response:
    """The call has ended, whatever became of its socket."""
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    call_id = call_id_in(signed.fields)
    await require_speaker(request, edge, signed.signer, call_id)
    await call_over(edge, call_id)
    return Response(status_code=204)


async def status(request: Request) -> Response:
    """What becomes of a stream. Audio that Plivo had to drop is told; the rest the socket tells itself."""
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    call_id = call_id_in(signed.fields)
    await require_speaker(request, edge, signed.signer, call_id)
    if signed.fields.get("Event") in ("DegradedStream", "DroppedStream"):
        edge.metrics.refused.labels("stream_error").inc()
        log.warning("stream_error", stream=call_id)
    return Response(status_code=204)


async def signed_form(request: Request, edge: Edge) -> SignedForm:
    """Raises 403 unless the org's account signed it, 400, 408 or 413 for what is no reasonable form."""
    pairs = await form_fields(request, edge)
    form = dict(pairs)
    url, headers = public_url(request, edge), request.headers

    def is_signed_by(account: PlivoAccount) -> bool:
        nonce, signatures = headers.get(NONCE_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
        return plivo_signed(account.auth_token, url, nonce, signatures, pairs)

    told = partial(org_told, request, edge, with_plus(form.get("To", "")), form.get("CallUUID", ""))
    return SignedForm(form, await signer_of(request, edge, edge.carriers.plivo, is_signed_by, told))


async def _line(request: Request) -> Line[PlivoAccount]:
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    dialled = with_plus(form.get("To", ""))
    return Line(
        edge=edge,
        carrier=edge.carriers.plivo,
        answers=ByDocument(MEDIA_TYPE, partial(_connected, edge.settings), say_and_hang_up, hang_up),
        signer=signed.signer,
        call_id=call_id_in(form),
        ends=Ends.told(with_plus(form.get("From", "")), dialled),
        dialled=dialled,
        is_over=form.get("CallStatus") in OVER,
    )


def call_id_in(form: Mapping[str, str]) -> str:
    """Raises 400 for what is no call of Plivo's."""
    call_id = form.get("CallUUID", "")
    if not _CALL_ID.fullmatch(call_id):
        raise HTTPException(400)
    return call_id


def _connected(settings: Settings, opening: Opening) -> str:
    return connect_stream(
        settings.media_url(MEDIA + opening.whose),
        after_url=settings.public(f"{AFTER}?attempt={opening.attempt}"),
        status_url=settings.public(STATUS + opening.whose),
        parameters=opening.parameters,
    )


def _upgrade_signed(account: PlivoAccount, url: str, headers: Headers) -> bool:
    nonce, signatures = headers.get(NONCE_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    return plivo_signed_upgrade(account.auth_token, url, nonce, signatures)


ROUTES = [
    Route("/plivo/voice", voice, methods=["POST"]),
    Route(AFTER, after, methods=["POST"]),
    Route("/plivo/hangup", hangup, methods=["POST"]),
    Route(STATUS, status, methods=["POST"]),
    Route(STATUS + "/{org:uuid}", status, methods=["POST"]),
    *Door(MEDIA, lambda edge: edge.carriers.plivo, PlivoCodec, _upgrade_signed).routes(),
]
