"""What Vapi asks of a custom LLM: a chat completion, as OpenAI's clients ask for one. Pure.

Vapi docs, "Custom LLM", and its OpenAPI document, `CustomLLMModel` (read 2026-11). Only what is named here is
read: beside it stand a carrier's credentials, webhook secrets and the whole assistant, which nobody else is
to see. Which model, how warm and how long is the org's to say, so the request's own wishes for these do not
count. What stands beside messages and tools and is not what it is to be counts as missing: Vapi ends a call
whose completion is refused.
"""

import re
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import msgspec

from gateway.errors import VapiRequestInvalid
from gateway.vapi.call_id import sound_call_id
from gateway.vapi.wire_json import decoded
from pipeline.ports import Message, ToolSpec

MOST_MESSAGES: Final = 2_000
MOST_TOOLS: Final = 64
_TOOL_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_PARAMETERS: Final[dict[str, Any]] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """`history`: all that was said, each tool call of it with its answer. `tools`: what Vapi can do itself.

    `call_id` is Vapi's, `number` the clinic's and `caller` the caller's, each "" where it is not told.
    """

    history: tuple[Message, ...] = field(repr=False)
    tools: tuple[ToolSpec, ...]
    model: str
    call_id: str
    number: str = field(repr=False)
    caller: str = field(repr=False)
    wants_usage: bool


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _CalledFunction(msgspec.Struct):
    name: str = ""
    arguments: str | dict[str, Any] | None = None


class _Called(msgspec.Struct):
    id: str = ""
    function: _CalledFunction = msgspec.field(default_factory=_CalledFunction)


class _Said(msgspec.Struct):
    role: str = ""
    content: str | list[_Part] | None = None
    tool_calls: list[_Called] | None = None
    tool_call_id: str | None = None


class _Function(msgspec.Struct):
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Tool(msgspec.Struct):
    type: str = ""
    function: _Function | None = None


class _Named(msgspec.Struct):
    """A call, or an end of it."""

    id: Any = None
    number: Any = None


class _StreamOptions(msgspec.Struct):
    include_usage: Any = None


_NULL: Final = msgspec.Raw(b"null")


class _Body(msgspec.Struct, rename={"phone_number": "phoneNumber"}):
    messages: list[_Said]
    model: Any = None
    tools: list[_Tool] | None = None
    stream_options: msgspec.Raw = _NULL
    call: msgspec.Raw = _NULL
    phone_number: msgspec.Raw = _NULL
    customer: msgspec.Raw = _NULL


P = TypeVar("P", bound=msgspec.Struct)

_body: Final = msgspec.json.Decoder(_Body)


def parse_completion_request(body: bytes) -> CompletionRequest:
    """Raises `VapiRequestInvalid`."""
    try:
        asked = decoded(_body, body)
    except (msgspec.DecodeError, RecursionError):
        raise VapiRequestInvalid("the body must be a chat completion request in JSON") from None
    if not 0 < len(asked.messages) <= MOST_MESSAGES:
        raise VapiRequestInvalid(f"messages must be 1 to {MOST_MESSAGES}")
    if len(asked.tools or ()) > MOST_TOOLS:
        raise VapiRequestInvalid(f"tools must be {MOST_TOOLS} at most")
    options = _part(_StreamOptions, asked.stream_options)
    return CompletionRequest(
        history=tuple(_answered([_message(each) for each in asked.messages])),
        tools=tuple(_tools(asked.tools or ())),
        model=_string(asked.model),
        call_id=sound_call_id(_part(_Named, asked.call).id),
        number=_string(_part(_Named, asked.phone_number).number),
        caller=_string(_part(_Named, asked.customer).number),
        wants_usage=options.include_usage is True,
    )


def _part(kind: type[P], raw: msgspec.Raw) -> P:
    """An empty one for what is none."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, RecursionError):
        return kind()


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _tools(tools: Sequence[_Tool]) -> list[ToolSpec]:
    """Those that a model may call. Built-in ones come as functions; one that does not is what its type
    says."""
    functions = [tool.function or _Function(tool.type) for tool in tools]
    return [
        ToolSpec(each.name, each.description or "", each.parameters or _NO_PARAMETERS, effectful=False)
        for each in functions
        if _TOOL_NAME.fullmatch(each.name)
    ]


def _message(said: _Said) -> Message:
    """One of a role that is not known is a word of the system's."""
    text = _text(said.content)
    match said.role:
        case "user":
            return Message("user", text)
        case "assistant":
            calls = [(each.id, each.function.name, _json(each.function)) for each in said.tool_calls or ()]
            return Message("assistant", text, tool_calls=tuple(call for call in calls if call[0] and call[1]))
        case "tool":
            return Message("tool", text, tool_call_id=said.tool_call_id or "")
        case _:
            return Message("system", text)


def _text(content: str | Sequence[_Part] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return " ".join(part.text for part in content if part.text)


def _json(function: _CalledFunction) -> str:
    told = function.arguments
    if isinstance(told, str):
        return told or "{}"
    return msgspec.json.encode(told or {}).decode()


def _answered(messages: Sequence[Message]) -> list[Message]:
    """Each tool call right before its answer; without calls that have none, answers to nothing, and messages
    that say nothing.

    Servers refuse a history in which calls and answers do not match, and Vapi leaves some out.
    """
    answers: dict[str, deque[Message]] = defaultdict(deque)
    for message in messages:
        if message.tool_call_id is not None:
            answers[message.tool_call_id].append(message)
    kept: list[Message] = []
    for message in messages:
        calls = tuple(call for call in message.tool_calls if answers[call[0]])
        if message.role != "tool" and (calls or message.content.strip()):
            kept.append(Message(message.role, message.content, tool_calls=calls))
            kept += [answers[call[0]].popleft() for call in calls]
    return kept
