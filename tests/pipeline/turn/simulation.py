"""A whole call around a `TurnMachine` in virtual time, without asyncio: caller, agent, line from one seed.

The agent makes audio in bursts as a synthesiser does, may stall or fail; what it makes on a guess is held
until its turn is committed. The line plays in real time and returns marks with a lag, twice, late or not at
all. The caller speaks, hesitates, goes on, interrupts, makes noise, presses keys, hangs up at any point. The
recogniser takes an end back, ends a turn with other words than it showed, late, twice or never. Every rule
that must hold in any call is checked while it runs.
"""

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random

from pipeline.events import EagerEndOfTurn, EndOfTurn, InterimTranscript, SpeechStarted, TurnResumed
from pipeline.turn.endpointing import same_words
from pipeline.turn.limits import TurnLimits
from pipeline.turn.machine import TRANSITIONS, State, TurnMachine
from pipeline.turn.protocol import (
    AudioQueued,
    CallBegan,
    DropSpeculation,
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
    Speculate,
    StartReply,
    SttFailed,
    TimePassed,
    TokensWasted,
    TurnAction,
    TurnEvent,
    VoiceStarted,
    VoiceStopped,
)

LIMITS = TurnLimits(max_call_s=120.0, speculation_tokens_per_call=2_000)
GUESS_TOKENS = 300
WORDS = ("yes", "mm-hm", "no wait", "Tuesday at ten please", "bye", "", "I would like an appointment")
STALL_S = 9.0
VOICE = (VoiceStarted, VoiceStopped)


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


@dataclass
class Making:
    """An utterance on its way: behind a closed gate its audio is held."""

    utterance: int
    gate_open: bool
    held: list[tuple[int, float]] = field(default_factory=list)
    next_chunk: int = 0


