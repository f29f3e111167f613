"""The chat-completions simulator, driven by OpenAI's own SDK."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from bench.simulators.chat import ChatSimulator
from bench.simulators.faults import Refuse
from bench.simulators.receptionist import Receptionist
from bench.simulators.replies import Call, ChatFault, Reply, ScriptedModel

MODEL = "scripted-receptionist"
HELLO = [{"role": "user", "content": "Hello"}]
PARAMETERS = {"type": "object", "properties": {"day": {"type": ["string", "null"]}}, "required": ["day"]}
TOOL = {"type": "function", "function": {"name": "find_slots", "parameters": PARAMETERS}}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "find_slots", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "find_slots", "arguments": "{}"}},
    ],
}


def told(call_id: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": call_id, "content": "{}"}


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel([], otherwise="One moment, please.")


@pytest.fixture
async def simulator(model: ScriptedModel) -> AsyncIterator[ChatSimulator]:
    async with ChatSimulator(model) as server:
        yield server


@pytest.fixture
async def sdk(simulator: ChatSimulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(api_key="test-key", base_url=simulator.url, max_retries=0, timeout=5) as client:
        yield client


async def create(sdk: AsyncOpenAI, **fields: Any) -> Any:
    return await sdk.chat.completions.create(**{"model": MODEL, "messages": HELLO, **fields})


async def test_sdk_lists_models(sdk: AsyncOpenAI) -> None:
    assert MODEL in [model.id async for model in sdk.models.list()]


async def test_a_reply_streams_in_tokens_with_usage_at_the_end(
    simulator: ChatSimulator, sdk: AsyncOpenAI
) -> None:
    stream = await create(sdk, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in stream]
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(piece or "" for piece in pieces) == "One moment, please."
    assert len(pieces) > 5
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert (chunks[-1].choices, chunks[-1].usage.completion_tokens) == ([], len(pieces) - 2)
    assert simulator.requests[0].finished


async def test_a_whole_reply_holds_text_and_parallel_calls(
    simulator: ChatSimulator, sdk: AsyncOpenAI
) -> None:
    simulator.model = ScriptedModel([Reply("Let me see.", (Call("a", {"x": 1}), Call("b", "no json")))])
    completion = await create(sdk)
    choice = completion.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", "Let me see.")
    assert [call.function.arguments for call in choice.message.tool_calls] == ['{"x": 1}', "no json"]


async def test_tool_calls_stream_in_pieces_by_index(simulator: ChatSimulator, sdk: AsyncOpenAI) -> None:
    day = {"day": "2026-11-24", "after": "10:30"}
    simulator.model = ScriptedModel([Reply("So.", (Call("find_slots", day), Call("end_call", {})))])
    stream = await create(sdk, stream=True)
    parts = [
        part async for chunk in stream for part in (chunk.choices[0].delta.tool_calls or ()) if chunk.choices
    ]
    arguments = {0: "", 1: ""}
    for part in parts:
        arguments[part.index] += part.function.arguments
    assert json.loads(arguments[0]) == day
    assert json.loads(arguments[1]) == {}
    assert [(part.id is not None, part.function.name) for part in parts[:2]] == [
        (True, "find_slots"),
        (False, None),
    ]
    assert len({part.id for part in parts if part.id}) == 2


async def test_a_reply_is_cut_at_its_token_limit(sdk: AsyncOpenAI) -> None:
    completion = await create(sdk, max_completion_tokens=2)
    assert completion.choices[0].finish_reason == "length"
    assert completion.choices[0].message.content == "One moment"


async def test_the_receptionist_answers_through_the_sdk(simulator: ChatSimulator, sdk: AsyncOpenAI) -> None:
    simulator.model = Receptionist()
    completion = await create(sdk)
    assert "What would you like to come in for?" in completion.choices[0].message.content


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"messages": [{"role": "robot", "content": "Hello"}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": "Hello", "words": 1}]},
        {"messages": [{"role": "assistant", "content": None}]},
        {"messages": [{"role": "assistant", "content": "", "tool_calls": []}]},
        {"messages": [CALLED]},
        {"messages": [CALLED, told("a")]},
        {"messages": [CALLED, told("a"), {"role": "user", "content": "Hello"}, told("b")]},
        {"messages": [CALLED, told("a"), told("a"), told("b")]},
        {"messages": [CALLED, told("a"), told("b"), told("c")]},
        {"messages": [told("a")]},
        {"messages": [CALLED, {"role": "tool", "content": "{}"}]},
        {"messages": [{"role": "tool", "tool_call_id": "a", "content": None}]},
        {"tools": []},
        {"tools": [{"type": "function"}]},
        {"tools": [{"type": "tool", "function": {"name": "a"}}]},
        {"tools": [{"type": "function", "function": {"name": "find slots"}}]},
        {"tools": [{"type": "function", "function": {"name": "a", "parameters": {"type": "string"}}}]},
        {"tools": [{"type": "function", "function": {"name": "a", "parameters": {}}}]},
        {"tools": [TOOL | {"function": TOOL["function"] | {"strict": True}}]},  # type: ignore[operator]
        {"tools": [TOOL], "tool_choice": "some"},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "other"}}},
        {"tool_choice": "auto"},
        {"parallel_tool_calls": False},
        {"stream_options": {"include_usage": True}},
        {"stream": True, "stream_options": {"usage": True}},
        {"max_tokens": 1, "max_completion_tokens": 1},
        {"max_completion_tokens": 0},
        {"temperature": 3},
        {"n": 1.0},
        {"n": True},
        {"extra_body": {"temprature": 1}},
    ],
)
async def test_what_the_vendor_refuses_is_refused(
    simulator: ChatSimulator, sdk: AsyncOpenAI, fields: dict[str, Any]
) -> None:
    with pytest.raises(openai.BadRequestError):
        await create(sdk, **fields)
    assert simulator.requests[0].status == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": [CALLED, told("b"), told("a"), {"role": "user", "content": "Hello"}]},
        {"messages": [{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, *HELLO]},
        {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False, "temperature": 0.3},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "find_slots"}}},
        {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}},
    ],
)
async def test_what_the_vendor_takes_is_taken(
    simulator: ChatSimulator, sdk: AsyncOpenAI, fields: dict[str, Any]
) -> None:
    answer = await create(sdk, **fields)
    if "stream" in fields:
        await answer.close()
    assert simulator.requests[0].status == 200


async def test_keys_and_models_are_checked(simulator: ChatSimulator, sdk: AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        await create(sdk, model="gpt-0")
    with pytest.raises(openai.AuthenticationError):
        await create(sdk.with_options(api_key="wrong"))


async def test_a_refusal_strikes_once(simulator: ChatSimulator, sdk: AsyncOpenAI) -> None:
    simulator.faults.add(Refuse(status=429, retry_after_s=2))
    with pytest.raises(openai.RateLimitError) as refused:
        await create(sdk)
    assert refused.value.response.headers["retry-after"] == "2"
    await create(sdk)


async def test_an_error_event_ends_a_stream(simulator: ChatSimulator, sdk: AsyncOpenAI) -> None:
    simulator.faults.add(ChatFault(after_tokens=2, then="error"))
    with pytest.raises(openai.APIError):
        async for _ in await create(sdk, stream=True):
            pass
    assert simulator.requests[0].pieces_sent == 2


async def test_a_reset_breaks_the_connection(simulator: ChatSimulator, sdk: AsyncOpenAI) -> None:
    simulator.faults.add(ChatFault(after_tokens=2, then="reset"))
    with pytest.raises(openai.APIConnectionError):
        async for _ in await create(sdk, stream=True):
            pass


@pytest.mark.parametrize(("then", "reasons"), [("end", []), ("finish", ["stop"]), ("garbage", ["stop"])])
async def test_a_stream_may_end_early_or_hold_garbage(
    simulator: ChatSimulator, sdk: AsyncOpenAI, then: Any, reasons: list[str]
) -> None:
    simulator.faults.add(ChatFault(after_tokens=1, then=then))
    async with sdk.chat.completions.with_streaming_response.create(
        model=MODEL,
        messages=HELLO,  # type: ignore[arg-type]
        stream=True,
    ) as response:
        lines = [line async for line in response.iter_lines() if line.startswith("data: {")]
    chunks = [json.loads(line[6:]) for line in lines if not line.endswith('"delta"')]
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert text == ("One moment, please." if then == "garbage" else "One")
    assert [c["choices"][0]["finish_reason"] for c in chunks if c["choices"][0]["finish_reason"]] == reasons


async def test_a_stall_lasts_until_the_client_gives_up(simulator: ChatSimulator, sdk: AsyncOpenAI) -> None:
    simulator.faults.add(ChatFault(then="stall"))
    stream = await create(sdk, stream=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await anext(aiter(stream))
    await stream.close()
    await asyncio.wait_for(simulator.requests[0].over.wait(), 5)
    assert simulator.requests[0].cancelled


async def test_an_unscripted_request_is_an_error(simulator: ChatSimulator, sdk: AsyncOpenAI) -> None:
    simulator.model = ScriptedModel(["Only once."])
    await create(sdk)
    with pytest.raises(openai.InternalServerError):
        await create(sdk)
