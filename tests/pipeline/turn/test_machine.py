"""Events and instants in, orders out."""

from collections.abc import Sequence

import pytest

from pipeline.events import EndOfTurn, InterimTranscript, SpeechStarted
from pipeline.turn.limits import TurnLimits
from pipeline.turn.machine import State, TurnMachine
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
    TurnEvent,
    VoiceStarted,
    VoiceStopped,
)

Told = tuple[float, TurnEvent]

GREETED: list[Told] = [
    (0.0, CallBegan()),
    (0.0, AudioQueued((1, 0), 1.0)),
    (0.0, MarkQueued("g")),
    (0.0, PhraseEnded(1)),
    (1.0, MarkReached("g")),
]
ASKED: list[Told] = [*GREETED, (2.0, SpeechStarted()), (3.0, EndOfTurn("Tuesday?"))]
SPEAKING: list[Told] = [*ASKED, (3.5, AudioQueued((2, 1), 4.0)), (3.6, ReplyEnded(2, "spoken"))]


def machine_after(told: Sequence[Told]) -> TurnMachine:
    machine = TurnMachine(TurnLimits())
    for at_s, event in told:
        machine.handle(event, at_s)
    return machine


REPLY = StartReply(2, 3, "no", 5.0)

TABLE: list[tuple[str, list[Told], Told, list[object]]] = [
    ("greets", [], (0.0, CallBegan()), [SayPhrase(0, 1, "greeting")]),
    ("answers", GREETED, (3.0, EndOfTurn("Tuesday?")), [StartReply(1, 2, "Tuesday?", 3.0)]),
    ("leaves noise alone", GREETED, (3.0, EndOfTurn("")), []),
    ("waits for words", SPEAKING, (5.0, SpeechStarted()), []),
    ("lets them listen", SPEAKING, (5.0, InterimTranscript("mm-hm")), []),
    (
        "is interrupted",
        SPEAKING,
        (5.0, InterimTranscript("no")),
        [Interrupt(1, {(2, 1): 1.5}), FinishTurn(1, "interrupted")],
    ),
    (
        "is interrupted by a whole turn",
        SPEAKING,
        (5.0, EndOfTurn("no")),
        [Interrupt(1, {(2, 1): 1.5}), FinishTurn(1, "interrupted"), REPLY],
    ),
    (
        "is interrupted by a key",
        SPEAKING,
        (5.0, KeyPressed("5")),
        [Interrupt(1, {(2, 1): 1.5}), FinishTurn(1, "interrupted")],
    ),
    (
        "is stopped while it thinks",
        ASKED,
        (3.2, InterimTranscript("no")),
        [Interrupt(1, {}), FinishTurn(1, "interrupted")],
    ),
    ("fills a wait", ASKED, (4.5, TimePassed()), [SayPhrase(1, 3, "filler")]),
    ("has been heard", SPEAKING, (8.5, TimePassed()), [FinishTurn(1, "answered")]),
    (
        "apologises",
        ASKED,
        (4.0, ReplyEnded(2, "failed")),
        [FinishTurn(1, "failed"), SayPhrase(1, 3, "apology")],
    ),
    (
        "says goodbye for a silent model",
        ASKED,
        (4.0, ReplyEnded(2, "silent", end_call=True)),
        [FinishTurn(1, "silent"), SayPhrase(1, 3, "goodbye")],
    ),
    (
        "goes deaf",
        SPEAKING,
        (5.0, SttFailed()),
        [
            Interrupt(1, {(2, 1): 1.5}, barge_in=False),
            FinishTurn(1, "interrupted"),
            SayPhrase(1, 3, "fault"),
        ],
    ),
    (
        "loses the line",
        SPEAKING,
        (5.0, LineLost("gone")),
        [FinishTurn(1, "interrupted"), EndCall("gone", "caller")],
    ),
    ("prompts", GREETED, (9.0, TimePassed()), [SayPhrase(0, 2, "prompt")]),
    ("collects keys", GREETED, (3.0, KeyPressed("5")), []),
    (
        "takes a row of keys for a turn",
        [*GREETED, (3.0, KeyPressed("5"))],
        (3.1, KeyPressed("#")),
        [StartReply(1, 2, "(keypad) 5", 3.1, speech_end_s=3.1)],
    ),
    (
        "adds keys to words",
        [*GREETED, (3.0, KeyPressed("5"))],
        (3.5, EndOfTurn("it is")),
        [StartReply(1, 2, "it is (keypad) 5", 3.5)],
    ),
    (
        "forces an end",
        [*GREETED, (3.0, SpeechStarted())],
        (9.0, TimePassed()),
        [ForceEndOfTurn()],
    ),
    (
        "is interrupted by voice alone",
        [*SPEAKING, (4.9, VoiceStarted()), (5.0, SpeechStarted())],
        (5.8, TimePassed()),
        [Interrupt(1, {(2, 1): pytest.approx(2.3)}), FinishTurn(1, "interrupted")],
    ),
]


