"""What Vapi posts to its server URLs, read tolerantly: everything but the type may be missing. Pure.

Vapi docs, "Server events", and its OpenAPI document, `ServerMessage…` (read 2026-11). Of a message no more is
decoded than is used: the rest holds carriers' tokens, control addresses and whole assistants, which then are
nowhere to be told. Enums are open: what is not known is acknowledged. A part that is not what it is to be
counts as missing, and costs nothing else of the message.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid5

import msgspec

from gateway.caller import Ends
from gateway.errors import VapiRequestInvalid
from gateway.vapi.call_id import sound_call_id
from gateway.vapi.wire_json import anything, decoded

MOST_TOOLS: Final = 32
_LONGEST_TOOL_ID: Final = 256
_FUNCTION_CALLS: Final = UUID("5b1f0c52-8a43-4d0e-9c5a-2e6f7d1b4a90")

LIVE: Final = frozenset(
    {
        "assistant-request",
        "assistant.speechStarted",
        "assistant.started",
        "conversation-update",
        "function-call",
        "handoff-destination-request",
        "hang",
        "knowledge-base-request",
        "language-change-detected",
        "model-output",
        "phone-call-control",
        "speech-update",
        "status-update",
        "tool-calls",
        "transcript",
        "transfer-destination-request",
        "transfer-update",
        "user-interrupted",
        "voice-input",
    }
)
"""Types that tell of a call as it goes on."""
_OTHERS: Final = frozenset({"end-of-call-report", "call.endpointing.request", "voice-request"})


_NULL: Final = msgspec.Raw(b"null")


class _Camel(msgspec.Struct, rename="camel"):
    """Names as Vapi writes them. What is typed `Any` may be anything, and is looked at before it is used;
    what is `Raw` is read by itself, see `_part`.
    """


class _Numbered(_Camel):
    number: Any = None


class _Assistant(_Camel):
    metadata: Any = None


class _Call(_Camel):
    id: Any = None
    type: Any = None
    status: Any = None
    started_at: Any = None
    ended_at: Any = None
    ended_reason: Any = None
    customer: msgspec.Raw = _NULL
    phone_number: msgspec.Raw = _NULL
    assistant: msgspec.Raw = _NULL
    artifact: msgspec.Raw = _NULL


class _Function(_Camel):
    name: Any = None
    arguments: Any = None
    parameters: Any = None


class _ToolCall(_Camel):
    id: Any = None
    name: Any = None
    arguments: Any = None
    parameters: Any = None
    function: msgspec.Raw = _NULL


class _ToolWithCall(_Camel):
    tool_call: msgspec.Raw = _NULL


class _Message(_Camel):
    type: str
    timestamp: Any = None
    status: Any = None
    call: msgspec.Raw = _NULL
    phone_number: msgspec.Raw = _NULL
    customer: msgspec.Raw = _NULL
    assistant: msgspec.Raw = _NULL
    ended_reason: Any = None
    started_at: Any = None
    ended_at: Any = None
    tool_call_list: msgspec.Raw = _NULL
    tool_with_tool_call_list: msgspec.Raw = _NULL
    function_call: msgspec.Raw = _NULL
    artifact: msgspec.Raw = _NULL
    messages: msgspec.Raw = _NULL
    transcript: msgspec.Raw = _NULL


class _Body(_Camel):
    message: _Message


P = TypeVar("P", bound=_Camel)

_body: Final = msgspec.json.Decoder(_Body)
_list: Final = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class ToldCall:
    """A call as a message tells of it. `vapi_id`: Vapi's own id; `org_id`: the org that its assistant names.

    Such a name is the operator's, or that of whoever starts a call in a browser: nobody's proof.
    """

    vapi_id: str
    ends: Ends
    started_at: datetime | None
    org_id: UUID | None


@dataclass(frozen=True, slots=True)
class AskedTool:
    """A tool that the model wants used. `arguments` None: they are no JSON object.

    `turn`: in which of the caller's turns our own model asked for it; None: Vapi did, which remembers it.
    """

    id: str
    name: str
    arguments: Mapping[str, Any] | None = field(repr=False)
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class ToldEnd:
    """What a report says of how a call went; `spoken`: see `gateway.vapi.transcript`.

    `lost`: nobody could tell.
    """

    reason: str
    ended_at: datetime | None
    spoken: Mapping[str, Any] = field(repr=False)
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A message. `kind` is the type as far as it is known, else `other`."""

    kind: str
    status: str
    call: ToldCall | None
    dialled: str
    _message: _Message = field(repr=False)

    @property
    def is_live(self) -> bool:
        """Whether it tells of a call that goes on, or has just ended."""
        return self.kind in LIVE


def read_message(body: bytes) -> Told:
    """Raises `VapiRequestInvalid` for what is no message at all."""
    try:
        message = decoded(_body, body).message
    except (msgspec.DecodeError, RecursionError):
        raise VapiRequestInvalid("must be JSON with a message that has a type") from None
    call = _part(_Call, message.call)
    ends = _ends(message, call)
    told = _told_call(message, call, ends)
    return Told(_kind(message.type), _text(message.status), told, ends.dialled, message)


def asked_tools(told: Told) -> list[AskedTool]:
    """In their order, without those that have no id: an answer would reach none of them.

    Raises `VapiRequestInvalid` for too many.
    """
    calls = _told_tools(told._message)
    if len(calls) > MOST_TOOLS:
        raise VapiRequestInvalid(f"must ask for {MOST_TOOLS} tools at most")
    asked = [_asked(_part(_ToolCall, each) or _ToolCall()) for each in calls]
    return [each for each in asked if each is not None]


