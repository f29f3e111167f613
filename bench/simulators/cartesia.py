"""A strict Cartesia text-to-speech server: WebSocket contexts, `/tts/bytes`, `/voices`.

A context is a task that takes the client's texts in order, speaks them through a `Voice` and sends what it
makes at once, in chunks of about 100 ms; contexts of one socket run side by side and interleave. What the
vendor refuses is refused (`bench.simulators.cartesia_rules`), with these rules of a context's life: every
field but the text stays the same; an id is not used again once its context is done, failed or expired; a
context expires one second after its last audio was sent; a cancel drops the text that has not begun, and
what has begun is streamed to its end. Sources: Cartesia docs "Stream Speech (WebSocket)", "Contexts",
"Concurrency limits" (read 2026-11).
"""

import asyncio
import base64
import itertools
import json
import re
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

from aiohttp import WSCloseCode, WSMsgType, web

from bench.simulators.cartesia_rules import (
    Cancel,
    Generation,
    OutputFormat,
    SpeechRefused,
    check_version,
    parse_bytes_request,
    parse_socket_message,
    require_speakable,
)
from bench.simulators.faults import Faults, Inject, Refuse, SlowUpgrade
from bench.simulators.serving import RunningServer, reset_connection, stall
from bench.simulators.sound import Samples, Sound, Voice, VoiceFailed, encode, resample

CHUNK_S = 0.1
DEFAULT_VERSION = "2026-08-14"
_SENTENCE_END = re.compile(r"[.!?…][^\w\s]*\s")


# What can go wrong, beside `Refuse`, `SlowUpgrade` and `Inject` (sent before the next chunk).


@dataclass(frozen=True, slots=True)
class DropSpeech:
    """Break the socket once a context has sent this many chunks; with a `code`, by a close frame."""

    after_chunks: int = 0
    code: int | None = None


@dataclass(frozen=True, slots=True)
class SpeechError:
    """Answer a context with an error once it has sent this many chunks; it ends there."""

    status: int = 500
    error_code: str | None = None
    after_chunks: int = 0
    with_context_id: bool = True


@dataclass(frozen=True, slots=True)
class StallSpeech:
    """Send nothing more on a context that has sent this many chunks."""

    after_chunks: int = 0


@dataclass(frozen=True, slots=True)
class FreezeSocket:
    """Read a message and go silent: no answer to it or to anything after it, no pong, no close."""


@dataclass(frozen=True, slots=True)
class DelaySpeech:
    """Wait before a context's first chunk."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LateAudio:
    """After a cancel, send this many chunks more on the cancelled context, loud ones."""

    chunks: int = 3


def _due(fault: DropSpeech | SpeechError | StallSpeech, sent: int) -> bool:
    return fault.after_chunks <= sent


@dataclass(slots=True)
class SpeechPace:
    """How fast speech is made; may be changed while the server runs.

    `audio_s_per_s`: seconds of audio sent in a second, None for as fast as the voice makes it.
    """

    first_chunk_s: float = 0.0
    audio_s_per_s: float | None = None


@dataclass(slots=True)
class SpeechLimits:
    """The vendor's limits; `max_contexts` (active at once, over all sockets) depends on the plan, None is no
    limit.
    """

    context_expiry_s: float = 1.0
    idle_socket_s: float = 300.0
    max_contexts: int | None = None


@dataclass(slots=True)
class ContextRecord:
    """One context: what was sent to it and what became of it.

    `ended` is `done`, `failed`, `expired` or, when its socket went, `abandoned`; `over` is set with it.
    """

    context_id: str
    texts: list[str] = field(default_factory=list)
    spoken: list[str] = field(default_factory=list)
    chunks: int = 0
    audio_s: float = 0.0
    cancelled: bool = False
    ended: str | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)
    came_s: float = field(default_factory=time.monotonic)
    first_chunk_s: float | None = None  # after it came, as drawn


@dataclass(slots=True)
class SocketRecord:
    """One WebSocket: how it was opened, every client message, its contexts by id in order, how it ended."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    messages: list[Any] = field(default_factory=list)
    contexts: dict[str, ContextRecord] = field(default_factory=dict)
    errors: list[Mapping[str, Any]] = field(default_factory=list)
    close_code: int | None = None
    closed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class BytesRecord:
    """One `/tts/bytes` request."""

    headers: Mapping[str, str]
    body: Any


