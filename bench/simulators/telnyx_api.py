"""Telnyx's call control as far as a gateway needs it: placing calls, commands for live ones. Strict.

Telnyx docs, "Dial", "Call commands", "Media Streaming over WebSockets" (read 2026-11): bearer authentication,
JSON, 200 with `{"data": {"result": "ok"}}`, 422 with error 90018 for a call that has ended, 404 for one that
never was, the same `command_id` carried out once. Unknown commands, fields and values are refused.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aiohttp import web

from bench.simulators.faults import Faults
from bench.simulators.serving import RunningServer, refusal, stall
from bench.simulators.twilio_messages import TakeAndStall

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
    "streaming_stop": {"client_state": None, "command_id": None},
    "playback_start": {
        "audio_url": None,
        "audio_type": ("mp3", "wav"),
        "client_state": None,
        "command_id": None,
    },
    "playback_stop": {"stop": ("current", "all"), "client_state": None, "command_id": None},
    "bridge": {
        "call_control_id": None,
        "park_after_unbridge": ("self",),
        "client_state": None,
        "command_id": None,
    },
}

_DIALLED: Final[Mapping[str, type]] = {
    "connection_id": str,
    "to": str,
    "from": str,
    "client_state": str,
    "command_id": str,
    "timeout_secs": int,
    "time_limit_secs": int,
    "answering_machine_detection": str,
    "link_to": str,
}
_NEEDED: Final = frozenset({"connection_id", "to", "from"})
_DETECTION: Final = ("premium", "detect", "detect_beep", "detect_words", "greeting_end", "disabled")
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")

_PAGES: Final = ("https://", "http://127.0.0.1", "http://localhost")
_SOCKETS: Final = ("wss://", "ws://127.0.0.1", "ws://localhost")


def _are_pairs(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, dict) and each.keys() == {"name", "value"} for each in value
    )


_TYPED: Final[Mapping[str, Callable[[Any], bool]]] = {
    "stream_bidirectional_sampling_rate": lambda value: type(value) is int and value in _RATES_HZ,
    "send_silence_when_idle": lambda value: isinstance(value, bool),
    "custom_parameters": _are_pairs,
    "loop": lambda value: value == "infinity" or (type(value) is int and 1 <= value <= 100),
}
_TYPED_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "stream_bidirectional_sampling_rate": ("answer", "streaming_start"),
    "send_silence_when_idle": ("answer", "streaming_start"),
    "custom_parameters": ("streaming_start",),
    "loop": ("playback_start",),
}


@dataclass(frozen=True, slots=True)
class Command:
    """One that was carried out."""

    call_id: str
    action: str
    fields: Mapping[str, Any]


@dataclass(slots=True)
class TelnyxCall:
    """`state`: `parked`, `ringing` (of one that was placed), `answered`, `ended`; `dialled`: how it was;
    `bridged`: to which other call.
    """

    state: str = "parked"
    bridged: str = ""
    is_streamed: bool = False
    is_played_to: bool = False
    dialled: Mapping[str, Any] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)


class TelnyxApiSimulator:
    """`{url}/v2/calls/{call_control_id}/actions/…` and `/v2/balance`, from `async with` to its end.

    Calls are placed from `numbers`, each with the application that it is assigned to.

    `carried_out` is called with each command that was, so that whoever plays the carrier can do it; `taken`
    with the id of each call that was placed. Faults understood: `Refuse`, `Stall` and, for a call that is
    placed, `TakeAndStall`.
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
        self.numbers: dict[str, str] = {}
        self.taken: Callable[[str], None] = lambda call_id: None
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
        app.router.add_get("/v2/phone_numbers", self._answers(self._listed_numbers))
        app.router.add_get("/v2/connections/{connection}/active_calls", self._answers(self._active))
        app.router.add_post("/v2/calls", self._answers(self._dial))
        app.router.add_get("/v2/calls/{call}", self._answers(self._status))
        app.router.add_post("/v2/calls/{call}/actions/{action}", self._answers(self._command))
        app.router.add_route("*", "/{rest:.*}", self._answers(self._unknown))
        return app

    def _answers(self, work: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            if refuse := await refusal(self.faults):
                return _error(refuse.status, "10000", refuse.message)
            if request.headers.get("Authorization") != self._bearer:
                return _error(401, "10009", "Authentication failed")
            return await work(request)

        return handle

    async def _balance(self, _request: web.Request) -> web.Response:
        return web.json_response({"data": {"record_type": "balance", "balance": "1.00", "currency": "USD"}})

    async def _listed_numbers(self, request: web.Request) -> web.Response:
        number = request.query.get("filter[phone_number]", "")
        found = (
            [{"phone_number": number, "connection_id": self.numbers[number]}]
            if number in self.numbers
            else []
        )
        return web.json_response({"data": found})

    async def _active(self, request: web.Request) -> web.Response:
        connection = request.match_info["connection"]
        live = [
            {"call_control_id": call_id, "client_state": call.dialled.get("client_state")}
            for call_id, call in self.calls.items()
            if call.state != "ended" and call.dialled.get("connection_id") == connection
        ]
        return web.json_response({"data": live})

    async def _dial(self, request: web.Request) -> web.Response:
        fields = await _json_object(request)
        if fields is None:
            return _error(422, "10015", "not a JSON object")
        if fault := _dial_fault(fields):
            return _error(422, "10015", fault)
        linked = self.calls.get(fields.get("link_to", ""))
        if "link_to" in fields and (linked is None or linked.state == "ended"):
            return _error(422, "10015", "link_to is no live call")
        if self.numbers.get(fields["from"]) != fields["connection_id"]:
            return _error(403, "10010", "the number is not of this connection")
        call_id = next((each for each, call in self.calls.items() if _is_same(call, fields)), None)
        if call_id is None:
            call_id = f"v3:{secrets.token_hex(16)}"
            self.calls[call_id] = TelnyxCall("ringing", dialled=fields)
            self.taken(call_id)
        if self.faults.take(TakeAndStall):
            await stall()
        return web.json_response({"data": {"record_type": "call", "call_control_id": call_id}})

    async def _status(self, request: web.Request) -> web.Response:
        call = self.calls.get(request.match_info["call"])
        if call is None:
            return _error(404, "10005", "Resource not found")
        told = {"call_control_id": request.match_info["call"], "is_alive": call.state != "ended"}
        return web.json_response({"data": told})

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
        if call.state == "ringing" and action != "hangup":
            return _error(422, "90034", f"{action} is not for a call that is ringing")
        if refused := self._refused(call_id, call, action, fields):
            return refused
        call.state = "ended" if action == "hangup" else "answered"
        _take(call, action, fields)
        call.done.add(fields.get("command_id", ""))
        self.commands.append(Command(call_id, action, fields))
        self._carried_out(self.commands[-1])
        return _ok()

    def _refused(
        self, call_id: str, call: TelnyxCall, action: str, fields: Mapping[str, Any]
    ) -> web.Response | None:
        """What depends on how the call, or another one, stands."""
        if action == "streaming_stop" and not call.is_streamed:
            return _error(422, "90061", "there is no stream")
        if action == "playback_stop" and not call.is_played_to:
            return _error(422, "90034", "nothing is played")
        if action != "bridge":
            return None
        other = self.calls.get(fields["call_control_id"])
        if other is None or fields["call_control_id"] == call_id:
            return _error(422, "10015", "call_control_id is no other call")
        if other.state == "ended":
            return _error(422, "90018", "Call has already ended")
        if other.state != "answered" or other.bridged or call.bridged:
            return _error(422, "90034", "both calls are to be answered, and bridged to none")
        call.bridged, other.bridged = fields["call_control_id"], call_id
        return None

    async def _unknown(self, _request: web.Request) -> web.Response:
        return _error(404, "10005", "Resource not found")


def _take(call: TelnyxCall, action: str, fields: Mapping[str, Any]) -> None:
    """What is in the call from now on."""
    if action in ("answer", "streaming_start", "streaming_stop"):
        call.is_streamed = "stream_url" in fields
    if action in ("playback_start", "playback_stop"):
        call.is_played_to = action == "playback_start"


def _is_same(call: TelnyxCall, fields: Mapping[str, Any]) -> bool:
    return "command_id" in fields and call.dialled.get("command_id") == fields["command_id"]


def _dial_fault(fields: Mapping[str, Any]) -> str:
    """What is wrong with a request for a call, "" for nothing."""
    if unknown := sorted(fields.keys() - _DIALLED.keys()):
        return f"unknown field {unknown[0]}"
    if missing := sorted(_NEEDED - fields.keys()):
        return f"{missing[0]} is needed"
    if wrong := sorted(name for name, value in fields.items() if type(value) is not _DIALLED[name]):
        return f"wrong type of {wrong[0]}"
    if not (_E164.fullmatch(fields["to"]) and _E164.fullmatch(fields["from"])):
        return "numbers are E.164"
    if fields.get("answering_machine_detection", "disabled") not in _DETECTION:
        return "wrong value of answering_machine_detection"
    if (
        not 5 <= fields.get("timeout_secs", 30) <= 600
        or not 30 <= fields.get("time_limit_secs", 60) <= 14_400
    ):
        return "a limit is out of bounds"
    return ""


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
    return _lacking(action, fields)


def _lacking(action: str, fields: Mapping[str, Any]) -> str:
    """What this very command cannot be without."""
    if action == "streaming_start" and not fields.get("stream_url", "").startswith(_SOCKETS):
        return "stream_url must be wss"
    if action == "playback_start" and not fields.get("audio_url", "").startswith(_PAGES):
        return "audio_url must be an address"
    if action == "bridge" and not fields.get("call_control_id"):
        return "bridge needs call_control_id"
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
