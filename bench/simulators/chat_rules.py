"""What OpenAI's chat completions endpoint refuses, as pure checks over the request body.

Sources: OpenAI API reference "Create chat completion", the function calling guide, and the error texts that
public issue trackers quote (read 2026-11). Stricter in one point: an unknown field in a message is refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_REQUEST_FIELDS = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "n",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "user",
        "seed",
        "response_format",
        "logprobs",
        "top_logprobs",
        "reasoning_effort",
        "service_tier",
        "store",
        "metadata",
        "safety_identifier",
        "prompt_cache_key",
        "verbosity",
    }
)
_MESSAGE_FIELDS = {
    "system": frozenset({"role", "content", "name"}),
    "developer": frozenset({"role", "content", "name"}),
    "user": frozenset({"role", "content", "name"}),
    "assistant": frozenset({"role", "content", "name", "tool_calls", "refusal"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
}
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_SCHEMA_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_TOOL_CHOICES = frozenset({"none", "auto", "required"})
_STREAM_OPTIONS = frozenset({"include_usage", "include_obfuscation"})


class Refused(Exception):
    """The request is answered with an HTTP error instead of a completion."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.param = param
        self.code = code
        self.kind = kind or ("server_error" if status >= 500 else "invalid_request_error")
        self.retry_after_s = retry_after_s


def check_request(body: Mapping[str, Any], models: Sequence[str]) -> None:
    """Raises `Refused` for what the vendor would refuse."""
    for field in body:
        _require(field in _REQUEST_FIELDS, f"Unrecognized request argument supplied: {field}", field)
    _check_model(body.get("model"), models)
    _check_stream(body)
    _check_numbers(body)
    _check_tools(body)
    messages = body.get("messages")
    _require(
        isinstance(messages, list) and bool(messages), "'messages' must be a non-empty array.", "messages"
    )
    _check_messages(messages or [])


def _require(truth: bool, message: str, param: str, *, code: str | None = None) -> None:
    if not truth:
        raise Refused(400, message, param=param, code=code)


def _check_model(model: Any, models: Sequence[str]) -> None:
    _require(isinstance(model, str) and bool(model), "you must provide a model parameter", "model")
    if model not in models:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise Refused(404, message, param="model", code="model_not_found")


def _check_stream(body: Mapping[str, Any]) -> None:
    stream = body.get("stream")
    _require(stream is None or isinstance(stream, bool), "'stream' must be a boolean.", "stream")
    options = body.get("stream_options")
    if options is None:
        return
    _require(
        bool(stream),
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        "stream_options",
    )
    well_formed = isinstance(options, dict) and options.keys() <= _STREAM_OPTIONS
    _require(
        well_formed and all(isinstance(value, bool) for value in options.values()),
        "Invalid 'stream_options'.",
        "stream_options",
    )


def _check_numbers(body: Mapping[str, Any]) -> None:
    _require(
        body.get("max_tokens") is None or body.get("max_completion_tokens") is None,
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        "max_tokens",
    )
    for field in ("max_tokens", "max_completion_tokens"):
        limit = body.get(field)
        _require(
            limit is None or (_is_integer(limit) and limit >= 1), f"'{field}' must be at least 1.", field
        )
    for field, low, high in (
        ("temperature", 0, 2),
        ("top_p", 0, 1),
        ("presence_penalty", -2, 2),
        ("frequency_penalty", -2, 2),
    ):
        value = body.get(field)
        within = value is None or (_is_number(value) and low <= value <= high)
        _require(within, f"Invalid '{field}': must be between {low} and {high}.", field)
    choices = body.get("n")
    one = choices is None or (_is_integer(choices) and choices == 1)
    _require(one, "This server makes one choice per request.", "n")


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# Tools.


