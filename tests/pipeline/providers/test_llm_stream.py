"""Bodies of streamed completions to events, without a socket."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ProviderDropped
from pipeline.events import LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.providers.llm_sse import MAX_LINE_BYTES
from pipeline.providers.llm_stream import ReplyStream
from pipeline.providers.llm_thoughts import ThoughtFilter
from tests.wire.read import body


def read(*blocks: bytes) -> list[LlmEvent]:
    stream = ReplyStream()
    return [event for block in blocks for event in stream.feed(block)] + list(stream.end())


CASES: dict[str, list[LlmEvent]] = {
    "openai_text": [TextDelta("Good"), TextDelta(" morning."), ReplyFinished("stop", 12, 3)],
    "openai_parallel_tools": [
        TextDelta("One moment."),
        ToolCall("call_a", "find_slots", '{"day":"2026-11-24"}'),
        ToolCall("call_b", "find_slots", "{}"),
        ReplyFinished("tool_calls"),
    ],
    "vllm_reused_index": [
        ToolCall("call_a", "find_slots", '{"day": null}'),
        ToolCall("call_b", "claim_slot", '{"slot": "s1"}'),
        ReplyFinished("tool_calls", 9, 4),
    ],
    "groq_whole_call": [ToolCall("call_a", "claim_slot", '{"slot":"s1"}'), ReplyFinished("tool_calls")],
    "gemini_compatible": [
        ToolCall("function-call-1", "claim_slot", '{"slot":"s1"}'),
        ToolCall("function-call-2", "end_call", "{}"),
        ReplyFinished("stop"),
    ],
    "openrouter_comments": [TextDelta("Tuesday it is."), ReplyFinished("eos", 5, 8)],
    "azure_empty_first_choices": [TextDelta("Hello."), ReplyFinished("content_filter")],
}


@pytest.mark.parametrize("case", CASES)
def test_body_becomes_events(case: str) -> None:
    assert read(body(case)) == CASES[case]


@pytest.mark.parametrize("case", ["openai_parallel_tools", "openrouter_comments"])
@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_the_cut_into_blocks_changes_no_word(case: str, size: int) -> None:
    whole = body(case)
    cut = read(*(whole[at : at + size] for at in range(0, len(whole), size)))
    assert cut == CASES[case]


def test_crlf_is_a_line_end_too() -> None:
    assert read(body("openai_text").replace(b"\n", b"\r\n")) == CASES["openai_text"]


def test_call_without_index_or_id_and_with_an_object_is_put_together() -> None:
    first, second, end = read(body("sglang_same_id"))
    assert first == ToolCall("call_a", "find_slots", '{"day":null}')
    assert isinstance(second, ToolCall)
    assert (second.name, second.arguments) == ("claim_slot", '{"slot":"s2"}')
    assert second.id
    assert end == ReplyFinished("tool_calls")


@pytest.mark.parametrize(
    "payload",
    [
        b'{"error":{"message":"...","type":"server_error","code":500}}',
        b'{"error":"..."}',
        b'{"choices":[{"index":0,"delta":{},"error":{"code":502}}]}',
    ],
)
def test_failure_in_the_stream_is_raised(payload: bytes) -> None:
    with pytest.raises(ProviderDropped) as failure:
        read(b"data: " + payload + b"\n\n")
    assert (failure.value.fault, failure.value.retryable) == ("error_in_stream", True)


def test_words_before_a_failure_in_the_stream_are_delivered() -> None:
    stream, events = ReplyStream(), list[LlmEvent]()
    with pytest.raises(ProviderDropped):
        events.extend(iter_into(events, stream, body("openrouter_error_in_choice")))
    assert events == [TextDelta("Let me")]


def iter_into(events: list[LlmEvent], stream: ReplyStream, block: bytes) -> list[LlmEvent]:
    for event in stream.feed(block):
        events.append(event)  # noqa: PERF402 - what came before the error counts
    return []


@pytest.mark.parametrize("cut_after", [b'" morning."', b"", b"data: [DO"])
def test_body_that_ends_without_a_finish_reason_has_failed(cut_after: bytes) -> None:
    whole = body("openai_text").replace(b'"finish_reason":"stop"', b'"finish_reason":null')
    with pytest.raises(ProviderDropped, match="ended_early"):
        read(whole[: whole.find(cut_after) + len(cut_after)])


def test_missing_end_marker_is_no_failure() -> None:
    assert read(body("openai_text").replace(b"data: [DONE]\n\n", b"")) == CASES["openai_text"]


def test_garbage_between_chunks_is_skipped() -> None:
    lines = body("openai_text").split(b"\n\n")
    garbage = [
        b"data: {",
        b"data: 7",
        b'data: {"choices": 1}',
        b"event: x",
        b"\xff\xfe",
        b'data: {"choices":[null]}',
    ]
    mixed = [part for line in lines for part in (*garbage, line)]
    assert read(b"\n\n".join(mixed)) == CASES["openai_text"]


def test_endless_line_is_refused() -> None:
    stream = ReplyStream()
    with pytest.raises(ProviderDropped, match="line_too_long"):
        list(stream.feed(b"data: " + b"x" * MAX_LINE_BYTES))


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(garbage: bytes) -> None:
    stream = ReplyStream()
    try:
        list(stream.feed(garbage))
        list(stream.end())
    except ProviderDropped:
        pass


@given(st.text("<>/thinkHi ", max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_thoughts_are_dropped_wherever_the_text_is_cut(text: str, cuts: list[int]) -> None:
    def spoken(pieces: list[str]) -> str:
        thoughts = ThoughtFilter()
        return "".join(map(thoughts.feed, pieces)) + thoughts.flush()

    edges = [0, *sorted(cuts), len(text)]
    assert spoken([text[a:b] for a, b in pairwise(edges)]) == spoken([text])
    assert "<think>" not in spoken([text])
