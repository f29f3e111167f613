"""A whole call around a `TurnMachine` in virtual time, without asyncio: caller, agent, line from one seed.

The agent makes audio in bursts as a synthesiser does; the line plays it in real time and returns marks with a
lag or not at all; the caller speaks, hesitates, interrupts, makes noise, presses keys; the recogniser may
forget to end a turn. Every rule that must hold in any call is checked while it runs.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from pipeline.events import EagerEndOfTurn, EndOfTurn, InterimTranscript, SpeechStarted, TurnResumed
from pipeline.turn.limits import TurnLimits
from pipeline.turn.machine import TRANSITIONS, State, TurnMachine
from pipeline.turn.protocol import (
    AudioQueued,
    CallBegan,
    EndCall,
    FinishTurn,
    ForceEndOfTurn,
    Interrupt,
    KeyPressed,
    LineLost,
    MarkQueued,
    MarkReached,
    PhraseEnded,
    ReplyEnded,
    SayPhrase,
    StartReply,
    SttFailed,
    TimePassed,
    TurnAction,
    TurnEvent,
    VoiceStarted,
    VoiceStopped,
)

LIMITS = TurnLimits(max_call_s=120.0)
WORDS = ("yes", "mm-hm", "no wait", "Tuesday at ten please", "bye", "", "I would like an appointment")


class RuleBroken(AssertionError):
    """A rule that must hold in any call did not."""


def require(holds: bool, rule: str) -> None:
    if not holds:
        raise RuleBroken(rule)


@dataclass
class Line:
    """Plays in real time with a lag; knows what has really been heard."""

    lag_s: float
    returns_marks: bool
    ends_at_s: float = 0.0
    queue: list[tuple[float, float, tuple[int, int]]] = field(default_factory=list)

    def play(self, take: tuple[int, int], duration_s: float, now_s: float) -> None:
        start_s = max(self.ends_at_s, now_s + self.lag_s)
        self.ends_at_s = start_s + duration_s
        self.queue.append((start_s, self.ends_at_s, take))

    def heard_s(self, take: tuple[int, int], now_s: float) -> float:
        return sum(max(0.0, min(end, now_s) - start) for start, end, each in self.queue if each == take)

    def clear(self, now_s: float) -> None:
        self.ends_at_s = now_s
        self.queue = [(start, min(end, now_s), take) for start, end, take in self.queue if start < now_s]


class SimulatedCall:
    """One call. `run` plays it to its end; raises `RuleBroken`."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._machine = TurnMachine(LIMITS)
        self._line = Line(self._random.choice([0.0, 0.05, 0.4]), self._random.random() < 0.8)
        self._hears_all = self._random.random() < 0.8
        self._now_s = 0.0
        self._number = count()
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._silenced = 0
        self._stt_open = False
        self._committed: set[int] = set()
        self._unfinished: set[int] = set()
        self._said = 0
        self._answered = 0
        self.ended: EndCall | None = None
        self.states = {State.IDLE}

    def run(self) -> None:
        self._tell(CallBegan())
        self._at(self._random.uniform(0.1, 4.0), self._caller_acts)
        if self._random.random() < 0.05:
            self._at(self._random.uniform(1.0, 60.0), lambda: self._tell(SttFailed()))
        if self._random.random() < 0.1:
            self._at(self._random.uniform(0.0, 60.0), lambda: self._tell(LineLost("caller_hung_up")))
        while self.ended is None:
            self._step()
        require(not self._unfinished, "every turn is finished, once")
        require(self._machine.next_deadline_s() is None, "an ended call waits for nothing")
        require(self._now_s <= LIMITS.max_call_s + LIMITS.closing_s + 0.1, "a call has an end")

    def _step(self) -> None:
        deadline_s = self._machine.next_deadline_s()
        require(deadline_s is not None, "an open call always has a deadline")
        assert deadline_s is not None
        if self._agenda and self._agenda[0][0] <= deadline_s:
            self._now_s, _, act = heapq.heappop(self._agenda)
            act()
            return
        self._now_s = max(self._now_s, deadline_s)
        self._tell(TimePassed())
        later_s = self._machine.next_deadline_s()
        require(later_s is None or later_s > self._now_s, "a deadline is met, not repeated")

    def _at(self, delay_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self._now_s + delay_s, next(self._number), act))

    def _tell(self, event: TurnEvent) -> None:
        before = self._machine.state
        actions = self._machine.handle(event, self._now_s)
        after = self._machine.state
        self.states.add(after)
        if not isinstance(event, VoiceStarted | VoiceStopped):
            allowed = TRANSITIONS[before].get(type(event), ("", frozenset({before})))[1]
            require(after in allowed, f"{before} may not become {after} by {type(event).__name__}")
        for action in actions:
            self._obey(action)

    def _obey(self, action: TurnAction) -> None:
        require(self.ended is None, "nothing is ordered after the end")
        match action:
            case StartReply():
                self._reply(action)
            case SayPhrase():
                self._make(
                    action.utterance, self._random.randint(0, 3), lambda: PhraseEnded(action.utterance)
                )
            case Interrupt():
                self._interrupted(action)
            case FinishTurn(turn):
                require(turn in self._unfinished, "a turn is finished once")
                self._unfinished.discard(turn)
            case ForceEndOfTurn():
                if self._random.random() < 0.5:
                    self._said += 1
                    self._at(0.3, lambda: self._tell(EndOfTurn("yes", "forced")))
            case EndCall():
                self.ended = action

    def _reply(self, order: StartReply) -> None:
        require(order.turn not in self._committed, "turns are numbered once")
        self._answered += bool(order.text)
        require(self._answered <= self._said, "nobody is answered twice, or who said nothing")
        self._committed.add(order.turn)
        self._unfinished.add(order.turn)
        outcome = self._random.choices(("spoken", "silent", "failed"), (8, 1, 2))[0]
        end_call = self._random.random() < 0.1
        chunks = self._random.randint(1, 6) if outcome == "spoken" else self._random.randint(0, 1)
        self._make(order.utterance, chunks, lambda: ReplyEnded(order.utterance, outcome, end_call))

    def _make(self, utterance: int, chunks: int, ended: Callable[[], PhraseEnded | ReplyEnded]) -> None:
        delay_s = self._random.choice([0.05, 0.3, 2.0])
        for chunk in range(chunks):
            delay_s += self._random.choice([0.02, 0.1, 1.0])
            self._at(delay_s, lambda chunk=chunk: self._sound(utterance, chunk))  # type: ignore[misc]
        self._at(delay_s + 0.01, lambda: self._made(utterance, ended()))

    def _made(self, utterance: int, ended: PhraseEnded | ReplyEnded) -> None:
        if self._machine.admits(utterance):
            self._tell(ended)

    def _sound(self, utterance: int, chunk: int) -> None:
        if not self._machine.admits(utterance):
            return
        require(utterance > self._silenced, "nothing of an interrupted utterance sounds again")
        take, duration_s = (utterance, 1), self._random.choice([0.02, 0.5, 2.0])
        self._line.play(take, duration_s, self._now_s)
        self._tell(AudioQueued(take, duration_s))
        name = f"{utterance}.{chunk}"
        self._tell(MarkQueued(name))
        if self._line.returns_marks and self._random.random() < 0.9:
            due_s = self._line.ends_at_s + self._line.lag_s - self._now_s
            self._at(due_s, lambda: self._tell(MarkReached(name)))

    def _interrupted(self, order: Interrupt) -> None:
        for take, heard_s in order.heard_s.items():
            played_s = self._line.heard_s(take, self._now_s)
            require(heard_s <= played_s + self._line.lag_s + 1e-6, "no more is heard than was played")
        self._line.clear(self._now_s)
        self._silenced = max([self._silenced, *(take[0] for take in order.heard_s)])

    def _caller_acts(self) -> None:
        if self._random.random() < 0.1:
            self._said += 1
            self._tell(KeyPressed(self._random.choice("0123456789*#")))
        else:
            self._speak(self._random.choice(WORDS))
        patience_s = self._random.choice([0.2, 1.0, 3.0, 8.0, 25.0])
        self._at(patience_s, self._caller_acts)

    def _speak(self, words: str) -> None:
        if self._stt_open:
            return
        self._stt_open = True
        self._said += bool(words)
        self._tell(VoiceStarted())
        self._at(0.05, lambda: self._tell(SpeechStarted()))
        delay_s = 0.3
        if words:
            self._at(delay_s, lambda: self._tell(InterimTranscript(words.split()[0])))
            delay_s = self._random.choice([0.5, 1.5])
            self._at(delay_s, lambda: self._tell(InterimTranscript(words)))
        if words and self._random.random() < 0.3:
            self._at(delay_s + 0.1, lambda: self._tell(EagerEndOfTurn(words)))
            self._at(delay_s + 0.2, lambda: self._tell(TurnResumed()))
        self._at(delay_s + 0.3, lambda: self._fall_silent(words))

    def _fall_silent(self, words: str) -> None:
        self._stt_open = False
        self._tell(VoiceStopped())
        if self._hears_all or self._random.random() < 0.7:
            self._tell(EndOfTurn(words))
