"""Spans of a call: what they are made of, how long they last, and that no word is in them."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from gateway.tracing import ATTRIBUTES, Tracing
from pipeline.events import (
    AgentSaid,
    BargedIn,
    CallerSaid,
    CallFinished,
    JournalEvent,
    ProviderFailed,
    ToolFinished,
    TurnFinished,
)

CALL, ORG = UUID(int=1), UUID(int=2)
CANARY = "Wilhelmina"
STAGES = {
    "speech_end": 10.0,
    "eager_end": 10.149,
    "llm_request": 10.15,
    "end_of_turn": 10.25,
    "llm_first_token": 10.4,
    "first_clause": 10.45,
    "tts_request": 10.451,
    "tts_first_audio": 10.55,
    "first_audio_sent": 10.552,
}
FACTS: list[JournalEvent] = [
    CallerSaid(1, CANARY),
    ToolFinished(1, CANARY, "unknown_tool", 20.0, {"detail": CANARY}),
    ToolFinished(1, "find_slots", "found", 40.0),
    AgentSaid(1, CANARY),
    BargedIn(1, CANARY, 3.0),
    ProviderFailed(1, "tts", CANARY, "retried"),
    TurnFinished(1, STAGES, 552.0, 4.0, "answered"),
    CallFinished("goodbye", 1, 9_000.0),
]


class Clock:
    def now_s(self) -> float:
        return 12.0


def spans_of(facts: Sequence[JournalEvent]) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    tracing = Tracing(SimpleSpanProcessor(exporter), Clock())
    call = tracing.call(CALL, ORG, "gpt-4.1-mini")
    for fact in facts:
        call.take(fact)
    call.end("goodbye")
    tracing.shutdown()
    return list(exporter.get_finished_spans())


@pytest.fixture
def spans() -> list[ReadableSpan]:
    """Those of one call."""
    return spans_of(FACTS)


def lasts_ms(span: ReadableSpan) -> float:
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.end_time - span.start_time) / 1e6


def test_stages_lie_in_their_turn_and_turns_in_their_call(spans: list[ReadableSpan]) -> None:
    [call] = [span for span in spans if span.name == "call"]
    [turn] = [span for span in spans if span.name == "turn"]
    assert call.parent is None
    assert turn.parent is not None
    assert turn.parent.span_id == call.context.span_id
    within_turn = [span.name for span in spans if span.parent and span.parent.span_id == turn.context.span_id]
    assert within_turn == ["guess of the end", "end of turn", "chat gpt-4.1-mini", "synthesise", "send"]
    assert len({span.context.trace_id for span in spans}) == 1


def test_spans_last_as_long_as_what_they_tell_of(spans: list[ReadableSpan]) -> None:
    lengths = {span.name: lasts_ms(span) for span in spans if span.name != "call"}
    assert lengths == {
        "turn": pytest.approx(552, abs=1),
        "guess of the end": pytest.approx(149, abs=1),
        "end of turn": pytest.approx(250, abs=1),
        "chat gpt-4.1-mini": pytest.approx(300, abs=1),
        "synthesise": pytest.approx(99, abs=1),
        "send": pytest.approx(2, abs=1),
        "execute_tool find_slots": pytest.approx(40, abs=1),
        "execute_tool unknown": pytest.approx(20, abs=1),
    }


def test_the_wait_of_audio_made_on_a_guess_is_no_sending() -> None:
    made_early = STAGES | {"tts_first_audio": 10.2, "first_audio_sent": 10.253}
    [send] = [
        span
        for span in spans_of([TurnFinished(1, made_early, 253.0, 3.0, "answered")])
        if span.name == "send"
    ]
    assert lasts_ms(send) == pytest.approx(3, abs=1)


def test_the_models_span_keeps_to_the_conventions(spans: list[ReadableSpan]) -> None:
    [chat] = [span for span in spans if span.name.startswith("chat")]
    assert chat.attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4.1-mini",
        "gen_ai.response.time_to_first_chunk": pytest.approx(0.25),
    }
    [call] = [span for span in spans if span.name == "call"]
    assert (call.attributes or {})["gen_ai.conversation.id"] == str(CALL)


def test_no_word_is_in_any_span_and_every_attribute_is_declared(spans: list[ReadableSpan]) -> None:
    keys: set[str] = set()
    for span in spans:
        keys |= set(span.attributes or {}) | {key for each in span.events for key in each.attributes or {}}
        assert CANARY.lower() not in span.to_json().lower()
    assert keys == ATTRIBUTES


def test_a_turn_that_was_never_made_has_no_span() -> None:
    exporter = InMemorySpanExporter()
    tracing = Tracing(SimpleSpanProcessor(exporter), Clock())
    call = tracing.call(CALL, ORG, "m")
    call.take(TurnFinished(1, {}, None, None, "silent"))
    call.end("caller_hung_up")
    assert [span.name for span in exporter.get_finished_spans()] == ["call"]
