"""Twilio on text messages: what became of ours, and what people text to a clinic's number.

A report is signed with the auth token of the account that sent the message, a text with the one of the
account whose number it came to. Of a text STOP and START matter, and the answer of somebody whose call was
followed up, which is kept sealed; of any other nothing is kept.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal
from uuid import UUID

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable, NumberInvalid, SmsNotConfigured, ValueInvalid
from booking.ports import SmsAccount
from booking.replies import Replies
from booking.sms import choice_of, status_of
from booking.types import Claim
from booking.values import E164
from gateway.carriers.answers import MEDIA_TYPE, no_reply
from gateway.errors import OrgUnavailable
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import forged
from gateway.routes.twilio import form_signed_by, signed_form
from gateway.status_address import PATH

log = structlog.get_logger("gateway.sms")

RECEIVED: Final = "/twilio/sms"
_SID: Final = re.compile(r"(SM|MM)[0-9A-Za-z]{32}")
_CODE: Final = re.compile(r"[0-9]{1,6}")


async def sms_status(request: Request) -> Response:
    """What became of a message. Reports come twice and in any order; the record never goes back."""
    edge = edge_of(request)
    named = edge.desk.texts.address.read(request.query_params)
    if named is None:
        raise await forged(request, edge, None)
    org_id, message_id = named
    claim = Claim(org_id)
    account = await _account(edge, claim)
    form = await form_signed_by(request, edge, org_id, account.auth_token)
    if form.get("AccountSid") != account.account_sid:
        raise await forged(request, edge, org_id)
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


async def text_received(request: Request) -> Response:
    """Somebody texts a clinic: whoever says STOP is not texted again before START. Twilio itself answers.

    A request that comes twice changes nothing more. Where the clinic's number is no E.164 number or not known
    here, as a short code's, the address names the org.
    """
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    form = signed.fields
    org_id = await _org(request, edge, form.get("To", ""))
    if org_id is None:
        raise HTTPException(404)
    if not signed.signer.speaks_for(org_id):
        raise await forged(request, edge, signed.signer.org_id)
    choice = choice_of(form.get("OptOutType", ""), form.get("Body", ""))
    if choice is not None:
        await _choose(edge, Claim(org_id), choice, form)
    elif _SID.fullmatch(form.get("MessageSid", "")) and form.get("OptOutType", "").upper() != "HELP":
        await _take(edge, Claim(org_id), form)
    return Response(no_reply(), media_type=MEDIA_TYPE)


async def _choose(
    edge: Edge, claim: Claim, choice: Literal["stop", "start"], form: Mapping[str, str]
) -> None:
    messages, sid = edge.desk.texts.messages, form.get("MessageSid", "")
    choose = messages.opt_out if choice == "stop" else messages.opt_in
    try:
        if await choose(claim, form.get("From", ""), provider_id=sid if _SID.fullmatch(sid) else None):
            log.info("texts_chosen", outcome=choice)
    except NumberInvalid:  # a short code or a name, which nobody texts
        return
    except BookingUnavailable:
        raise HTTPException(503) from None


async def _take(edge: Edge, claim: Claim, form: Mapping[str, str]) -> None:
    replies = Replies(edge.desk.texts.messages)
    told = {"provider_id": form["MessageSid"], "number": form.get("From", ""), "said": form.get("Body", "")}
    try:
        kind = await replies.take(claim, **told)
    except (NumberInvalid, ValueInvalid):
        return
    except BookingUnavailable:
        raise HTTPException(503) from None
    if kind is not None:
        edge.metrics.replies.labels(kind).inc()
        log.info("reply_taken", kind=kind)


async def _org(request: Request, edge: Edge, number: str) -> UUID | None:
    if (named := request.path_params.get("org")) is not None:
        return UUID(str(named))
    try:
        return await edge.desk.numbers.get(number) if E164.fullmatch(number) else None
    except OrgUnavailable:
        raise HTTPException(503) from None


async def _account(edge: Edge, claim: Claim) -> SmsAccount:
    try:
        return await edge.desk.texts.messages.accounts.account(claim)
    except SmsNotConfigured:  # the org has given its account up since
        raise HTTPException(410) from None
    except BookingUnavailable:
        raise HTTPException(503) from None


ROUTES = [
    Route(PATH, sms_status, methods=["POST"]),
    Route(RECEIVED, text_received, methods=["POST"]),
    Route(RECEIVED + "/{org:uuid}", text_received, methods=["POST"]),
]
