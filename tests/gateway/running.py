"""A gateway that really serves: uvicorn on a free port, embedded stores, simulated vendors; and its carrier.

The carrier here signs and speaks raw frames, so that a test can also do what no carrier does.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import httpx
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import ScriptedModel
from gateway.app import build_app
from gateway.metrics import Metrics
from gateway.routes.edge import Edge
from gateway.server import GatewayServer
from gateway.settings import load
from gateway.shared_store import SharedStore
from tests.conftest import Stack

PUBLIC_URL = "https://gw.example.com"
MEDIA_URL = "wss://gw.example.com/twilio/media"
ACCOUNT, AUTH_TOKEN = "AC" + "5" * 32, "twilio-auth-token"
VENDOR_KEY = "test-key"
CALL = "CA" + "7" * 32
STREAM = "MZ" + "7" * 32


@dataclass(frozen=True)
class Vendors:
    """Simulated vendors."""

    deepgram: DeepgramSimulator
    chat: ChatSimulator
    cartesia: CartesiaSimulator

    def environment(self) -> dict[str, str]:
        return {
            "DEEPGRAM_URL": self.deepgram.url,
            "LLM_BASE_URL": self.chat.url,
            "CARTESIA_URL": self.cartesia.url,
            "LLM_MODEL": "scripted-receptionist",
        }


@asynccontextmanager
async def vendors() -> AsyncIterator[Vendors]:
    async with (
        DeepgramSimulator(Script([]).hearing) as deepgram,
        ChatSimulator(ScriptedModel([], otherwise="Very well.")) as chat,
        CartesiaSimulator(ToneVoice()) as cartesia,
    ):
        yield Vendors(deepgram, chat, cartesia)


def environment(stack: Stack, **changes: str) -> dict[str, str]:
    """A complete environment; vendors are where nobody answers unless they are told otherwise.

    The tests' machine may be busy: Redis has more time than a call would give it, and a model that it makes
    late is not asked twice.
    """
    base = {
        "PUBLIC_URL": PUBLIC_URL,
        "PORT": "0",
        "DATABASE_URL": stack.postgres.app,
        "REDIS_URL": stack.redis,
        "DEEPGRAM_API_KEY": VENDOR_KEY,
        "LLM_API_KEY": VENDOR_KEY,
        "CARTESIA_API_KEY": VENDOR_KEY,
        "DEEPGRAM_URL": "http://127.0.0.1:9",
        "LLM_BASE_URL": "http://127.0.0.1:9/v1",
        "CARTESIA_URL": "http://127.0.0.1:9",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "TWILIO_API_URL": "http://127.0.0.1:9",
        "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        "DATABASE_CONNECTIONS": "4",
        "WORKERS": "0",
        "REDIS_S": "3",
        "LLM_HEDGE_AFTER_S": "off",
    }
    return base | changes


class Gateway:
    """The served gateway, and requests as its carrier makes them."""

    def __init__(self, server: GatewayServer, edge: Edge, http: httpx.AsyncClient) -> None:
        self.server = server
        self.edge = edge
        self.http = http
        self._validator = RequestValidator(AUTH_TOKEN)

    @property
    def url(self) -> str:
        return self.server.url

    def signature(self, url: str, fields: Mapping[str, str] | None = None) -> str:
        return str(self._validator.compute_signature(url, dict(fields or {})))

    async def post(
        self, path: str, fields: Mapping[str, str], signature: str | None = None
    ) -> httpx.Response:
        signed = self.signature(PUBLIC_URL + path, fields) if signature is None else signature
        return await self.http.post(
            self.url + path, data=dict(fields), headers={"X-Twilio-Signature": signed}
        )

    async def answer(self, dialled: str, call_id: str = CALL) -> ElementTree.Element:
        """The document that answers a call to this number."""
        return document(await self.post("/twilio/voice", {"CallSid": call_id, "To": dialled}))

    async def token(self, dialled: str, call_id: str = CALL) -> str:
        """The media token in that document."""
        parameter = (await self.answer(dialled, call_id)).find(".//Parameter[@name='token']")
        assert parameter is not None
        return parameter.attrib["value"]

    def media(self, signature: str | None = None, media_url: str = MEDIA_URL) -> connect:
        """The media socket, to be entered with `async with`."""
        path = media_url.removeprefix(PUBLIC_URL.replace("https", "wss"))
        signed = self.signature(media_url) if signature is None else signature
        return connect(
            self.url.replace("http", "ws", 1) + path,
            additional_headers={"X-Twilio-Signature": signed} if signed else {},
            compression=None,
            close_timeout=1,
        )

    def counted(self, name: str, **labels: str) -> float:
        return self.edge.metrics.registry.get_sample_value(name, labels) or 0.0

    async def until_idle(self) -> None:
        """No call is left."""
        async with asyncio.timeout(10):
            await self.edge.calls.idle()


@asynccontextmanager
async def gateway(environ: Mapping[str, str]) -> AsyncIterator[Gateway]:
    settings = load(environ, env_file=None)
    app = build_app(settings)
    server = GatewayServer(app, settings)
    async with AsyncExitStack() as closing:
        serving = asyncio.create_task(server.serve())
        closing.push_async_callback(_stopped, server, serving)
        async with asyncio.timeout(20):
            while not server.started:
                assert not serving.done(), "the gateway did not start"
                await asyncio.sleep(0.01)
        http = await closing.enter_async_context(httpx.AsyncClient(trust_env=False))
        yield Gateway(server, app.state.edge, http)


async def _stopped(server: GatewayServer, serving: "asyncio.Task[None]") -> None:
    server.should_exit = True
    async with asyncio.timeout(20):
        await serving


def document(response: httpx.Response) -> ElementTree.Element:
    assert response.status_code == 200, response.status_code
    assert response.headers["content-type"].startswith("text/xml")
    return ElementTree.fromstring(response.content)  # noqa: S314  our own document


def verbs(answer: ElementTree.Element) -> list[str]:
    return [verb.tag for verb in answer]


# --- frames -------------------------------------------------------------------------------------------------


def frame(event: str, **parts: Any) -> str:
    return json.dumps({"event": event, "sequenceNumber": "1", "streamSid": STREAM, **parts})


def start(token: str, call_id: str = CALL) -> str:
    media_format = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    part = {"accountSid": ACCOUNT, "streamSid": STREAM, "callSid": call_id, "mediaFormat": media_format}
    return frame("start", start=part | {"customParameters": {"token": token}})


def silence(ms: int = 20) -> str:
    payload = base64.b64encode(b"\xff" * 8 * ms).decode()
    return frame("media", media={"track": "inbound", "chunk": "1", "timestamp": "0", "payload": payload})


async def closed(socket: ClientConnection, within_s: float = 5.0) -> tuple[int, str]:
    """How the gateway closed this socket."""
    async with asyncio.timeout(within_s):
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def first_audio(socket: ClientConnection, within_s: float = 5.0) -> bytes:
    """The first audio that the gateway plays."""
    async with asyncio.timeout(within_s):
        async for message in socket:
            sent = json.loads(message)
            if sent["event"] == "media":
                return base64.b64decode(sent["media"]["payload"])
    raise AssertionError(f"closed with {socket.close_code} {socket.close_reason}")


def shared_store(stack: Stack) -> SharedStore:
    """A look into Redis."""
    return SharedStore(stack.redis, Metrics(), command_s=1)
