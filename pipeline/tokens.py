"""What requests to the model have cost, in tokens: as the server told, or estimated where it did not.

A stream that is closed early is never told its counts, so those of a reply thrown away are mostly estimates.
"""

import json
from collections.abc import Sequence
from typing import Final, assert_never

from pipeline.events import LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.ports import Message, ToolSpec

CHARS_PER_TOKEN: Final = 4
"""English prose and JSON in the usual subword vocabularies, rounded (OpenAI's rule of thumb)."""


class RequestTokens:
    """One request: `note` each event of its stream."""

    def __init__(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> None:
        self._messages = tuple(messages)
        self._tools = tools
        self._said_chars = 0
        self._finished: ReplyFinished | None = None

    def note(self, event: LlmEvent) -> None:
        match event:
            case TextDelta(text):
                self._said_chars += len(text)
            case ToolCall():
                self._said_chars += len(event.name) + len(event.arguments)
            case ReplyFinished():
                self._finished = event
            case _:
                assert_never(event)

    def total(self) -> int:
        """Prompt and completion so far."""
        told = self._finished
        prompt = told.prompt_tokens if told else None
        completion = told.completion_tokens if told else None
        if prompt is None:
            prompt = _tokens(_chars(self._messages) + sum(map(_spec_chars, self._tools)))
        return prompt + (_tokens(self._said_chars) if completion is None else completion)


def _chars(messages: Sequence[Message]) -> int:
    texts = sum(len(message.content) for message in messages)
    return texts + sum(sum(map(len, call)) for message in messages for call in message.tool_calls)


def _spec_chars(spec: ToolSpec) -> int:
    return len(spec.name) + len(spec.description) + len(json.dumps(dict(spec.parameters)))


def _tokens(chars: int) -> int:
    return -(-chars // CHARS_PER_TOKEN)
