"""Who has the floor: a pure state machine. Events and instants in, orders out; no task, no socket, no clock.

    LISTENING ──speech, keys──▶ CALLER_SPEAKING ──end of turn──▶ RESPONDING ──heard──▶ LISTENING
        │                        │ ▲          ▲                   ▲ │ ▲ ▲
        │      eager end, or words at rest    └───barge-in────────│─┘ │ └─ noise ended: taken up again
        │                        ▼ │ went on, other words         │   │
        │                      SPECULATING ───end of turn─────────┘   │
        └───────silence: prompt, then goodbye─────────────────────────┘
    any state ──fault or time limit──▶ CLOSING ──last words heard──▶ CLOSED ◀──goodbye heard, line lost

SPECULATING is CALLER_SPEAKING with a reply to the words so far begun on a guess. It is made behind a gate,
its number not admitted; the end of the turn with the same words admits it, anything else drops it.

RESPONDING lasts from the caller's end of turn until the last of our audio has been heard, as `Playback` knows
it: thinking, tools and speaking are one state, because the caller may interrupt any of them in the same way.
Whatever we say is an *utterance* with a number. An interruption closes all numbers given so far, and `admits`
is asked before any audio goes out: so nothing of a cancelled turn is ever sent behind its clear.

Waits are no timers: `next_deadline_s` names the next instant that matters, `TimePassed` then acts on it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from pipeline.events import EagerEndOfTurn, EndOfTurn, InterimTranscript, SpeechStarted, TurnResumed
from pipeline.turn.barge_in import interrupts, voice_interrupts_at_s
from pipeline.turn.endpointing import CallerTurn, Keypad, same_words
from pipeline.turn.limits import TurnLimits
from pipeline.turn.playback import Playback
from pipeline.turn.protocol import (
    AudioQueued,
    CallBegan,
    DropSpeculation,
    EndCall,
    EndedBy,
    FinishTurn,
    ForceEndOfTurn,
    GuessedFrom,
    Interrupt,
    KeyPressed,
    LineLost,
    MarkQueued,
    MarkReached,
    PhraseEnded,
    ReplyEnded,
    SayPhrase,
    Speculate,
    Speculated,
    StartReply,
    StockKind,
    SttFailed,
    TimePassed,
    TokensWasted,
    TurnAction,
    TurnEvent,
    TurnOutcome,
    VoiceStarted,
    VoiceStopped,
)


class State(StrEnum):
    IDLE = "idle"
    LISTENING = "listening"
    CALLER_SPEAKING = "caller_speaking"
    SPECULATING = "speculating"
    RESPONDING = "responding"
    CLOSING = "closing"
    CLOSED = "closed"


IDLE, LISTENING, CALLER_SPEAKING, SPECULATING, RESPONDING, CLOSING, CLOSED = State
OPEN: Final = frozenset({LISTENING, CALLER_SPEAKING, RESPONDING})
_TALKING: Final = frozenset({CALLER_SPEAKING, SPECULATING})

# What each state does with an event, and the states that may follow. An event that is not named is ignored.
TRANSITIONS: Final[Mapping[State, Mapping[type, tuple[str, frozenset[State]]]]] = {
    IDLE: {
        CallBegan: ("_greet", frozenset({RESPONDING})),
        LineLost: ("_line_lost", frozenset({CLOSED})),
    },
    LISTENING: {
        SpeechStarted: ("_turn_opened", frozenset({CALLER_SPEAKING})),
        InterimTranscript: ("_words_heard", frozenset({LISTENING, CALLER_SPEAKING})),
        EagerEndOfTurn: ("_words_heard", frozenset({LISTENING}) | _TALKING),
        EndOfTurn: ("_turn_ended", frozenset({LISTENING, RESPONDING})),
        KeyPressed: ("_key_pressed", frozenset({CALLER_SPEAKING, RESPONDING})),
        TimePassed: ("_time_passed", frozenset({LISTENING, RESPONDING, CLOSING})),
        SttFailed: ("_stt_failed", frozenset({CLOSING})),
        LineLost: ("_line_lost", frozenset({CLOSED})),
    },
    CALLER_SPEAKING: {
        SpeechStarted: ("_turn_opened", frozenset({CALLER_SPEAKING})),
        InterimTranscript: ("_words_heard", _TALKING),
        EagerEndOfTurn: ("_words_heard", _TALKING),
        TurnResumed: ("_turn_resumed", frozenset({CALLER_SPEAKING})),
        EndOfTurn: ("_turn_ended", frozenset({LISTENING, CALLER_SPEAKING, RESPONDING})),
        KeyPressed: ("_key_pressed", frozenset({CALLER_SPEAKING, RESPONDING})),
        TimePassed: ("_time_passed", OPEN | {SPECULATING, CLOSING}),
        SttFailed: ("_stt_failed", frozenset({CLOSING})),
        LineLost: ("_line_lost", frozenset({CLOSED})),
    },
    SPECULATING: {
        SpeechStarted: ("_turn_opened", frozenset({SPECULATING})),
        InterimTranscript: ("_words_heard", _TALKING),
        EagerEndOfTurn: ("_words_heard", _TALKING),
        TurnResumed: ("_turn_resumed", frozenset({CALLER_SPEAKING})),
        EndOfTurn: ("_turn_ended", frozenset({LISTENING, CALLER_SPEAKING, RESPONDING})),
        KeyPressed: ("_key_pressed", frozenset({CALLER_SPEAKING})),
        ReplyEnded: ("_guess_failed", _TALKING),
        TimePassed: ("_time_passed", frozenset({LISTENING, SPECULATING, RESPONDING, CLOSING})),
        SttFailed: ("_stt_failed", frozenset({CLOSING})),
        LineLost: ("_line_lost", frozenset({CLOSED})),
    },
    RESPONDING: {
        SpeechStarted: ("_turn_opened", frozenset({RESPONDING})),
        InterimTranscript: ("_words_overheard", frozenset({RESPONDING, CALLER_SPEAKING})),
        EagerEndOfTurn: ("_words_overheard", frozenset({RESPONDING}) | _TALKING),
        TurnResumed: ("_turn_resumed", frozenset({RESPONDING})),
        EndOfTurn: ("_overheard_ended", frozenset({RESPONDING})),
        KeyPressed: ("_key_pressed", frozenset({CALLER_SPEAKING, RESPONDING})),
        PhraseEnded: ("_phrase_ended", OPEN | {CLOSED}),
        ReplyEnded: ("_reply_ended", OPEN | {CLOSING, CLOSED}),
        AudioQueued: ("_audio_queued", frozenset({RESPONDING})),
        MarkQueued: ("_mark_queued", frozenset({RESPONDING})),
        MarkReached: ("_mark_reached", OPEN | {CLOSED}),
        TimePassed: ("_time_passed", OPEN | {SPECULATING, CLOSING, CLOSED}),
        SttFailed: ("_stt_failed", frozenset({CLOSING})),
        LineLost: ("_line_lost", frozenset({CLOSED})),
    },
    CLOSING: {
        PhraseEnded: ("_phrase_ended", frozenset({CLOSING, CLOSED})),
        AudioQueued: ("_audio_queued", frozenset({CLOSING})),
        MarkQueued: ("_mark_queued", frozenset({CLOSING})),
        MarkReached: ("_mark_reached", frozenset({CLOSING, CLOSED})),
        TimePassed: ("_time_passed", frozenset({CLOSING, CLOSED})),
        LineLost: ("_line_lost", frozenset({CLOSED})),
    },
    CLOSED: {},
}

_FAULTS: Final = frozenset({"stt_failed", "replies_failed"})
_INSTANT_S: Final = 1e-6
"""Timers may ring a rounding error early."""
_VOICE: Final = (VoiceStarted, VoiceStopped)


class TurnMachine:
    """One call. `handle` is told everything that happens and answers with what to do, in this order."""

    def __init__(self, limits: TurnLimits) -> None:
        self._limits = limits
        self.state = IDLE
        self.turn = 0
        """Number of the last turn; 0 before the first."""
        self._actions: list[TurnAction] = []
        self._playback = Playback(limits.mark_wait_s)
        self._began_s = 0.0

        self._caller: CallerTurn | None = None
        self._keypad = Keypad()
        self._voiced_since_s: float | None = None
        self._settled_text: str | None = None
        self._aside: tuple[str, float] | None = None

        self._guess: Speculate | None = None
        self._thrown = False
        self._wasted_tokens: Counter[GuessedFrom] = Counter()

        self._utterance = 0
        self._admitted: set[int] = set()
        self._making: set[int] = set()
        self._reply: int | None = None
        self._unfinished: int | None = None
        self._responding_s = 0.0
        self._fillers = 0

        self._owed = False
        self._resumes = 0
        self._failures = 0
        self._prompted = False
        self._quiet_since_s = 0.0
        self._last_words: str | None = None
        self._closing_at_s = 0.0

    # -- the surface

    def handle(self, event: TurnEvent, now_s: float) -> list[TurnAction]:
        """What to do about it. Instants must not run backwards."""
        if isinstance(event, _VOICE):
            self._voiced_since_s = now_s if isinstance(event, VoiceStarted) else None
            return []
        if isinstance(event, TokensWasted):
            self._wasted_tokens[event.sign] += event.tokens
            return []
        entry = TRANSITIONS[self.state].get(type(event))
        if entry is not None:
            getattr(self, entry[0])(event, now_s)
        actions, self._actions = self._actions, []
        return actions

    def admits(self, utterance: int) -> bool:
        """May audio of this utterance go out now? Never again once the answer has turned to no."""
        return utterance in self._admitted

    def next_deadline_s(self) -> float | None:
        """When to call `handle` with `TimePassed`; None if only events can change anything."""
        return min((at_s for at_s, _ in self._deadlines()), default=None)

    def line_idle(self, now_s: float) -> bool:
        """Nothing of ours can still be queued on the line."""
        return self._playback.ends_at_s() <= now_s

    # -- time

    def _deadlines(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        if self.state is CLOSING:
            yield self._closing_at_s, self._hang_up
        elif self.state in OPEN or self.state is SPECULATING:
            yield self._began_s + self._limits.max_call_s, self._call_too_long
            yield from self._caller_deadlines()
        if self.state is LISTENING:
            yield self._silent_until_s(), self._caller_silent
        if self.state in (RESPONDING, CLOSING):
            yield from self._speaking_deadlines()

    def _caller_deadlines(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        caller = self._caller
        if caller is not None:
            yield caller.watchdog_s(self._limits), self._turn_overdue
            if self.state is CALLER_SPEAKING and self._may_rest(caller):
                yield caller.rests_at_s(self._limits), self._words_rest
        keys_end_s = self._keypad.ends_at_s(self._limits)
        if keys_end_s is not None and (caller is None or not caller.text.strip()):
            yield keys_end_s, self._keys_complete
        if self.state is RESPONDING and caller is not None and not caller.text.strip():
            at_s = voice_interrupts_at_s(caller.started_s, self._voiced_since_s, self._limits)
            if at_s is not None and at_s < self._playback.over_at_s():
                yield at_s, self._voice_interrupts

    def _speaking_deadlines(self) -> Iterator[tuple[float, Callable[[float], None]]]:
        if not self._making:
            yield self._playback.over_at_s(), self._all_heard
        elif (
            self._making == {self._reply}
            and self._caller is None
            and self._fillers < self._limits.max_fillers
        ):
            silent_since_s = max(self._responding_s, self._playback.ends_at_s())
            yield silent_since_s + self._limits.filler_after_s, self._reply_slow

    def _time_passed(self, _: TimePassed, now_s: float) -> None:
        for _round in range(len(State)):
            due = [(at_s, act) for at_s, act in self._deadlines() if at_s <= now_s + _INSTANT_S]
            if not due:
                return
            min(due, key=lambda each: each[0])[1](now_s)

    def _silent_until_s(self) -> float:
        wait_s = self._limits.silence_goodbye_s if self._prompted else self._limits.silence_prompt_s
        return self._quiet_since_s + wait_s

    # -- the caller speaks while we listen

    def _turn_opened(self, _: SpeechStarted, now_s: float) -> None:
        self._settled_text = None
        if self._caller is None:
            self._caller = CallerTurn(now_s, now_s)
        if self.state is LISTENING:
            self.state = CALLER_SPEAKING

    def _words_heard(self, event: InterimTranscript | EagerEndOfTurn, now_s: float) -> None:
        if not self._note_words(event, now_s):
            return
        if self._guess is None:
            self.state = CALLER_SPEAKING
        elif not same_words(self._guess.text, event.text):
            self._drop_guess()
        if isinstance(event, EagerEndOfTurn) or self._ended_with_other_words():
            self._speculate("eager")

    def _note_words(self, event: InterimTranscript | EagerEndOfTurn, now_s: float) -> bool:
        """The open turn grows. False if there is none: no words, or those of a turn that we closed."""
        if self._caller is None:
            if not event.text.strip() or event.text == self._settled_text:
                return False
            self._settled_text = None
            self._caller = CallerTurn(now_s, now_s)
        self._caller.heard(event.text, now_s)
        if isinstance(event, EagerEndOfTurn):
            self._caller.eager_end_s = now_s
        return True

    def _turn_resumed(self, _: TurnResumed, now_s: float) -> None:
        if self._caller is not None:
            self._caller.eager_end_s, self._caller.news_s = None, now_s
        self._drop_guess()

    def _turn_ended(self, event: EndOfTurn, now_s: float) -> None:
        if self._is_late_end(event):
            return
        caller, self._caller = self._caller, None
        eager_end_s = caller.eager_end_s if caller else None
        text = event.text.strip()
        if text:
            said = f"{text} {self._keypad.take()}".strip()
            self._commit(said, now_s, eager_end_s=eager_end_s)
            return
        self._drop_guess()
        if self._keypad.digits:
            self.state = CALLER_SPEAKING
        else:
            self._nothing_said(now_s)

    def _is_late_end(self, event: EndOfTurn) -> bool:
        """The recogniser's end of a turn that the watchdog has closed already."""
        settled, self._settled_text = self._settled_text, None
        if settled is None or self._caller is not None:
            return False
        return event.trigger == "forced" or event.text.strip() in ("", settled.strip())

    def _nothing_said(self, now_s: float) -> None:
        if self._owed and self._resumes < self._limits.max_resumes:
            self._resumes += 1
            self._start_reply("", now_s)
        else:
            self.state = LISTENING

    def _turn_overdue(self, now_s: float) -> None:
        """The recogniser does not end the turn: ask it to; if it does not answer, go by what was heard."""
        caller = self._caller
        if caller is None:
            return
        if caller.forced_s is None:
            caller.forced_s = now_s
            self._actions.append(ForceEndOfTurn())
            return
        ended = EndOfTurn(caller.text, "forced")
        if self.state is RESPONDING:
            self._overheard_ended(ended, now_s)
        else:
            self._turn_ended(ended, now_s)
        self._settled_text = caller.text

    def _key_pressed(self, event: KeyPressed, now_s: float) -> None:
        if self.state is RESPONDING:
            self._interrupt(now_s)
        self._drop_guess()
        self._keypad.press(event.digit, now_s)
        self.state = CALLER_SPEAKING
        if self._keypad.complete and not (self._caller and self._caller.text.strip()):
            self._keys_complete(now_s)

    def _keys_complete(self, now_s: float) -> None:
        self._commit(self._keypad.take(), now_s, speech_end_s=self._keypad.pressed_s)

    # -- a reply begun on a guess

    def _speculate(self, sign: GuessedFrom) -> None:
        """The caller may have finished: begin the reply to the words so far, unless it is begun already."""
        caller = self._caller
        if self._guess is not None or caller is None or not self._may_speculate(caller, sign):
            return
        caller.guesses[sign] += 1
        caller.guessed = caller.text
        self._utterance += 1
        self._guess = Speculate(self.turn + 1, self._utterance, caller.text.strip(), sign)
        self._actions.append(self._guess)
        self.state = SPECULATING

    def _may_speculate(self, caller: CallerTurn, sign: GuessedFrom) -> bool:
        return (
            self._limits.speculation != "off"
            and bool(caller.text.strip())
            and not self._keypad.digits
            and caller.guesses[sign] < self._limits.max_speculations_per_turn
            and self._wasted_tokens[sign] < self._limits.speculation_tokens_per_call
        )

    def _ended_with_other_words(self) -> bool:
        """The eager end stands, yet the words are not those that were guessed then."""
        caller = self._caller
        return (
            caller is not None
            and caller.eager_end_s is not None
            and not same_words(caller.guessed, caller.text)
        )

    def _may_rest(self, caller: CallerTurn) -> bool:
        """These words count as all of the turn once they have not changed for a while; once each."""
        is_new = not same_words(caller.guessed, caller.text)
        return self._limits.speculation == "interim" and is_new and self._may_speculate(caller, "interim")

    def _words_rest(self, _: float) -> None:
        self._speculate("interim")

    def _guess_failed(self, event: ReplyEnded, _: float) -> None:
        """A fault behind the gate is nobody's: the turn's own reply tries anew."""
        if self._guess is not None and self._guess.utterance == event.utterance:
            self._drop_guess()

    def _drop_guess(self) -> None:
        guess, self._guess = self._guess, None
        if guess is None:
            return
        self._thrown = True
        self._actions.append(DropSpeculation(guess.utterance))
        self.state = CALLER_SPEAKING

    def _settle_guess(self, said: str) -> tuple[int | None, Speculated]:
        """The turn is committed with these words: the utterance that answers them already, if one does."""
        guess = self._guess
        if guess is not None and same_words(guess.text, said):
            self._guess, self._thrown = None, False
            return guess.utterance, guess.sign
        self._drop_guess()
        thrown, self._thrown = self._thrown, False
        return None, "thrown" if thrown else "none"

    # -- the caller speaks while we do

    def _words_overheard(self, event: InterimTranscript | EagerEndOfTurn, now_s: float) -> None:
        if self._note_words(event, now_s) and self._stops_us(event.text):
            self._interrupt(now_s)
            self.state = CALLER_SPEAKING
            if isinstance(event, EagerEndOfTurn):
                self._speculate("eager")

    def _stops_us(self, text: str) -> bool:
        return interrupts(text, self._limits, leaving=self._last_words is not None)

    def _overheard_ended(self, event: EndOfTurn, now_s: float) -> None:
        if self._is_late_end(event):
            return
        caller, self._caller = self._caller, None
        if self._stops_us(event.text):
            self._interrupt(now_s)
            self._commit(event.text.strip(), now_s, eager_end_s=caller.eager_end_s if caller else None)
        elif event.text.strip():
            self._aside = (event.text.strip(), now_s)

    def _voice_interrupts(self, now_s: float) -> None:
        self._interrupt(now_s)
        self.state = CALLER_SPEAKING

    # -- we speak

    def _greet(self, _: CallBegan, now_s: float) -> None:
        self._began_s = self._quiet_since_s = now_s
        self._say("greeting", now_s)

    def _commit(
        self, text: str, now_s: float, *, speech_end_s: float | None = None, eager_end_s: float | None = None
    ) -> None:
        self._resumes, self._prompted = 0, False
        self._start_reply(text, now_s, speech_end_s=speech_end_s, eager_end_s=eager_end_s)

    def _start_reply(
        self, text: str, now_s: float, *, speech_end_s: float | None = None, eager_end_s: float | None = None
    ) -> None:
        self.turn += 1
        self._unfinished = self.turn
        self._owed, self._fillers, self._aside = False, 0, None
        begun, speculated = self._settle_guess(text)
        self._reply = self._new_utterance(now_s) if begun is None else self._admit(begun, now_s)
        self.state = RESPONDING
        reply = StartReply(self.turn, self._reply, text, now_s, speech_end_s, eager_end_s, speculated)
        self._actions.append(reply)

    def _say(self, kind: StockKind, now_s: float) -> None:
        utterance = self._new_utterance(now_s)
        if self.state is not CLOSING:
            self.state = RESPONDING
        self._actions.append(SayPhrase(self.turn, utterance, kind))

    def _new_utterance(self, now_s: float) -> int:
        self._utterance += 1
        return self._admit(self._utterance, now_s)

    def _admit(self, utterance: int, now_s: float) -> int:
        self._admitted.add(utterance)
        self._making.add(utterance)
        self._responding_s = now_s
        return utterance

    def _audio_queued(self, event: AudioQueued, now_s: float) -> None:
        if event.take[0] in self._admitted:
            self._playback.queued(event.take, event.duration_s, now_s)

    def _mark_queued(self, event: MarkQueued, now_s: float) -> None:
        self._playback.marked(event.name, now_s)

    def _mark_reached(self, event: MarkReached, now_s: float) -> None:
        self._playback.mark_reached(event.name, now_s)
        self._settle(now_s)

    def _phrase_ended(self, event: PhraseEnded, now_s: float) -> None:
        self._making.discard(event.utterance)
        self._settle(now_s)

    def _reply_ended(self, event: ReplyEnded, now_s: float) -> None:
        if event.utterance not in self._making:
            return
        self._making.discard(event.utterance)
        self._drop_fillers()
        if event.outcome == "failed":
            self._reply_failed(now_s)
            return
        self._failures = 0
        if event.end_call:
            self._last_words = "goodbye"
            if event.outcome == "silent":
                self._finish_turn("silent")
                self._say("goodbye", now_s)
        self._settle(now_s)

    def _reply_failed(self, now_s: float) -> None:
        self._finish_turn("failed")
        self._failures += 1
        if self._failures >= self._limits.max_failed_turns:
            self._close("replies_failed", "fault", now_s)
        else:
            self._say("apology", now_s)

    def _drop_fillers(self) -> None:
        """A filler still in the making comes too late once the reply is complete."""
        self._admitted -= self._making
        self._making.clear()

    def _reply_slow(self, now_s: float) -> None:
        self._fillers += 1
        self._say("filler", now_s)

    def _settle(self, now_s: float) -> None:
        if not self._making and self._playback.is_over(now_s):
            self._all_heard(now_s)

    def _all_heard(self, now_s: float) -> None:
        """All that we had to say has been heard: the floor is the caller's."""
        self._finish_turn("answered")
        self._fall_silent(now_s)
        self._quiet_since_s = now_s
        if self._last_words is not None:
            self._hang_up(now_s)
        elif self._caller is not None:
            self.state = CALLER_SPEAKING
        else:
            self.state = LISTENING
            self._answer_aside(now_s)

    def _answer_aside(self, now_s: float) -> None:
        """A "yes" that came while our question still sounded is its answer."""
        aside, self._aside = self._aside, None
        if aside is not None and now_s - aside[1] <= self._limits.backchannel_grace_s:
            self._commit(aside[0], now_s)

    def _interrupt(self, now_s: float, *, barge_in: bool = True) -> None:
        """All that we say or prepare to say ends here."""
        heard_s = self._playback.heard(self._admitted, now_s)
        complete = not self._making and self._playback.unheard_s(now_s) <= _INSTANT_S
        self._actions.append(Interrupt(self.turn, heard_s, barge_in=barge_in))
        self._owed = self._unfinished is not None and not complete
        self._finish_turn("answered" if complete else "interrupted")
        self._fall_silent(now_s)
        self._aside = None
        self._last_words = None

    def _fall_silent(self, now_s: float) -> None:
        self._playback.cleared(now_s)
        for utterance in self._admitted:
            self._playback.forget(utterance)
        self._admitted.clear()
        self._making.clear()
        self._reply = None

    def _finish_turn(self, outcome: TurnOutcome) -> None:
        turn, self._unfinished = self._unfinished, None
        if turn is not None:
            self._actions.append(FinishTurn(turn, outcome))

    # -- the end

    def _caller_silent(self, now_s: float) -> None:
        if self._prompted:
            self._say("goodbye", now_s)
            self._last_words = "silence"
        else:
            self._prompted = True
            self._say("prompt", now_s)

    def _call_too_long(self, now_s: float) -> None:
        self._close("time_limit", "goodbye", now_s)

    def _stt_failed(self, _: SttFailed, now_s: float) -> None:
        self._close("stt_failed", "fault", now_s)

    def _close(self, reason: str, kind: StockKind, now_s: float) -> None:
        """Say the last words whatever the caller does, then hang up."""
        if self._admitted:
            self._interrupt(now_s, barge_in=False)
        self._drop_guess()
        self._caller, self._keypad = None, Keypad()
        self._last_words = reason
        self._closing_at_s = now_s + self._limits.closing_s
        self.state = CLOSING
        self._say(kind, now_s)

    def _hang_up(self, now_s: float) -> None:
        reason = self._last_words or "goodbye"
        self._end(reason, "fault" if reason in _FAULTS else "agent", now_s)

    def _line_lost(self, event: LineLost, now_s: float) -> None:
        self._end(event.reason, "caller", now_s)

    def _end(self, reason: str, ended_by: EndedBy, now_s: float) -> None:
        self._finish_turn("interrupted")
        self._fall_silent(now_s)
        self._drop_guess()
        self._caller = None
        self.state = CLOSED
        self._actions.append(EndCall(reason, ended_by))