class CartesiaSimulator:
    """`{url}/tts/websocket`, `{url}/tts/bytes`, `{url}/voices`, from `async with` to its end.

    `sockets` and `requests` record what came; `pace`, `limits` and `faults` may be changed while it runs.
    `starts` says for each context how many seconds after its first text its first audio comes, in place of
    `pace.first_chunk_s`.
    """

    def __init__(
        self,
        voice: Voice,
        *,
        keys: frozenset[str] | set[str] = frozenset({"test-key"}),
        pace: SpeechPace | None = None,
        limits: SpeechLimits | None = None,
        faults: Faults | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        record: bool = True,
        starts: Callable[[ContextRecord], float] | None = None,
    ) -> None:
        self.voice = voice
        self.starts = starts
        self._keys = keys
        self.pace = pace or SpeechPace()
        self.limits = limits or SpeechLimits()
        self.faults = faults or Faults()
        self.sockets: list[SocketRecord] = []
        self.requests: list[BytesRecord] = []
        self.active_contexts = 0
        self.request_ids = itertools.count(1)
        self._host = host
        self.recording = record
        self._server = RunningServer(self._application(), host, port)
        self.url = ""

    async def __aenter__(self) -> Self:
        port = await self._server.start()
        self.url = f"http://{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    @property
    def contexts(self) -> list[ContextRecord]:
        """All contexts of all sockets, in the order of sockets and then of first use."""
        return [context for socket in self.sockets for context in socket.contexts.values()]

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/tts/websocket", self._socket)
        app.router.add_post("/tts/bytes", self._bytes)
        app.router.add_get("/voices", self._list_voices)
        app.router.add_get("/voices/{id}", self._get_voice)
        return app

    async def _enter(self, request: web.Request) -> str:
        """Faults, credentials and version, in this order; returns the version."""
        if slow := self.faults.take(SlowUpgrade):
            await asyncio.sleep(slow.seconds)
        if refuse := self.faults.take(Refuse):
            raise SpeechRefused(refuse.status, "Refused", refuse.message)
        version = check_version(
            request.query.get("cartesia_version") or request.headers.get("Cartesia-Version")
        )
        if _key_of(request) not in self._keys:
            raise SpeechRefused(401, "Unauthorized", "The API key is missing or unknown.")
        return version

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        try:
            version = await self._enter(request)
        except SpeechRefused as refusal:
            return self.refusal(refusal, request)
        record = SocketRecord(dict(request.headers), dict(request.query))
        if self.recording:
            self.sockets.append(record)
        response = web.WebSocketResponse(compress=False, autoclose=True)
        await response.prepare(request)
        try:
            await _Socket(self, request, response, record, version).serve()
        finally:
            record.close_code = response.close_code
            record.closed.set()
        return response

    async def _bytes(self, request: web.Request) -> web.StreamResponse:
        try:
            version = await self._enter(request)
            body = _decoded(await request.text())
            if self.recording:
                self.requests.append(BytesRecord(dict(request.headers), body))
            transcript, output = parse_bytes_request(body, version)
            self.take_context()
        except SpeechRefused as refusal:
            return self.refusal(refusal, request)
        try:
            return await self._speak_body(request, transcript, output)
        finally:
            self.active_contexts -= 1

    async def _speak_body(
        self, request: web.Request, transcript: str, output: OutputFormat
    ) -> web.StreamResponse:
        await self._start_whole(transcript)
        if output.container == "wav":
            audio = b"".join([chunk async for chunk in self._chunks(transcript, output)])
            return web.Response(body=_wav(audio, output), content_type="audio/wav")
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        sent = 0
        async for chunk in self._chunks(transcript, output):
            if self.faults.take(DropSpeech, partial(_due, sent=sent)):
                reset_connection(request)
                return response
            await response.write(chunk)
            sent += 1
        await response.write_eof()
        return response

    async def _start_whole(self, transcript: str) -> None:
        """The wait before the first byte of a text that is spoken over HTTP."""
        if self.starts is not None:
            context = ContextRecord("", [transcript])
            context.first_chunk_s = self.starts(context)
            await asyncio.sleep(max(0.0, context.came_s + context.first_chunk_s - time.monotonic()))

    async def _chunks(self, transcript: str, output: OutputFormat) -> AsyncIterator[bytes]:
        async with aclosing(self.voice.speak(transcript)) as sounds:
            async for sound in sounds:
                for piece in pieces(sound, output):
                    yield piece

    async def _list_voices(self, request: web.Request) -> web.Response:
        try:
            await self._enter(request)
        except SpeechRefused as refusal:
            return self.refusal(refusal, request)
        voices = [] if "starting_after" in request.query else [VOICE]
        return web.json_response({"data": voices, "has_more": False})

    async def _get_voice(self, request: web.Request) -> web.Response:
        try:
            await self._enter(request)
            if request.match_info["id"] != VOICE["id"]:
                raise SpeechRefused(404, "Voice not found", "No such voice.")
        except SpeechRefused as refusal:
            return self.refusal(refusal, request)
        return web.json_response(VOICE)

    def take_context(self) -> None:
        """Count one more active context; the caller counts it off when it has ended."""
        limit = self.limits.max_contexts
        if limit is not None and self.active_contexts >= limit:
            message = "Too many contexts are active at once."
            raise SpeechRefused(429, "Concurrency limited", message, "concurrency_limited")
        self.active_contexts += 1

    def refusal(self, refusal: SpeechRefused, request: web.Request) -> web.Response:
        version = request.query.get("cartesia_version") or request.headers.get("Cartesia-Version")
        body = refusal.body(version or DEFAULT_VERSION)
        if "error" in body:
            return web.Response(text=body["error"], status=refusal.status)
        body["request_id"] = f"req-{next(self.request_ids)}"
        return web.json_response(body, status=refusal.status)


