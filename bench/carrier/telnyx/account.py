"""A Telnyx account, and one call of its number: signed webhooks tell of it, orders say what is done.

Telnyx docs, "Receiving webhooks", "Call commands" and "Media Streaming over WebSockets" (read 2026-11).
Webhooks are JSON, signed by Ed25519 over `timestamp|body`; one that is not answered 2xx comes again, with the
same id. Their answers' bodies say nothing: a call stands still until it is ordered. Whoever serves the REST
interface hands each order that it took to `TelnyxDialect.take`.
"""

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.carrier.dialect import CallState
from bench.carrier.errors import AnswerRejected, Rule, WebhookFailed
from bench.carrier.record import EndReason
from bench.carrier.steps import ConnectStream, Step
from bench.carrier.telnyx.frames import Introduction, TelnyxWire
from bench.carrier.telnyx.orders import Command
from bench.carrier.telnyx.rules import HANDSHAKE, HTTP, NO_ORDER
from bench.carrier.webhooks import Request, Signed
from bench.carrier.wire import Wire

SIGNATURE: Final = "telnyx-signature-ed25519"
TIMESTAMP: Final = "telnyx-timestamp"
ORDER_LIMIT_S: Final = 30.0
ATTEMPTS: Final = 3
RETRY_S: Final = 0.5
BESIDE: Final = frozenset({"streaming_stop", "playback_start", "playback_stop"})
TELLS_ENDS: Final = frozenset({"call.initiated", "call.answered", "call.hangup"})
"""Of a stream and of what was spoken Telnyx does not say who calls whom."""


@dataclass(frozen=True, slots=True)
class TelnyxAccount:
    """The credentials: the API key that orders carry, the 32 bytes whose public half the gateway knows.

    Satisfies `bench.carrier.dialect.Account`.
    """

    api_key: str = field(default="KEY" + "0" * 32, repr=False)
    seed: bytes = field(default=bytes(range(32)), repr=False)
    name: str = "telnyx"
    voice_path: str = "/telnyx/voice"
    status_path: None = None

    @property
    def public_key(self) -> str:
        """As Telnyx's portal shows it."""
        raw = self._private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def new_call_id(self) -> str:
        return f"v3:{uuid.uuid4().hex}{uuid.uuid4().hex[:12]}"

    def dialect(self, state: CallState) -> "TelnyxDialect":
        return TelnyxDialect(self, state)

    def sign(self, body: bytes, at_s: int) -> Signed:
        """What vouches for a webhook that is sent at that time (unix)."""
        signed = self._private().sign(str(at_s).encode() + b"|" + body)
        return Signed({SIGNATURE: base64.b64encode(signed).decode(), TIMESTAMP: str(at_s)}, SIGNATURE)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


