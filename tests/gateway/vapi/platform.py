"""Vapi's side of a call, as far as its documents tell: it goes by what was set up there, and by nothing else.

Numbers, credentials and assistants are those that a simulated Vapi holds, so a call comes to an end only if
what the command told there and what the gateway takes fit together.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect

from bench.simulators.vapi_api import VapiApiSimulator
from tests.gateway.running import PUBLIC_URL, Gateway

RATE_HZ = 24_000


@dataclass
class Platform:
    """One call to one of its numbers. What it sends to `PUBLIC_URL` comes to the gateway."""

    vapi: VapiApiSimulator
    gateway: Gateway
    number: str
    caller: str = "+447700900111"
    call_id: str = field(default_factory=lambda: str(uuid4()))
    assistant: dict[str, Any] = field(default_factory=dict)

    async def ring(self) -> httpx.Response:
        """Nothing is attached to the number, so it asks; what it is answered is held against its schema."""
        (number,) = [
            each for each in self.vapi.objects["phone-number"].values() if each["number"] == self.number
        ]
        assert not number.keys() & {"assistantId", "squadId", "workflowId"}
        answer = await self.post(number["server"], "assistant-request")
        if "assistant" in answer.json():
            self.assistant = answer.json()["assistant"]
            await self._require_taken(self.assistant)
        return answer

    async def _require_taken(self, assistant: Mapping[str, Any]) -> None:
        """By its REST: what it would not keep, it would not use for a call."""
        key = {"Authorization": self.vapi.bearer}
        kept = await self.gateway.http.post(f"{self.vapi.url}/assistant", json=assistant, headers=key)
        assert kept.status_code == 201, kept.json()

    async def tell(self, kind: str, **parts: Any) -> httpx.Response:
        return await self.post(self.assistant["server"], kind, **parts)

    async def speak(self, text: str) -> bytes:
        """What is heard of it, as 16-bit samples at `RATE_HZ`."""
        answer = await self.post(
            self.assistant["voice"]["server"], "voice-request", text=text, sampleRate=RATE_HZ
        )
        assert answer.status_code == 200
        return answer.content

    async def hear(self) -> ClientConnection:
        """The socket that the caller's audio goes to; whoever calls closes it."""
        server = self.assistant["transcriber"]["server"]
        url = _reached(server["url"], self.gateway)
        headers = await self._shown(server, b"")
        return await connect(url, additional_headers=headers, compression=None, close_timeout=1)

    async def think(self, *history: Mapping[str, str]) -> str:
        """What the model says to what was said so far; by the bearer of the LLM's own credential."""
        model = self.assistant["model"]
        (key,) = [
            each["apiKey"]
            for each in map(self._credential, self.assistant["credentialIds"])
            if each["provider"] == "custom-llm"
        ]
        url = _reached(model["url"], self.gateway)
        async with AsyncOpenAI(api_key=key, base_url=url, max_retries=0, timeout=30) as client:
            create: Any = client.chat.completions.create
            stream = await create(
                model=model["model"],
                messages=list(history),
                tools=_as_openai_has_them(model["tools"]),
                stream=True,
                extra_body={**self._envelope(), "metadata": self.assistant["metadata"]},
            )
            chunks = [chunk async for chunk in stream]
        return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)

    async def post(self, server: Mapping[str, Any], kind: str, **parts: Any) -> httpx.Response:
        message = {"type": kind, "timestamp": round(time.time() * 1000), **self._envelope(), **parts}
        body = json.dumps({"message": message}).encode()
        headers = {"Content-Type": "application/json", **await self._shown(server, body)}
        return await self.gateway.http.post(
            _reached(server["url"], self.gateway), content=body, headers=headers, timeout=60
        )

    def _envelope(self) -> dict[str, Any]:
        call = {"id": self.call_id, "orgId": self.vapi.org_id, "type": "inboundPhoneCall"}
        customer = {"number": self.caller}
        return {
            "call": {**call, "customer": customer},
            "phoneNumber": {"id": "p", "number": self.number},
            "customer": customer,
        }

    def _credential(self, credential_id: str) -> dict[str, Any]:
        return self.vapi.objects["credential"][credential_id]

    async def _shown(self, server: Mapping[str, Any], body: bytes) -> dict[str, str]:
        plan = self._credential(server["credentialId"])["authenticationPlan"]
        if plan["type"] == "bearer":
            return {plan["headerName"]: ("Bearer " if plan["bearerPrefixEnabled"] else "") + plan["token"]}
        if plan["type"] == "oauth2":
            return {"Authorization": f"Bearer {await self._access_token(plan)}"}
        stamp = str(int(time.time()))
        signed = plan["payloadFormat"].replace("{timestamp}", stamp).encode().replace(b"{body}", body)
        digest = hmac.new(plan["secretKey"].encode(), signed, getattr(hashlib, plan["algorithm"])).digest()
        encoded = digest.hex() if plan["signatureEncoding"] == "hex" else base64.b64encode(digest).decode()
        return {
            plan["timestampHeader"]: stamp,
            plan["signatureHeader"]: plan.get("signaturePrefix", "") + encoded,
        }

    async def _access_token(self, plan: Mapping[str, Any]) -> str:
        client = {"client_id": plan["clientId"], "client_secret": plan["clientSecret"]}
        answer = await self.gateway.http.post(
            _reached(plan["url"], self.gateway), data={"grant_type": "client_credentials", **client}
        )
        assert answer.status_code == 200
        return str(answer.json()["access_token"])


def _reached(url: str, gateway: Gateway) -> str:
    """The address as the load balancer before the gateway has it."""
    for public, own in (
        (PUBLIC_URL, gateway.url),
        ("ws" + PUBLIC_URL.removeprefix("http"), "ws" + gateway.url.removeprefix("http")),
    ):
        if url.startswith(public + "/"):
            return own + url.removeprefix(public)
    raise AssertionError(f"{url} does not lead to the gateway")


def _as_openai_has_them(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Vapi's own tools go by their type."""
    nothing = {"type": "object", "properties": {}}
    return [
        {
            "type": "function",
            "function": tool.get("function", {"name": tool["type"], "parameters": nothing}),
        }
        for tool in tools
    ]
