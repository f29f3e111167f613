"""Chunks of a streamed chat completion, typed, with the oddities of servers allowed for. Pure.

Everything is optional: `choices` may be null or missing, `delta` null, `index` missing, `arguments` an
object, `finish_reason` empty, an error may stand in place of a chunk or inside a choice (OpenAI API reference
and public trackers of vLLM, Groq, Gemini, OpenRouter; read 2026-11).
"""

from typing import Any, Final

import msgspec


class FunctionPiece(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None

    @property
    def json(self) -> str:
        if isinstance(self.arguments, dict):
            return msgspec.json.encode(self.arguments).decode()
        return self.arguments or ""


class ToolCallPiece(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class Delta(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallPiece] | None = None


class Choice(msgspec.Struct):
    delta: Delta | None = None
    finish_reason: str | None = None
    error: Any = None


class Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class CompletionChunk(msgspec.Struct):
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None

    @property
    def has_failed(self) -> bool:
        return bool(self.error) or any(choice.error for choice in self.choices or ())


_decoder: Final = msgspec.json.Decoder(CompletionChunk)


def decode(data: bytes) -> CompletionChunk | None:
    """None for garbage."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
