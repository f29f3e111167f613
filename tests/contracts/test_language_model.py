"""What every `LanguageModel` must do, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from bench.simulators.chat import ChatSimulator
from bench.simulators.replies import Call, ChatFault, Reply, ScriptedModel
from pipeline.errors import ProviderError
from pipeline.events import LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.hedge import HedgeBudget, HedgedModel, HedgeLimits
from pipeline.ports import LanguageModel, Message, ToolSpec
from pipeline.providers.llm import ChatModel, LlmConfig

Model = Callable[..., AbstractAsyncContextManager[LanguageModel]]
TOOL = ToolSpec("claim_slot", "Hold a slot.", {"type": "object", "properties": {}}, effectful=True)


def hedged(first: LanguageModel, fallback: LanguageModel | None) -> HedgedModel:
    return HedgedModel(first, fallback, HedgeLimits(after_s=5.0), HedgeBudget(), lambda told: None)


@asynccontextmanager
async def served(model: ScriptedModel) -> AsyncIterator[ChatModel]:
    async with ChatSimulator(model) as simulator:
        chat = ChatModel(LlmConfig("test-key", "scripted-receptionist", simulator.url))
        try:
            yield chat
        finally:
            await chat.aclose()


@pytest.fixture(params=["plain", "hedged", "fallen back"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(kind: str) -> Model:
    """Each implementation over the same script; of the last one the first model always fails."""

    @asynccontextmanager
    async def scripted(*steps: Reply | str) -> AsyncIterator[LanguageModel]:
        broken = ScriptedModel([], otherwise=Reply(fault=ChatFault(status=503)))
        async with served(ScriptedModel(steps)) as chat, served(broken) as failing:
            if kind == "plain":
                yield chat
            elif kind == "hedged":
                yield hedged(chat, None)
            else:
                yield hedged(failing, chat)

    return scripted


async def read(chat: LanguageModel, *messages: Message) -> list[LlmEvent]:
    async with asyncio.timeout(10):
        return [event async for event in chat.reply(messages, [TOOL])]


async def test_reply_ends_with_exactly_one_finish(model: Model) -> None:
    async with model(Reply("One moment.", (Call("claim_slot", {"slot": "s1"}),))) as chat:
        events = await read(chat, Message("user", "Hello"))
    assert [isinstance(event, ReplyFinished) for event in events].index(True) == len(events) - 1


async def test_call_can_be_answered_and_the_conversation_goes_on(model: Model) -> None:
    async with model(Reply(calls=(Call("claim_slot", {"slot": "s1"}),)), "It is held.") as chat:
        asked = Message("user", "Tuesday please")
        call = (await read(chat, asked))[0]
        assert isinstance(call, ToolCall)
        events = await read(
            chat,
            asked,
            Message("assistant", "", ((call.id, call.name, call.arguments),)),
            Message("tool", '{"held":true}', tool_call_id=call.id),
        )
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "It is held."


async def test_failure_says_whether_a_retry_can_help(model: Model) -> None:
    async with model(Reply("Hello", fault=ChatFault(status=503)), "Hello.") as chat:
        with pytest.raises(ProviderError) as failure:
            await read(chat, Message("user", "Hello"))
        assert failure.value.retryable
        assert await read(chat, Message("user", "Hello"))


async def test_warming_up_never_fails(model: Model) -> None:
    async with model() as chat:
        await chat.warm_up()
    await chat.warm_up()