class SimulatedCall:
    """One call. `run` plays it to its end; raises `RuleBroken`."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._limits = replace(LIMITS, speculation=self._random.choice(("off", "eager", "interim")))
        self._machine = TurnMachine(self._limits)
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
        self._guess: Speculate | None = None
        self._guessed: dict[int, Making] = {}
        self._dropped: set[int] = set()
        self._guesses: Counter[str] = Counter()
        self._wasted: Counter[str] = Counter()
        self._known_wasted: dict[str, int] = {}
        self.outcomes: set[str] = set()
        self.told: list[tuple[float, TurnEvent]] = []
        self._hangs_up_after = -1
        self.ended: EndCall | None = None
        self.states = {State.IDLE}

    def run(self) -> None:
        self._tell(CallBegan())
        self._at(self._random.uniform(0.1, 4.0), self._caller_acts)
        if self._random.random() < 0.05:
            self._at(self._random.uniform(1.0, 60.0), lambda: self._tell(SttFailed()))
        if self._random.random() < 0.1:
            self._at(self._random.uniform(0.0, 60.0), lambda: self._tell(LineLost("caller_hung_up")))
        if self._random.random() < 0.2:
            self._hangs_up_after = self._random.randint(1, 150)
        while self.ended is None:
            self._step()
        require(not self._unfinished, "every turn is finished, once")
        require(self._machine.next_deadline_s() is None, "an ended call waits for nothing")
        require(self._guess is None, "no guess outlives the call")
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
        if self.ended is not None:
            return
        later_s = self._machine.next_deadline_s()
        require(later_s is None or later_s > self._now_s, "a deadline is met, not repeated")

    def _at(self, delay_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self._now_s + delay_s, next(self._number), act))

    def _tell(self, event: TurnEvent) -> None:
        if self.ended is not None:
            return
        amid_orders = isinstance(event, TokensWasted)
        if not amid_orders:
            self._hangs_up_after -= 1
            self._known_wasted = dict(self._wasted)
        if self._hangs_up_after == 0:
            event = LineLost("caller_hung_up")
            self._hangs_up_after = -1
        self.told.append((self._now_s, event))
        before = self._machine.state
        actions = self._machine.handle(event, self._now_s)
        after = self._machine.state
        if isinstance(event, EndOfTurn):
            self._guesses.clear()
        self.states.add(after)
        if not isinstance(event, VOICE):
            allowed = TRANSITIONS[before].get(type(event), ("", frozenset({before})))[1]
            if after not in allowed:
                raise RuleBroken(f"{before} may not become {after} by {type(event).__name__}")
        for action in actions:
            self._obey(action)
        guessing = self._guess is not None
        require(amid_orders or (after is State.SPECULATING) == guessing, "a guess has its state")
        require(not any(map(self._machine.admits, self._dropped)), "a dropped guess is never admitted")
        if self._guess is not None:
            require(not self._machine.admits(self._guess.utterance), "a guess waits for its turn's end")

    def _obey(self, action: TurnAction) -> None:
        require(self.ended is None, "nothing is ordered after the end")
        match action:
            case Speculate():
                self._speculated(action)
            case DropSpeculation():
                self._drop(action)
            case StartReply():
                self._reply(action)
            case SayPhrase():
                phrase = Making(action.utterance, gate_open=True)
                self._make(phrase, self._random.randint(0, 3), PhraseEnded(action.utterance))
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
        self._guesses.clear()
        self.outcomes.add(order.speculated)
        if order.speculated in ("eager", "interim"):
            self._open_gate(order)
        else:
            require(self._guess is None, "a guess that does not serve is dropped before the turn's own reply")
            require((order.speculated == "thrown") <= bool(self._dropped), "what was thrown had been begun")
            self._make_reply(Making(order.utterance, gate_open=True))

    def _speculated(self, order: Speculate) -> None:
        require(self._limits.speculation != "off", "no guesses unless they are wanted")
        require(self._guess is None, "one guess at a time")
        require(order.turn not in self._committed, "a guess answers a turn to come")
        require(bool(order.text.strip()), "silence is not answered")
        wasted = self._known_wasted.get(order.sign, 0)  # a guess dropped by the same event is not counted yet
        require(wasted < self._limits.speculation_tokens_per_call, "waste has its limit")
        self._guesses[order.sign] += 1
        require(
            self._guesses[order.sign] <= self._limits.max_speculations_per_turn, "a turn has so many guesses"
        )
        self._guess = order
        making = self._guessed[order.utterance] = Making(order.utterance, gate_open=False)
        self._make_reply(making)

    def _open_gate(self, order: StartReply) -> None:
        guess, self._guess = self._guess, None
        require(guess is not None, "a reply begun on a guess has been begun")
        assert guess is not None
        require(
            (guess.turn, guess.utterance) == (order.turn, order.utterance), "it is the guess of this turn"
        )
        require(same_words(guess.text, order.text), "it answers what was said")
        making = self._guessed[guess.utterance]
        making.gate_open = True
        self._at(0.0, lambda: self._release(making))

    def _drop(self, order: DropSpeculation) -> None:
        require(self._guess is not None and self._guess.utterance == order.utterance, "the guess is dropped")
        sign = self._guess.sign
        self._guess = None
        self._dropped.add(order.utterance)
        self._wasted[sign] += GUESS_TOKENS
        self._tell(TokensWasted(GUESS_TOKENS, sign))

    def _make_reply(self, making: Making) -> None:
        outcome = self._random.choices(("spoken", "silent", "failed"), (8, 1, 2))[0]
        end_call = self._random.random() < 0.1
        chunks = self._random.randint(1, 6) if outcome == "spoken" else self._random.randint(0, 1)
        ended = ReplyEnded(making.utterance, outcome, end_call)
        self._make(making, chunks, ended)

    def _make(self, making: Making, chunks: int, ended: PhraseEnded | ReplyEnded) -> None:
        delay_s = self._random.choice([0.05, 0.3, 2.0])
        if self._random.random() < 0.03:
            delay_s += STALL_S
        for chunk in range(chunks):
            delay_s += self._random.choice([0.02, 0.1, 1.0])
            length_s = self._random.choice([0.02, 0.5, 2.0])
            self._at(delay_s, lambda chunk=chunk, length_s=length_s: self._came(making, chunk, length_s))  # type: ignore[misc]
        self._at(delay_s + 0.01, lambda: self._made(making, ended))

    def _made(self, making: Making, ended: PhraseEnded | ReplyEnded) -> None:
        """A reply behind its gate may fail there, but cannot be complete."""
        failed = isinstance(ended, ReplyEnded) and ended.outcome == "failed"
        if making.gate_open or failed:
            self._tell(ended)
        elif making.utterance not in self._dropped:
            self._at(0.05, lambda: self._made(making, ended))

    def _came(self, making: Making, chunk: int, length_s: float) -> None:
        making.held.append((chunk, length_s))
        if making.gate_open:
            self._release(making)

    def _release(self, making: Making) -> None:
        held, making.held = making.held, []
        for chunk, length_s in held:
            self._sound(making, chunk, length_s)

    def _sound(self, making: Making, chunk: int, length_s: float) -> None:
        utterance = making.utterance
        if not self._machine.admits(utterance):
            return
        require(utterance > self._silenced, "nothing of an interrupted utterance sounds again")
        require(utterance not in self._dropped, "nothing of a dropped guess sounds")
        require(chunk == making.next_chunk, "audio is in order and whole")
        making.next_chunk += 1
        take = (utterance, 1)
        self._line.play(take, length_s, self._now_s)
        self._tell(AudioQueued(take, length_s))
        name = f"{utterance}.{chunk}"
        self._tell(MarkQueued(name))
        self._return_mark(name)

    def _return_mark(self, name: str) -> None:
        if not self._line.returns_marks or self._random.random() < 0.1:
            return
        due_s = self._line.ends_at_s + self._line.lag_s - self._now_s
        late_s = self._random.choices([0.0, 3.0], (9, 1))[0]
        for _ in range(self._random.choices([1, 2], (9, 1))[0]):
            self._at(due_s + late_s, lambda: self._tell(MarkReached(name)))

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
        if words and self._random.random() < 0.6:
            words, delay_s = self._perhaps_ends(words, delay_s + 0.1)
        self._at(delay_s + self._random.choice([0.1, 0.3, 1.0]), lambda: self._fall_silent(words))

    def _perhaps_ends(self, words: str, delay_s: float) -> tuple[str, float]:
        """An eager end, which may be taken back, with or without more words; what is said and until when."""
        self._at(delay_s, lambda: self._tell(EagerEndOfTurn(words)))
        went_on = self._random.random()
        if went_on < 0.5:
            return words, delay_s
        self._at(delay_s + 0.15, lambda: self._tell(TurnResumed()))
        more = f"{words} if you can" if went_on < 0.8 else f"{words}, um."
        self._at(delay_s + 0.3, lambda: self._tell(InterimTranscript(more)))
        if self._random.random() < 0.7:
            self._at(delay_s + 0.5, lambda: self._tell(EagerEndOfTurn(more)))
        return more, delay_s + 0.5

    def _end_turn(self, words: str) -> None:
        self._stt_open = False
        self._tell(EndOfTurn(words))

    def _fall_silent(self, words: str) -> None:
        self._tell(VoiceStopped())
        if not self._hears_all and self._random.random() > 0.7:
            self._stt_open = False
            return
        if words and self._random.random() < 0.1:
            self._said += 1  # a watchdog may have answered the words that were shown
            words = f"{words} today"
        late_s = self._random.choices([0.0, 0.7, 7.0], (8, 1, 1))[0]
        self._at(late_s, lambda: self._end_turn(words))
        if self._random.random() < 0.05:
            self._said += bool(words)
            self._at(late_s + 0.2, lambda: self._tell(EndOfTurn(words)))
        if words and self._random.random() < 0.1:
            self._at(late_s + 0.3, lambda: self._tell(TurnResumed()))
