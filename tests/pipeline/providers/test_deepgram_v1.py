"""Nova messages to turn events, without a socket."""

import pytest

from pipeline.events import EagerEndOfTurn, EndOfTurn, InterimTranscript, SpeechStarted, SttEvent, TurnResumed
from pipeline.providers.deepgram_config import DeepgramConfig
from pipeline.providers.deepgram_v1 import (
    Alternative,
    Channel,
    NovaTurns,
    Results,
    UtteranceEnd,
    VadStarted,
    query,
)
from tests.wire.read import frames

BOOK = "I would like to book"


def events_of(case: str, *, forced: bool = False) -> list[SttEvent]:
    turns, events = NovaTurns(), list[SttEvent]()
    for frame in frames(case):
        events += turns.receive(frame) or []
        if forced and turns.open:
            turns.force()
    return events


def results(text: str, start: float, duration: float, *, final: bool = False, ends: bool = False) -> Results:
    return Results(start, duration, Channel([Alternative(text)]), is_final=final, speech_final=ends)


CASES: dict[str, list[SttEvent]] = {
    "deepgram_v1_long_turn": [
        SpeechStarted(),
        InterimTranscript("I would like"),
        InterimTranscript(BOOK),
        InterimTranscript(f"{BOOK} a consultation"),
        InterimTranscript(f"{BOOK} a consultation, please."),
        EndOfTurn(f"{BOOK} a consultation, please.", "model"),
    ],
    "deepgram_v1_utterance_end": [
        SpeechStarted(),
        InterimTranscript("Tuesday"),
        InterimTranscript("Tuesday afternoon."),
        EndOfTurn("Tuesday afternoon.", "timeout"),
    ],
    "deepgram_v1_noise": [SpeechStarted(), EndOfTurn("", "model")],
    "deepgram_v1_late_silence": [SpeechStarted(), InterimTranscript("Hello."), EndOfTurn("Hello.", "model")],
    "deepgram_v1_oddities": [SpeechStarted(), InterimTranscript("Hi."), EndOfTurn("Hi.", "model")],
}


@pytest.mark.parametrize("case", CASES)
def test_messages_become_turn_events(case: str) -> None:
    assert events_of(case) == CASES[case]


def test_finalize_ends_the_turn_only_if_it_was_asked_for() -> None:
    heard = [SpeechStarted(), InterimTranscript("Yes"), InterimTranscript("Yes.")]
    assert events_of("deepgram_v1_finalized") == heard
    assert events_of("deepgram_v1_finalized", forced=True) == [*heard, EndOfTurn("Yes.", "forced")]


def test_settled_words_survive_a_lost_socket_and_the_rest_is_heard_again() -> None:
    turns = NovaTurns()
    turns.handle(results("I would like", 0.0, 2.0, final=True))
    turns.handle(results("to bo", 2.0, 0.5))
    assert (turns.covered_s, turns.heard_s) == (2.0, 2.5)
    assert turns.socket_lost(front_lost=False) == []
    turns.socket_opened(replayed_s=0.5)
    assert turns.handle(VadStarted(0.1)) == []
    assert turns.handle(results("to book.", 0.0, 1.2, final=True, ends=True)) == [
        InterimTranscript("I would like to book."),
        EndOfTurn("I would like to book.", "model"),
    ]


def test_preview_is_kept_where_its_audio_is_gone() -> None:
    turns = NovaTurns()
    turns.handle(results("well I was", 0.0, 9.0))
    turns.socket_lost(front_lost=True)
    assert turns.give_up("forced") == [EndOfTurn("well I was", "forced")]


def test_turn_whose_silence_went_with_the_socket_ends_on_the_next() -> None:
    turns = NovaTurns()
    turns.handle(results("Yes please.", 0.0, 1.0, final=True))
    turns.socket_lost(front_lost=False)
    turns.socket_opened(replayed_s=0.3)
    assert turns.handle(results("", 0.0, 1.0)) == []
    assert turns.handle(results("", 0.0, 2.0)) == [EndOfTurn("Yes please.", "timeout")]


def test_utterance_end_of_an_earlier_turn_does_not_end_a_new_one() -> None:
    turns = NovaTurns()
    turns.handle(VadStarted(3.0))
    assert turns.handle(UtteranceEnd(2.4)) == []
    assert turns.open


@pytest.mark.parametrize(
    ("model", "parameter"),
    [("nova-3", "keyterm"), ("nova-3-medical", "keyterm"), ("nova-2", "keywords"), ("nova", "keywords")],
)
def test_vocabulary_goes_where_the_model_takes_it(model: str, parameter: str) -> None:
    assert (parameter, "botox") in query(DeepgramConfig("k", model=model, keyterms=("botox",)))


def listened(turns: NovaTurns, from_s: float, until_s: float, *, loud: bool = False) -> list[SttEvent]:
    """Frame after frame of the caller's audio."""
    ends_s = [from_s + 0.02 * frame for frame in range(1, round((until_s - from_s) / 0.02) + 1)]
    return [event for end_s in ends_s for event in turns.listened(end_s, loud=loud, eager_silence_s=0.15)]


def test_an_early_silence_behind_known_words_is_an_eager_end() -> None:
    turns = NovaTurns()
    assert listened(turns, 0.0, 1.0, loud=True) == []
    turns.handle(results("At ten", 0.0, 1.0))
    assert listened(turns, 1.0, 1.14) == []
    assert listened(turns, 1.14, 1.5) == [EagerEndOfTurn("At ten")]
    assert turns.handle(results("At ten", 0.0, 1.3, final=True, ends=True)) == [EndOfTurn("At ten")]
    assert listened(turns, 1.5, 3.0) == []


def test_words_that_do_not_reach_the_silence_yet_are_waited_for() -> None:
    turns = NovaTurns()
    listened(turns, 0.0, 1.0, loud=True)
    turns.handle(results("At", 0.0, 0.6))
    assert listened(turns, 1.0, 1.2) == []
    turns.handle(results("At ten", 0.0, 1.1))
    assert listened(turns, 1.2, 1.22) == [EagerEndOfTurn("At ten")]


def test_another_word_takes_the_eager_end_back() -> None:
    turns = NovaTurns()
    listened(turns, 0.0, 1.0, loud=True)
    turns.handle(results("At ten", 0.0, 1.0))
    assert listened(turns, 1.0, 1.2) == [EagerEndOfTurn("At ten")]
    assert listened(turns, 1.2, 1.6, loud=True) == []
    told = turns.handle(results("At ten or so", 0.0, 1.6))
    assert told == [TurnResumed(), InterimTranscript("At ten or so")]
    assert listened(turns, 1.6, 1.8) == [EagerEndOfTurn("At ten or so")]


def test_a_lost_socket_takes_the_eager_end_back() -> None:
    turns = NovaTurns()
    listened(turns, 0.0, 1.0, loud=True)
    turns.handle(results("At ten", 0.0, 1.0, final=True))
    assert listened(turns, 1.0, 1.2) == [EagerEndOfTurn("At ten")]
    assert turns.socket_lost(front_lost=False) == [TurnResumed()]
    assert listened(turns, 0.0, 1.0) == []
