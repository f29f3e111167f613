"""A strict local server for Deepgram's streaming speech-to-text: `/v1/listen` (Nova) and `/v2/listen` (Flux);
and `/v1/projects`, by which a key can be tried.

What the vendor rejects it rejects, in the vendor's terms: at the upgrade by status, body and `dg-error`
header, on the stream by error messages and close codes ("Streaming API errors",
developers.deepgram.com/docs, read 2026-10). What the vendor tolerates but frowns upon is noted on the
session. The hearing behind it is exchangeable.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from bench.simulators.deepgram_audio import AudioDecoder, Undecodable
from bench.simulators.deepgram_flux import Flux, TurnEnds
from bench.simulators.deepgram_hearing import Hearing
from bench.simulators.deepgram_nova import Nova
from bench.simulators.deepgram_pace import Pace
from bench.simulators.deepgram_parameters import (
    FluxSettings,
    NovaSettings,
    Refused,
    parse_flux,
    parse_nova,
)
from bench.simulators.deepgram_protocol import EndStream, FluxStream, Message, NovaStream, Stream
from bench.simulators.faults import DelayMessages, DropSocket, Faults, Inject, Refuse, SlowUpgrade, Stall

_V1, _V2 = "/v1/listen", "/v2/listen"
_PROJECTS: Final = "/v1/projects"
_QUEUED_FRAMES: Final = 4096
_CLOSE_S: Final = 1.0
_TOO_FAST: Final = "audio came much faster than real time"
_EMPTY_FRAME: Final = "an empty binary frame was sent"
_AFTER_END: Final = "something was sent after the end of the stream"


@dataclass(slots=True)
class Session:
    """What one connection received and was sent."""

    path: str
    params: dict[str, list[str]]
    request_id: str
    record: bool = True
    key: str = field(default="", repr=False)  # by which it was let in
    audio: bytearray = field(default_factory=bytearray)
    texts: list[Message] = field(default_factory=list)  # control messages received, in order
    sent: list[Message] = field(default_factory=list)  # messages sent, in order
    notes: list[str] = field(default_factory=list)  # what the vendor tolerates but frowns upon
    close_code: int | None = None
    close_reason: str = ""
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, what: str) -> None:
        """Take down a fact, once."""
        if what not in self.notes:
            self.notes.append(what)

    def received(self, frame: str | bytes) -> None:
        """Keep what came: audio, and texts that are JSON objects."""
        if not self.record:
            return
        if isinstance(frame, bytes):
            self.audio += frame
            return
        with contextlib.suppress(ValueError):
            message = json.loads(frame)
            if isinstance(message, dict):
                self.texts.append(message)


class DeepgramSimulator:
    """The server, as an async context manager: `async with DeepgramSimulator(Script(["hello"]).hearing) as
    deepgram`.

    `url` is its base (`http://127.0.0.1:port`), known once entered. `faults` may be changed while it runs.
    `idle_s`: how long nothing may come before NET-0001. `burst_s`: how far audio may run ahead of real time
    before that is noted. Without `record` nothing is kept of a session. `ends` times the turns of `/v2`.
    """

    def __init__(
        self,
        hearing: Callable[[], Hearing],
        *,
        keys: Set[str] = frozenset({"test-key"}),
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        idle_s: float = 10.0,
        burst_s: float = 5.0,
        record: bool = True,
        ends: TurnEnds | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._ends = ends
        self.sessions: list[Session] = []
        self.url = ""
        self._hearing = hearing
        self._keys = keys
        self._host, self._port = host, port
        self._idle_s, self._burst_s = idle_s, burst_s
        self._record = record
        self._server: Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve,
            self._host,
            self._port,
            process_request=self._admit,
            process_response=_identify,
            select_subprotocol=_select_subprotocol,
            compression=None,
            ping_interval=None,
            close_timeout=_CLOSE_S,
        )
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"http://{self._host}:{port}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse an upgrade as the vendor would, or by plan."""
        if slow := self.faults.take(SlowUpgrade):
            await asyncio.sleep(slow.seconds)
        if planned := self.faults.take(Refuse):
            return _refusal(connection, planned.status, planned.message, planned.retry_after_s)
        if not self._key(request):
            return _refusal(connection, 401, "Invalid credentials.")
        if urlsplit(request.path).path == _PROJECTS:
            return _projects(connection)
        try:
            _parse(request.path)
        except Refused as refused:
            return _refusal(connection, refused.status, str(refused))
        return None

    def _key(self, request: Request) -> str:
        """The good key among those offered, or nothing."""
        return next((key for key in _offered_keys(request) if key in self._keys), "")

    async def _serve(self, socket: ServerConnection) -> None:
        target = socket.request.path if socket.request else ""
        settings = _parse(target)
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        key = self._key(socket.request) if socket.request else ""
        session = Session(parts.path, query, str(socket.id), record=self._record, key=key)
        if self._record:
            self.sessions.append(session)
        connection = _Connection(
            socket,
            session,
            self._stream(settings, session.request_id),
            AudioDecoder(settings.encoding, settings.sample_rate_hz),
            Pace(time.monotonic(), idle_s=self._idle_s, burst_s=self._burst_s),
            self.faults,
        )
        await connection.run()

    def _stream(self, settings: NovaSettings | FluxSettings, request_id: str) -> Stream:
        if isinstance(settings, FluxSettings):
            return FluxStream(Flux(self._hearing(), settings, self._ends), request_id)
        return NovaStream(Nova(self._hearing(), settings), request_id)


# --- the upgrade ---


def _parse(target: str) -> NovaSettings | FluxSettings:
    """Raises `Refused`."""
    parts = urlsplit(target)
    query = parse_qs(parts.query, keep_blank_values=True)
    if parts.path == _V1:
        return parse_nova(query)
    if parts.path == _V2:
        return parse_flux(query)
    raise Refused("Not found.", status=404)


