"""One streamed completion, from payloads to events. Pure."""

from collections.abc import Iterator

from pipeline.errors import ProviderDropped
from pipeline.events import LlmEvent, ReplyFinished, TextDelta
from pipeline.providers.llm_chunks import CompletionChunk, Delta, decode
from pipeline.providers.llm_sse import DONE, LineTooLong, SseLines
from pipeline.providers.llm_thoughts import ThoughtFilter
from pipeline.providers.llm_tool_calls import ToolCalls


class ReplyStream:
    """Feed it the body; text comes out at once, tool calls when the model has finished, the end from `end`.

    `has_finished`: the model has said all; what follows is token counts, at best.
    """

    def __init__(self) -> None:
        self.has_finished = False
        self._lines = SseLines()
        self._thoughts = ThoughtFilter()
        self._calls = ToolCalls()
        self._finish_reason: str | None = None
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None

    def feed(self, block: bytes) -> Iterator[LlmEvent]:
        """Raises `ProviderDropped` if the server reports a failure in the stream."""
        try:
            payloads = self._lines.feed(block)
        except LineTooLong:
            raise ProviderDropped("llm", "line_too_long", retryable=False) from None
        for payload in payloads:
            yield from self._take(payload)

    def end(self) -> Iterator[LlmEvent]:
        """The body has ended. Raises `ProviderDropped` if the reply has not: many servers then say
        nothing.
        """
        for payload in self._lines.flush():
            yield from self._take(payload)
        if self._finish_reason is None:
            raise ProviderDropped("llm", "ended_early", retryable=True)
        yield ReplyFinished(self._finish_reason, self._prompt_tokens, self._completion_tokens)

    def _take(self, payload: bytes) -> Iterator[LlmEvent]:
        chunk = None if payload == DONE else decode(payload)
        if chunk is None:
            return
        if chunk.has_failed:
            raise ProviderDropped("llm", "error_in_stream", retryable=True)
        if chunk.usage is not None:
            self._prompt_tokens = chunk.usage.prompt_tokens
            self._completion_tokens = chunk.usage.completion_tokens
        yield from self._choice(chunk)

    def _choice(self, chunk: CompletionChunk) -> Iterator[LlmEvent]:
        if not chunk.choices or self.has_finished:
            return
        choice = chunk.choices[0]
        if choice.delta is not None:
            yield from self._delta(choice.delta)
        if choice.finish_reason:
            self._finish_reason, self.has_finished = choice.finish_reason, True
            yield from _spoken(self._thoughts.flush())
            yield from self._calls.finish()

    def _delta(self, delta: Delta) -> Iterator[LlmEvent]:
        for piece in delta.tool_calls or ():
            self._calls.add(piece)
        yield from _spoken(self._thoughts.feed(delta.content or delta.refusal or ""))


def _spoken(text: str) -> Iterator[LlmEvent]:
    if text:
        yield TextDelta(text)
