"""The smallest gateway that a carrier can call: answers the webhook, then does what a test tells it on the
socket.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from twilio.request_validator import RequestValidator

from bench.simulators.serving import RunningServer

TOKEN = "12345"
Behaviour = Callable[["Media"], Awaitable[None]]


class Media:
    """The gateway's end of a media socket: raw messages in and out."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.received: list[dict[str, Any]] = []
        self.stream_sid = ""

    async def receive(self) -> dict[str, Any] | None:
        """The next message, None when the socket has closed."""
        message = await self.socket.receive()
        if message.type is not web.WSMsgType.TEXT:
            return None
        frame: dict[str, Any] = json.loads(message.data)
        self.received.append(frame)
        self.stream_sid = frame.get("streamSid", self.stream_sid)
        return frame

    async def until(self, event: str) -> dict[str, Any] | None:
        """The next message of this kind, None if the socket closes first."""
        while (frame := await self.receive()) is not None:
            if frame["event"] == event:
                return frame
        return None

    async def send(self, event: str, **body: Any) -> None:
        await self.socket.send_str(json.dumps({"event": event, "streamSid": self.stream_sid, **body}))


@dataclass
class Gateway:
    """What the carrier asked of it: paths, fields and whether each request was properly signed."""

    twiml: str
    behaviour: Behaviour
    after: str = "<Response><Hangup/></Response>"
    url: str = ""
    posts: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)

    async def post(self, request: web.Request) -> web.Response:
        fields = {name: str(value) for name, value in (await request.post()).items()}
        self.posts.append((request.path, fields))
        self._check(self.url + request.path, fields, request)
        if request.path == "/twilio/status":
            return web.Response(status=204)
        document = self.twiml if request.path == "/twilio/voice" else self.after
        return web.Response(text=document.replace("{url}", self.url), content_type="text/xml")

    async def upgrade(self, request: web.Request) -> web.WebSocketResponse:
        self._check("ws" + self.url.removeprefix("http") + request.path, {}, request)
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        media = Media(socket)
        self.media.append(media)
        await media.until("start")
        await self.behaviour(media)
        return socket

    def _check(self, url: str, fields: dict[str, str], request: web.Request) -> None:
        signature = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(TOKEN).validate(url, fields, signature):
            self.unsigned.append(request.path)


STREAM = (
    '<Response><Connect action="/twilio/after">'
    '<Stream url="/twilio/media" statusCallback="{url}/twilio/status"><Parameter name="token" value="t"/>'
    "</Stream></Connect></Response>"
)


@asynccontextmanager
async def gateway(behaviour: Behaviour, twiml: str = STREAM) -> AsyncIterator[Gateway]:
    served = Gateway(twiml, behaviour)
    app = web.Application()
    for carrier in ("twilio", "telnyx"):
        app.router.add_get(f"/{carrier}/media", served.upgrade)
    app.router.add_post("/{path:.*}", served.post)
    server = RunningServer(app, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{await server.start()}"
    try:
        yield served
    finally:
        await server.stop()
