"""Vapi's webhooks: who takes a call, tools as it goes on, its report, and the tokens that show who Vapi is.

A message's signature is checked over its raw bytes before anything of it is read. What expects no answer is
acknowledged; a tool's failure is an answer, too. Only a report that could not be kept and a call's end that
could not be noted are refused (503), so that they come again. `docs/vapi.md` says what each kind of bad
message gets.
"""

import asyncio
import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import unquote_plus
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from booking.errors import BookingError
from booking.handovers import NOBODY, HandoverRules, load_handover_rules
from booking.types import Claim, OrgProfile
from compliance.errors import VaultError
from gateway.errors import CallBusy, OrgUnavailable, VapiRequestInvalid, VapiSetupRefused
from gateway.handover import PUTTING_THROUGH
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import forged
from gateway.routes.forms import body_of, form_fields
from gateway.routes.ringing import CANNOT_CONNECT, NOT_IN_SERVICE
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import VapiAccount
from gateway.tools.sentences import SENTENCES
from gateway.vapi.assistant import OAUTH, VOICE, WEBHOOK
from gateway.vapi.auth import TOKEN_LIFE_S, OAuthClient, access_token, is_client
from gateway.vapi.calls import ToolAnswer, VapiCall
from gateway.vapi.door import UNAUTHORISED, require_likely, require_voice, vapi_caller
from gateway.vapi.messages import (
    AskedTool,
    Told,
    asked_function,
    asked_tools,
    count_told_tools,
    read_message,
    told_end,
)

log = structlog.get_logger("gateway.vapi")

NO_TRANSFER: Final = "I'm sorry, I can't put you through just now. Would you like to leave a message?"
NO_HANDOFF: Final = "I'm sorry, there is nobody else whom I could hand you over to."
_ENDED: Final = "ended"


@dataclass(frozen=True, slots=True)
class _Reply:
    """What Vapi is answered, and the outcome that the message is counted under."""

    outcome: str
    content: Any
    status: int = 200


