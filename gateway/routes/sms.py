"""Twilio's reports on text messages. Each is signed with the auth token of the account that sent it."""

import re
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable, SmsNotConfigured
from booking.ports import SmsAccount
from booking.sms import status_of
from booking.types import Claim
from gateway.routes.edge import Edge, edge_of
from gateway.routes.twilio import form_signed_by
from gateway.status_address import PATH

log = structlog.get_logger("gateway.sms")

_SID: Final = re.compile(r"(SM|MM)[0-9A-Za-z]{32}")
_CODE: Final = re.compile(r"[0-9]{1,6}")


async def sms_status(request: Request) -> Response:
    """What became of a message. Reports come twice and in any order; the record never goes back."""
    edge = edge_of(request)
    named = edge.desk.texts.address.read(request.query_params)
    if named is None:
        raise _forged(edge)
    org_id, message_id = named
    claim = Claim(org_id)
    account = await _account(edge, claim)
    form = await form_signed_by(request, edge, account.auth_token)
    if form.get("AccountSid") != account.account_sid:
        raise _forged(edge)
    sid, error = form.get("MessageSid", ""), form.get("ErrorCode", "")
    if not _SID.fullmatch(sid):
        raise HTTPException(400)
    status = status_of(form.get("MessageStatus", ""))
    if status is not None:
        error_code = int(error) if _CODE.fullmatch(error) else None
        try:
            await edge.desk.texts.messages.advance(claim, message_id, status, sid, error_code)
        except BookingUnavailable:
            raise HTTPException(503) from None
    return Response(status_code=204)


async def _account(edge: Edge, claim: Claim) -> SmsAccount:
    try:
        return await edge.desk.texts.messages.accounts.account(claim)
    except SmsNotConfigured:  # the org has given its account up since
        raise HTTPException(410) from None
    except BookingUnavailable:
        raise HTTPException(503) from None


def _forged(edge: Edge) -> HTTPException:
    edge.metrics.refused.labels("signature").inc()
    log.warning("webhook_forged", path=PATH)
    return HTTPException(403)


ROUTES = [Route(PATH, sms_status, methods=["POST"])]