def _offered_keys(request: Request) -> list[str]:
    """From `Authorization: Token|Bearer <key>` or `Sec-WebSocket-Protocol: token|bearer, <key>`."""
    values = [value.partition(" ") for value in request.headers.get_all("Authorization")]
    values += [value.partition(",") for value in request.headers.get_all("Sec-WebSocket-Protocol")]
    return [key.strip() for scheme, _, key in values if scheme.strip().lower() in ("token", "bearer")]


def _select_subprotocol(_connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """A key offered as a sub-protocol is answered with its scheme alone."""
    return next((name for name in offered if name.lower() in ("token", "bearer")), None)


def _refusal(
    connection: ServerConnection, status: int, message: str, retry_after_s: float | None = None
) -> Response:
    code = {401: "INVALID_AUTH", 404: "NOT_FOUND", 429: "TOO_MANY_REQUESTS"}.get(status, "Bad Request")
    body = {"err_code": code, "err_msg": message, "request_id": str(connection.id)}
    response = _json(connection, HTTPStatus(status), body)
    response.headers["dg-error"] = message
    if retry_after_s is not None:
        response.headers["Retry-After"] = f"{retry_after_s:g}"
    return response


def _projects(connection: ServerConnection) -> Response:
    """The projects of a good key ("List Projects", read 2026-11)."""
    project = {"project_id": "00000000-0000-4000-8000-000000000002", "name": "offline"}
    return _json(connection, HTTPStatus.OK, {"projects": [project]})


def _json(connection: ServerConnection, status: HTTPStatus, body: Mapping[str, object]) -> Response:
    response = connection.respond(status, json.dumps(body))
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response


def _identify(connection: ServerConnection, _request: Request, response: Response) -> None:
    response.headers["dg-request-id"] = str(connection.id)


# --- one connection ---


class _Connection:
    """Two tasks: one reads at the socket's pace and watches the clock, one hears and answers in the order
    received.
    """

    def __init__(
        self,
        socket: ServerConnection,
        session: Session,
        stream: Stream,
        decoder: AudioDecoder,
        pace: Pace,
        faults: Faults,
    ) -> None:
        self._socket = socket
        self._session = session
        self._stream = stream
        self._decoder = decoder
        self._pace = pace
        self._faults = faults
        self._inbox: asyncio.Queue[str | bytes] = asyncio.Queue(_QUEUED_FRAMES)
        self._ended = False
        self._stalled = False

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(self._hear())
                with contextlib.suppress(ConnectionClosed):
                    await self._read()
                hearing.cancel()
        finally:
            self._session.close_code = self._socket.close_code
            self._session.close_reason = self._socket.close_reason or ""
            self._session.closed.set()

    async def _read(self) -> None:
        await self._strike()
        while True:
            try:
                async with asyncio.timeout(self._pace.deadline_s - time.monotonic()):
                    frame = await self._socket.recv()
            except TimeoutError:
                await self._time_out()
                return
            self._account(frame)
            if self._ended:
                self._session.note(_AFTER_END)
                continue
            await self._inbox.put(frame)
            await self._strike()

    async def _time_out(self) -> None:
        """NET-0001: nothing came for too long."""
        if message := self._stream.idle():
            await self._send(message)
        await self._socket.close(1011, "NET-0001: no audio or text within the timeout window")

    def _account(self, frame: str | bytes) -> None:
        self._session.received(frame)
        duration_s = self._decoder.seconds(len(frame)) if isinstance(frame, bytes) else 0.0
        self._pace.took(duration_s, time.monotonic())
        if isinstance(frame, bytes):
            self._stream.took(frame, duration_s)
        if self._pace.too_fast:
            self._session.note(_TOO_FAST)

    async def _strike(self) -> None:
        """Let the faults that are due happen."""
        audio_ms = self._pace.audio_s * 1000
        while inject := self._faults.take(Inject, lambda fault: fault.after_audio_ms <= audio_ms):
            if not self._stalled:
                await self._socket.send(inject.frame)
        if drop := self._faults.take(DropSocket, lambda fault: fault.after_audio_ms <= audio_ms):
            await self._drop(drop)
        if stall := self._faults.take(Stall, lambda fault: fault.after_audio_ms <= audio_ms):
            self._stalled = True
            if not stall.reading:
                await self._socket.wait_closed()

    async def _drop(self, drop: DropSocket) -> None:
        if drop.code is None:
            self._socket.transport.abort()
            await self._socket.wait_closed()
        else:
            await self._socket.close(drop.code, drop.reason)

    async def _hear(self) -> None:
        try:
            for message in self._stream.opened():
                await self._send(message)
            while True:
                frame = await self._inbox.get()
                if self._stalled:
                    continue  # what it never answers it has not heard either
                async for message in self._take(frame):
                    await self._send(message)
        except EndStream as end:
            self._ended = True
            await self._socket.close(end.code, end.reason)
        except Undecodable:
            self._ended = True
            await self._socket.close(1008, "DATA-0000: the payload cannot be decoded as audio")
        except ConnectionClosed:
            return

    def _take(self, frame: str | bytes) -> AsyncIterator[Message]:
        if isinstance(frame, str):
            return self._stream.control(frame)
        if frame:
            return self._stream.hear(self._decoder.decode(frame))
        self._session.note(_EMPTY_FRAME)
        return self._stream.empty()

    async def _send(self, message: Message) -> None:
        if self._stalled:
            return
        if delay := self._faults.take(DelayMessages):
            await asyncio.sleep(delay.seconds)
        message = self._stream.outgoing(message)
        if self._session.record:
            self._session.sent.append(message)
        await self._socket.send(json.dumps(message))