_ACKNOWLEDGED: Final = _Reply("acknowledged", {})
_ASKED_IN_VAIN: Final = {
    "handoff-destination-request": _Reply("answered", {"error": NO_HANDOFF}),
    "knowledge-base-request": _Reply("answered", {"documents": []}),
    "call.endpointing.request": _Reply("answered", {"timeoutSeconds": 0.5}),
}
"""Nothing of it is set up here; whoever asks hears so in the form that they ask for."""


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One message whose sender is known, on its way to its answer. `began_s`: when it began to come in."""

    request: Request
    edge: Edge
    signer: Signer[VapiAccount]
    told: Told
    began_s: float

    async def answer(self) -> _Reply:
        match self.told.kind:
            case "assistant-request":
                return await self._assistant()
            case "tool-calls":
                return await self._tools()
            case "function-call":
                return await self._function()
            case "end-of-call-report":
                return await self._report()
            case "transfer-destination-request":
                return await self._noted(_Reply("answered", await self._transfer()))
            case "voice-request":  # JSON would be played
                return _Reply("invalid", {"error": f"speech is asked for at {VOICE}"}, 400)
            case "hang":
                self.edge.metrics.vapi_hangs.inc()
                log.warning("vapi_hang", stream=self._stream)
        reply = _ASKED_IN_VAIN.get(self.told.kind, _ACKNOWLEDGED)
        return await self._noted(reply) if self.told.is_live else reply

    @property
    def _stream(self) -> str:
        return "" if self.told.call is None else self.told.call.vapi_id

    @property
    def _is_over(self) -> bool:
        return self.told.kind == "status-update" and self.told.status == _ENDED

    def _left_s(self, within_s: float) -> float:
        """Vapi has waited from the beginning, while it was read and its sender made out, too."""
        return max(within_s - (self.edge.desk.clock.now_s() - self.began_s), 0.0)

    # --- whose it is ----------------------------------------------------------------------------------------

    async def _profile(self) -> OrgProfile | None:
        """None if it is nobody's. Raises `OrgUnavailable`, HTTPException 401."""
        org_id = await self._org_id()
        if org_id is None:
            return None
        await require_voice(self.request, self.edge, self.signer, org_id)
        return await self.edge.desk.profiles.get(org_id)

    async def _org_id(self) -> UUID | None:
        """By the address, else by the clinic's number, else, for a call without one, by its assistant."""
        told = self.told
        if self.signer.org_id is not None:
            return self.signer.org_id
        if told.dialled:
            return await self.edge.desk.numbers.get(told.dialled)
        return None if told.call is None else told.call.org_id

    def _call(self, profile: OrgProfile) -> VapiCall | None:
        told = self.told.call
        return None if told is None else VapiCall.told(profile.org_id, told, self.edge.desk.now())

    # --- answers --------------------------------------------------------------------------------------------

    async def _assistant(self) -> _Reply:
        try:
            async with asyncio.timeout(self._left_s(self.edge.settings.waits.vapi_assistant_s)):
                return await self._assistant_found()
        except (OrgUnavailable, BookingError, TimeoutError) as error:
            log.warning("vapi_assistant_unknown", stream=self._stream, error=type(error).__name__)
            return _Reply("unavailable", {"error": CANNOT_CONNECT})

    async def _assistant_found(self) -> _Reply:
        """The call is put on record beside it. That is not waited for long: its next message does it, too."""
        profile = await self._profile()
        if profile is None:
            return self._refused("unknown_number", NOT_IN_SERVICE)
        desk = self.edge.desk
        try:
            left_s = self._left_s(self.edge.settings.waits.vapi_assistant_s)
            assistant, _ = await asyncio.gather(
                self.edge.vapi_assistants.of(profile, self._stream, desk.now(), within_s=left_s),
                self._begun(profile, left_s / 2),
            )
        except VapiSetupRefused:
            return self._refused("vapi_set_up_wrong", CANNOT_CONNECT)
        if assistant is None:
            return self._refused("vapi_not_set_up", CANNOT_CONNECT)
        return _Reply("answered", {"assistant": assistant})

    def _refused(self, reason: str, sentence: str) -> _Reply:
        self.edge.metrics.refused.labels(reason).inc()
        log.warning("call_refused", reason=reason)
        return _Reply("refused", {"error": sentence})

    async def _tools(self) -> _Reply:
        try:
            asked = asked_tools(self.told)
        except VapiRequestInvalid as fault:
            return _Reply("invalid", {"error": str(fault)})
        if nameless := count_told_tools(self.told) - len(asked):
            self.edge.metrics.refused.labels("tool_without_id").inc(nameless)
        given = await self._used(asked)
        return _Reply(_outcome(given), {"results": [_result(each) for each in given]})

    async def _function(self) -> _Reply:
        """The form before tool calls: one at a time, and without an id."""
        (given,) = await self._used([asked_function(self.told)])
        return _Reply(_outcome([given]), {"result": given.text})

    async def _used(self, asked: Sequence[AskedTool]) -> list[ToolAnswer]:
        reason: Literal["failed", "unavailable"] = "failed"
        within_s = self.edge.settings.waits.vapi_tools_s
        try:
            async with asyncio.timeout(self._left_s(within_s)):
                profile = await self._profile()
            call = None if profile is None else self._call(profile)
            if profile is not None and call is not None:
                return await self.edge.vapi_calls.use(profile, call, asked, within_s=self._left_s(within_s))
        except (OrgUnavailable, TimeoutError):
            reason = "unavailable"
        return [ToolAnswer.failure(each, reason, SENTENCES[reason]) for each in asked]

    async def _transfer(self) -> dict[str, Any]:
        """To the person who takes the clinic's calls now; a sentence if there is none, or none is known."""
        try:
            async with asyncio.timeout(self._left_s(self.edge.settings.waits.vapi_tools_s)):
                profile = await self._profile()
                rules = NOBODY if profile is None else await self._handover_rules(profile)
        except (OrgUnavailable, BookingError, TimeoutError) as error:
            log.warning("vapi_transfer_unknown", stream=self._stream, error=type(error).__name__)
            profile, rules = None, NOBODY
        if profile is None or not rules.is_staffed(self.edge.desk.now(), ZoneInfo(profile.time_zone)):
            return {"error": NO_TRANSFER}
        return {"destination": {"type": "number", "number": rules.number, "message": PUTTING_THROUGH}}

    async def _handover_rules(self, profile: OrgProfile) -> HandoverRules:
        return await load_handover_rules(self.edge.desk.pool, Claim(profile.org_id))

    async def _report(self) -> _Reply:
        """Kept before it is acknowledged. Raises what makes it come again."""
        profile = await self._profile()
        call = None if profile is None else self._call(profile)
        if profile is None or call is None:
            return _Reply("unknown_org", {})
        async with asyncio.timeout(self.edge.settings.waits.vapi_settle_s):
            settled = await self.edge.vapi_settling.settle(profile, call, told_end(self.told))
        outcome = "settled" if settled else "repeated"
        self.edge.metrics.vapi_reports.labels("webhook", outcome).inc()
        return _Reply(outcome, {})

    async def _noted(self, reply: _Reply) -> _Reply:
        """The call goes on, or has just ended. Whatever fails here, Vapi has its answer, but for the end of a
        call: that is refused then, so that it comes again. Raises `BookingError`, `OrgUnavailable`.
        """
        try:
            profile = await self._profile()
            if profile is None:
                return _Reply("unknown_org", reply.content)
            await self._heard_of(profile)
        except OrgUnavailable:
            if self._is_over:
                raise
            return _Reply("unavailable", reply.content)
        return reply

    async def _begun(self, profile: OrgProfile, wait_s: float) -> None:
        call, ask_after_s = self._call(profile), self.edge.settings.waits.vapi_silent_s
        if call is not None:
            await self.edge.vapi_calls.noted(call, ask_after_s=ask_after_s, wait_s=wait_s)

    async def _heard_of(self, profile: OrgProfile) -> None:
        call, waits = self._call(profile), self.edge.settings.waits
        if call is None:
            return
        is_over = self._is_over
        ask_after_s = waits.vapi_report_s if is_over else waits.vapi_silent_s
        try:
            await self.edge.vapi_calls.heard_of(call, ask_after_s=ask_after_s, is_over=is_over)
        except BookingError as error:
            if is_over:
                raise  # told again, it is asked for in time
            log.warning("vapi_call_not_noted", call=str(call.call_id), error=type(error).__name__)


