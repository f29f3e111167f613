"""In-memory implementations of the pipeline's ports, exact in virtual time, and a caller who uses them.

The voice speaks a word in `WORD_S`; each context's audio is one byte value of its own, so that what was sent
can be told apart by listening. The line plays in real time what it was sent and returns marks on its way.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pipeline.audio.mulaw import BYTES_PER_S
from pipeline.errors import LineClosed, ProviderError
from pipeline.events import (
    AudioChunk,
    EndOfTurn,
    InterimTranscript,
    JournalEvent,
    LlmEvent,
    ReplyFinished,
    SpeechFinished,
    SpeechStarted,
    SpokenWords,
    SttEvent,
    TextDelta,
    ToolCall,
    TtsEvent,
)
from pipeline.ports import Message, Tool, ToolResult, ToolSpec
from pipeline.runner import CallOutcome, CallPorts, CallRunner, ConversationSettings, Phrase, PhraseKind

WORD_S = 0.25
LLM_TOKEN_S = 0.02
TTS_CHUNK_S = 0.05


def now_s() -> float:
    return asyncio.get_running_loop().time()


class LoopClock:
    def now_s(self) -> float:
        return now_s()


class Ear:
    """A recogniser that hears what it is told to have heard."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[SttEvent | ProviderError | None] = asyncio.Queue()
        self.audio_bytes = 0
        self.forced_s: list[float] = []
        self.answer_to_force: SttEvent | None = None

    def hears(self, *events: SttEvent | ProviderError | None) -> None:
        """It tells them all at once, in this order."""
        for event in events:
            self._events.put_nowait(event)

    async def send_audio(self, audio: bytes) -> None:
        self.audio_bytes += len(audio)

    async def events(self) -> AsyncIterator[SttEvent]:
        while (event := await self._events.get()) is not None:
            if isinstance(event, ProviderError):
                raise event
            yield event

    async def force_end_of_turn(self) -> None:
        self.forced_s.append(now_s())
        if self.answer_to_force is not None:
            self.hears(self.answer_to_force)


Entry = TypeVar("Entry")

Beat = str | float | ToolCall | ProviderError
"""Of a completion: words, a pause in seconds, a tool call, a fault."""


class Mind:
    """A model that says what its script says, one list of beats for each request."""

    def __init__(self, *completions: Sequence[Beat]) -> None:
        self._completions = list(completions)
        self.requests: list[list[Message]] = []
        self.asked_s: list[float] = []
        self.cancelled = 0
        self.finishes = True

    def will_say(self, *completions: Sequence[Beat]) -> None:
        self._completions += completions

    async def warm_up(self) -> None:
        return

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> AsyncIterator[LlmEvent]:
        self.requests.append(list(messages))
        self.asked_s.append(now_s())
        beats = self._completions.pop(0) if self._completions else ["I have no more ideas."]
        ended = False
        try:
            for beat in beats:
                async for event in self._events(beat):
                    yield event
            ended = True
        finally:
            self.cancelled += not ended
        if self.finishes:
            yield ReplyFinished("stop")

    async def _events(self, beat: Beat) -> AsyncIterator[LlmEvent]:
        if isinstance(beat, ProviderError):
            raise beat
        if isinstance(beat, float | int):
            await asyncio.sleep(beat)
        elif isinstance(beat, ToolCall):
            yield beat
        else:
            for token in _tokens(beat):
                await asyncio.sleep(LLM_TOKEN_S)
                yield TextDelta(token)


def _tokens(text: str) -> list[str]:
    return [text[start : start + 4] for start in range(0, len(text), 4)]


@dataclass
class Fault:
    """What a context does instead of speaking on: after `words` words raise `error`, or hang, or expire."""

    words: int
    error: ProviderError | None
    expires: bool = False


class Voice:
    """A synthesiser. `faults` are those of its next contexts, None for one that works."""

    def __init__(self, *faults: Fault | None) -> None:
        self.faults = list(faults)
        self.contexts: list[VoiceContext] = []
        self.word_times = True

    async def warm_up(self) -> None:
        return

    @asynccontextmanager
    async def context(self) -> AsyncIterator["VoiceContext"]:
        fault = self.faults.pop(0) if self.faults else None
        made = VoiceContext(len(self.contexts) + 1, fault, self.word_times)
        self.contexts.append(made)
        try:
            yield made
        finally:
            made.left = True


