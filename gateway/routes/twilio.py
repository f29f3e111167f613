"""Twilio's webhooks: what to do with a call, what to do after its stream, what became of it.

Each is a form post, verified before anything is done with it. The address that is verified is built from
`PUBLIC_URL`, never from `Host` or forwarding headers.
"""

import asyncio
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.call import CALLER_HUNG_UP, Call
from gateway.caller import PARAMETER, Ends, seal_ends
from gateway.carriers.answers import MEDIA_TYPE, connect_stream, hang_up, say_and_hang_up
from gateway.carriers.signatures import TWILIO_HEADER, twilio_signed
from gateway.errors import OrgUnavailable
from gateway.refusals import Named
from gateway.routes.edge import Edge, edge_of
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import TwilioAccount

log = structlog.get_logger("gateway.webhooks")

CARRIER: Final = "twilio"
AFTER: Final = "/twilio/after"
STATUS: Final = "/twilio/status"
MAX_FORM_BYTES: Final = 64 * 1024
MAX_FIELDS: Final = 200

NOT_IN_SERVICE: Final = "I'm sorry, this number is not in service. Goodbye."
LINES_BUSY: Final = (
    "I'm sorry, all our lines are busy at the moment. Please call again in a few minutes. Goodbye."
)
CANNOT_CONNECT: Final = "I'm sorry, we cannot take your call at the moment. Please try again later. Goodbye."

# Twilio docs, "Call resource: status" (read 2026-11).
_OVER: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_CALL_ID: Final = re.compile(r"CA[0-9A-Za-z]{1,62}")
E164: Final = re.compile(r"\+[1-9][0-9]{5,14}")


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A webhook's fields and the account that signed them."""

    fields: Mapping[str, str]
    signer: Signer


async def voice(request: Request) -> Response:
    """A call rings: connect it to its media socket, or say why not."""
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    if await edge.endings.is_over(_call_id(form)):  # replayed: the signature does not age
        return _refused(edge, "call_over", _xml(hang_up()))
    if edge.calls.draining:
        return _refused(edge, "draining", Response(status_code=503, headers={"Retry-After": "0"}))
    call_id, dialled = _call_id(form), form.get("To", "")
    if not E164.fullmatch(dialled) and edge.settings.default_org is None:
        return _refused(edge, "unknown_number", _xml(say_and_hang_up(NOT_IN_SERVICE)))
    if edge.calls.is_full and call_id not in edge.calls:
        return _refused(edge, "max_calls", _xml(say_and_hang_up(LINES_BUSY)))
    call = edge.calls.expect(CARRIER, call_id, _ends(form))
    return await _connect(edge, call, signed, attempt=0)


async def after(request: Request) -> Response:
    """The stream is over: hang up if that was meant, else ask for it again, a bounded number of times."""
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    call_id = _call_id(form)
    if form.get("CallStatus") in _OVER or await edge.endings.is_over(call_id):
        return _xml(hang_up())
    attempt = _attempt(request)
    if attempt >= edge.settings.limits.reconnect_attempts:
        return _refused(edge, "reconnects_used_up", _xml(say_and_hang_up(CANNOT_CONNECT)))
    log.warning("stream_lost", stream=call_id, attempt=attempt + 1)
    call = edge.calls.expect(CARRIER, call_id, _ends(form))
    return await _connect(edge, call, signed, attempt=attempt + 1)


async def status(request: Request) -> Response:
    """Call and stream status. A terminal one ends the call here too, whatever became of its socket."""
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    call_id = _call_id(form)
    owner = edge.calls.org_of(call_id)
    if owner is not None and not signed.signer.speaks_for(owner):
        raise await forged(request, edge, signed.signer.org_id)
    if form.get("StreamEvent") == "stream-error":
        edge.metrics.refused.labels("stream_error").inc()
        log.warning("stream_error", stream=call_id)
    if form.get("CallStatus") in _OVER:
        await edge.endings.mark_over(call_id)
        edge.calls.line_closed(call_id, CALLER_HUNG_UP)
    return Response(status_code=204)


async def signed_form(request: Request, edge: Edge) -> SignedForm:
    """The form, and whose it is. Raises 403 unless the org's carrier account signed it, 400, 408 or 413 for
    what is no reasonable form.
    """
    pairs = _parse_form(await _body(request, edge.settings.waits.webhook_s))
    form = dict(pairs)
    if edge.settings.local_bench:
        return SignedForm(form, edge.accounts.process)
    url, signature = _signed_url(request, edge), request.headers.get(TWILIO_HEADER, "")

    def is_signed_by(account: TwilioAccount) -> bool:
        return twilio_signed(account.auth_token, url, pairs, signature)

    def org_told() -> Awaitable[UUID | None]:
        return _org_told(request, edge, form)

    signer = await edge.accounts.signer(is_signed_by, org_told)
    if signer is None:
        raise await forged(request, edge, org_told)
    return SignedForm(form, signer)