def count_told_tools(told: Told) -> int:
    """With those that have no id."""
    return len(_told_tools(told._message))


def asked_function(told: Told) -> AskedTool:
    """Of a message `function-call`, which has no id of its own: time, name and arguments stand for one.

    The time alone could not: Vapi's schema lets it be missing.
    """
    function = _part(_Function, told._message.function_call) or _Function()
    name = _text(function.name)
    given = function.parameters if function.parameters is not None else function.arguments
    arguments = _arguments(given)
    made = msgspec.json.encode((_stamp(told), name, arguments), order="deterministic").decode()
    return AskedTool(uuid5(_FUNCTION_CALLS, made).hex, name, arguments)


def told_end(told: Told) -> ToldEnd:
    """Of a message `end-of-call-report`; the older top-level fields count where the artifact is silent."""
    message = told._message
    call = _part(_Call, message.call) or _Call()
    spoken = {"messages": _any(message.messages), "transcript": _any(message.transcript)}
    return ToldEnd(
        reason=_text(message.ended_reason) or _text(call.ended_reason),
        ended_at=_instant(message.ended_at) or _instant(call.ended_at) or _told_at(message),
        spoken={**spoken, **_mapping(_any(message.artifact))},
    )


@dataclass(frozen=True, slots=True)
class FetchedCall:
    """A call as Vapi's REST answers it. `end` None: it goes on."""

    told: ToldCall
    end: ToldEnd | None


def read_call(fetched: Mapping[str, Any]) -> FetchedCall:
    """Raises `VapiRequestInvalid` for what is no call."""
    bare = {name: each for name, each in fetched.items() if name != "artifact"}
    read, message = _part(_Call, msgspec.Raw(msgspec.json.encode(bare))) or _Call(), _Message(type="other")
    told = _told_call(message, read, _ends(message, read))
    if told is None:
        raise VapiRequestInvalid("must be a call with an id")
    is_over = _text(read.status) == "ended" or bool(_text(read.ended_reason))
    return FetchedCall(told, _fetched_end(read, fetched) if is_over else None)


def _fetched_end(read: _Call, fetched: Mapping[str, Any]) -> ToldEnd:
    older = {"messages": fetched.get("messages"), "transcript": fetched.get("transcript")}
    spoken = {**older, **_mapping(fetched.get("artifact"))}
    return ToldEnd(_text(read.ended_reason), _instant(read.ended_at), spoken)


def _kind(told: str) -> str:
    """`transcript[transcriptType="final"]` is a type of its own, to Vapi."""
    bare = told.partition("[")[0]
    return bare if bare in LIVE or bare in _OTHERS else "other"


def _told_call(message: _Message, call: _Call | None, ends: Ends) -> ToldCall | None:
    if call is None or not (vapi_id := sound_call_id(call.id)):
        return None
    named = _part(_Assistant, message.assistant) or _part(_Assistant, call.assistant)
    return ToldCall(
        vapi_id=vapi_id,
        ends=ends,
        started_at=_instant(call.started_at) or _instant(message.started_at) or _told_at(message),
        org_id=_uuid(_mapping(named.metadata if named else None).get("org")),
    )


def _ends(message: _Message, call: _Call | None) -> Ends:
    within = call or _Call()
    customer = _part(_Numbered, message.customer) or _part(_Numbered, within.customer) or _Numbered()
    ours = _part(_Numbered, message.phone_number) or _part(_Numbered, within.phone_number) or _Numbered()
    return Ends.told(_text(customer.number), _text(ours.number))


def _told_tools(message: _Message) -> list[msgspec.Raw]:
    calls = _listed(message.tool_call_list)
    if calls:
        return calls
    both = [_part(_ToolWithCall, each) for each in _listed(message.tool_with_tool_call_list)]
    return [each.tool_call for each in both if each is not None]


def _asked(call: _ToolCall) -> AskedTool | None:
    """None for one without an id."""
    if not isinstance(call.id, str) or not 0 < len(call.id) <= _LONGEST_TOOL_ID:
        return None
    within = _part(_Function, call.function) or _Function()
    given = next(
        (
            each
            for each in (within.arguments, call.arguments, call.parameters, within.parameters)
            if each is not None
        ),
        None,
    )
    return AskedTool(call.id, _text(within.name) or _text(call.name), _arguments(given))


def _arguments(given: Any) -> Mapping[str, Any] | None:
    """An object, the text of one, or nothing, which is an empty one."""
    if isinstance(given, str):
        try:
            given = anything(given or "{}")
        except (msgspec.DecodeError, RecursionError):
            return None
    if given is None:
        return {}
    return given if isinstance(given, dict) else None


def _part(kind: type[P], raw: msgspec.Raw) -> P | None:
    """None for what is none."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return None


def _listed(raw: msgspec.Raw) -> list[msgspec.Raw]:
    """Nothing for what is no list."""
    try:
        return _list.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return []


def _any(raw: msgspec.Raw) -> Any:
    """None for what is not to be read: the rest of the message counts."""
    try:
        return anything(bytes(raw))
    except (msgspec.DecodeError, RecursionError):
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _stamp(told: Told) -> str:
    stamp = told._message.timestamp
    return str(stamp) if isinstance(stamp, int | float | str) else ""


def _told_at(message: _Message) -> datetime | None:
    return _instant(message.timestamp)


def _instant(value: Any) -> datetime | None:
    """ISO 8601 with an offset, or ms since 1970."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
        told = datetime.fromisoformat(value) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None
    return told if told is not None and told.tzinfo is not None else None
