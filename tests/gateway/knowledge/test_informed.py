"""A model that is told what the clinic's documents say: where, when, and never twice searched for."""

from collections.abc import AsyncIterator, Sequence

import pytest

from gateway.knowledge.informed import HEADING, InformedModel
from pipeline.events import LlmEvent, ReplyFinished, TextDelta
from pipeline.ports import Informs, Message, ToolSpec

SYSTEM = Message("system", "You are Alex.")
ASKED = Message("user", "How much is a peel?")


class Heard:
    """A model that keeps what it was sent, and whether its stream was closed early."""

    def __init__(self) -> None:
        self.sent: list[Sequence[Message]] = []
        self.closed = False

    async def reply(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> AsyncIterator[LlmEvent]:
        self.sent.append(messages)
        try:
            yield TextDelta("It is £90.")
            yield ReplyFinished("stop")
        finally:
            self.closed = True

    async def warm_up(self) -> None:
        raise ConnectionError("warmed")


class Documents:
    def __init__(self, *passages: str) -> None:
        self.passages = passages
        self.asked: list[str] = []

    async def find(self, said: str) -> Sequence[str]:
        self.asked.append(said)
        return self.passages


async def replied(model: InformedModel, *messages: Message) -> list[LlmEvent]:
    return [event async for event in model.reply(await model.informed(messages), ())]


async def test_passages_stand_right_before_the_callers_last_words() -> None:
    heard, documents = Heard(), Documents("Prices: A peel is £90.", "Prices: Laser is £120.")
    before = (SYSTEM, Message("user", "Hello"), Message("assistant", "Hello!"))
    events = await replied(InformedModel(heard, documents.find), *before, ASKED)
    assert events == [TextDelta("It is £90."), ReplyFinished("stop")]
    [*first, note, last] = heard.sent[0]
    assert (tuple(first), last, note.role) == (before, ASKED, "system")
    assert note.content.startswith(HEADING)
    assert note.content.endswith("- Prices: A peel is £90.\n- Prices: Laser is £120.")


async def test_after_a_tool_the_same_passages_without_another_search() -> None:
    heard, documents = Heard(), Documents("A peel is £90.")
    model = InformedModel(heard, documents.find)
    await replied(model, SYSTEM, ASKED)
    used = Message("assistant", "", tool_calls=(("1", "find_slots", "{}"),))
    result = Message("tool", "{}", tool_call_id="1")
    await replied(model, SYSTEM, ASKED, used, result)
    assert documents.asked == [ASKED.content]
    assert [each.role for each in heard.sent[1]] == ["system", "system", "user", "assistant", "tool"]


async def test_without_passages_or_words_nothing_is_added() -> None:
    heard, documents = Heard(), Documents()
    model = InformedModel(heard, documents.find)
    await replied(model, SYSTEM, ASKED)
    await replied(model, SYSTEM)
    assert [tuple(sent) for sent in heard.sent] == [(SYSTEM, ASKED), (SYSTEM,)]
    assert documents.asked == [ASKED.content]


async def test_closing_the_reply_closes_the_models_stream() -> None:
    heard = Heard()
    stream = InformedModel(heard, Documents().find).reply((SYSTEM, ASKED), ())
    assert await anext(stream) == TextDelta("It is £90.")
    await stream.aclose()  # type: ignore[attr-defined]
    assert heard.closed


def test_a_reply_asks_it_before_it_sends() -> None:
    assert isinstance(InformedModel(Heard(), Documents().find), Informs)


async def test_warming_up_is_the_models() -> None:
    with pytest.raises(ConnectionError, match="warmed"):
        await InformedModel(Heard(), Documents().find).warm_up()