def _check_tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools")
    if tools is None:
        for field in ("tool_choice", "parallel_tool_calls"):
            _require(
                body.get(field) is None or body.get(field) == "none",
                f"'{field}' is only allowed when 'tools' are specified.",
                field,
            )
        return
    _require(isinstance(tools, list) and bool(tools), "[] is too short - 'tools'", "tools")
    for position, tool in enumerate(tools):
        _check_tool(tool, f"tools[{position}]")
    _check_tool_choice(body.get("tool_choice"), tools)
    parallel = body.get("parallel_tool_calls")
    _require(
        parallel is None or isinstance(parallel, bool),
        "'parallel_tool_calls' must be a boolean.",
        "parallel_tool_calls",
    )


def _check_tool(tool: Any, where: str) -> None:
    _require(isinstance(tool, dict), f"Invalid type for '{where}': expected an object.", where)
    _require(
        tool.get("type") == "function", f"Invalid value: '{where}.type' must be 'function'.", f"{where}.type"
    )
    _require(tool.keys() <= {"type", "function"}, f"Unknown parameter in '{where}'.", where)
    function = tool.get("function")
    _require(
        isinstance(function, dict), f"Missing required parameter: '{where}.function'.", f"{where}.function"
    )
    _require(
        function.keys() <= {"name", "description", "parameters", "strict"},
        f"Unknown parameter in '{where}.function'.",
        f"{where}.function",
    )
    _check_function_name(function.get("name"), f"{where}.function.name")
    description = function.get("description")
    _require(
        description is None or isinstance(description, str),
        f"Invalid type for '{where}.function.description'.",
        f"{where}.function.description",
    )
    if (parameters := function.get("parameters")) is not None:
        _check_parameters(parameters, function, f"{where}.function.parameters")


def _check_function_name(name: Any, where: str) -> None:
    valid = isinstance(name, str) and _FUNCTION_NAME.fullmatch(name)
    _require(
        bool(valid), f"Invalid '{where}': string does not match pattern '^[a-zA-Z0-9_-]{{1,64}}$'.", where
    )


def _check_parameters(schema: Any, function: Mapping[str, Any], where: str) -> None:
    name = function["name"]
    _require(isinstance(schema, dict), f"Invalid schema for function '{name}': not an object.", where)
    _require(
        schema.get("type") == "object",
        f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"'.",
        where,
        code="invalid_function_parameters",
    )
    _check_schema(schema, name, where, strict=function.get("strict") is True)


def _check_schema(schema: Any, name: str, where: str, *, strict: bool) -> None:
    def refuse(truth: bool, why: str) -> None:
        message = f"Invalid schema for function '{name}': {why}"
        _require(truth, message, where, code="invalid_function_parameters")

    refuse(isinstance(schema, dict), "a schema must be an object.")
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [] if kinds is None else [kinds]
    refuse(
        all(kind in _SCHEMA_TYPES for kind in kinds),
        f"{kinds!r} is not valid under any of the given schemas.",
    )
    refuse("array" not in kinds or "items" in schema, "array schema missing items.")
    properties = schema.get("properties", {})
    refuse(isinstance(properties, dict), "'properties' must be an object.")
    required = schema.get("required", [])
    refuse(isinstance(required, list), "'required' must be an array.")
    refuse(
        all(key in properties for key in required), "'required' names a property that is not in 'properties'."
    )
    if strict and "object" in kinds:
        refuse(schema.get("additionalProperties") is False, "'additionalProperties' is required to be false.")
        refuse(set(required) == set(properties), "'required' must include every key in properties.")
    for key, part in properties.items():
        _check_schema(part, name, f"{where}.properties.{key}", strict=strict)
    if isinstance(schema.get("items"), dict):
        _check_schema(schema["items"], name, f"{where}.items", strict=strict)


