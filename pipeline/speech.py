"""Words on their way to the line: clause by clause into a synthesiser context, its audio straight out.

A reply is a row of *segments*, one for each completion of the model (words, tools, more words). A segment is
spoken on one context, so that prosody carries over; after a fault, or when the context has expired, it goes
on with another one from the first word that has not sounded. Each context is one *take* of the heard ledger.

Behind a closed gate only the first clause is synthesised, and its audio is held, so much at most; `release`
sends it in one piece, and the rest follows as ever.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pipeline.audio.energy import is_silent
from pipeline.audio.mulaw import duration_s
from pipeline.conversation import Step
from pipeline.errors import ProviderDropped, ProviderError, ProviderStalled
from pipeline.events import AudioChunk, SpeechFinished, SpokenWords
from pipeline.floor import Floor, Silenced
from pipeline.gate import Gate
from pipeline.ports import Clock, TextToSpeech, TtsContext
from pipeline.settings import ConversationSettings
from pipeline.streams import closing
from pipeline.transcript import Transcript
from pipeline.turn.playback import SpokenText, Take
from pipeline.turn.timeline import Timeline


@dataclass(slots=True)
class _Take:
    key: Take
    spoken: SpokenText = field(default_factory=SpokenText)
    clause_ends: list[int] = field(default_factory=list)
    marked_s: float = 0.0

    def push(self, text: str) -> None:
        self.spoken.append(text)
        self.clause_ends.append(len(self.spoken.text))

    def clause_passed(self) -> bool:
        """A clause has come to its end in the audio sent since the last mark."""
        reached = self.spoken.sounded(self.spoken.audio_s)
        passed = [end for end in self.clause_ends if len(self.spoken.text[:end].rstrip()) <= reached]
        self.clause_ends = self.clause_ends[len(passed) :]
        return bool(passed)


@dataclass(slots=True)
class _Segment:
    step: Step
    text: str = ""
    first_chars: int = 0
    """Length of its first clause."""
    pushed: int = 0
    closed: bool = False
    takes: list[_Take] = field(default_factory=list)

    def add(self, clause: str) -> None:
        self.first_chars = self.first_chars or len(clause)
        self.text += clause
        self.step.text += clause

    def rest(self, *, first_only: bool) -> str:
        """The text that no context has yet, or what of it is the first clause; it counts as pushed now."""
        end = self.first_chars if first_only else len(self.text)
        rest, self.pushed = self.text[self.pushed : end], max(self.pushed, end)
        return rest

    def has_rest(self) -> bool:
        return any(map(str.isalnum, self.text[self.pushed :]))

    def take_back(self, take: _Take) -> None:
        """What this take did not get to say is to be said again."""
        sounded = take.spoken.sounded(take.spoken.audio_s)
        self.pushed -= len(take.spoken.text) - sounded
        take.spoken.end_at(sounded)

    def heard(self, heard_s: Mapping[Take, float]) -> str:
        heard = ""
        for take in self.takes:
            length = take.spoken.sounded(heard_s.get(take.key, 0.0))
            heard += take.spoken.text[:length]
            if length < len(take.spoken.text):
                break
        return heard


@dataclass(frozen=True, slots=True)
class SpeechParts:
    """What one utterance speaks with."""

    tts: TextToSpeech
    floor: Floor
    clock: Clock
    settings: ConversationSettings
    transcript: Transcript
    timeline: Timeline
    gate: Gate
    on_retry: Callable[[ProviderError], None]


class Speech:
    """One utterance. `run` is its task; the other methods are called while that runs."""

    def __init__(self, utterance: int, parts: SpeechParts) -> None:
        self._utterance = utterance
        self._parts = parts
        self._segments: list[_Segment] = []
        self._news = asyncio.Event()
        self._closed = False
        self._takes = 0
        self._segments_spoken = 0
        self._current: _Segment | None = None
        self._context: TtsContext | None = None
        self._deadline: asyncio.Timeout | None = None
        self._push_fault: ProviderError | None = None
        self._retried = False
        self._sending = asyncio.Lock()
        self._held = bytearray()
        self._audible_s: float | None = None
        self.failure: ProviderError | None = None
        """Why it gave up, once it has."""
        self.sounded = False
        """Audible audio has gone out."""
        self.characters = 0
        """Given to the synthesiser so far, what was given twice counted twice."""

    def begin_segment(self, step: Step) -> None:
        """What follows is said in `step`."""
        self._segments.append(_Segment(step))

    async def say(self, clause: str) -> None:
        """Add a clause to the last segment. Raises the `ProviderError` that has ended this speech."""
        if self.failure is not None:
            raise self.failure
        segment = self._segments[-1]
        segment.add(clause)
        self._parts.transcript.add(clause)
        if self._context is not None and segment is self._current and self._parts.gate.is_open:
            await self._noting_fault(self._push(self._context, segment))
        self._news.set()

    async def end_segment(self) -> None:
        """The last segment is complete."""
        segment = self._segments[-1]
        segment.closed = True
        self._parts.transcript.end_sentence()
        if self._context is not None and segment is self._current and self._may_finish(segment):
            self._arm_idle(segment.takes[-1])
            await self._noting_fault(self._context.finish())
        self._news.set()

    async def release(self) -> None:
        """The gate has opened: what is held goes out, text that waited is synthesised."""
        segment, context = self._current, self._context
        if segment is None or context is None:
            return
        take = segment.takes[-1]
        with suppress(Silenced):
            await self._flush(take)
        if context is self._context:
            if segment.closed or take.spoken.owed:
                self._arm_idle(take)
            await self._noting_fault(self._catch_up(context, segment))

    def close(self) -> None:
        """No segment follows: `run` ends when all is said."""
        self._closed = True
        self._news.set()

    def silence(self) -> None:
        """Stop at once; what the synthesiser still sends is dropped."""
        if self._context is not None:
            self._context.cancel()

    def keep_heard(self, heard_s: Mapping[Take, float]) -> str:
        """Cut each step to what was heard; the public form of that."""
        length = 0
        for segment in self._segments:
            segment.step.text = segment.heard(heard_s)
            length += len(segment.step.text)
        return self._parts.transcript.heard(length)

    async def run(self) -> None:
        """Speak until closed, or until a fault that cannot be mended (`failure`). Never raises a fault."""
        try:
            while (segment := await self._next_segment()) is not None:
                await self._speak(segment)
                self._segments_spoken += 1
        except ProviderError as failure:
            self.failure = failure
            self.keep_heard({take.key: take.spoken.audio_s for each in self._segments for take in each.takes})
        except Silenced:
            return

    async def _next_segment(self) -> _Segment | None:
        while self._segments_spoken == len(self._segments):
            if self._closed:
                return None
            await self._more()
        return self._segments[self._segments_spoken]

    async def _more(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _speak(self, segment: _Segment) -> None:
        if self._takes:
            await self._parts.gate.opened()
        self._current = segment
        while True:
            while not segment.has_rest():
                if segment.closed:
                    return
                await self._more()
            try:
                await self._sound(segment)
            except ProviderError as fault:
                self._drop_held()
                segment.take_back(segment.takes[-1])
                if self._retried or not fault.retryable:
                    raise
                self._retried = True
                self._parts.on_retry(fault)

    async def _sound(self, segment: _Segment) -> None:
        """One context, from its first text to its last audio."""
        self._takes += 1
        take = _Take((self._utterance, self._takes))
        segment.takes.append(take)
        self._push_fault = None
        try:
            async with (
                asyncio.timeout(self._parts.settings.tts_first_audio_s) as self._deadline,
                self._parts.tts.context() as context,
            ):
                await self._open(context, segment)
                await self._relay(context, segment, take)
        except TimeoutError:
            raise self._overdue(take) from None
        finally:
            self._context = self._deadline = None

    def _overdue(self, take: _Take) -> ProviderError:
        if self._push_fault is not None:
            return self._push_fault
        return ProviderStalled("tts", "idle" if self._has_audio(take) else "no_first_audio", retryable=True)

    async def _open(self, context: TtsContext, segment: _Segment) -> None:
        self._parts.timeline.mark("tts_request", self._parts.clock.now_s())
        await self._push(context, segment)
        if self._parts.gate.is_open:
            while segment.has_rest():
                await self._push(context, segment)
        self._context = context
        if self._may_finish(segment):
            await context.finish()

    async def _catch_up(self, context: TtsContext, segment: _Segment) -> None:
        """Text that came while the gate was closed."""
        if not segment.has_rest():
            return
        await self._push(context, segment)
        if segment.closed:
            await context.finish()

    def _may_finish(self, segment: _Segment) -> bool:
        """No text follows, or waits for the gate."""
        return segment.closed and not segment.has_rest()

    async def _push(self, context: TtsContext, segment: _Segment) -> None:
        text = segment.rest(first_only=not self._parts.gate.is_open)
        segment.takes[-1].push(text)
        self._arm_idle(segment.takes[-1])
        self.characters += len(text)
        await context.push(text)

    async def _noting_fault(self, sending: Awaitable[None]) -> None:
        """A fault in sending text is for `run` to mend: its deadline falls now."""
        try:
            await sending
        except ProviderError as fault:
            self._push_fault = fault
            self._arm(0.0)

    async def _relay(self, context: TtsContext, segment: _Segment, take: _Take) -> None:
        async with closing(context.events(), self._parts.settings.teardown_step_s) as events:
            async for event in events:
                match event:
                    case AudioChunk(mulaw):
                        await self._take_audio(take, mulaw)
                    case SpokenWords(words, _, ends_s):
                        take.spoken.timed(words, ends_s)
                    case SpeechFinished():
                        await self._finish(segment, take)
                        return
                if self._parts.gate.is_open and (segment.closed or take.spoken.owed):
                    self._arm_idle(take)
        raise ProviderDropped("tts", "no_end", retryable=True)

    async def _take_audio(self, take: _Take, mulaw: bytes) -> None:
        """Audio that has just come: out with it or, behind a closed gate, kept."""
        came_s = self._parts.clock.now_s()
        self._parts.timeline.mark("tts_first_audio", came_s)
        self._arm(None)
        if self._audible_s is None and not is_silent(mulaw):
            self._audible_s = came_s
        if self._parts.gate.is_open:
            await self._flush(take, mulaw)
            return
        self._held += mulaw
        if duration_s(self._held) >= self._parts.settings.speculation_held_s:
            await self._parts.gate.opened()

    async def _flush(self, take: _Take, more: bytes = b"") -> None:
        """Send what is held and what has just come. Raises `Silenced`."""
        async with self._sending:
            mulaw = bytes(self._held) + more if self._held else more
            self._held.clear()
            if mulaw:
                await self._send(take, mulaw)

    def _drop_held(self) -> None:
        """Its text will be said again."""
        self._held.clear()
        if not self.sounded:
            self._audible_s = None

    async def _send(self, take: _Take, mulaw: bytes) -> None:
        sent_s = await self._parts.floor.play(take.key, mulaw)
        take.spoken.audio_s += duration_s(mulaw)
        self._parts.transcript.sounds()
        if not self.sounded and self._audible_s is not None:
            self.sounded = True
            self._parts.timeline.sounded(self._audible_s, sent_s)
        if take.clause_passed():
            await self._mark(take)

    async def _finish(self, segment: _Segment, take: _Take) -> None:
        """All audio of the context is here. One that ended unasked (it expired) may owe us words."""
        self._arm(None)
        await self._parts.gate.opened()
        await self._flush(take)
        if not take.spoken.audio_s:
            raise ProviderDropped("tts", "no_audio", retryable=True)
        if segment.closed or not take.spoken.owed:
            take.spoken.whole = True
        else:
            segment.take_back(take)
        if take.marked_s < take.spoken.audio_s:
            await self._mark(take)

    async def _mark(self, take: _Take) -> None:
        take.marked_s = take.spoken.audio_s
        await self._parts.floor.mark(take.key, take.marked_s)

    def _arm_idle(self, take: _Take) -> None:
        """The context owes us audio; until the first of it, the deadline for that stands."""
        if self._has_audio(take):
            self._arm(self._parts.settings.tts_idle_s)

    def _has_audio(self, take: _Take) -> bool:
        """The first of it has come."""
        return bool(take.spoken.audio_s or self._held)

    def _arm(self, within_s: float | None) -> None:
        if self._deadline is not None and not self._deadline.expired():
            now_s = asyncio.get_running_loop().time()
            self._deadline.reschedule(None if within_s is None else now_s + within_s)
