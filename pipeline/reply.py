"""One turn's reply: the model's stream into clauses, clauses into speech, tool calls into the toolbox."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import assert_never

from pipeline.conversation import Conversation, Draft, Step
from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused, ProviderStalled
from pipeline.events import LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.gate import Gate
from pipeline.ports import Informs, Message
from pipeline.sentences import ClauseSplitter
from pipeline.speech import Speech
from pipeline.streams import closing
from pipeline.tokens import RequestTokens
from pipeline.toolbox import END_CALL
from pipeline.turn.playback import Take
from pipeline.turn.protocol import ReplyEnded, Speculate, StartReply
from pipeline.turn.timeline import Timeline
from pipeline.utterance import CallParts

_SENTENCE_ENDS = (".", "!", "?")


class Reply:
    """Answers one turn of the caller's: a committed one or, on a guess, one that has not ended yet.

    On a guess everything is made as ever, but behind a gate; `commit` opens it.
    """

    def __init__(self, order: StartReply | Speculate, parts: CallParts, timeline: Timeline) -> None:
        self._order = order
        self._parts = parts
        self.timeline = timeline
        self._gate = Gate(is_open=isinstance(order, StartReply))
        self._history: Conversation = parts.conversation
        self._draft: Draft | None = None
        if isinstance(order, Speculate):
            self._history = self._draft = parts.conversation.draft(order.text)
        self._requests: list[RequestTokens] = []
        speech = parts.speech(order.turn, "reply", timeline, self._gate)
        self._speech = Speech(order.utterance, speech)
        self._speaking: asyncio.Task[None] | None = None
        self._end_call = False

    async def run(self) -> ReplyEnded:
        """Returns when all audio is with the line; a fault is an outcome. Cancelling it stops all of it.

        Behind a closed gate it returns for a fault only.
        """
        speaking = self._speaking = self._parts.spawn(self._speech.run())
        fault: ProviderError | None = None
        try:
            async with asyncio.timeout(self._parts.settings.reply_limit_s):
                fault = await self._answered()
                self._speech.close()
                if fault is None or self._gate.is_open:
                    await asyncio.wait([speaking])
                if (fault or self._speech.failure) is None:
                    await self._gate.opened()
        except TimeoutError:
            fault = ProviderStalled("llm", "reply_limit", retryable=False)
        finally:
            speaking.cancel()
        return self._ended(fault or self._speech.failure)

    def commit(self, said: str) -> None:
        """The guess was right, in these very words: what is made so far goes out and is history."""
        if self._draft is not None:
            self._parts.conversation.adopt(self._draft, said)
            self._history, self._draft = self._parts.conversation, None
        self._gate.open()
        self._parts.spawn(self._speech.release())

    def tokens(self) -> int:
        """What the model has been asked and has said so far."""
        return sum(request.total() for request in self._requests)

    def characters(self) -> int:
        """What the synthesiser has been given so far."""
        return self._speech.characters

    def stop(self) -> None:
        self._gate.give_up()
        self._speech.silence()
        if self._speaking is not None:
            self._speaking.cancel()

    def keep_heard(self, heard_s: Mapping[Take, float]) -> str:
        return self._speech.keep_heard(heard_s)

    def _ended(self, fault: ProviderError | None) -> ReplyEnded:
        if fault is not None:
            self._record_fault(fault, retried=False)
            return ReplyEnded(self._order.utterance, "failed")
        if self._speech.sounded:
            return ReplyEnded(self._order.utterance, "spoken", self._end_call)
        return ReplyEnded(self._order.utterance, "silent", self._end_call)

    async def _answered(self) -> ProviderError | None:
        """Completion after completion until one calls no tool. The fault that ended it early, if one did."""
        try:
            await self._parts.toolbox.settled()
            for _round in range(self._parts.settings.max_tool_rounds):
                step = await self._completed()
                if not await self._tools_used(step):
                    return None
        except ProviderError as fault:
            return fault
        return ProviderRefused("llm", "tool_loop", retryable=False)

    async def _tools_used(self, step: Step) -> bool:
        """Carry out the calls of this step. False if the model need not be asked again."""
        others = [call for call in step.calls if call.name != END_CALL.name]
        if len(others) < len(step.calls):
            self._end_call = True
        await self._parts.toolbox.use(self._order.turn, step, self._gate)
        return bool(others)

    async def _completed(self, *, again: bool = True) -> Step:
        """One completion; asked for once more if the model fails before it has said anything."""
        step = self._history.new_step()
        self._speech.begin_segment(step)
        try:
            calls = await self._streamed(step)
        except ProviderError as fault:
            await self._speech.end_segment()
            if fault.provider == "llm" and step.text.rstrip().endswith(_SENTENCE_ENDS):
                return step
            if step.text or not (again and fault.retryable and fault.provider == "llm"):
                raise
            self._history.drop(step)
            self._record_fault(fault, retried=True)
            return await self._completed(again=False)
        step.calls = self._history.unique(calls)
        await self._speech.end_segment()
        return step

    async def _streamed(self, step: Step) -> Sequence[ToolCall]:
        """Read one stream to its end, speaking as it comes; its tool calls."""
        messages = await self._informed(self._history.messages(resume=not self._order.text))
        tokens = RequestTokens(messages, self._parts.toolbox.specs)
        self._requests.append(tokens)
        self.timeline.mark("llm_request", self._parts.clock.now_s())
        stream = self._parts.llm.reply(messages, self._parts.toolbox.specs)
        reading = _Reading(self._parts.settings.clause_streaming)
        try:
            async with (
                asyncio.timeout(self._parts.settings.llm_first_clause_s) as deadline,
                closing(stream, self._parts.settings.teardown_step_s) as events,
            ):
                async for event in events:
                    tokens.note(event)
                    self._note_token(event)
                    await self._say(reading.take(event))
                    if reading.spoke or reading.calls:
                        deadline.reschedule(self._now_s() + self._parts.settings.llm_between_tokens_s)
        except TimeoutError:
            raise ProviderStalled("llm", "stalled" if step.text else "no_clause", retryable=True) from None
        await self._say(reading.whole_sentence())
        reading.check()
        return reading.calls

    async def _informed(self, messages: Sequence[Message]) -> Sequence[Message]:
        llm = self._parts.llm
        return await llm.informed(messages) if isinstance(llm, Informs) else messages

    async def _say(self, clauses: Sequence[str]) -> None:
        for clause in clauses:
            self.timeline.mark("first_clause", self._parts.clock.now_s())
            await self._speech.say(clause)

    def _note_token(self, event: LlmEvent) -> None:
        if not isinstance(event, ReplyFinished):
            self.timeline.mark("llm_first_token", self._parts.clock.now_s())

    def _record_fault(self, fault: ProviderError, *, retried: bool) -> None:
        self._gate.then(lambda: self._parts.record_fault(self._order.turn, fault, retried=retried))

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


class _Reading:
    """One stream as read so far: clauses out, tool calls kept."""

    def __init__(self, streams: bool) -> None:
        self._splitter = ClauseSplitter()
        self._streams = streams
        self._waiting: list[str] = []
        self.spoke = False
        self._finished = False
        self.calls: list[ToolCall] = []

    def take(self, event: LlmEvent) -> list[str]:
        """The clauses that this event completes."""
        match event:
            case TextDelta(text):
                return self._due(self._speakable(self._splitter.feed(text)))
            case ToolCall():
                self.calls.append(event)
                return []
            case ReplyFinished():
                self._finished = True
                return self._all([*self._waiting, *self._speakable(self._splitter.flush())])
            case _:
                assert_never(event)

    def whole_sentence(self) -> list[str]:
        """What a stream that broke off left behind, if it is a whole sentence."""
        rest = self._splitter.flush()
        whole = "".join(rest).rstrip().endswith(_SENTENCE_ENDS)
        return self._all([*self._waiting, *(self._speakable(rest) if whole else [])])

    def check(self) -> None:
        """Raises `ProviderDropped` if this was no reply."""
        if not self._finished:
            raise ProviderDropped("llm", "no_finish", retryable=True)
        if not self.spoke and not self.calls:
            raise ProviderDropped("llm", "empty", retryable=True)

    def _due(self, clauses: Sequence[str]) -> list[str]:
        """What may be said now of clauses that have come."""
        if self._streams:
            return list(clauses)
        self._waiting.extend(clauses)
        return []

    def _all(self, clauses: list[str]) -> list[str]:
        self._waiting = []
        return clauses

    def _speakable(self, clauses: Sequence[str]) -> list[str]:
        spoken = [clause for clause in clauses if any(map(str.isalnum, clause))]
        if spoken and not self.spoke:
            self.spoke = True
            spoken[0] = spoken[0].lstrip()
        return spoken
