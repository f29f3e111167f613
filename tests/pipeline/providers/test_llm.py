"""Completions over real sockets against the simulated server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Literal

import pytest

from bench.simulators.chat import ChatSimulator, Pace
from bench.simulators.faults import Refuse
from bench.simulators.replies import Call, ChatFault, Reply, ScriptedModel, WireMessage, WireTool
from pipeline.errors import ProviderDropped, ProviderRefused, ProviderStalled
from pipeline.events import LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.ports import Message, ToolSpec
from pipeline.providers.llm import ChatModel, LlmConfig
from tests.pipeline.providers.relay import Relay, relay

HELLO = [Message("system", "Be brief."), Message("user", "Hello")]
NOTHING: dict[str, object] = {"type": "object", "properties": {}}
TOOLS = [
    ToolSpec("find_slots", "Find free slots.", NOTHING, effectful=False),
    ToolSpec("claim_slot", "Hold a slot.", NOTHING, effectful=True),
]


@asynccontextmanager
async def server(*steps: Reply | str, pace: Pace | None = None) -> AsyncIterator[ChatSimulator]:
    async with ChatSimulator(ScriptedModel(steps, otherwise="Good day."), pace=pace) as simulator:
        yield simulator


def config(simulator: ChatSimulator) -> LlmConfig:
    return LlmConfig("test-key", "scripted-receptionist", simulator.url)


def parallel(simulator: ChatSimulator) -> LlmConfig:
    return replace(config(simulator), parallel_tool_calls=True)


@asynccontextmanager
async def client(settings: LlmConfig) -> AsyncIterator[ChatModel]:
    model = ChatModel(settings)
    try:
        yield model
    finally:
        await model.aclose()


@asynccontextmanager
async def slow_server() -> AsyncIterator[tuple[Relay, LlmConfig]]:
    """A long reply first, behind a relay that sees the client leave."""
    slow = server("word " * 200, pace=Pace(between_tokens_s=0.01))
    async with slow as simulator, relay(simulator.url) as between:
        yield between, replace(config(simulator), base_url=between.url)


async def collect(events: AsyncIterator[LlmEvent], into: list[LlmEvent]) -> None:
    async for event in events:
        into.append(event)  # noqa: PERF401 - what comes before a failure counts


async def reply(model: ChatModel, tools: Sequence[ToolSpec] = ()) -> list[LlmEvent]:
    async with asyncio.timeout(10):
        return [event async for event in model.reply(HELLO, tools)]


def text(events: Sequence[LlmEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def test_text_is_streamed_and_ends_with_its_token_counts() -> None:
    async with server("Good morning. How can I help?") as simulator, client(config(simulator)) as model:
        events = await reply(model)
        assert text(events) == "Good morning. How can I help?"
        assert len(events) > 3
        finished = events[-1]
        assert isinstance(finished, ReplyFinished)
        assert finished.finish_reason == "stop"
        assert finished.prompt_tokens
        assert finished.completion_tokens
        assert simulator.requests[0].headers["Authorization"] == "Bearer test-key"


async def test_text_and_parallel_calls_in_one_reply() -> None:
    step = Reply("One moment.", (Call("find_slots", {"day": "2026-11-24"}), Call("find_slots", {})))
    async with server(step) as simulator, client(parallel(simulator)) as model:
        events = await reply(model, TOOLS)
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert text(events) == "One moment."
    assert [call.name for call in calls] == ["find_slots", "find_slots"]
    assert len({call.id for call in calls}) == 2
    assert isinstance(events[-1], ReplyFinished)


async def test_broken_arguments_are_passed_on_as_they_came() -> None:
    step = Reply(calls=(Call("claim_slot", '{"slot": '),))
    async with server(step) as simulator, client(config(simulator)) as model:
        call = (await reply(model, TOOLS))[0]
    assert isinstance(call, ToolCall)
    assert call.arguments == '{"slot": '


async def test_connection_is_kept_for_the_next_turn() -> None:
    async with server() as simulator, relay(simulator.url) as between:
        async with client(replace(config(simulator), base_url=between.url)) as model:
            await model.warm_up()
            for _ in range(3):
                await reply(model)
        assert between.connections == 1


async def test_no_connection_is_kept_if_none_is_to_be() -> None:
    async with server() as simulator, relay(simulator.url) as between:
        chosen = replace(config(simulator), base_url=between.url, keepalive_s=0.0)
        async with client(chosen) as model:
            for _ in range(3):
                await reply(model)
        assert between.connections == 3


async def test_empty_reply_is_finished_without_a_word() -> None:
    step = Reply("Hello", fault=ChatFault(then="finish"))
    async with server(step) as simulator, client(config(simulator)) as model:
        events = await reply(model)
    assert [type(event) for event in events] == [ReplyFinished]


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (401, False), (404, False), (429, True), (500, True), (503, True)]
)
async def test_refusals_say_whether_to_retry_and_are_not_retried(status: int, retryable: bool) -> None:
    async with server() as simulator, client(config(simulator)) as model:
        simulator.faults.add(Refuse(status))
        with pytest.raises(ProviderRefused) as refusal:
            await reply(model)
        assert (refusal.value.fault, refusal.value.retryable) == (f"http_{status}", retryable)
        assert text(await reply(model)) == "Good day."


@pytest.mark.parametrize("after_tokens", [0, 2])
@pytest.mark.parametrize(
    ("then", "fault"), [("end", "ended_early"), ("error", "error_in_stream"), ("reset", "connection_lost")]
)
async def test_broken_streams_deliver_their_words_and_fail(
    then: Literal["end", "error", "reset"], fault: str, after_tokens: int
) -> None:
    broken = Reply("Good morning. How can I help?", fault=ChatFault(after_tokens=after_tokens, then=then))
    async with server(broken) as simulator, client(config(simulator)) as model:
        events = list[LlmEvent]()
        with pytest.raises(ProviderDropped) as failure:
            await collect(model.reply(HELLO, []), events)
        assert (failure.value.fault, failure.value.retryable) == (fault, True)
        assert len(events) == after_tokens
        assert text(await reply(model)) == "Good day."


@pytest.mark.parametrize("after_tokens", [0, 2])
async def test_stalled_stream_runs_into_the_read_timeout(after_tokens: int) -> None:
    stalled = Reply("Good morning.", fault=ChatFault(after_tokens=after_tokens, then="stall"))
    async with server(stalled) as simulator, client(replace(config(simulator), read_s=0.1)) as model:
        with pytest.raises(ProviderStalled) as failure:
            await reply(model)
        assert failure.value.retryable
        assert text(await reply(model)) == "Good day."


async def test_garbage_in_the_stream_is_skipped() -> None:
    odd = Reply("Good morning.", fault=ChatFault(after_tokens=1, then="garbage"))
    async with server(odd) as simulator, client(config(simulator)) as model:
        assert text(await reply(model)) == "Good morning."


async def test_closing_a_reply_cancels_the_request() -> None:
    async with slow_server() as (between, settings), client(settings) as model:
        async with aclosing(model.reply(HELLO, [])) as events:  # type: ignore[type-var]
            assert isinstance(await anext(events), TextDelta)
        async with asyncio.timeout(5):
            await between.client_left.wait()
        assert text(await reply(model)) == "Good day."


async def test_cancelling_the_reader_cancels_the_request() -> None:
    async with slow_server() as (between, settings), client(settings) as model:
        begun = asyncio.Event()

        async def turn() -> None:
            async for _ in model.reply(HELLO, []):
                begun.set()

        talking = asyncio.create_task(turn())
        await begun.wait()
        talking.cancel()
        await asyncio.wait({talking})
        async with asyncio.timeout(5):
            await between.client_left.wait()


async def test_nobody_there() -> None:
    async with server() as simulator:
        gone = config(simulator)
    async with client(gone) as model:
        await model.warm_up()
        with pytest.raises(ProviderDropped, match="connection_lost"):
            await reply(model)


async def test_warming_up_never_fails() -> None:
    async with server() as simulator:
        async with client(replace(config(simulator), api_key="wrong")) as model:
            await model.warm_up()
        async with client(replace(config(simulator), warm_up_s=0.0)) as model:
            await model.warm_up()


async def test_twenty_replies_at_once_do_not_mix() -> None:
    def echo(messages: Sequence[WireMessage], tools: Sequence[WireTool]) -> Reply:
        return Reply(f"You said {messages[-1]['content']}.")

    parrot = ChatSimulator(ScriptedModel([], otherwise=echo))
    async with parrot as simulator, client(config(simulator)) as model:

        async def ask(number: int) -> str:
            return text([event async for event in model.reply([Message("user", f"number {number}")], [])])

        answers = await asyncio.gather(*map(ask, range(20)))
    assert answers == [f"You said number {number}." for number in range(20)]
