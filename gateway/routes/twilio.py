"""Twilio's webhooks: what to do with a call, what to do after its stream, what became of it.

Each is a form post, verified before anything is done with it. The address that is verified is built from
`PUBLIC_URL`, never from `Host` or forwarding headers.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.call import CALLER_HUNG_UP, Call
from gateway.carriers.answers import MEDIA_TYPE, connect_stream, hang_up, say_and_hang_up
from gateway.carriers.signatures import TWILIO_HEADER, twilio_signed
from gateway.errors import OrgUnavailable
from gateway.routes.edge import Edge, edge_of

log = structlog.get_logger("gateway.webhooks")

AFTER: Final = "/twilio/after"
STATUS: Final = "/twilio/status"
MAX_FORM_BYTES: Final = 64 * 1024
MAX_FIELDS: Final = 200

NOT_IN_SERVICE: Final = "I'm sorry, this number is not in service. Goodbye."
CANNOT_CONNECT: Final = "I'm sorry, we cannot take your call at the moment. Please try again later. Goodbye."

# Twilio docs, "Call resource: status" (read 2026-11).
_OVER: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_CALL_ID: Final = re.compile(r"CA[0-9A-Za-z]{1,62}")
_E164: Final = re.compile(r"\+[1-9][0-9]{5,14}")


async def voice(request: Request) -> Response:
    """A call rings: connect it to its media socket, or say why not."""
    edge = edge_of(request)
    form = await signed_form(request, edge)
    if edge.calls.draining:
        return _refused(edge, "draining", Response(status_code=503, headers={"Retry-After": "0"}))
    call_id, dialled = _call_id(form), form.get("To", "")
    if not _E164.fullmatch(dialled) and edge.settings.default_org is None:
        return _refused(edge, "unknown_number", _xml(say_and_hang_up(NOT_IN_SERVICE)))
    call = edge.calls.expect(call_id, dialled)
    return await _connect(edge, call, attempt=0)


async def after(request: Request) -> Response:
    """The stream is over: hang up if that was meant, else ask for it again, a bounded number of times."""
    edge = edge_of(request)
    form = await signed_form(request, edge)
    call_id = _call_id(form)
    if form.get("CallStatus") in _OVER or await edge.endings.is_over(call_id):
        return _xml(hang_up())
    attempt = _attempt(request)
    if attempt >= edge.settings.limits.reconnect_attempts:
        return _refused(edge, "reconnects_used_up", _xml(say_and_hang_up(CANNOT_CONNECT)))
    log.warning("stream_lost", stream=call_id, attempt=attempt + 1)
    return await _connect(edge, edge.calls.expect(call_id, form.get("To", "")), attempt=attempt + 1)


async def status(request: Request) -> Response:
    """Call and stream status. A terminal one ends the call here too, whatever became of its socket."""
    edge = edge_of(request)
    form = await signed_form(request, edge)
    call_id = _call_id(form)
    if form.get("StreamEvent") == "stream-error":
        edge.metrics.refused.labels("stream_error").inc()
        log.warning("stream_error", stream=call_id)
    if form.get("CallStatus") in _OVER:
        await edge.endings.mark_over(call_id)
        edge.calls.line_closed(call_id, CALLER_HUNG_UP)
    return Response(status_code=204)


async def signed_form(request: Request, edge: Edge, auth_token: str | None = None) -> Mapping[str, str]:
    """The form's fields. Raises 403 unless Twilio signed it, 400 or 413 for what is no reasonable form.

    `auth_token`: of the account that posts, unless it is the process-wide one.
    """
    fields = _parse_form(await _body(request))
    query = request.url.query
    url = edge.settings.public(request.url.path) + (f"?{query}" if query else "")
    signature = request.headers.get(TWILIO_HEADER, "")
    key = auth_token or edge.settings.twilio.auth_token
    if not edge.settings.local_bench and not twilio_signed(key, url, fields, signature):
        edge.metrics.refused.labels("signature").inc()
        log.warning("webhook_forged", path=request.url.path)
        raise HTTPException(403)
    return dict(fields)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413)
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


def _attempt(request: Request) -> int:
    """How often the stream was asked for again; the address is ours and signed by the carrier."""
    text = request.query_params.get("attempt", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


async def _connect(edge: Edge, call: Call, *, attempt: int) -> Response:
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
    token = edge.admission.issue(call.carrier_call_id, office.profile.org_id)
    document = connect_stream(
        edge.settings.media_url,
        action_url=edge.settings.public(f"{AFTER}?attempt={attempt}"),
        status_url=edge.settings.public(STATUS),
        parameters={"token": token},
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
]
