"""The wire of a custom LLM's answer: OpenAI's chunks as server-sent events, and its errors. Pure.

OpenAI API reference, "Chat completion chunk" (read 2026-11). Vapi's own model is always a stream, whatever
the request says of it (its docs, "Custom LLM"); a tool that ends or transfers the call counts only where the
reply finishes with `tool_calls`.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from pipeline.events import ToolCall

HEADERS: Final = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}
DONE: Final = b"data: [DONE]\n\n"
FinishReason = Literal["stop", "length", "tool_calls"]
_KINDS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
}


class Chunks:
    """One completion's events. `created_s`: seconds since 1970."""

    def __init__(self, completion_id: str, model: str, created_s: int) -> None:
        self._head = {
            "id": completion_id,
            "object": "chat.completion.chunk",
            "created": created_s,
            "model": model,
        }

    def opening(self) -> bytes:
        """Whose words follow."""
        return self._choice({"role": "assistant", "content": ""})

    def text(self, text: str) -> bytes:
        return self._choice({"content": text})

    def calls(self, calls: Sequence[ToolCall]) -> bytes:
        """Whole, in one piece."""
        told = [
            {
                "index": index,
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments or "{}"},
            }
            for index, call in enumerate(calls)
        ]
        return self._choice({"tool_calls": told})

    def finish(self, reason: FinishReason) -> bytes:
        return self._choice({}, reason)

    def usage(self, prompt_tokens: int, completion_tokens: int) -> bytes:
        """Behind the finish, for whoever asked to be told."""
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        }
        return self._event({"choices": [], "usage": usage})

    def _choice(self, delta: dict[str, Any], finish_reason: FinishReason | None = None) -> bytes:
        return self._event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]})

    def _event(self, fields: dict[str, Any]) -> bytes:
        return b"data: " + msgspec.json.encode(self._head | fields) + b"\n\n"


def error_body(status: int, message: str, code: str | None = None) -> bytes:
    """As OpenAI's clients read errors. `message` names the fact alone."""
    kind = _KINDS.get(status, "server_error")
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": None, "code": code}})
