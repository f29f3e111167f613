"""A Plivo account, and one call of its number as Plivo tells of it: signed form posts.

Plivo docs, "Voice: request parameters", "XML: Stream", "Signature validation" (read 2026-11). Numbers come
without their plus. A media socket that was refused or lost is tried twice again at the same address; then
the document goes on.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from bench.carrier.dialect import CallState
from bench.carrier.errors import Rule
from bench.carrier.plivo.frames import PlivoWire
from bench.carrier.plivo.rules import HANDSHAKE, HTTP, UNREADABLE
from bench.carrier.plivo.signing import NONCE, SIGNATURE, signature
from bench.carrier.plivo.xml import parse_plivo_xml
from bench.carrier.record import EndReason
from bench.carrier.steps import ConnectStream, Step
from bench.carrier.webhooks import Request, Signed
from bench.carrier.wire import Wire

FORM: Final = "application/x-www-form-urlencoded"
_XML: Final = ("text/xml", "application/xml")


@dataclass(frozen=True, slots=True)
class PlivoAccount:
    """The credentials that both sides know. Satisfies `bench.carrier.dialect.Account`."""

    auth_id: str = "MA" + "0" * 18
    auth_token: str = field(default="0" * 40, repr=False)
    name: str = "plivo"
    voice_path: str = "/plivo/voice"
    status_path: str = "/plivo/hangup"

    def new_call_id(self) -> str:
        return str(uuid.uuid4())

    def dialect(self, state: CallState) -> "PlivoDialect":
        return PlivoDialect(self, state)


class PlivoDialect:
    """One call. Satisfies `bench.carrier.dialect.Dialect`."""

    agent: Final = "PlivoStream/1.0"
    retries: Final = 2
    survives_refusal: Final = True

    def __init__(self, account: PlivoAccount, state: CallState) -> None:
        self._account = account
        self._state = state

    async def rings(self) -> Sequence[Step]:
        return await self._asked(self._state.plan.voice_url, "ringing")

    async def document(self, url: str) -> Sequence[Step]:
        return await self._asked(url, "in-progress")

    async def stream_began(self, stream: ConnectStream, wire: Wire) -> None:
        await self._tell_stream(stream, wire, "StartStream")

    async def stream_ended(
        self, stream: ConnectStream, wire: Wire, following: Sequence[Step], reason: EndReason
    ) -> Sequence[Step]:
        """The document goes on."""
        await self.stream_over(stream, wire, reason)
        return following

    async def stream_over(self, stream: ConnectStream, wire: Wire, reason: EndReason) -> None:
        await self._tell_stream(stream, wire, "StopStream")

    async def said(self, following: Sequence[Step]) -> Sequence[Step]:
        return following

    async def over(self) -> None:
        url = self._state.plan.status_url
        if url is None:
            return
        seconds = str(self._state.record.now_ms // 1000)
        told = {"Event": "Hangup", "Duration": seconds, "HangupCause": "NORMAL_CLEARING"}
        await self._state.webhooks.notify(self._post(url, self._fields("completed") | told), HTTP)

    def signed_upgrade(self, stream: ConnectStream) -> Signed:
        return self._signed(stream.url, None)

    def refusal(self) -> Rule:
        return HANDSHAKE

    def wire(self, stream: ConnectStream) -> PlivoWire:
        call_uuid = self._state.plan.call_id
        return PlivoWire(self._account.auth_id, call_uuid, str(uuid.uuid4()), stream.parameters)

    async def _asked(self, url: str, status: str) -> Sequence[Step]:
        self._state.count_document(UNREADABLE)
        fields = self._fields(status) | {"Event": "StartApp" if status == "ringing" else "Redirect"}
        document = await self._state.webhooks.document(self._post(url, fields), HTTP, _XML)
        return parse_plivo_xml(document, url)

    async def _tell_stream(self, stream: ConnectStream, wire: Wire, event: str) -> None:
        if stream.status_callback is None:
            return
        fields = self._fields("in-progress") | {"Event": event, "StreamID": wire.stream_id}
        await self._state.webhooks.notify(self._post(stream.status_callback, fields), HTTP)

    def _post(self, url: str, fields: Mapping[str, str]) -> Request:
        return Request(url, urlencode(fields).encode(), FORM, self._signed(url, fields), "plivo")

    def _signed(self, url: str, fields: Mapping[str, str] | None) -> Signed:
        nonce = str(secrets.randbelow(9 * 10**19) + 10**19)
        signed = signature(self._account.auth_token, url, nonce, fields)
        return Signed({SIGNATURE: signed, NONCE: nonce}, SIGNATURE)

    def _fields(self, status: str) -> dict[str, str]:
        plan = self._state.plan
        return {
            "CallUUID": plan.call_id,
            "From": plan.caller.removeprefix("+"),
            "To": plan.dialled.removeprefix("+"),
            "Direction": "inbound",
            "CallStatus": status,
            **dict(plan.extra_fields),
        }
