"""The custom transcriber: a caller's audio at Vapi into our recogniser, the words back to Vapi.

The words go to Vapi as they were said; what is told of them here is masked. The socket's faults are told to
it in a word before it is closed, so that a fallback plan can take over.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.call import Office, keyterms
from gateway.errors import MalformedFrame, OrgUnavailable
from gateway.prewarm import PROCESS_KEYS
from gateway.routes.edge import Edge, edge_of
from gateway.routes.media import POLICY, TOO_BIG, FrameRate
from gateway.routes.vapi_faults import note_fault
from gateway.routes.vapi_office import office_reached
from gateway.vapi.assistant import TRANSCRIBER
from gateway.vapi.call_id import sound_call_id
from gateway.vapi.door import vapi_caller
from gateway.vapi.heard_words import HeardWords
from gateway.vapi.transcriber import SAMPLE_BYTES, CallerChannel, Start, failed, heard, read_text
from pipeline.errors import ProviderError
from pipeline.events import EagerEndOfTurn, EndOfTurn, InterimTranscript
from pipeline.ports import SpeechToText, SttSession, TakesKeyterms
from pipeline.providers.audio_format import AudioFormat

log = structlog.get_logger("gateway.media")

# RFC 6455 section 7.4.1.
_CANNOT_HEAR: Final = 1003
_FAILED: Final = 1011
_FRAMES_A_SECOND: Final = 50  # of speech, as `FrameRate` has them


@dataclass(frozen=True, slots=True)
class _End:
    """Why a socket is over. `code` None: the other side has closed it."""

    fault: str
    code: int | None = POLICY

    @property
    def outcome(self) -> str:
        if self.code is None:
            return "done"
        return "invalid" if self.code == _CANNOT_HEAR else "cut"


async def transcriber(socket: WebSocket) -> None:
    """One call's audio. At a bare address it is heard under the process's key and told of nowhere."""
    edge = edge_of(socket)
    try:
        signer = await vapi_caller(socket, edge, b"")
        office = await office_reached(socket, edge, signer)
    except HTTPException as refusal:
        return await _deny(socket, edge, refusal.status_code)
    except OrgUnavailable:
        return await _deny(socket, edge, 503)
    await socket.accept()
    end = _End("server_stopped", _FAILED)
    try:
        with edge.calls.attended():
            end = await _Transcription(edge, socket, office).run()
    finally:
        edge.metrics.vapi_served.labels("transcriber", end.outcome).inc()
        await _close(socket, end, edge.settings.waits.media_close_s)


async def _deny(socket: WebSocket, edge: Edge, status: int) -> None:
    edge.metrics.vapi_served.labels("transcriber", "refused").inc()
    await socket.send_denial_response(Response(status_code=status))


class _Transcription:
    """One accepted socket. Whoever ends first, the reader or the teller, ends it."""

    def __init__(self, edge: Edge, socket: WebSocket, office: Office | None) -> None:
        self._edge = edge
        self._socket = socket
        self._office = office
        vapi_id = sound_call_id(socket.query_params.get("call"))
        self._words = None if office is None else HeardWords(edge.desk, office.profile, vapi_id)
        self._rate = FrameRate(edge.settings.limits.media_frames_per_s, _now_s())
        self._garbage = 0

    async def run(self) -> _End:
        """From the `start` to the end."""
        try:
            async with asyncio.timeout(self._edge.settings.waits.vapi_transcription_s):
                start = await self._started()
                return start if isinstance(start, _End) else await self._transcribe(start)
        except TimeoutError:
            return _End("too_long")

    async def _transcribe(self, start: Start) -> _End:
        desk, office = self._edge.desk, self._office
        clients = desk.clients if office is None else desk.gear(office).clients
        keys = PROCESS_KEYS if office is None else office.keys
        return await self._heard_by(clients.stt(keys, AudioFormat("linear16", start.rate_hz)), start)

    async def _heard_by(self, stt: SpeechToText, start: Start) -> _End:
        """Frames that come while the recogniser is being opened wait in the socket."""
        try:
            async with stt.session() as session:
                if self._office is not None and isinstance(session, TakesKeyterms):
                    await session.set_keyterms(keyterms(self._office.profile))
                return await self._both_ways(session, start)
        except ProviderError as failure:
            return self._recogniser_failed(failure)

    async def _both_ways(self, session: SttSession, start: Start) -> _End:
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._warm())]
            if self._words is not None:
                beside.append(group.create_task(self._words.tell()))
            ways = {
                group.create_task(self._hear(session, start)),
                group.create_task(self._tell(session)),
            }
            over, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for task in (*beside, *ways):
                task.cancel()
        await self._tell_rest()
        return over.pop().result()

    async def _tell_rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._edge.settings.waits.call_close_s):
                if self._words is not None:
                    await self._words.tell_rest()

    async def _warm(self) -> None:
        """What the call's first answer will need, should Vapi ask us for that as well."""
        desk, office = self._edge.desk, self._office
        if office is None or not self._edge.settings.speedups.prewarms:
            return
        clients = desk.gear(office).clients
        with clients.lease(office.keys):
            voice = clients.tts(office.keys, office.profile.voice)
            await asyncio.gather(voice.warm_up(), clients.warm_models(office.keys))

    # --- from Vapi ------------------------------------------------------------------------------------------

    async def _started(self) -> Start | _End:
        try:
            async with asyncio.timeout(self._edge.settings.waits.media_start_s):
                while True:
                    frame = await self._frame()
                    if isinstance(frame, Start | _End):
                        return frame
                    if frame:
                        self._count("before_start")
        except TimeoutError:
            return _End("start_overdue")

    async def _hear(self, session: SttSession, start: Start) -> _End:
        channel = CallerChannel(start.channels)
        while True:
            frame = await self._frame()
            if isinstance(frame, Start):
                return _End("second_start")
            if isinstance(frame, _End):
                return frame
            if audio := channel.feed(frame):
                if not self._is_speech(audio, start.rate_hz):
                    return _End("too_many_frames")
                await session.send_audio(audio)

    def _is_speech(self, audio: bytes, rate_hz: int) -> bool:
        """Not if it comes much faster. A long frame counts as many: what is heard costs by its length."""
        more = len(audio) * _FRAMES_A_SECOND // (rate_hz * SAMPLE_BYTES) - 1
        return more <= 0 or self._rate.takes(_now_s(), more)

    async def _frame(self) -> bytes | Start | _End:
        """What the next frame brings; no bytes if it brings nothing."""
        try:
            async with asyncio.timeout(self._edge.settings.waits.media_idle_s):
                message = await self._socket.receive()
        except TimeoutError:
            return _End("idle")
        if message["type"] == "websocket.disconnect":
            return self._closed_with(message.get("code"))
        if not self._rate.takes(_now_s()):
            return _End("too_many_frames")
        text: str | None = message.get("text")
        return message["bytes"] if text is None else self._read(text)

    def _closed_with(self, code: int | None) -> _End:
        """An oversized frame was refused by the server, which has closed the socket."""
        if code != TOO_BIG:
            return _End("closed", None)
        self._count("oversized")
        return _End("oversized_frame", TOO_BIG)

    def _read(self, text: str) -> bytes | Start | _End:
        try:
            return read_text(text) or b""
        except MalformedFrame as fault:
            self._count(fault.reason)
            if fault.reason == "start":
                return _End(str(fault), _CANNOT_HEAR)
        self._garbage += 1
        most = self._edge.settings.limits.media_garbage_frames
        return _End("too_much_garbage") if self._garbage > most else b""

    def _count(self, reason: str) -> None:
        self._edge.metrics.bad_frames.labels(reason).inc()

    # --- to Vapi --------------------------------------------------------------------------------------------

    async def _tell(self, session: SttSession) -> _End:
        told = ""  # of the open turn
        try:
            async for event in session.events():
                match event:
                    case InterimTranscript(text) | EagerEndOfTurn(text) if text not in ("", told):
                        await self._send(heard(told := text, "partial"))
                    case EndOfTurn(text) if text:
                        told = ""
                        await self._send(heard(text, "final"))
                        if self._words is not None:
                            self._words.caller_said(text)
                    case _:
                        pass
        except ProviderError as failure:
            return self._recogniser_failed(failure)
        except TimeoutError:
            return _End("unread")
        except (WebSocketDisconnect, RuntimeError):
            return _End("closed", None)
        return _End("recogniser_closed", _FAILED)

    async def _send(self, frame: str) -> None:
        async with asyncio.timeout(self._edge.settings.waits.media_send_s):
            await self._socket.send_text(frame)

    def _recogniser_failed(self, failure: ProviderError) -> _End:
        note_fault(self._edge, failure, "gave_up")
        return _End("recogniser_failed", _FAILED)


async def _close(socket: WebSocket, end: _End, within_s: float) -> None:
    """Say why, then close, unless that has happened."""
    if end.code is None or socket.application_state is not WebSocketState.CONNECTED:
        return
    log.warning("transcription_closed", reason=end.fault)
    try:
        async with asyncio.timeout(within_s):
            await socket.send_text(failed(end.fault))
            await socket.close(end.code, end.fault)
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        return  # the peer was faster


def _now_s() -> float:
    return asyncio.get_running_loop().time()


ROUTES = [
    WebSocketRoute(TRANSCRIBER, transcriber),
    WebSocketRoute(TRANSCRIBER + "/{org:uuid}", transcriber),
]
