"""Telnyx's call control as far as a gateway needs it: commands for live calls. Strict.

Telnyx docs, "Call commands" and "Media Streaming over WebSockets" (read 2026-11): bearer authentication,
JSON, 200 with `{"data": {"result": "ok"}}`, 422 with error 90018 for a call that has ended, 404 for one that
never was, the same `command_id` carried out once. Unknown commands, fields and values are refused.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aiohttp import web

from bench.simulators.faults import Faults, Refuse, Stall
from bench.simulators.serving import RunningServer, stall

Handler = Callable[[web.Request], Awaitable[web.Response]]

_STREAM: Final[Mapping[str, tuple[str, ...] | None]] = {
    "stream_url": None,
    "stream_track": ("inbound_track", "outbound_track", "both_tracks"),
    "stream_codec": ("PCMU", "PCMA", "G722", "OPUS", "AMR-WB", "L16", "default"),
    "stream_bidirectional_mode": ("rtp", "mp3"),
    "stream_bidirectional_codec": ("PCMU", "PCMA", "G722", "OPUS", "AMR-WB", "L16"),
    "stream_bidirectional_target_legs": ("both", "self", "opposite"),
    "client_state": None,
    "command_id": None,
}
_STREAM_LATER: Final[Mapping[str, tuple[str, ...] | None]] = {**_STREAM, "stream_auth_token": None}
_RATES_HZ: Final = (8000, 16000, 22050, 24000, 48000)
_COMMANDS: Final[Mapping[str, Mapping[str, tuple[str, ...] | None]]] = {
    "answer": _STREAM,
    "streaming_start": _STREAM_LATER,
    "speak": {"payload": None, "voice": None, "client_state": None, "command_id": None},
    "hangup": {"client_state": None, "command_id": None},
}

_SOCKETS: Final = ("wss://", "ws://127.0.0.1", "ws://localhost")


def _are_pairs(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and each.keys() == {"name", "value"} for each in value
    )


_TYPED: Final[Mapping[str, Callable[[Any], bool]]] = {
    "stream_bidirectional_sampling_rate": lambda value: value in _RATES_HZ,
    "send_silence_when_idle": lambda value: isinstance(value, bool),
    "custom_parameters": _are_pairs,
}
_TYPED_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "stream_bidirectional_sampling_rate": ("answer", "streaming_start"),
    "send_silence_when_idle": ("answer", "streaming_start"),
    "custom_parameters": ("streaming_start",),
}


@dataclass(frozen=True, slots=True)
class Command:
    """One that was carried out."""

    call_id: str
    action: str
    fields: Mapping[str, Any]


@dataclass(slots=True)
class TelnyxCall:
    """`state`: `parked`, `answered`, `ended`."""

    state: str = "parked"
    done: set[str] = field(default_factory=set)


class TelnyxApiSimulator:
    """`{url}/v2/calls/{call_control_id}/actions/…` and `/v2/balance`, from `async with` to its end.

    `carried_out` is called with each command that was, so that whoever plays the carrier can do it. Faults
    understood: `Refuse` and `Stall`.
    """

    def __init__(
        self,
        *,
        api_key: str,
        carried_out: Callable[[Command], None] = lambda command: None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._bearer = f"Bearer {api_key}"
        self._carried_out = carried_out
        self.calls: dict[str, TelnyxCall] = {}
        self.commands: list[Command] = []
        self.faults = Faults()
        self._host = host
        self._server = RunningServer(self._application(), host, port)
        self.url = ""

    async def __aenter__(self) -> Self:
        self.url = f"http://{self._host}:{await self._server.start()}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop()

    def _application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v2/balance", self._answers(self._balance))
        app.router.add_post("/v2/calls/{call}/actions/{action}", self._answers(self._command))
        app.router.add_route("*", "/{rest:.*}", self._answers(self._unknown))
        return app

    def _answers(self, work: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            if self.faults.take(Stall):
                await stall()
            if refuse := self.faults.take(Refuse):
                return _error(refuse.status, "10000", refuse.message)
            if request.headers.get("Authorization") != self._bearer:
                return _error(401, "10009", "Authentication failed")
            return await work(request)

        return handle

    async def _balance(self, _request: web.Request) -> web.Response:
        return web.json_response({"data": {"record_type": "balance", "balance": "1.00", "currency": "USD"}})

    async def _command(self, request: web.Request) -> web.Response:
        call_id, action = request.match_info["call"], request.match_info["action"]
        call = self.calls.get(call_id)
        if call is None:
            return _error(404, "10005", "Resource not found")
        fields = await _json_object(request)
        if fields is None:
            return _error(422, "10015", "not a JSON object")
        if fault := _fault(action, fields):
            return _error(422, "10015", fault)
        if fields.get("command_id") in call.done:
            return _ok()
        if call.state == "ended":
            return _error(422, "90018", "Call has already ended")
        if (action == "answer") != (call.state == "parked") and action != "hangup":
            return _error(422, "90034", f"{action} is not for a call that is {call.state}")
        call.state = "ended" if action == "hangup" else "answered"
        call.done.add(fields.get("command_id", ""))
        self.commands.append(Command(call_id, action, fields))
        self._carried_out(self.commands[-1])
        return _ok()

    async def _unknown(self, _request: web.Request) -> web.Response:
        return _error(404, "10005", "Resource not found")


def _fault(action: str, fields: Mapping[str, Any]) -> str:
    """What is wrong with a command, "" for nothing."""
    known = _COMMANDS.get(action)
    if known is None:
        return f"unknown command {action}"
    texts = {name: value for name, value in fields.items() if name not in _TYPED}
    if unknown := sorted(texts.keys() - known.keys()):
        return f"unknown field {unknown[0]}"
    for name, is_right in _TYPED.items():
        if name in fields and not (action in _TYPED_OF[name] and is_right(fields[name])):
            return f"wrong value of {name}"
    for name, value in texts.items():
        allowed = known[name]
        if not isinstance(value, str) or (allowed is not None and value not in allowed):
            return f"wrong value of {name}"
    if action == "streaming_start" and not fields.get("stream_url", "").startswith(_SOCKETS):
        return "stream_url must be wss"
    if action == "speak" and not (fields.get("payload") and fields.get("voice")):
        return "speak needs payload and voice"
    return ""


async def _json_object(request: web.Request) -> dict[str, Any] | None:
    if request.content_type != "application/json":
        return None
    try:
        told = await request.json()
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _ok() -> web.Response:
    return web.json_response({"data": {"result": "ok"}})


def _error(status: int, code: str, title: str) -> web.Response:
    return web.json_response({"errors": [{"code": code, "title": title}]}, status=status)