class VoiceContext:
    def __init__(self, number: int, fault: Fault | None, word_times: bool) -> None:
        self.number = number
        self.text = ""
        self.finished = False
        self.cancelled = False
        self.left = False
        self._fault = fault
        self._word_times = word_times
        self._news = asyncio.Event()

    async def push(self, text: str) -> None:
        self.text += text
        self._news.set()

    async def finish(self) -> None:
        self.finished = True
        self._news.set()

    def cancel(self) -> None:
        self.cancelled = True

    async def events(self) -> AsyncIterator[TtsEvent]:
        spoken = 0
        while True:
            words = self.text.split()
            if self._expires_at(spoken):
                yield SpeechFinished()
                return
            if spoken < len(words):
                await self._fail_at(spoken)
                await asyncio.sleep(TTS_CHUNK_S)
                yield AudioChunk(bytes([self.number]) * round(WORD_S * BYTES_PER_S))
                if self._word_times:
                    times = (spoken * WORD_S, (spoken + 1) * WORD_S)
                    yield SpokenWords((words[spoken],), times[:1], times[1:])
                spoken += 1
            elif self.finished:
                await self._fail_at(spoken)
                yield SpeechFinished()
                return
            else:
                self._news.clear()
                await self._news.wait()

    def _expires_at(self, spoken: int) -> bool:
        return self._fault is not None and self._fault.expires and spoken >= self._fault.words

    async def _fail_at(self, spoken: int) -> None:
        if self._fault is None or spoken < self._fault.words:
            return
        if self._fault.error is not None:
            raise self._fault.error
        await asyncio.Event().wait()


@dataclass
class Sent:
    """Something that went out. `what`: audio mark clear hang_up."""

    at_s: float
    what: str
    audio: bytes = b""
    name: str = ""


class Phone:
    """The caller's line: plays in real time, returns marks when it gets there, or at once after a clear."""

    DELAY_S = 0.05

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.heard = b""
        self.is_open = True
        self.returns_marks = True
        self.runner: CallRunner | None = None
        self._ends_at_s = 0.0
        self._pending: list[str] = []
        self._playing: list[tuple[float, bytes]] = []

    async def play(self, mulaw: bytes) -> None:
        self._send(Sent(now_s(), "audio", audio=mulaw))
        start_s = max(self._ends_at_s, now_s() + self.DELAY_S)
        self._ends_at_s = start_s + len(mulaw) / BYTES_PER_S
        self._playing.append((start_s, mulaw))
        await asyncio.sleep(0)

    async def mark(self, name: str) -> None:
        self._send(Sent(now_s(), "mark", name=name))
        self._pending.append(name)
        asyncio.get_running_loop().call_at(max(self._ends_at_s, now_s()) + self.DELAY_S, self._return, name)

    async def clear(self) -> None:
        self._send(Sent(now_s(), "clear"))
        self.heard += self._played()
        self._playing, self._ends_at_s = [], now_s()
        for name in list(self._pending):
            self._return(name)

    async def hang_up(self, reason: str) -> None:
        self.sent.append(Sent(now_s(), "hang_up", name=reason))

    def all_heard(self) -> bytes:
        """Every byte that the caller has heard so far."""
        return self.heard + self._played()

    def _played(self) -> bytes:
        parts = []
        for start_s, mulaw in self._playing:
            samples = max(0, round((now_s() - start_s) * BYTES_PER_S))
            parts.append(mulaw[:samples])
        return b"".join(parts)

    def _return(self, name: str) -> None:
        if name in self._pending:
            self._pending.remove(name)
            if self.returns_marks and self.runner is not None:
                self.runner.mark_reached(name)

    def _send(self, sent: Sent) -> None:
        if not self.is_open:
            raise LineClosed("gone")
        self.sent.append(sent)


class Diary:
    def __init__(self) -> None:
        self.events: list[JournalEvent] = []

    def record(self, event: JournalEvent) -> None:
        self.events.append(event)

    def of(self, kind: type[Entry]) -> list[Entry]:
        return [event for event in self.events if isinstance(event, kind)]