async def form_signed_by(request: Request, edge: Edge, org_id: UUID, auth_token: str) -> Mapping[str, str]:
    """The form's fields, if the org's account with this token signed them. Raises as `signed_form`."""
    pairs = _parse_form(await _body(request, edge.settings.waits.webhook_s))
    signature = request.headers.get(TWILIO_HEADER, "")
    if not edge.settings.local_bench and not twilio_signed(
        auth_token, _signed_url(request, edge), pairs, signature
    ):
        raise await forged(request, edge, org_id)
    return dict(pairs)


def _signed_url(request: Request, edge: Edge) -> str:
    query = request.url.query
    return edge.settings.public(request.url.path) + (f"?{query}" if query else "")


async def _org_told(request: Request, edge: Edge, form: Mapping[str, str]) -> UUID | None:
    """The org that the request says it is about: in our own address, by the dialled number, by the call."""
    if (named := request.path_params.get("org")) is not None:
        return UUID(str(named))
    if E164.fullmatch(dialled := form.get("To", "")):
        return await edge.desk.numbers.get(dialled)
    return edge.calls.org_of(form.get("CallSid", ""))


async def forged(request: Request, edge: Edge, org: Named) -> HTTPException:
    """The refusal to raise; counted, and on record with the org that the request names, if any."""
    edge.metrics.refused.labels("signature").inc()
    log.warning("webhook_forged", path=request.url.path)
    await edge.refusals.record(org, "webhook_refused", "webhook")
    return HTTPException(403)


async def _body(request: Request, within_s: float) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_FORM_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    return bytes(body)


def _parse_form(body: bytes) -> list[tuple[str, str]]:
    try:
        text = body.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(400) from None


def _call_id(form: Mapping[str, str]) -> str:
    call_id = form.get("CallSid", "")
    if not _CALL_ID.fullmatch(call_id):
        raise HTTPException(400)
    return call_id


def _ends(form: Mapping[str, str]) -> Ends:
    return Ends.told(form.get("From", ""), form.get("To", ""))


def _attempt(request: Request) -> int:
    """How often the stream was asked for again; the address is ours and signed by the carrier."""
    text = request.query_params.get("attempt", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


async def _connect(edge: Edge, call: Call, signed: SignedForm, *, attempt: int) -> Response:
    """The document that opens the media socket, once the org is known: the token names it."""
    try:
        async with asyncio.timeout(edge.settings.waits.webhook_s):
            office = await call.office()
    except (OrgUnavailable, TimeoutError):
        call.abandon()
        return _refused(edge, "org_unavailable", _xml(say_and_hang_up(CANNOT_CONNECT)))
    if office is None:
        call.abandon()
        return _refused(edge, "unknown_number", _xml(say_and_hang_up(NOT_IN_SERVICE)))
    org_id = office.profile.org_id
    if not signed.signer.speaks_for(org_id):  # another org's account names a call that is not its own
        await edge.refusals.record(signed.signer.org_id, "webhook_refused", "webhook")
        return _refused(edge, "foreign_call", Response(status_code=403))
    token = edge.admission.issue(call.carrier_call_id, org_id)
    ends = seal_ends(edge.desk.vault, org_id, call.carrier_call_id, _ends(signed.fields))
    whose = "" if office.keys.twilio is None else f"/{org_id}"  # tells whose key signs what comes back
    document = connect_stream(
        edge.settings.media_url + whose,
        action_url=edge.settings.public(f"{AFTER}?attempt={attempt}"),
        status_url=edge.settings.public(STATUS + whose),
        parameters={"token": token, PARAMETER: ends},
    )
    return _xml(document)


def _refused(edge: Edge, reason: str, response: Response) -> Response:
    edge.metrics.refused.labels(reason).inc()
    log.warning("call_refused", reason=reason)
    return response


def _xml(document: str) -> Response:
    return Response(document, media_type=MEDIA_TYPE)


ROUTES = [
    Route("/twilio/voice", voice, methods=["POST"]),
    Route(AFTER, after, methods=["POST"]),
    Route(STATUS, status, methods=["POST"]),
    Route(STATUS + "/{org:uuid}", status, methods=["POST"]),
]
