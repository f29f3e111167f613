"""One answer of our model's for Vapi: words as they come, our own tools used in between, Vapi's passed on.

A fault before anything was said or done is the answer's. After that it is covered: by what the last tool has
to say, or by an apology, since the caller is in the middle of a sentence and the call goes on.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Literal, assert_never
from uuid import uuid4

from gateway.vapi.completion_stream import FinishReason
from pipeline.conversation import Step
from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused, ProviderStalled
from pipeline.events import LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.ports import LanguageModel, Message, ToolSpec
from pipeline.settings import ConversationSettings
from pipeline.streams import closing
from pipeline.toolbox import END_CALL

VAPI_END_CALL: Final = "endCall"
_SENTENCE_ENDS: Final = (".", "!", "?")


@dataclass(frozen=True, slots=True)
class PassedOn:
    """Tools that are Vapi's to use. The answer ends with them."""

    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is whole. Tokens: of all requests that it took, as far as the model's server told."""

    reason: FinishReason
    prompt_tokens: int
    completion_tokens: int


AnswerEvent = TextDelta | PassedOn | Ended
OnFault = Callable[[ProviderError, Literal["retried", "apologised"]], None]


@dataclass(frozen=True, slots=True)
class Thinking:
    """What an answer is made with.

    `use` carries out a step's tool calls and puts each answer into its results; it never raises, and what it
    has begun goes on when it is cancelled. `ours` and `theirs`: the tools of either side; of two with one
    name ours counts.
    """

    model: LanguageModel
    ours: Sequence[ToolSpec]
    theirs: Sequence[ToolSpec]
    use: Callable[[Step], Awaitable[None]]
    settings: ConversationSettings
    on_fault: OnFault

    def offered(self) -> tuple[ToolSpec, ...]:
        """What the model may call, one of each name. Vapi's way to hang up goes by the name that our
        instructions know.
        """
        renamed = [END_CALL if spec.name == VAPI_END_CALL else spec for spec in self.theirs]
        named: dict[str, ToolSpec] = {}
        for spec in (*self.ours, *renamed):
            named.setdefault(spec.name, spec)
        return tuple(named.values())

    def passed_on(self, call: ToolCall) -> ToolCall | None:
        """The call as Vapi knows it, None if it is not Vapi's."""
        theirs = {spec.name for spec in self.theirs} - {spec.name for spec in self.ours}
        if call.name == END_CALL.name and VAPI_END_CALL in theirs:
            return ToolCall(call.id, VAPI_END_CALL, call.arguments)
        return call if call.name in theirs else None