class TelnyxDialect:
    """One call. Satisfies `bench.carrier.dialect.Dialect`."""

    agent: Final = "Telnyx Media Streaming"
    retries: Final = 0
    survives_refusal: Final = True

    def __init__(self, account: TelnyxAccount, state: CallState) -> None:
        self._account = account
        self._state = state
        self._ids = {name: str(uuid.uuid4()) for name in ("user", "leg", "session", "connection")}
        self._commands: asyncio.Queue[Command] = asyncio.Queue()
        self._client_state: str | None = None

    def take(self, command: Command) -> None:
        """An order that the REST interface has accepted. Some are done beside what the call stands at."""
        if command.action in BESIDE:
            self._client_state = command.client_state or self._client_state
        else:
            self._commands.put_nowait(command)

    async def rings(self) -> Sequence[Step]:
        await self._tell("call.initiated", state="parked", direction="incoming")
        return await self._ordered()

    async def document(self, url: str) -> Sequence[Step]:
        """Telnyx asks for none."""
        raise AnswerRejected(NO_ORDER, "a document is asked for")

    async def stream_began(self, stream: ConnectStream, wire: Wire) -> None:
        await self._tell_stream("streaming.started", stream, wire)

    async def stream_ended(
        self, stream: ConnectStream, wire: Wire, following: Sequence[Step], reason: EndReason
    ) -> Sequence[Step]:
        """Whoever was told decides."""
        await self.stream_over(stream, wire, reason)
        return await self._ordered()

    async def stream_over(self, stream: ConnectStream, wire: Wire, reason: EndReason) -> None:
        if reason in ("dropped", "refused"):
            why = {"failure_reason": "connection_failed", "stream_type": "websocket"}
            await self._tell_stream("streaming.failed", stream, wire, **why)
        else:
            await self._tell_stream("streaming.stopped", stream, wire)

    async def said(self, following: Sequence[Step]) -> Sequence[Step]:
        await self._tell("call.speak.ended", status="completed")
        return await self._ordered()

    async def over(self) -> None:
        if self._state.plan.media_url is not None:
            return
        by = "caller" if self._state.record.end_reason == "caller_hung_up" else "callee"
        await self._tell("call.hangup", hangup_cause="normal_clearing", hangup_source=by, state="hangup")

    def signed_upgrade(self, stream: ConnectStream) -> Signed:
        """Nobody signs it."""
        return Signed()

    def refusal(self) -> Rule:
        return HANDSHAKE

    def wire(self, stream: ConnectStream) -> TelnyxWire:
        plan = self._state.plan
        introduction = Introduction(
            user_id=self._ids["user"],
            call_control_id=plan.call_id,
            call_session_id=self._ids["session"],
            caller=plan.caller,
            dialled=plan.dialled,
            client_state=self._client_state,
            custom_parameters=stream.parameters,
        )
        return TelnyxWire(str(uuid.uuid4()), introduction)

    async def _ordered(self) -> Sequence[Step]:
        """What the next order asks for; nothing once the call has ended."""
        while (command := await self._next_command()) is not None:
            self._client_state = command.client_state or self._client_state
            if command.action == "answer":
                await self._tell("call.answered", state="answered")
            if steps := command.steps():
                return steps
        return ()

    async def _next_command(self) -> Command | None:
        """Raises `AnswerRejected` if none comes."""
        coming = asyncio.create_task(self._commands.get())
        ending = asyncio.create_task(self._state.hung_up.wait())
        try:
            await asyncio.wait({coming, ending}, timeout=ORDER_LIMIT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            coming.cancel()
            ending.cancel()
        if coming.done() and not coming.cancelled():
            return coming.result()
        if ending.done() and not ending.cancelled():
            return None
        raise AnswerRejected(NO_ORDER, f"no order came within {ORDER_LIMIT_S:g} s")

    async def _tell_stream(self, event_type: str, stream: ConnectStream, wire: Wire, **parts: Any) -> None:
        params = {"stream_url": stream.url, "track": "inbound_track"}
        await self._tell(event_type, stream_id=wire.stream_id, stream_params=params, **parts)

    async def _tell(self, event_type: str, **parts: Any) -> None:
        """One webhook, again with the same id if it is not taken. Raises `WebhookFailed` at last."""
        plan, event_id = self._state.plan, str(uuid.uuid4())
        data = {
            "record_type": "event",
            "event_type": event_type,
            "id": event_id,
            "occurred_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "payload": self._payload(event_type, parts),
        }
        for attempt in range(1, ATTEMPTS + 1):
            meta = {"attempt": attempt, "delivered_to": plan.voice_url}
            try:
                await self._state.webhooks.notify(self._post({"data": data, "meta": meta}), HTTP)
            except WebhookFailed as failure:
                if attempt == ATTEMPTS or _is_final(failure.status):
                    raise
                await asyncio.sleep(RETRY_S)
            else:
                return

    def _post(self, told: dict[str, Any]) -> Request:
        body = json.dumps(told).encode()
        signed = self._account.sign(body, int(time.time()))
        return Request(self._state.plan.voice_url, body, "application/json", signed, "telnyx-webhooks")

    def _payload(self, event_type: str, parts: dict[str, Any]) -> dict[str, Any]:
        plan = self._state.plan
        ends = {"from": plan.caller, "to": plan.dialled} if event_type in TELLS_ENDS else {}
        return {
            "call_control_id": plan.call_id,
            "call_leg_id": self._ids["leg"],
            "call_session_id": self._ids["session"],
            "connection_id": self._ids["connection"],
            "client_state": self._client_state,
            **ends,
            **dict(plan.extra_fields),
            **parts,
        }


def _is_final(status: int | None) -> bool:
    """A refusal stays one; the carrier itself comes again for those, too, and is told the same."""
    return status is not None and 400 <= status < 500
