"""Vapi as the gateway meets it: one call's messages, signed and shaped as its documents have them."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from booking.db import org_transaction
from booking.types import OPERATOR
from booking.vapi_setups import VapiSetup, store_vapi_setup
from gateway.vapi.assistant import Choices
from gateway.vapi.sharing import call_id_of
from tests.conftest import Clinic
from tests.gateway.desk import mobile
from tests.gateway.running import Gateway

API_KEY, SECRET, OWN_SECRET = "vapi-private-key", "vapi-signing-secret", "signing-secret-of-the-org"
AUTH = json.dumps({"kind": "hmac", "secret_key": SECRET})
WEBHOOK = "/webhooks/vapi"
ENVIRONMENT = {"VAPI_API_KEY": API_KEY, "VAPI_AUTH": AUTH}


def signed(body: bytes, secret: str = SECRET, at_s: float | None = None) -> dict[str, str]:
    """The headers of Vapi's HMAC credential as it comes."""
    stamp = str(int(time.time() if at_s is None else at_s))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-signature": digest, "x-timestamp": stamp, "content-type": "application/json"}


async def post(
    gateway: Gateway, body: bytes, headers: dict[str, str] | None = None, path: str = WEBHOOK
) -> httpx.Response:
    told = signed(body) if headers is None else headers
    return await gateway.http.post(gateway.url + path, content=body, headers=told, timeout=60)


async def set_up(pool: asyncpg.Pool, clinic: Clinic, **choices: Any) -> None:
    """As the command leaves an org that is known to Vapi."""
    setup = VapiSetup(
        assistant_id="a-1",
        credential_id="c-1",
        model_credential_id="c-2",
        choices=Choices.chosen(choices).told(),
    )
    await store_vapi_setup(pool, clinic.claim, setup, actor=OPERATOR)


@dataclass
class CallAtVapi:
    """One call to a clinic's number. `secrets` come with each message, as Vapi's own do."""

    clinic: Clinic
    caller: str = field(default_factory=mobile)
    vapi_id: str = field(default_factory=lambda: str(uuid4()))
    secrets: dict[str, Any] = field(default_factory=dict)
    kind: str = "inboundPhoneCall"
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(minutes=3))
    _used: int = 0

    @property
    def call(self) -> dict[str, Any]:
        return {
            "id": self.vapi_id,
            "orgId": str(uuid4()),
            "type": self.kind,
            "status": "in-progress",
            "phoneCallProvider": "twilio",
            "startedAt": self.started_at.isoformat(),
            "customer": {"number": self.caller},
            "assistantOverrides": {},
            **self.secrets.get("call", {}),
        }

    def body(self, kind: str, **parts: Any) -> bytes:
        message = {
            "type": kind,
            "timestamp": round(time.time() * 1000),
            "call": self.call,
            "phoneNumber": {"id": "p", "number": self.clinic.number, **self.secrets.get("phoneNumber", {})},
            "customer": {"number": self.caller},
            "assistantVersion": None,
            **parts,
        }
        return json.dumps({"message": message, **self.secrets.get("body", {})}).encode()

    async def tell(self, gateway: Gateway, kind: str, path: str = WEBHOOK, **parts: Any) -> httpx.Response:
        return await post(gateway, self.body(kind, **parts), path=path)

    def tool_call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The arguments as text, which is how the schema has them."""
        self._used += 1
        function = {"name": name, "arguments": json.dumps(arguments)}
        return {"id": f"call_{self.vapi_id}_{self._used}", "type": "function", "function": function}

    async def use(self, gateway: Gateway, name: str, **arguments: Any) -> dict[str, Any]:
        """What the model is told."""
        return await self.used(gateway, self.tool_call(name, **arguments))

    async def used(self, gateway: Gateway, asked: dict[str, Any]) -> dict[str, Any]:
        answer = await self.tell(gateway, "tool-calls", toolCallList=[asked])
        assert answer.status_code == 200
        (result,) = answer.json()["results"]
        assert (result["toolCallId"], result["name"]) == (asked["id"], asked["function"]["name"])
        text: str = result.get("result") or result["error"]
        assert "\n" not in text
        told: dict[str, Any] = json.loads(text)
        return told

    def report(
        self, *said: tuple[str, str], reason: str = "customer-ended-call", **parts: Any
    ) -> dict[str, Any]:
        """The parts of an end-of-call-report. `said`: roles and words, a second each from the start on."""
        began_ms = round(self.started_at.timestamp() * 1000)
        messages = [
            {
                "role": role,
                "message": text,
                "time": began_ms + n * 1000,
                "endTime": began_ms + n * 1000 + 900,
                "secondsFromStart": n,
            }
            for n, (role, text) in enumerate(said)
        ]
        artifact = {"messages": messages, "transcript": "", "recordingUrl": "https://vapi.example/r.wav"}
        ended_at = datetime.now(UTC) - timedelta(seconds=30)
        told = {"endedReason": reason, "endedAt": ended_at.isoformat(), "artifact": artifact, "analysis": {}}
        return {**told, **parts}

    async def end(self, gateway: Gateway, *said: tuple[str, str], **parts: Any) -> httpx.Response:
        return await self.tell(gateway, "end-of-call-report", **self.report(*said, **parts))

    async def row(self, pool: asyncpg.Pool, statement: str) -> asyncpg.Record:
        """One row about the call; `$1` is its id."""
        (row,) = await self.rows(pool, statement)
        return row

    async def rows(self, pool: asyncpg.Pool, statement: str) -> list[asyncpg.Record]:
        call_id = call_id_of(self.clinic.claim.org_id, self.vapi_id)
        async with org_transaction(pool, self.clinic.claim) as connection:
            found: list[asyncpg.Record] = await connection.fetch(statement, call_id)
        return found
