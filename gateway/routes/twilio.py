"""Twilio's webhooks: what to do with a call, what to do after its stream, what became of it.

Each is a form post, verified before anything is done with it.
"""

import re
from collections.abc import Mapping
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

from gateway.caller import Ends
from gateway.carriers.answers import MEDIA_TYPE, connect_stream, hang_up, say_and_hang_up
from gateway.carriers.signatures import TWILIO_HEADER, twilio_signed
from gateway.carriers.twilio import TwilioCodec
from gateway.routes.documents import ByDocument
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import forged, org_told, require_speaker, signer_of
from gateway.routes.forms import form_fields, public_url
from gateway.routes.media import Door
from gateway.routes.ringing import Line, Opening, asked_again, call_over
from gateway.settings import Settings
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import TwilioAccount

log = structlog.get_logger("gateway.webhooks")

MEDIA: Final = "/twilio/media"
AFTER: Final = "/twilio/after"
STATUS: Final = "/twilio/status"

# Twilio docs, "Call resource: status" (read 2026-11).
OVER: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_CALL_ID: Final = re.compile(r"CA[0-9A-Za-z]{1,62}")


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A webhook's fields and the account that signed them."""

    fields: Mapping[str, str]
    signer: Signer[TwilioAccount]


async def voice(request: Request) -> Response:
    """A call rings."""
    return await (await _line(request)).rings()


async def after(request: Request) -> Response:
    """The stream is over."""
    attempt = asked_again(request.query_params.get("attempt", "0"))
    return await (await _line(request)).stream_ended(attempt)


async def status(request: Request) -> Response:
    """Call and stream status. A terminal one ends the call here too, whatever became of its socket."""
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    call_id = call_id_in(form)
    await require_speaker(request, edge, signed.signer, call_id)
    if form.get("StreamEvent") == "stream-error":
        edge.metrics.refused.labels("stream_error").inc()
        log.warning("stream_error", stream=call_id)
    if form.get("CallStatus") in OVER:
        await call_over(edge, call_id)
    return Response(status_code=204)


async def signed_form(request: Request, edge: Edge) -> SignedForm:
    """The form, and whose it is. Raises 403 unless the org's carrier account signed it, 400, 408 or 413 for
    what is no reasonable form.
    """
    pairs = await form_fields(request, edge)
    form = dict(pairs)
    process = edge.carriers.twilio.accounts.process
    if edge.settings.local_bench and process is not None:
        return SignedForm(form, process)
    url, signature = public_url(request, edge), request.headers.get(TWILIO_HEADER, "")

    def is_signed_by(account: TwilioAccount) -> bool:
        return twilio_signed(account.auth_token, url, pairs, signature)

    told = partial(org_told, request, edge, form.get("To", ""), form.get("CallSid", ""))
    return SignedForm(form, await signer_of(request, edge, edge.carriers.twilio, is_signed_by, told))


async def form_signed_by(request: Request, edge: Edge, org_id: UUID, auth_token: str) -> Mapping[str, str]:
    """The form's fields, if the org's account with this token signed them. Raises as `signed_form`."""
    pairs = await form_fields(request, edge)
    signature = request.headers.get(TWILIO_HEADER, "")
    if not edge.settings.local_bench and not twilio_signed(
        auth_token, public_url(request, edge), pairs, signature
    ):
        raise await forged(request, edge, org_id)
    return dict(pairs)


async def _line(request: Request) -> Line[TwilioAccount]:
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    return Line(
        edge=edge,
        carrier=edge.carriers.twilio,
        answers=ByDocument(MEDIA_TYPE, partial(_connected, edge.settings), say_and_hang_up, hang_up),
        signer=signed.signer,
        call_id=call_id_in(form),
        ends=Ends.told(form.get("From", ""), form.get("To", "")),
        dialled=form.get("To", ""),
        is_over=form.get("CallStatus") in OVER,
    )


def call_id_in(form: Mapping[str, str]) -> str:
    """Raises 400 if it names no call."""
    call_id = form.get("CallSid", "")
    if not _CALL_ID.fullmatch(call_id):
        raise HTTPException(400)
    return call_id


def _connected(settings: Settings, opening: Opening) -> str:
    return connect_stream(
        settings.media_url(MEDIA + opening.whose),
        action_url=settings.public(f"{AFTER}?attempt={opening.attempt}"),
        status_url=settings.public(STATUS + opening.whose),
        parameters=opening.parameters,
    )


def _upgrade_signed(account: TwilioAccount, url: str, headers: Headers) -> bool:
    return twilio_signed(account.auth_token, url, (), headers.get(TWILIO_HEADER, ""))


ROUTES = [
    Route("/twilio/voice", voice, methods=["POST"]),
    Route(AFTER, after, methods=["POST"]),
    Route(STATUS, status, methods=["POST"]),
    Route(STATUS + "/{org:uuid}", status, methods=["POST"]),
    *Door(MEDIA, lambda edge: edge.carriers.twilio, TwilioCodec, _upgrade_signed).routes(),
]
