"""A Vonage application, and one call of its number as Vonage tells of it: JSON, signed as a whole.

Vonage docs, "Webhook reference", "NCCO reference", "Signed webhooks" and "WebSockets" (read 2026-11). Numbers
come without their plus. The media socket is a leg of its own: its events go to the `eventUrl` of its
`connect`, with the headers that the answer gave it, and where that says `synchronous` the answer to the event
of a lost socket may be another document. Vonage does not open a lost socket again by itself.
"""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import urlencode

from bench.carrier.dialect import CallState
from bench.carrier.errors import Rule
from bench.carrier.record import EndReason
from bench.carrier.steps import ConnectStream, Step
from bench.carrier.vonage.frames import VonageWire
from bench.carrier.vonage.ncco import parse_ncco
from bench.carrier.vonage.rules import HANDSHAKE, HTTP, UNREADABLE
from bench.carrier.vonage.signing import claims, signed_token
from bench.carrier.webhooks import Request, Signed
from bench.carrier.wire import Wire

SIGNATURE: Final = "Authorization"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class VonageAccount:
    """The credentials that both sides know, and how the answer address is asked. Satisfies
    `bench.carrier.dialect.Account`. `public_key` (PEM): of the application's key, which opens its REST
    interface; without one there is no such interface.
    """

    application_id: str = "00000000-0000-4000-8000-000000000000"
    signature_secret: str = field(default="0" * 32, repr=False)
    public_key: str = ""
    api_key: str = "00000000"
    answer_method: Literal["GET", "POST"] = "POST"
    name: str = "vonage"
    voice_path: str = "/vonage/voice"
    status_path: str = "/vonage/event"

    def new_call_id(self) -> str:
        return str(uuid.uuid4())

    def dialect(self, state: CallState) -> "VonageDialect":
        return VonageDialect(self, state)

    def sign(self, body: bytes | None) -> Signed:
        """What vouches for a request that is sent now."""
        told = claims(self.api_key, self.application_id, body, int(time.time()))
        return Signed({SIGNATURE: f"Bearer {signed_token(told, self.signature_secret)}"}, SIGNATURE)


class VonageDialect:
    """One call. Satisfies `bench.carrier.dialect.Dialect`."""

    agent: Final = "Vonage"
    retries: Final = 0
    survives_refusal: Final = True

    def __init__(self, account: VonageAccount, state: CallState) -> None:
        self._account = account
        self._state = state
        self._conversation = f"CON-{uuid.uuid4()}"

    async def rings(self) -> Sequence[Step]:
        await self._tell_call("ringing")
        plan = self._state.plan
        self._state.count_document(UNREADABLE)
        told = {**self._parties(), "conversation_uuid": self._conversation, "uuid": plan.call_id}
        request = self._request(plan.voice_url, told | dict(plan.extra_fields), self._account.answer_method)
        steps = parse_ncco(await self._state.webhooks.document(request, HTTP, (JSON,)))
        await self._tell_call("answered")
        return steps

    async def document(self, url: str) -> Sequence[Step]:
        """What is to be done behind a `notify`, as its answer says."""
        told = {**self._parties(), "conversation_uuid": self._conversation, "payload": {}}
        answer = await self._state.webhooks.notify(self._request(url, told, "POST"), HTTP)
        if answer.status != HTTPStatus.OK or answer.content_type != JSON:
            return []
        self._state.count_document(UNREADABLE)
        return parse_ncco(answer.body)

    async def stream_began(self, stream: ConnectStream, wire: Wire) -> None:
        await self._tell_leg(stream, wire, "answered")

    async def stream_ended(
        self, stream: ConnectStream, wire: Wire, following: Sequence[Step], reason: EndReason
    ) -> Sequence[Step]:
        """The event's answer, where it is asked for; else the document goes on."""
        answer = await self._tell_leg(stream, wire, "failed" if reason == "refused" else "disconnected")
        if stream.action is None or not answer:
            return following
        self._state.count_document(UNREADABLE)
        return parse_ncco(answer)

    async def stream_over(self, stream: ConnectStream, wire: Wire, reason: EndReason) -> None:
        await self._tell_leg(stream, wire, "completed")

    async def said(self, following: Sequence[Step]) -> Sequence[Step]:
        return following

    async def over(self) -> None:
        await self._tell_call("completed", duration=str(self._state.record.now_ms // 1000))

    def signed_upgrade(self, stream: ConnectStream) -> Signed:
        """Signed where the answer asked for it."""
        return self._account.sign(None) if stream.signed else Signed()

    def refusal(self) -> Rule:
        return HANDSHAKE

    def wire(self, stream: ConnectStream) -> VonageWire:
        return VonageWire(str(uuid.uuid4()), stream.rate_hz, stream.parameters)

    async def _tell_call(self, status: str, **parts: str) -> None:
        url = self._state.plan.status_url
        if url is not None:
            told = self._event(status, self._state.plan.call_id, **self._parties(), **parts)
            await self._state.webhooks.notify(self._request(url, told, "POST"), HTTP)

    async def _tell_leg(self, stream: ConnectStream, wire: Wire, status: str) -> bytes:
        """The answer's body, b"" if there is none."""
        url = stream.status_callback or self._state.plan.status_url
        if url is None:
            return b""
        told = self._event(status, wire.stream_id, headers=dict(stream.parameters), to=stream.url)
        answer = await self._state.webhooks.notify(self._request(url, told, "POST"), HTTP)
        return answer.body if answer.status == 200 and answer.content_type == JSON else b""

    def _event(self, status: str, leg: str, **parts: Any) -> dict[str, Any]:
        return {
            "status": status,
            "direction": "inbound",
            "uuid": leg,
            "conversation_uuid": self._conversation,
            "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            **parts,
        }

    def _parties(self) -> dict[str, str]:
        plan = self._state.plan
        return {"from": plan.caller.removeprefix("+"), "to": plan.dialled.removeprefix("+")}

    def _request(self, url: str, told: Mapping[str, Any], method: Literal["GET", "POST"]) -> Request:
        if method == "GET":
            asked = f"{url}{'&' if '?' in url else '?'}{urlencode(told)}"
            return Request(asked, None, "", self._account.sign(None), "Vonage")
        body = json.dumps(told).encode()
        return Request(url, body, JSON, self._account.sign(body), "Vonage")