@pytest.mark.parametrize(
    ("before", "told", "orders"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_orders(before: list[Told], told: Told, orders: list[object]) -> None:
    assert machine_after(before).handle(told[1], told[0]) == orders


DEADLINES: list[tuple[str, list[Told], float | None]] = [
    ("before the call", [], None),
    ("silence after the greeting", GREETED, 9.0),
    ("a filler", ASKED, 4.5),
    ("unconfirmed audio", SPEAKING, 8.5),
    ("an open turn", [*GREETED, (3.0, SpeechStarted())], 9.0),
    ("a turn that grows", [*GREETED, (3.0, SpeechStarted()), (4.0, InterimTranscript("I"))], 10.0),
    ("keys", [*GREETED, (3.0, KeyPressed("1"))], 5.0),
    ("voice without words", [*SPEAKING, (4.9, VoiceStarted()), (5.0, SpeechStarted())], 5.8),
    (
        "voice that stopped",
        [*SPEAKING, (4.9, VoiceStarted()), (5.0, SpeechStarted()), (5.1, VoiceStopped())],
        8.5,
    ),
    ("the end", [*GREETED, (2.0, LineLost("gone"))], None),
]


@pytest.mark.parametrize(("told", "at_s"), [row[1:] for row in DEADLINES], ids=[row[0] for row in DEADLINES])
def test_deadlines(told: list[Told], at_s: float | None) -> None:
    assert machine_after(told).next_deadline_s() == (None if at_s is None else pytest.approx(at_s))


def test_an_interrupted_utterance_is_never_admitted_again() -> None:
    machine = machine_after([*ASKED, (3.5, AudioQueued((2, 1), 4.0))])
    assert machine.admits(2)
    machine.handle(InterimTranscript("no wait"), 5.0)
    assert not machine.admits(2)
    machine.handle(EndOfTurn("no wait"), 5.5)
    assert machine.admits(3)
    assert not machine.admits(2)


def test_a_filler_still_in_the_making_when_the_reply_is_complete_comes_too_late() -> None:
    machine = machine_after([*ASKED, (4.5, TimePassed()), (4.6, AudioQueued((2, 1), 0.5))])
    assert machine.admits(3)
    machine.handle(ReplyEnded(2, "spoken"), 4.7)
    assert not machine.admits(3)
    assert machine.handle(PhraseEnded(3), 6.2) == [FinishTurn(1, "answered")]


def test_the_turn_ends_at_its_hard_limit_however_much_is_said() -> None:
    machine = machine_after([*GREETED, (3.0, SpeechStarted())])
    forced = False
    for second in range(3, 70):
        machine.handle(InterimTranscript(f"and {second}"), float(second))
        deadline_s = machine.next_deadline_s()
        if deadline_s is not None and deadline_s <= second + 1:
            forced = ForceEndOfTurn() in machine.handle(TimePassed(), deadline_s) or forced
    assert forced


def test_a_late_end_of_a_turn_that_was_given_up_is_ignored_and_a_new_one_is_not() -> None:
    machine = machine_after([*GREETED, (3.0, SpeechStarted()), (3.0, InterimTranscript("at ten"))])
    machine.handle(TimePassed(), 9.0)
    assert StartReply(1, 2, "at ten", 11.0) in machine.handle(TimePassed(), 11.0)
    assert machine.handle(EndOfTurn("at ten", "forced"), 11.5) == []
    assert machine.state is State.RESPONDING
    assert StartReply(2, 3, "Tuesday", 12.0) in machine.handle(EndOfTurn("Tuesday"), 12.0)


def test_noise_is_not_taken_up_again_for_ever() -> None:
    machine = machine_after(ASKED)
    now_s = 3.0
    resumed = 0
    for _ in range(5):
        now_s += 0.1
        machine.handle(InterimTranscript("hello there"), now_s)
        resumed += any(isinstance(order, StartReply) for order in machine.handle(EndOfTurn(""), now_s))
    assert resumed == TurnLimits().max_resumes