class Answer:
    """The answer to one request, whose `messages` are all that the model is to know."""

    def __init__(self, thinking: Thinking, messages: Sequence[Message]) -> None:
        self._thinking = thinking
        self._settings = thinking.settings
        self._messages = list(messages)
        self._offered = thinking.offered()
        self._until_s = _now_s() + thinking.settings.reply_limit_s
        self._said = ""
        self._unsaid = ""  # what the last tool has to say, until the model has said something
        self._is_seam = False  # what is said next is another completion's
        self._is_cut = False  # the model was not let say all
        self._prompt_tokens = self._completion_tokens = 0

    async def events(self) -> AsyncGenerator[AnswerEvent, None]:
        """`Ended` comes last. Raises `ProviderError` if nothing was said or done before."""
        try:
            async with aclosing(self._rounds()) as events:
                async for event in events:
                    yield event
        except ProviderError as fault:
            instead = self._instead()
            if instead is None:
                raise
            self._thinking.on_fault(fault, "apologised")
            self._is_seam = bool(self._said)
            if instead:
                yield TextDelta(self._spaced(instead))
            yield self._ended("stop")

    async def _rounds(self) -> AsyncGenerator[AnswerEvent, None]:
        """Completion after completion until one uses no tool of ours."""
        for _ in range(self._settings.max_tool_rounds):
            step = Step()
            self._is_seam = bool(self._said)
            async with aclosing(self._completed(step)) as texts:
                async for text in texts:
                    yield self._saying(text)
            theirs = tuple(filter(None, map(self._thinking.passed_on, step.calls)))
            ours = tuple(call for call in step.calls if self._thinking.passed_on(call) is None)
            if ours:
                step.calls = ours
                async with aclosing(self._used(step)) as fillers:
                    async for text in fillers:
                        yield self._saying(text)
            if theirs:
                yield PassedOn(theirs)
            if theirs or not ours:
                yield self._ended("tool_calls" if theirs else "length" if self._is_cut else "stop")
                return
        raise ProviderRefused("llm", "tool_loop", retryable=False)

    async def _completed(self, step: Step) -> AsyncGenerator[str, None]:
        """One completion; asked for once more if the model fails before it has said anything."""
        for may_retry in (True, False):
            try:
                async with aclosing(self._streamed(step)) as texts:
                    async for text in texts:
                        step.text += text
                        yield text
                return
            except ProviderError as fault:
                if step.text or not (may_retry and fault.retryable):
                    raise
                self._thinking.on_fault(fault, "retried")

    async def _streamed(self, step: Step) -> AsyncGenerator[str, None]:
        calls: list[ToolCall] = []
        finished: ReplyFinished | None = None
        is_empty = True
        wait_s = self._settings.llm_first_clause_s
        stream = self._thinking.model.reply(self._messages, self._offered)
        async with closing(stream, self._settings.teardown_step_s) as events:
            while (event := await self._next(events, wait_s)) is not None:
                match event:
                    case TextDelta(text):
                        if text:
                            is_empty, wait_s = False, self._settings.llm_between_tokens_s
                            yield text
                    case ToolCall():
                        is_empty, wait_s = False, self._settings.llm_between_tokens_s
                        calls.append(ToolCall(f"call_{uuid4().hex}", event.name, event.arguments))
                    case ReplyFinished():
                        finished = event
                    case _:
                        assert_never(event)
        if finished is None or is_empty:
            fault = "no_finish" if finished is None else "empty"
            raise ProviderDropped("llm", fault, retryable=True)
        self._prompt_tokens += finished.prompt_tokens or 0
        self._completion_tokens += finished.completion_tokens or 0
        self._is_cut = finished.finish_reason == "length"
        step.calls = tuple(calls)

    async def _next(self, events: AsyncIterator[LlmEvent], wait_s: float) -> LlmEvent | None:
        """Timed here and not around the loop: between two events whoever reads the answer has the floor."""
        try:
            async with asyncio.timeout_at(min(_now_s() + wait_s, self._until_s)):
                return await anext(events, None)
        except TimeoutError:
            raise ProviderStalled("llm", "stalled", retryable=_now_s() < self._until_s) from None

    async def _used(self, step: Step) -> AsyncGenerator[str, None]:
        """The tools, and a filler if they take long in silence."""
        using = asyncio.ensure_future(self._thinking.use(step))
        try:
            await asyncio.wait({using}, timeout=self._settings.filler_after_s)
            if not using.done() and not self._said:
                yield self._settings.phrase("filler").text
            await using
        finally:
            using.cancel()
        self._messages += step.messages()
        self._unsaid = _say_of(step)

    def _saying(self, text: str) -> TextDelta:
        spaced = self._spaced(text)
        self._said += spaced
        self._unsaid = ""
        return TextDelta(spaced)

    def _spaced(self, text: str) -> str:
        """Sentences of two completions do not run into each other."""
        is_seam, self._is_seam = self._is_seam, False
        touches = is_seam and not self._said[-1:].isspace() and not text[:1].isspace()
        return f" {text}" if touches else text

    def _instead(self) -> str | None:
        """What is said in place of the rest, "" if it is whole without; None if there is nothing to save."""
        if self._unsaid:
            return self._unsaid
        if not self._said:
            return None
        return "" if self._said.rstrip().endswith(_SENTENCE_ENDS) else self._settings.phrase("apology").text

    def _ended(self, reason: FinishReason) -> Ended:
        return Ended(reason, self._prompt_tokens, self._completion_tokens)


def _say_of(step: Step) -> str:
    """The sentence that the last answered call has for the caller, "" if it has none."""
    for call in reversed(step.calls):
        try:
            told = json.loads(step.results.get(call.id, "null"))
        except ValueError:
            continue
        if isinstance(told, dict) and isinstance(told.get("say"), str):
            return str(told["say"])
    return ""


def _now_s() -> float:
    return asyncio.get_running_loop().time()
