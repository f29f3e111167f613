"""A chat completion as Vapi asks for one: what is read of it, what is not, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import VapiRequestInvalid
from gateway.vapi.completion_request import CompletionRequest, parse_completion_request
from pipeline.ports import Message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("messages", "tools", "model", "call", "phoneNumber", "customer", "stream_options", "role", "content")


def parsed(*messages: dict[str, Any], **fields: Any) -> CompletionRequest:
    return parse_completion_request(json.dumps({"messages": messages, **fields}).encode())


def call(id_: str, arguments: Any = "{}") -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": "transferCall", "arguments": arguments}}


def test_every_shape_of_what_was_said_is_read() -> None:
    request = parsed(
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "there"}]},
        {"role": "assistant", "content": None, "tool_calls": [call("t1", {"to": "x"})], "audio": 1},
        {"role": "tool", "tool_call_id": "t1", "content": "Busy."},
        {"role": "assistant", "content": ""},
        model="any",
        call={"id": "c-1", "monitor": {}},
        phoneNumber={"id": "p", "number": "+442079460000", "twilioAuthToken": "x"},
        customer={"number": None},
        stream_options={"include_usage": True},
    )
    assert request.history == (
        Message("system", "Be brief."),
        Message("user", "Hello there"),
        Message("assistant", "", tool_calls=(("t1", "transferCall", '{"to":"x"}'),)),
        Message("tool", "Busy.", tool_call_id="t1"),
    )
    assert (request.model, request.call_id, request.number, request.caller) == (
        "any",
        "c-1",
        "+442079460000",
        "",
    )
    assert request.wants_usage


def test_calls_and_answers_that_do_not_match_are_left_out() -> None:
    request = parsed(
        {"role": "tool", "tool_call_id": "t0", "content": "Nobody asked."},
        {"role": "assistant", "content": "One moment.", "tool_calls": [call("t1"), call("t2")]},
        {"role": "user", "content": "Hello?"},
        {"role": "tool", "tool_call_id": "t2", "content": "Late."},
        {"role": "tool", "tool_call_id": "t2", "content": "Twice."},
        {"role": "assistant", "content": None, "tool_calls": [call("t3")]},
    )
    assert [(message.role, message.content) for message in request.history] == [
        ("assistant", "One moment."),
        ("tool", "Late."),
        ("user", "Hello?"),
    ]


def test_tools_of_any_kind_are_offered_if_their_names_can_be_said() -> None:
    request = parsed(
        {"role": "user", "content": "Hi"},
        tools=[
            {"type": "function", "function": {"name": "endCall", "parameters": None, "strict": True}},
            {"type": "transferCall"},
            {"type": "function", "function": {"name": "no such name!"}},
        ],
        call={"id": "not an id"},
    )
    assert [(tool.name, tool.effectful) for tool in request.tools] == [
        ("endCall", False),
        ("transferCall", False),
    ]
    assert request.tools[0].parameters == {"type": "object", "properties": {}}
    assert request.call_id == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"messages": []}',
        b'{"messages": [7]}',
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b', "messages": [{}]}',
        json.dumps({"messages": [{}] * 2_001}).encode(),
        json.dumps({"messages": [{}], "tools": [{}] * 65}).encode(),
    ],
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(VapiRequestInvalid):
        parse_completion_request(body)


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), st.lists(JSON, max_size=3))
def test_whatever_comes_is_read_or_refused(fields: dict[str, Any], messages: list[Any]) -> None:
    try:
        request = parse_completion_request(json.dumps(fields | {"messages": messages}).encode())
    except VapiRequestInvalid:
        return
    answers = [message.tool_call_id for message in request.history if message.role == "tool"]
    assert answers == [call[0] for message in request.history for call in message.tool_calls]


@given(st.sampled_from(("call", "phoneNumber", "customer", "stream_options", "model", "metadata")), JSON)
def test_what_stands_beside_the_conversation_never_refuses_it(name: str, value: Any) -> None:
    request = parse_completion_request(json.dumps({"messages": [{"role": "user"}], name: value}).encode())
    assert request.tools == ()