VOICE: dict[str, Any] = {
    "id": "00000000-0000-4000-8000-000000000001",
    "name": "Offline",
    "tagline": "The offline speech engine",
    "description": "American English, from the offline engine of this server. No recording of a person.",
    "language": "en",
    "locales": [{"locale": "en-US", "is_native": True}],
    "access": "public",
    "visibility": "all",
    "is_owner": False,
    "created_at": "2026-11-01T00:00:00Z",
    "gender": "feminine",
}


# One socket and its contexts.


class _Socket:
    """Reads a client's messages and runs the contexts they open, until either side closes."""

    def __init__(
        self,
        server: CartesiaSimulator,
        request: web.Request,
        response: web.WebSocketResponse,
        record: SocketRecord,
        version: str,
    ) -> None:
        self.server = server
        self.record = record
        self._request = request
        self._response = response
        self._version = version
        self._contexts: dict[str, _Context] = {}
        self._over: set[str] = set()

    async def serve(self) -> None:
        async with asyncio.TaskGroup() as group:
            try:
                await self._read(group)
            finally:
                for context in list(self._contexts.values()):
                    context.abandon()

    async def _read(self, group: asyncio.TaskGroup) -> None:
        """A ping is answered and is no use of the socket."""
        while True:
            try:
                async with asyncio.timeout(self.server.limits.idle_socket_s):
                    message = await self._response.receive()
            except TimeoutError:
                await self._response.close(code=WSCloseCode.OK, message=b"idle")
                return
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            if self.server.faults.take(FreezeSocket):
                await stall()
            await self._take(message.data, group)

    async def _take(self, data: Any, group: asyncio.TaskGroup) -> None:
        context_id = None
        try:
            message = _decoded(data)
            if self.server.recording:
                self.record.messages.append(message)
            context_id = message.get("context_id") if isinstance(message, dict) else None
            parsed = parse_socket_message(message, self._version)
            if isinstance(parsed, Cancel):
                self._cancel(parsed)
            else:
                self._generate(parsed, group)
        except SpeechRefused as refusal:
            await self.send_error(refusal, context_id)
            if isinstance(context_id, str) and context_id in self._contexts:
                self._contexts[context_id].abandon("failed")

    def _cancel(self, cancel: Cancel) -> None:
        if context := self._contexts.get(cancel.context_id):
            context.cancel()

    def _generate(self, generation: Generation, group: asyncio.TaskGroup) -> None:
        context = self._contexts.get(generation.context_id)
        if generation.context_id in self._over or (context is not None and context.closing):
            raise SpeechRefused(400, "Context closed", "This context_id has been used and is over.")
        if context is None:
            context = self._open(generation, group)
        elif context.fixed != generation.fixed:
            changed = sorted(
                key
                for key in context.fixed.keys() | generation.fixed.keys()
                if context.fixed.get(key) != generation.fixed.get(key)
            )
            raise SpeechRefused(400, "Context changed", f"{', '.join(changed)} may not change in a context.")
        context.push(generation)

    def _open(self, generation: Generation, group: asyncio.TaskGroup) -> "_Context":
        require_speakable(generation.transcript)
        self.server.take_context()
        record = ContextRecord(generation.context_id)
        if self.server.recording:
            self.record.contexts[generation.context_id] = record
        context = _Context(self, generation, record)
        self._contexts[generation.context_id] = context
        context.start(group)
        return context

    def forget(self, context_id: str) -> None:
        """A context is over; its id is not used again on this socket."""
        self._contexts.pop(context_id, None)
        self._over.add(context_id)

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send unless the peer has gone; then the reader finds out and ends everything."""
        try:
            await self._response.send_json(message)
        except ConnectionError:
            await stall()

    async def send_raw(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            await self._response.send_str(frame)
        else:
            await self._response.send_bytes(frame)

    async def send_error(self, refusal: SpeechRefused, context_id: Any) -> None:
        body = {"type": "error", "done": True, **refusal.body(self._version)}
        if "error" not in body:
            body["request_id"] = f"req-{next(self.server.request_ids)}"
        if isinstance(context_id, str):
            body["context_id"] = context_id
        if self.server.recording:
            self.record.errors.append(body)
        await self.send(body)

    async def drop(self, code: int | None) -> None:
        if code is None:
            reset_connection(self._request)
        else:
            await self._response.close(code=code, message=b"dropped by plan")


@dataclass(frozen=True, slots=True)
class _Late:
    chunks: int


class _Finish:
    """No more text will come."""


_Job = Generation | _Finish | _Late


class _Context:
    """Speaks the texts of one context id, in order."""

    def __init__(self, socket: _Socket, first: Generation, record: ContextRecord) -> None:
        self.record = record
        self.fixed = first.fixed
        self._socket = socket
        self._server = socket.server
        self._output = first.output
        self._timestamps = first.timestamps
        self._buffer_s = first.buffer_s
        # Unbounded: a client may push any amount of text, and the vendor takes it.
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self.closing = False
        self._waiting_text = ""
        self._waiting_until = 0.0
        self._last_sent = 0.0
        self._flushes = 0
        self._task: asyncio.Task[None] | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        self._task = group.create_task(self._run())
        # Not in the task: one that is cancelled before its first step runs no `finally`.
        self._task.add_done_callback(self._finish)

    def push(self, generation: Generation) -> None:
        self.record.texts.append(generation.transcript)
        self._jobs.put_nowait(generation)
        if not generation.more_follows:
            self.closing = True
            self._jobs.put_nowait(_Finish())

    def cancel(self) -> None:
        """Drop what has not begun; what has begun goes on to its end."""
        if self.record.ended:
            return
        self.record.cancelled = self.closing = True
        self._waiting_text = ""
        while not self._jobs.empty():
            self._jobs.get_nowait()
        if late := self._server.faults.take(LateAudio):
            self._jobs.put_nowait(_Late(late.chunks))
        self._jobs.put_nowait(_Finish())

    def abandon(self, why: str = "abandoned") -> None:
        """Stop at once, without a word to the client."""
        if self._task is not None and not self._task.done():
            self.record.ended = self.record.ended or why
            self._task.cancel()

    async def _run(self) -> None:
        self.record.ended = await self._work()

    def _finish(self, _: asyncio.Task[None]) -> None:
        self._server.active_contexts -= 1
        self._socket.forget(self.record.context_id)
        self.record.over.set()

    async def _work(self) -> str:
        """Take jobs until the end; returns how the context ended."""
        while True:
            try:
                async with asyncio.timeout_at(self._patience_until()):
                    job = await self._jobs.get()
            except TimeoutError:
                if not self._waiting_text:
                    return "expired"
                job = None
            if isinstance(job, _Finish):
                if not await self._speak_waiting():
                    return "failed"
                await self._socket.send(self._message("done", done=True))
                return "done"
            if not await self._take(job):
                return "failed"

    def _patience_until(self) -> float | None:
        """When waiting text is spoken as it stands, or else when the context expires (loop time)."""
        if self._waiting_text:
            return self._waiting_until
        if not self.record.chunks:
            return None
        return self._last_sent + self._server.limits.context_expiry_s

    async def _take(self, job: Generation | _Late | None) -> bool:
        """Handle one job, or the buffer's delay having passed (None); false if the context failed."""
        if isinstance(job, _Late):
            return await self._send_late(job)
        if job is not None:
            self._wait_with(job.transcript)
        if job is None or job.flush or self._buffer_s == 0:
            if not await self._speak_waiting(counted_flush=job is not None and job.flush):
                return False
        else:
            cut = max((match.end() for match in _SENTENCE_END.finditer(self._waiting_text)), default=0)
            ready, self._waiting_text = self._waiting_text[:cut], self._waiting_text[cut:]
            if not await self._speak(ready):
                return False
        if job is not None and job.flush:
            await self._socket.send(
                self._message("flush_done", done=False, flush_done=True, flush_id=self._flushes)
            )
        return True

    def _wait_with(self, text: str) -> None:
        if not self._waiting_text:
            self._waiting_until = asyncio.get_running_loop().time() + self._buffer_s
        self._waiting_text += text

    async def _speak_waiting(self, *, counted_flush: bool = False) -> bool:
        if counted_flush:
            self._flushes += 1
        text, self._waiting_text = self._waiting_text, ""
        return await self._speak(text)

    async def _speak(self, text: str) -> bool:
        """Send the speech of `text`; false if a fault ended the context."""
        if not any(character.isalnum() for character in text):
            return True
        self.record.spoken.append(text)
        try:
            async with aclosing(self._server.voice.speak(text)) as sounds:
                async for sound in sounds:
                    if not await self._send_sound(sound):
                        return False
        except VoiceFailed:
            refusal = SpeechRefused(500, "Internal error", "The speech engine failed.")
            await self._socket.send_error(refusal, self.record.context_id)
            return False
        return True

    async def _send_sound(self, sound: Sound) -> bool:
        offset_s = self.record.audio_s
        for position, data in enumerate(pieces(sound, self._output)):
            if not await self._strike():
                return False
            await self._pace()
            await self._send_chunk(data)
            if position == 0 and self._timestamps and sound.words:
                await self._send_words(sound, offset_s)
        self.record.audio_s = offset_s + sound.duration_s
        return True

    async def _pace(self) -> None:
        pace = self._server.pace
        if self.record.chunks == 0:
            delay = self._server.faults.take(DelaySpeech)
            await asyncio.sleep(self._starts_in_s() + (delay.seconds if delay else 0.0))
        elif pace.audio_s_per_s:
            await asyncio.sleep(CHUNK_S / pace.audio_s_per_s)
        else:
            await asyncio.sleep(0)

    def _starts_in_s(self) -> float:
        """Until the first audio is due; a drawn delay runs from the first text."""
        if self._server.starts is None:
            return self._server.pace.first_chunk_s
        self.record.first_chunk_s = first_s = self._server.starts(self.record)
        return max(0.0, self.record.came_s + first_s - time.monotonic())

    async def _strike(self) -> bool:
        """Let the faults strike that are due before the next chunk; false if the context is over by them."""
        faults = self._server.faults
        if inject := faults.take(Inject):
            await self._socket.send_raw(inject.frame)
        due = partial(_due, sent=self.record.chunks)
        if drop := faults.take(DropSpeech, due):
            await self._socket.drop(drop.code)
            await stall()
        if faults.take(StallSpeech, due):
            await stall()
        if error := faults.take(SpeechError, due):
            refusal = SpeechRefused(error.status, "Refused", "Refused by plan.", error.error_code)
            context_id = self.record.context_id if error.with_context_id else None
            self.record.ended = "failed"
            await self._socket.send_error(refusal, context_id)
            return False
        return True

    async def _send_chunk(self, audio: bytes) -> None:
        data = base64.b64encode(audio).decode("ascii")
        self.record.chunks += 1
        self._last_sent = asyncio.get_running_loop().time()
        await self._socket.send(self._message("chunk", data=data, done=False, step_time=1.0))

    async def _send_words(self, sound: Sound, offset_s: float) -> None:
        words = {
            "words": [word.text for word in sound.words],
            "start": [round(offset_s + word.start_s, 3) for word in sound.words],
            "end": [round(offset_s + word.end_s, 3) for word in sound.words],
        }
        await self._socket.send(self._message("timestamps", done=False, word_timestamps=words))

    async def _send_late(self, late: _Late) -> bool:
        loud = b"\x00" * self._output.bytes_for(CHUNK_S)
        for _ in range(late.chunks):
            await self._send_chunk(loud)
            await asyncio.sleep(CHUNK_S / 10)
        return True

    def _message(self, kind: str, **fields: Any) -> dict[str, Any]:
        status = 206 if kind == "chunk" else 200
        message = {"type": kind, "context_id": self.record.context_id, "status_code": status, **fields}
        if self._flushes and kind in ("chunk", "timestamps"):
            message["flush_id"] = self._flushes
        return message


