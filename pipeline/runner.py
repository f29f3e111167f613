"""The conductor: one call's ports and its `TurnMachine`, in one task group."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from pipeline.audio.energy import VoiceActivity
from pipeline.conversation import Conversation
from pipeline.errors import ProviderDropped, ProviderError
from pipeline.events import (
    BargedIn,
    CallerSaid,
    CallFinished,
    EagerEndOfTurn,
    ProviderFailed,
    TurnFinished,
)
from pipeline.floor import Floor, Silenced
from pipeline.phrase import stock_phrase
from pipeline.ports import (
    Clock,
    Heeds,
    Journal,
    LanguageModel,
    Line,
    Message,
    Redactor,
    SttSession,
    TextToSpeech,
    Tool,
)
from pipeline.reply import Reply
from pipeline.settings import DEFAULT_PHRASES, ConversationSettings, Phrase, PhraseKind
from pipeline.streams import closing
from pipeline.toolbox import Toolbox
from pipeline.turn.endpointing import keys_hidden
from pipeline.turn.machine import State, TurnMachine
from pipeline.turn.protocol import (
    CallBegan,
    DropSpeculation,
    EndCall,
    FinishTurn,
    ForceEndOfTurn,
    GuessedFrom,
    Interrupt,
    KeyPressed,
    LineLost,
    MarkReached,
    SayPhrase,
    Speculate,
    Speculated,
    StartReply,
    SttFailed,
    TimePassed,
    TokensWasted,
    TurnAction,
    TurnEvent,
    TurnOutcome,
    VoiceStarted,
    VoiceStopped,
)
from pipeline.turn.timeline import Timeline
from pipeline.utterance import CallParts, Utterance

__all__ = [
    "DEFAULT_PHRASES",
    "CallOutcome",
    "CallPorts",
    "CallRunner",
    "ConversationSettings",
    "Phrase",
    "PhraseKind",
]


@dataclass(frozen=True, slots=True)
class CallPorts:
    """Everything a conversation touches."""

    stt_session: SttSession
    llm: LanguageModel
    tts: TextToSpeech
    tools: Sequence[Tool]
    line: Line
    redactor: Redactor
    journal: Journal
    clock: Clock


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a conversation ended.

    `reason`: `goodbye silence time_limit` (we ended it in order), `stt_failed replies_failed` (a fault), or
    what `line_closed` was told. `ended_by` says which of the three it was.
    """

    reason: str
    ended_by: Literal["agent", "caller", "fault"]
    turns: int
    duration_s: float


