"""What a chat completion is asked for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from pipeline.ports import Message, ToolSpec


@dataclass(frozen=True, slots=True)
class LlmConfig:
    """`base_url`: http or https, up to and with the version (`https://api.openai.com/v1`). Times in seconds.

    What a server does not know is left out by setting it to None; what only it knows goes into `extra_body`
    (`{"chat_template_kwargs": {"enable_thinking": False}}`).
    """

    api_key: str = field(repr=False)
    model: str
    base_url: str = "https://api.openai.com/v1"
    temperature: float | None = 0.3
    max_tokens: int | None = 300
    max_tokens_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    parallel_tool_calls: bool | None = False
    include_usage: bool = True
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    connect_s: float = 2.0
    read_s: float = 8.0  # between two reads of the body, comments included
    tail_s: float = 0.2  # for token counts after the reply's end
    warm_up_s: float = 3.0
    keepalive_s: float = 300.0
    max_connections: int = 200


def completion_request(
    config: LlmConfig, messages: Sequence[Message], tools: Sequence[ToolSpec]
) -> dict[str, Any]:
    """The body of a streamed request (OpenAI API reference, "Create chat completion")."""
    optional: dict[str, Any] = {
        "temperature": config.temperature,
        config.max_tokens_field: config.max_tokens,
        "stream_options": _stream_options(config),
        "tools": [_tool(tool) for tool in tools] or None,
        "tool_choice": "auto" if tools else None,
        "parallel_tool_calls": config.parallel_tool_calls if tools else None,
    }
    return {
        "model": config.model,
        "messages": [_message(message) for message in messages],
        "stream": True,
        **{name: value for name, value in optional.items() if value is not None},
        **config.extra_body,
    }


def _stream_options(config: LlmConfig) -> dict[str, bool] | None:
    """OpenAI pads each chunk with random text unless told not to; nobody else knows that switch."""
    if not config.include_usage:
        return None
    options = {"include_usage": True}
    if (urlsplit(config.base_url).hostname or "").endswith("api.openai.com"):
        options["include_obfuscation"] = False
    return options


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _message(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        entry["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments or "{}"}}
            for id_, name, arguments in message.tool_calls
        ]
        entry["content"] = message.content or None
    if message.tool_call_id is not None:
        entry["tool_call_id"] = message.tool_call_id
    return entry