# Audio.


def pieces(sound: Sound, output: OutputFormat) -> list[bytes]:
    """A sound in the wire's encoding, cut into chunks of `CHUNK_S`."""
    samples: Samples = resample(sound.samples, sound.rate_hz, output.sample_rate_hz)
    audio = encode(samples, output.encoding)
    size = output.bytes_for(CHUNK_S)
    return [audio[at : at + size] for at in range(0, len(audio), size)]


def _wav(audio: bytes, output: OutputFormat) -> bytes:
    """A RIFF file of any of the encodings (format codes 1 PCM, 3 float, 6 A-law, 7 mu-law)."""
    width = output.bytes_for(1.0) // output.sample_rate_hz
    code = {"pcm_s16le": 1, "pcm_f32le": 3, "pcm_alaw": 6, "pcm_mulaw": 7}[output.encoding]
    rate = output.sample_rate_hz
    form = struct.pack("<HHIIHH", code, 1, rate, rate * width, width, 8 * width)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(audio)) + audio
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _decoded(data: Any) -> Any:
    if not isinstance(data, str):
        raise SpeechRefused(400, "Invalid message", "Expected a text frame.")
    try:
        return json.loads(data)
    except ValueError:
        raise SpeechRefused(400, "Invalid message", "Expected JSON.") from None


def _key_of(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token
    header = request.headers.get("X-API-Key")
    return header or request.query.get("api_key") or request.query.get("access_token")