def _check_tool_choice(choice: Any, tools: Sequence[Mapping[str, Any]]) -> None:
    if choice is None or (isinstance(choice, str) and choice in _TOOL_CHOICES):
        return
    names = {tool["function"]["name"] for tool in tools}
    named = (
        isinstance(choice, dict)
        and choice.get("type") == "function"
        and isinstance(choice.get("function"), dict)
        and choice["function"].get("name") in names
    )
    _require(named, "Invalid value for 'tool_choice'.", "tool_choice")


# Messages.


def _check_messages(messages: Sequence[Any]) -> None:
    waiting: list[str] = []
    answerable: set[str] = set()
    for position, message in enumerate(messages):
        where = f"messages.[{position}]"
        _check_message(message, where)
        if message["role"] == "tool":
            _check_tool_answer(message, answerable, where)
            waiting = [call for call in waiting if call != message["tool_call_id"]]
            continue
        _check_answered(waiting, position)
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
        _require(len(set(waiting)) == len(waiting), f"Duplicate tool call ids in '{where}'.", where)
        answerable = set(waiting)
    _check_answered(waiting, len(messages))


def _check_answered(waiting: Sequence[str], position: int) -> None:
    _require(
        not waiting,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
        f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
        f"messages.[{position}].role",
    )


def _check_tool_answer(message: Mapping[str, Any], answerable: set[str], where: str) -> None:
    _require(
        bool(answerable),
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
        "'tool_calls'.",
        f"{where}.role",
    )
    _require(
        message["tool_call_id"] in answerable,
        f"Invalid parameter: 'tool_call_id' of '{where}' not found in 'tool_calls' of previous message.",
        f"{where}.tool_call_id",
    )
    answerable.discard(message["tool_call_id"])


def _check_message(message: Any, where: str) -> None:
    _require(isinstance(message, dict), f"Invalid type for '{where}': expected an object.", where)
    role = message.get("role")
    known = isinstance(role, str) and role in _MESSAGE_FIELDS
    _require(
        known,
        f"Invalid value: '{role}'. "
        "Supported values are: 'system', 'assistant', 'user', 'tool', and 'developer'.",
        f"{where}.role",
    )
    for field in message:
        _require(
            field in _MESSAGE_FIELDS[role],
            f"Additional properties are not allowed ('{field}' was unexpected) - '{where}'",
            where,
        )
    if role == "tool":
        call_id = message.get("tool_call_id")
        _require(
            isinstance(call_id, str) and bool(call_id),
            f"Missing parameter 'tool_call_id': '{where}'.",
            f"{where}.tool_call_id",
        )
    calls = message.get("tool_calls")
    if calls is not None:
        _check_calls(calls, f"{where}.tool_calls")
    _check_content(message.get("content"), f"{where}.content", optional=bool(calls))


def _check_content(content: Any, where: str, *, optional: bool) -> None:
    if content is None:
        _require(optional, f"Invalid value for 'content': expected a string, got null. - '{where}'", where)
        return
    if isinstance(content, list):
        parts = all(
            isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
            for part in content
        )
        _require(bool(content) and parts, f"Invalid content parts - '{where}'", where)
        return
    _require(isinstance(content, str), f"Invalid type for '{where}': expected a string or an array.", where)


def _check_calls(calls: Any, where: str) -> None:
    _require(isinstance(calls, list) and bool(calls), f"[] is too short - '{where}'", where)
    for position, call in enumerate(calls):
        here = f"{where}[{position}]"
        _require(isinstance(call, dict), f"Invalid type for '{here}'.", here)
        _require(isinstance(call.get("id"), str) and bool(call["id"]), f"Missing '{here}.id'.", f"{here}.id")
        _require(call.get("type") == "function", f"Missing or unknown '{here}.type'.", f"{here}.type")
        function = call.get("function")
        _require(isinstance(function, dict), f"Missing '{here}.function'.", f"{here}.function")
        _check_function_name(function.get("name"), f"{here}.function.name")
        _require(
            isinstance(function.get("arguments"), str),
            f"Invalid type for '{here}.function.arguments': expected a string.",
            f"{here}.function.arguments",
        )
