"""Flux messages to turn events, without a socket."""

import pytest

from pipeline.events import (
    EagerEndOfTurn,
    EndOfTurn,
    InterimTranscript,
    SpeechStarted,
    SttEvent,
    TurnResumed,
)
from pipeline.providers.deepgram_config import DeepgramConfig
from pipeline.providers.deepgram_v2 import FluxTurns, TurnInfo, query
from tests.wire.read import frames

APPOINTMENT = "Hi I would like an appointment"


def events_of(case: str) -> list[SttEvent]:
    turns = FluxTurns()
    return [event for frame in frames(case) for event in turns.receive(frame) or []]


CASES: dict[str, list[SttEvent]] = {
    "deepgram_v2_turn_resumed": [
        SpeechStarted(),
        InterimTranscript("Hi"),
        InterimTranscript("Hi I would"),
        InterimTranscript(f"{APPOINTMENT}."),
        EagerEndOfTurn(f"{APPOINTMENT}."),
        TurnResumed(),
        InterimTranscript(f"{APPOINTMENT} on"),
        InterimTranscript(f"{APPOINTMENT} on Tuesday."),
        EagerEndOfTurn(f"{APPOINTMENT} on Tuesday."),
        EndOfTurn(f"{APPOINTMENT} on Tuesday.", "model"),
    ],
    "deepgram_v2_noise": [SpeechStarted(), EndOfTurn("", "timeout")],
    "deepgram_v2_forced": [
        SpeechStarted(),
        InterimTranscript("Yes"),
        EndOfTurn("Yes.", "forced"),
        SpeechStarted(),
        InterimTranscript("No"),
        EndOfTurn("No.", "timeout"),
    ],
    "deepgram_v2_oddities": [SpeechStarted(), EndOfTurn("Hello.", "model")],
}


@pytest.mark.parametrize("case", CASES)
def test_messages_become_turn_events(case: str) -> None:
    assert events_of(case) == CASES[case]


def test_ended_turns_need_no_replay() -> None:
    turns = FluxTurns()
    turns.handle(TurnInfo("StartOfTurn", 0.5, "Hi"))
    assert turns.covered_s == 0.0
    turns.handle(TurnInfo("EndOfTurn", 1.5, "Hi."))
    assert turns.covered_s == 1.5


def test_turn_open_across_a_lost_socket_is_announced_and_ended_once() -> None:
    turns = FluxTurns()
    events = turns.handle(TurnInfo("StartOfTurn", 0.5, "I need"))
    events += turns.socket_lost(front_lost=False)
    turns.socket_opened(replayed_s=1.0)
    for message in (
        TurnInfo("StartOfTurn", 0.5, "I"),
        TurnInfo("EndOfTurn", 2.0, "I need help."),
        TurnInfo("Update", 2.5, ""),
    ):
        events += turns.handle(message)
    assert events == [
        SpeechStarted(),
        InterimTranscript("I need"),
        InterimTranscript("I"),
        EndOfTurn("I need help."),
    ]


def test_words_too_old_to_be_replayed_are_kept() -> None:
    turns = FluxTurns()
    turns.handle(TurnInfo("Update", 7.0, "So last year I had"))
    assert turns.heard_s == 7.0
    turns.socket_lost(front_lost=True)
    turns.socket_opened(replayed_s=0.5)
    assert turns.handle(TurnInfo("Update", 0.7, "a filler")) == [
        InterimTranscript("So last year I had a filler")
    ]
    assert turns.handle(TurnInfo("EndOfTurn", 1.2, "")) == [EndOfTurn("So last year I had")]


def test_speculation_is_called_off_when_the_socket_is_lost() -> None:
    turns = FluxTurns()
    turns.handle(TurnInfo("EagerEndOfTurn", 1.0, "Yes."))
    assert turns.socket_lost(front_lost=False) == [TurnResumed()]


def test_words_after_an_eager_end_resume_the_turn_even_if_the_server_does_not_say_so() -> None:
    turns = FluxTurns()
    turns.handle(TurnInfo("EagerEndOfTurn", 1.0, "Yes."))
    assert turns.handle(TurnInfo("Update", 1.2, "Yes. But")) == [TurnResumed(), InterimTranscript("Yes. But")]


def test_turn_that_the_replay_does_not_hold_ends_with_what_was_known() -> None:
    turns = FluxTurns()
    turns.handle(TurnInfo("Update", 1.0, "Hello"))
    turns.socket_lost(front_lost=False)
    turns.socket_opened(replayed_s=2.0)
    assert turns.handle(TurnInfo("Update", 2.9, "")) == []
    assert turns.handle(TurnInfo("Update", 3.1, "")) == [EndOfTurn("Hello", "timeout")]
    assert turns.handle(TurnInfo("Update", 3.3, "")) == []


def test_open_turn_can_be_given_up() -> None:
    turns = FluxTurns()
    assert turns.give_up("forced") == []
    turns.handle(TurnInfo("Update", 1.0, "Hello"))
    assert turns.give_up("forced") == [EndOfTurn("Hello", "forced")]
    assert not turns.open


def test_query_holds_what_is_set_and_no_more() -> None:
    plain = dict(query(DeepgramConfig("k", eager_eot_threshold=None)))
    assert plain == {
        "model": "flux-general-en",
        "encoding": "mulaw",
        "sample_rate": "8000",
        "mip_opt_out": "true",
    }
    config = DeepgramConfig(
        "k", model="flux-general-multi", language="es", eot_timeout_ms=3000, keyterms=("botox", "filler")
    )
    tuned = query(config)
    assert ("eot_timeout_ms", "3000") in tuned
    assert ("language_hint", "es") in tuned
    assert [value for name, value in tuned if name == "keyterm"] == ["botox", "filler"]