async def webhook(request: Request) -> Response:
    """A message of Vapi's, of any type."""
    edge = edge_of(request)
    began_s = edge.desk.clock.now_s()
    await require_likely(request, edge)
    body = await body_of(request, edge, edge.settings.limits.vapi_body_bytes)
    signer = await vapi_caller(request, edge, body)
    try:
        told = read_message(body)
    except VapiRequestInvalid as fault:
        edge.metrics.vapi_messages.labels("other", "invalid").observe(0)
        return JSONResponse({"error": str(fault)}, 400)
    reply = await _answered(_Exchange(request, edge, signer, told, began_s))
    took_s = edge.desk.clock.now_s() - began_s
    edge.metrics.vapi_messages.labels(told.kind, reply.outcome).observe(took_s)
    return JSONResponse(reply.content, reply.status, {"Retry-After": "1"} if reply.status == 503 else None)


async def _answered(exchange: _Exchange) -> _Reply:
    """A report that could not be kept comes again, if Vapi was told so; else it will be asked for."""
    try:
        return await exchange.answer()
    except (BookingError, VaultError, CallBusy, OrgUnavailable, TimeoutError) as error:
        log.warning("vapi_message_failed", kind=exchange.told.kind, error=type(error).__name__)
        return _Reply("failed", {}, 503)


async def token(request: Request) -> Response:
    """An access token for Vapi: OAuth 2.0, client credentials (RFC 6749 section 4.4)."""
    edge = edge_of(request)
    form = dict(await form_fields(request, edge))
    if form.get("grant_type") != "client_credentials":
        return _oauth_refusal("unsupported_grant_type", 400)
    client_id, client_secret = _client(request, form)
    named = request.path_params.get("org")

    async def org_told() -> UUID | None:
        return None if named is None else UUID(str(named))

    def is_told_by(account: VapiAccount) -> bool:
        return is_client(account.auth, client_id, client_secret)

    signer = await edge.vapi.signer(is_told_by, org_told)
    if signer is None or not isinstance(signer.account.auth, OAuthClient):
        await forged(request, edge, org_told, UNAUTHORISED)
        return _oauth_refusal("invalid_client", UNAUTHORISED)
    made = access_token(signer.account.auth, time.time())
    content = {"access_token": made, "token_type": "Bearer", "expires_in": TOKEN_LIFE_S}
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


def _client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """By HTTP Basic, each part form-encoded (RFC 6749 section 2.3.1), or in the form."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client_id, _, client_secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise HTTPException(400) from None
    return unquote_plus(client_id), unquote_plus(client_secret)


def _oauth_refusal(error: str, status: int) -> Response:
    return JSONResponse({"error": error}, status, {"Cache-Control": "no-store"})


def _result(given: ToolAnswer) -> dict[str, str]:
    return {"toolCallId": given.id, "name": given.name, "error" if given.failed else "result": given.text}


def _outcome(given: Sequence[ToolAnswer]) -> str:
    return "failed" if any(each.failed for each in given) else "answered"


_OF_AN_ORG: Final = "/{org:uuid}"
_CALL_ENDED: Final = "/call-ended"

ROUTES = [
    Route(path + whose, endpoint, methods=["POST"])
    for path, endpoint in (
        (WEBHOOK, webhook),
        (WEBHOOK + _CALL_ENDED, webhook),
        ("/api" + WEBHOOK + _CALL_ENDED, webhook),
        (OAUTH, token),
    )
    for whose in ("", _OF_AN_ORG)
]