class DigitMask:
    """A redactor: every digit becomes #."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def caller(self, text: str) -> str:
        self.told.append(text)
        return "".join("#" if letter.isdigit() else letter for letter in text)

    agent = caller


@dataclass
class Hand:
    """A tool that takes its time."""

    name: str
    result: ToolResult | Exception = field(default_factory=lambda: ToolResult('{"ok": true}', "done"))
    takes_s: float = 0.0
    effectful: bool = False
    begun: list[Mapping[str, Any]] = field(default_factory=list)
    ended: int = 0

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, self.name, {"type": "object"}, self.effectful)

    async def run(self, arguments: Mapping[str, Any]) -> ToolResult:
        self.begun.append(arguments)
        await asyncio.sleep(self.takes_s)
        self.ended += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


STOCK_BYTE = {"greeting": 101, "filler": 102, "prompt": 103, "apology": 104, "fault": 105, "goodbye": 106}


def stock(kind: str, text: str, seconds: float = 1.0) -> Phrase:
    return Phrase(text, bytes([STOCK_BYTE[kind]]) * round(seconds * BYTES_PER_S))


def phrases() -> dict[PhraseKind, Phrase]:
    return {
        "filler": stock("filler", "One moment, please.", 0.5),
        "prompt": stock("prompt", "Are you still there?"),
        "apology": stock("apology", "Sorry, say that again?"),
        "fault": stock("fault", "Sorry, call again later."),
        "goodbye": stock("goodbye", "Goodbye."),
    }


def settings(**changes: Any) -> ConversationSettings:
    base: dict[str, Any] = {
        "system_prompt": "Be brief.",
        "greeting": stock("greeting", "Hello, how can I help?"),
        "phrases": phrases(),
        "silence_prompt_s": 60.0,
    }
    return ConversationSettings(**(base | changes))


class CallInProgress:
    """One call with everything around it."""

    def __init__(self, mind: Mind, voice: Voice, tools: Sequence[Tool], limits: ConversationSettings) -> None:
        self.ear, self.mind, self.voice = Ear(), mind, voice
        self.phone, self.diary, self.mask = Phone(), Diary(), DigitMask()
        ports = CallPorts(
            stt_session=self.ear,
            llm=mind,
            tts=voice,
            tools=tools,
            line=self.phone,
            redactor=self.mask,
            journal=self.diary,
            clock=LoopClock(),
        )
        self.runner = CallRunner(ports, limits)
        self.phone.runner = self.runner
        self.task: asyncio.Task[CallOutcome] | None = None

    async def passes(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def greeted(self) -> None:
        """The greeting has been heard."""
        await self.passes(1.2)

    def says(self, text: str) -> None:
        """The caller's whole turn, just ended."""
        self.ear.hears(SpeechStarted(), InterimTranscript(text), EndOfTurn(text))

    def speaks(self, text: str) -> None:
        """The caller has begun and is not finished."""
        self.ear.hears(SpeechStarted(), InterimTranscript(text))

    def sounds(self) -> list[int]:
        """The voices that went out, in order: context numbers and stock bytes."""
        voices: list[int] = []
        for sent in self.phone.sent:
            if sent.what == "audio" and (not voices or voices[-1] != sent.audio[0]):
                voices.append(sent.audio[0])
        return voices

    def cleared(self) -> list[float]:
        return [sent.at_s for sent in self.phone.sent if sent.what == "clear"]

    async def outcome(self) -> CallOutcome:
        assert self.task is not None
        return await self.task

    async def hang_up(self) -> CallOutcome:
        self.runner.line_closed("caller_hung_up")
        return await self.outcome()


@asynccontextmanager
async def call(
    mind: Mind | None = None,
    voice: Voice | None = None,
    tools: Sequence[Tool] = (),
    **changes: Any,
) -> AsyncIterator[CallInProgress]:
    """A call that has just begun. It is hung up at the end if it still goes on; no task may be left."""
    made = CallInProgress(mind or Mind(), voice or Voice(), tools, settings(**changes))
    before = asyncio.all_tasks()
    made.task = asyncio.create_task(made.runner.run())
    try:
        yield made
        if not made.task.done():
            await made.hang_up()
    finally:
        made.task.cancel()
        await asyncio.wait([made.task])
    assert asyncio.all_tasks() <= before, "the call left tasks behind"
    assert all(context.left for context in made.voice.contexts), "the call left a context open"
