"""A Twilio account, and one call of its number as Twilio tells of it: signed form posts.

Twilio docs, "TwiML Voice: request parameters", "Webhooks security", "TwiML <Stream>" (read 2026-11). Signing
is twilio-python's, so that the gateway's checking is not judged by its own arithmetic.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from urllib.parse import urlencode

from twilio.request_validator import RequestValidator

from bench.carrier.dialect import CallState
from bench.carrier.errors import Rule
from bench.carrier.record import EndReason
from bench.carrier.steps import ConnectStream, Step
from bench.carrier.twilio.frames import TwilioWire
from bench.carrier.twilio.rules import HANDSHAKE, HTTP, UNREADABLE
from bench.carrier.twilio.twiml import parse_twiml
from bench.carrier.webhooks import Request, Signed
from bench.carrier.wire import Wire

SIGNATURE: Final = "X-Twilio-Signature"
FORM: Final = "application/x-www-form-urlencoded"
_XML: Final = ("text/xml", "application/xml")


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """The credentials that both sides know. Satisfies `bench.carrier.dialect.Account`."""

    sid: str = "AC" + "0" * 32
    auth_token: str = "0" * 32
    name: str = "twilio"
    voice_path: str = "/twilio/voice"
    status_path: str = "/twilio/status"

    def __repr__(self) -> str:
        return f"TwilioAccount({self.sid})"

    def new_call_id(self) -> str:
        return new_sid("CA")

    def dialect(self, state: CallState) -> "TwilioDialect":
        return TwilioDialect(self, state)


class TwilioDialect:
    """One call. Satisfies `bench.carrier.dialect.Dialect`."""

    agent: Final = "TwilioMediaStreams/1.0"
    retries: Final = 0
    survives_refusal: Final = False

    def __init__(self, account: TwilioAccount, state: CallState) -> None:
        self._account = account
        self._state = state
        self._validator = RequestValidator(account.auth_token)
        self._status_sequence = 0

    async def rings(self) -> Sequence[Step]:
        return await self._asked(self._state.plan.voice_url, "ringing")

    async def document(self, url: str) -> Sequence[Step]:
        return await self._asked(url, "in-progress")

    async def stream_began(self, stream: ConnectStream, wire: Wire) -> None:
        await self._tell_stream(stream, wire, "stream-started")

    async def stream_ended(
        self, stream: ConnectStream, wire: Wire, following: Sequence[Step], reason: EndReason
    ) -> Sequence[Step]:
        """The element's action says what comes next; without one, the document goes on."""
        await self.stream_over(stream, wire, reason)
        return await self.document(stream.action) if stream.action else following

    async def stream_over(self, stream: ConnectStream, wire: Wire, reason: EndReason) -> None:
        await self._tell_stream(stream, wire, "stream-error" if reason == "fault" else "stream-stopped")

    async def said(self, following: Sequence[Step]) -> Sequence[Step]:
        return following

    async def over(self) -> None:
        url = self._state.plan.status_url
        if url is None:
            return
        fields = self._fields("completed") | {
            "CallDuration": str(self._state.record.now_ms // 1000),
            "SequenceNumber": str(self._status_sequence),
            "Timestamp": format_datetime(datetime.now(UTC)),
        }
        self._status_sequence += 1
        await self._state.webhooks.notify(self._post(url, fields), HTTP)

    def signed_upgrade(self, stream: ConnectStream) -> Signed:
        """In lower case, as Twilio sends it there."""
        name = SIGNATURE.lower()
        return Signed({name: self._signature(stream.url, {})}, name)

    def refusal(self) -> Rule:
        return HANDSHAKE

    def wire(self, stream: ConnectStream) -> TwilioWire:
        return TwilioWire(self._account.sid, self._state.plan.call_id, new_sid("MZ"), stream.parameters)

    async def _asked(self, url: str, status: str) -> Sequence[Step]:
        self._state.count_document(UNREADABLE)
        request = self._post(url, self._fields(status))
        return parse_twiml(await self._state.webhooks.document(request, HTTP, _XML), url)

    async def _tell_stream(self, stream: ConnectStream, wire: Wire, event: str) -> None:
        if stream.status_callback is None:
            return
        fields = {
            "AccountSid": self._account.sid,
            "CallSid": self._state.plan.call_id,
            "StreamSid": wire.stream_id,
            "StreamName": stream.name or wire.stream_id,
            "StreamEvent": event,
            "Timestamp": datetime.now(UTC).isoformat(),
        }
        if event == "stream-error":
            fields["StreamError"] = str(self._state.record.faults[-1])
        await self._state.webhooks.notify(self._post(stream.status_callback, fields), HTTP)

    def _post(self, url: str, fields: Mapping[str, str]) -> Request:
        signed = Signed({SIGNATURE: self._signature(url, fields)}, SIGNATURE)
        return Request(url, urlencode(fields).encode(), FORM, signed, "TwilioProxy/1.1")

    def _signature(self, url: str, fields: Mapping[str, str]) -> str:
        return str(self._validator.compute_signature(url, dict(fields)))

    def _fields(self, status: str) -> dict[str, str]:
        plan = self._state.plan
        return {
            "AccountSid": self._account.sid,
            "ApiVersion": "2010-04-01",
            "CallSid": plan.call_id,
            "CallStatus": status,
            "Called": plan.dialled,
            "Caller": plan.caller,
            "Direction": "inbound",
            "From": plan.caller,
            "To": plan.dialled,
            "CallerName": "",
            **dict(plan.extra_fields),
        }


def new_sid(prefix: str) -> str:
    """A SID as Twilio makes them: two letters and 32 hex digits."""
    return prefix + secrets.token_hex(16)
