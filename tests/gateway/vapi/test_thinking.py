"""One answer of our model's for Vapi: whose tools are used by whom, how it ends, what covers a fault."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from gateway.vapi.thinking import Answer, AnswerEvent, Ended, PassedOn, Thinking
from pipeline.conversation import Step
from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused, ProviderStalled
from pipeline.events import LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.ports import Message, ToolSpec
from pipeline.settings import ConversationSettings, Phrase

Reply = Sequence[LlmEvent | ProviderError | float]
STOP, CUT, CALLS = (ReplyFinished(reason, 10, 3) for reason in ("stop", "length", "tool_calls"))
HELLO = [Message("system", "Prompt"), Message("user", "Hello")]


def spec(name: str) -> ToolSpec:
    return ToolSpec(name, "", {"type": "object", "properties": {}}, effectful=True)


class Scripted:
    """A `LanguageModel` that answers the n-th request with the n-th reply; a number is a pause in seconds."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.asked: list[list[Message]] = []
        self.offered: list[str] = []

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> AsyncIterator[LlmEvent]:
        self.asked.append(list(messages))
        self.offered = [tool.name for tool in tools]
        for event in self._replies.pop(0):
            if isinstance(event, ProviderError):
                raise event
            if isinstance(event, float):
                await asyncio.sleep(event)
            else:
                yield event

    async def warm_up(self) -> None:
        """There is nothing to warm."""


class Tools:
    """Answers each of ours; `say` is its sentence."""

    def __init__(self, say: str = "I'm holding ten o'clock for you.") -> None:
        self.say = say
        self.used: list[str] = []

    async def use(self, step: Step) -> None:
        for call in step.calls:
            self.used.append(call.name)
            step.results[call.id] = f'{{"held": true, "say": "{self.say}"}}'


class Run:
    """What came of one answer."""

    def __init__(self, model: Scripted, tools: Tools, theirs: Sequence[str] = ()) -> None:
        self.faults: list[tuple[str, str]] = []
        self.model = model
        settings = ConversationSettings(
            system_prompt="",
            greeting=Phrase(""),
            llm_first_clause_s=0.2,
            llm_between_tokens_s=0.2,
            max_tool_rounds=3,
        )
        thinking = Thinking(
            model,
            [spec("claim_slot")],
            [spec(name) for name in theirs],
            tools.use,
            settings,
            lambda fault, action: self.faults.append((fault.fault, action)),
        )
        self._answer = Answer(thinking, HELLO)
        self.events: list[AnswerEvent] = []

    async def text(self) -> str:
        self.events = [event async for event in self._answer.events()]
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def ended(self) -> Ended:
        last = self.events[-1]
        assert isinstance(last, Ended)
        return last


def calls(*names: str) -> list[LlmEvent]:
    return [*(ToolCall("same", name, "{}") for name in names), CALLS]


async def test_our_tools_are_used_and_theirs_passed_on_under_the_names_that_either_side_knows() -> None:
    model, tools = Scripted([TextDelta("Bye."), *calls("claim_slot", "end_call", "transferCall")]), Tools()
    run = Run(model, tools, ["endCall", "transferCall", "claim_slot", "transferCall"])
    assert await run.text() == "Bye."
    assert model.offered == ["claim_slot", "end_call", "transferCall"]
    assert tools.used == ["claim_slot"]
    [passed] = [event for event in run.events if isinstance(event, PassedOn)]
    assert [call.name for call in passed.calls] == ["endCall", "transferCall"]
    assert len({call.id for call in passed.calls}) == 2
    assert run.ended == Ended("tool_calls", 10, 3)


async def test_a_tool_that_vapi_has_not_offered_is_ours_to_answer_for() -> None:
    tools = Tools()
    run = Run(Scripted(calls("end_call"), [TextDelta("Goodbye."), STOP]), tools)
    assert await run.text() == "Goodbye."
    assert tools.used == ["end_call"]
    assert run.ended == Ended("stop", 20, 6)


async def test_sentences_of_two_completions_do_not_run_together_and_a_cut_reply_says_so() -> None:
    first = [TextDelta("Let me"), TextDelta(" see."), *calls("claim_slot")]
    run = Run(Scripted(first, [TextDelta("It"), TextDelta(" is held, and"), CUT]), Tools())
    assert await run.text() == "Let me see. It is held, and"
    assert run.ended.reason == "length"
    told = run.model.asked[1]
    assert [message.role for message in told] == ["system", "user", "assistant", "tool"]


@pytest.mark.parametrize(
    "fault", [ProviderDropped("llm", "gone", retryable=True), 1.0], ids=["dropped", "stalled"]
)
async def test_a_model_that_fails_before_a_word_is_asked_once_more(fault: ProviderError | float) -> None:
    run = Run(Scripted([fault], [TextDelta("Hello."), STOP]), Tools())
    assert await run.text() == "Hello."
    assert [action for _, action in run.faults] == ["retried"]


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([[ProviderRefused("llm", "http_400", retryable=False)]], ProviderRefused),
        ([[1.0], [1.0]], ProviderStalled),
        ([[STOP], [STOP]], ProviderDropped),
    ],
)
async def test_nothing_said_and_nothing_done_is_a_fault(
    replies: list[Reply], error: type[ProviderError]
) -> None:
    with pytest.raises(error):
        await Run(Scripted(*replies), Tools()).text()


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ([[TextDelta("We open at"), 1.0]], "We open at I'm sorry, something went wrong."),
        ([[TextDelta("We open at nine."), 1.0]], "We open at nine."),
        ([calls("claim_slot"), [1.0], [1.0]], "I'm holding ten o'clock for you."),
        ([[TextDelta("Well."), *calls("claim_slot")], [STOP], [STOP]], "Well. I'm holding ten"),
        ([calls("claim_slot")] * 3, "I'm holding ten o'clock for you."),
    ],
)
async def test_a_fault_in_the_middle_is_covered(replies: list[Reply], said: str) -> None:
    run = Run(Scripted(*replies), Tools())
    assert (await run.text()).startswith(said)
    assert run.ended.reason == "stop"
    assert run.faults[-1][1] == "apologised"