class CallRunner:
    """One call's conversation. Made when the line is open, run once."""

    def __init__(self, ports: CallPorts, settings: ConversationSettings) -> None:
        self._ports = ports
        self._settings = settings
        self._heedful = ports.llm if isinstance(ports.llm, Heeds) else None
        self._machine = TurnMachine(settings)
        self._conversation = Conversation(settings.system_prompt, settings.earlier)
        self._voice = VoiceActivity()
        self._voiced_s: float | None = None
        self._turns: dict[int, _Turn] = {}
        self._utterances: dict[int, _Speaker] = {}
        self._guess: _Guess | None = None
        self._wasted = _Waste()
        self._early: list[TurnEvent] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_s: float | None = None
        self._group: asyncio.TaskGroup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._end = EndCall("cancelled", "fault")
        self._crash: Exception | None = None
        self._toolbox = Toolbox(ports.tools, settings, ports.clock, ports.journal, self._spawn)
        self._floor = Floor(ports.line, self._machine, ports.clock, self._tell)
        self._parts = CallParts(
            llm=ports.llm,
            tts=ports.tts,
            redactor=ports.redactor,
            journal=ports.journal,
            clock=ports.clock,
            settings=settings,
            conversation=self._conversation,
            toolbox=self._toolbox,
            floor=self._floor,
            spawn=self._spawn,
        )

    @property
    def history(self) -> Sequence[Message]:
        """What has been said, in the caller's own words, for a conversation that goes on with it."""
        return self._conversation.messages()[1:]

    async def run(self) -> CallOutcome:
        """The whole conversation, from the greeting to the hang-up. Leaves no task behind.

        Cancelling it ends the call: an effect that has begun is finished first, everything else is dropped.
        """
        began_s = self._ports.clock.now_s()
        try:
            await self._converse()
        finally:
            duration_s = self._ports.clock.now_s() - began_s
            self._ports.journal.record(
                CallFinished(
                    self._end.reason,
                    self._machine.turn,
                    duration_s * 1000,
                    self._wasted.tokens,
                    self._wasted.characters,
                )
            )
        if self._crash is not None:
            raise self._crash
        return CallOutcome(self._end.reason, self._end.ended_by, self._machine.turn, duration_s)

    async def caller_audio(self, mulaw: bytes) -> None:
        """One inbound frame as it came (20 ms of mu-law, 8 kHz)."""
        changed = self._voice.feed(mulaw)
        if self._voice.voiced:
            self._voiced_s = self._ports.clock.now_s()
        if changed:
            self._tell(VoiceStarted() if self._voice.active else VoiceStopped())
        try:
            await self._ports.stt_session.send_audio(mulaw)
        except ProviderError as fault:
            self._deaf(fault)

    def dtmf(self, digit: str) -> None:
        """One key: 0-9, * or #."""
        self._tell(KeyPressed(digit))

    def mark_reached(self, name: str) -> None:
        """A mark came back from the carrier: played or, after a clear, dropped."""
        self._tell(MarkReached(name))

    def line_closed(self, reason: str) -> None:
        """The caller or the carrier ended the call; `reason` becomes the outcome's."""
        self._tell(LineLost(reason))

    async def _converse(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._spawn(self._listen())
            try:
                for event in (CallBegan(), *self._early):
                    self._tell(event)
                await self._over.wait()
            finally:
                await self._wind_down()

    async def _wind_down(self) -> None:
        """Each step in its own bounded time; begun effects are waited for, as each has its own limit."""
        if not self._over.is_set():
            self._give_up("cancelled")
        if self._alarm is not None:
            self._alarm.cancel()
        for speaker in self._utterances.values():
            speaker.stop()
        if self._end.ended_by != "caller":
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.teardown_step_s):
                    await self._ports.line.hang_up(self._end.reason)
        await self._toolbox.settled()
        for task in self._tasks:
            task.cancel()

    async def _listen(self) -> None:
        session = self._ports.stt_session
        fault = ProviderDropped("stt", "ended", retryable=False)
        try:
            async with closing(session.events(), self._settings.teardown_step_s) as events:
                async for event in events:
                    self._tell(event)
        except ProviderError as failure:
            self._deaf(failure)
        else:
            self._deaf(fault)

    def _deaf(self, fault: ProviderError) -> None:
        if self._machine.state not in (State.CLOSING, State.CLOSED):
            self._ports.journal.record(ProviderFailed(self._machine.turn, "stt", fault.fault, "gave_up"))
            self._tell(SttFailed())

    def _tell(self, event: TurnEvent) -> None:
        """Hand an event to the machine and carry out what it orders. What comes before `run` waits for it."""
        if self._group is None:
            self._early.append(event)
            return
        if isinstance(event, EagerEndOfTurn):
            self._caller_waits(True)
        now_s = self._ports.clock.now_s()
        for action in self._machine.handle(event, now_s):
            self._carry_out(action, now_s)
        self._set_alarm(now_s)

    def _carry_out(self, action: TurnAction, now_s: float) -> None:
        match action:
            case Speculate():
                self._speculate(action, now_s)
            case DropSpeculation():
                self._drop_guess()
            case StartReply():
                self._start_reply(action)
            case SayPhrase():
                self._speak(action.utterance, stock_phrase(action, self._parts))
            case Interrupt():
                self._interrupt(action, now_s)
            case FinishTurn(turn, outcome):
                self._finish_turn(turn, outcome)
            case ForceEndOfTurn():
                self._spawn(self._force_end_of_turn())
            case EndCall():
                self._end = action
                self._over.set()
            case _:
                assert_never(action)

    def _caller_waits(self, waits: bool) -> None:
        if self._heedful is not None:
            self._heedful.caller_waits(waits)

    def _speculate(self, order: Speculate, now_s: float) -> None:
        self._caller_waits(order.sign != "interim")
        reply = Reply(order, self._parts, Timeline(now_s))
        self._guess = _Guess(order.sign, reply, _Speaker(reply, self._spawn(self._say(reply))))

    def _drop_guess(self) -> None:
        guess, self._guess = self._guess, None
        if guess is None:
            return
        guess.speaker.stop()
        tokens = guess.reply.tokens()
        self._wasted = self._wasted.and_of(guess.reply)
        self._tell(TokensWasted(tokens, guess.sign))
        if self._machine.state is not State.CLOSED:
            self._spawn(self._ports.llm.warm_up())

    def _start_reply(self, order: StartReply) -> None:
        self._caller_waits(True)
        guess, self._guess = self._guess, None
        timeline = guess.reply.timeline if guess is not None else Timeline(order.end_of_turn_s)
        self._turns[order.turn] = _Turn(timeline, order.speculated, self._wasted)
        self._wasted = _Waste()
        if order.text:
            self._mark_end_of_speech(order, timeline)
            public = self._ports.redactor.caller(keys_hidden(order.text))
            self._ports.journal.record(CallerSaid(order.turn, public))
        if guess is not None:
            self._keep_admitted()
            self._utterances[order.utterance] = guess.speaker
            guess.reply.commit(order.text)
            return
        if order.text:
            self._conversation.caller_said(order.text)
        self._speak(order.utterance, Reply(order, self._parts, timeline))

    def _mark_end_of_speech(self, order: StartReply, timeline: Timeline) -> None:
        """By the energy detector; by the recogniser's first word of it where no voice was detected."""
        guess_s = order.end_of_turn_s if order.eager_end_s is None else order.eager_end_s
        timeline.mark("speech_end", order.speech_end_s or self._voiced_s or guess_s)
        if order.eager_end_s is not None:
            timeline.mark("eager_end", order.eager_end_s)
        timeline.mark("end_of_turn", order.end_of_turn_s)
        self._voiced_s = None

    def _speak(self, number: int, utterance: Utterance) -> None:
        self._keep_admitted()
        self._utterances[number] = _Speaker(utterance, self._spawn(self._say(utterance)))

    def _keep_admitted(self) -> None:
        self._utterances = {
            each: kept for each, kept in self._utterances.items() if self._machine.admits(each)
        }

    async def _say(self, utterance: Utterance) -> None:
        with suppress(Silenced):
            self._tell(await utterance.run())

    def _interrupt(self, order: Interrupt, now_s: float) -> None:
        stopped = list(self._utterances.values())
        self._utterances = {}
        for speaker in stopped:
            speaker.stop()
        heard = [public for speaker in stopped if (public := speaker.utterance.keep_heard(order.heard_s))]
        self._spawn(self._ports.llm.warm_up())
        if order.heard_s:
            self._spawn(self._clear(order, " ".join(heard), now_s))

    async def _clear(self, order: Interrupt, heard: str, began_s: float) -> None:
        with suppress(Silenced):
            await self._floor.clear()
            if order.barge_in:
                clear_ms = (self._ports.clock.now_s() - began_s) * 1000
                self._ports.journal.record(BargedIn(order.turn, heard, clear_ms))

    def _finish_turn(self, turn: int, outcome: TurnOutcome) -> None:
        ended = self._turns.pop(turn)
        timeline = ended.timeline
        finished = TurnFinished(
            turn,
            timeline.stages_s(),
            timeline.ttfb_ms(),
            timeline.overhead_ms(),
            outcome,
            ended.speculated,
            ended.wasted.tokens,
            ended.wasted.characters,
            ended.wasted.guesses,
        )
        self._ports.journal.record(finished)

    async def _force_end_of_turn(self) -> None:
        try:
            async with asyncio.timeout(self._settings.forced_end_s):
                await self._ports.stt_session.force_end_of_turn()
        except TimeoutError:
            return
        except ProviderError as fault:
            self._deaf(fault)

    def _set_alarm(self, now_s: float) -> None:
        at_s = self._machine.next_deadline_s()
        if at_s == self._alarm_s:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_s, self._alarm = at_s, None
        if at_s is not None:
            self._alarm = asyncio.get_running_loop().call_later(max(0.0, at_s - now_s), self._ring)

    def _ring(self) -> None:
        self._alarm = self._alarm_s = None
        self._tell(TimePassed())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if self._group is None:
            raise RuntimeError("the call has not begun")
        task = self._group.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # A task cancelled before its first step never touches its work.
        task.add_done_callback(lambda _: work.close())
        return task

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """A defect of ours ends this call only, and in order: begun effects are still waited for."""
        try:
            await work
        except Exception as crash:  # noqa: BLE001 - the edge of the call: `run` raises it
            self._crash = self._crash or crash
            self._give_up("crashed")

    def _give_up(self, reason: str) -> None:
        """End the call wherever it stands, without a word."""
        self._tell(LineLost(reason))
        self._end = EndCall(reason, "fault")


@dataclass(frozen=True, slots=True)
class _Waste:
    """Guesses that were thrown away: their cost at the model and at the synthesiser, and how many."""

    tokens: int = 0
    characters: int = 0
    guesses: int = 0

    def and_of(self, reply: Reply) -> "_Waste":
        tokens, characters = self.tokens + reply.tokens(), self.characters + reply.characters()
        return _Waste(tokens, characters, self.guesses + 1)


@dataclass(frozen=True, slots=True)
class _Turn:
    """A committed turn that is not finished. `wasted`: by guesses thrown away since the one before."""

    timeline: Timeline
    speculated: Speculated
    wasted: _Waste


@dataclass(frozen=True, slots=True)
class _Speaker:
    utterance: Utterance
    task: asyncio.Task[None]

    def stop(self) -> None:
        self.utterance.stop()
        self.task.cancel()


@dataclass(frozen=True, slots=True)
class _Guess:
    """A reply to a turn that is not committed."""

    sign: GuessedFrom
    reply: Reply
    speaker: _Speaker
