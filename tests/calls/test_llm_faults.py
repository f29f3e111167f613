"""The model fails."""

import pytest

from bench.simulators.faults import Refuse
from bench.simulators.replies import Call, ChatFault, Reply
from tests.calls.conftest import Calling
from tests.calls.rig import ask

LINES = ["Tell me about the clinic.", "Thank you."]
ANSWER = "We are open every day."
FAULTS = {
    "stalls before the first token": ChatFault(then="stall"),
    "answers 500": ChatFault(status=500),
    "answers 429": ChatFault(status=429),
    "returns nothing": ChatFault(then="finish"),
    "ends without a finish": ChatFault(then="end"),
    "breaks the connection": ChatFault(then="reset"),
    "sends an error in the stream": ChatFault(then="error"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_model_that_fails_once_is_asked_again(calling: Calling, fault: ChatFault) -> None:
    async with calling(LINES, [ANSWER, ANSWER, ANSWER]) as made:
        made.chat.faults.add(fault)
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
        [turn] = await made.events("TurnFinished")
        [failed] = await made.events("ProviderFailed")
    assert turn["outcome"] == "answered"
    assert (failed["provider"], failed["action"]) == ("llm", "retried")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_model_that_keeps_failing_is_apologised_for(calling: Calling, fault: ChatFault) -> None:
    async with calling(LINES, [ANSWER] * 6, SPECULATION="off") as made:
        made.chat.faults.add(fault, times=2)
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
            await ask(live)
        turns = await made.events("TurnFinished", 2)
        said = [event["kind"] for event in made.feed if event["type"] == "AgentSaid"]
    assert [turn["outcome"] for turn in turns] == ["failed", "answered"]
    assert "apology" in said


async def test_refused_key_is_not_tried_again(calling: Calling) -> None:
    async with calling(LINES, [ANSWER] * 3) as made:
        made.chat.faults.add(Refuse(status=401), times=None)
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
        [failed] = await made.events("ProviderFailed")
    assert failed["action"] == "apologised"


@pytest.mark.parametrize(
    ("call", "fact"),
    [
        (Call("launch_rocket", {}), "no such tool"),
        (Call("find_slots", '{"service": "rhino'), "JSON"),
        (Call("find_slots", '["rhinoplasty"]'), "object"),
        (Call("find_slots", {"service": "rhinoplasty", "day": "soon", "after": None}), "YYYY-MM-DD"),
        (Call("claim_slot", {"slot": "s99"}), "token"),
    ],
)
async def test_nonsense_tool_call_is_answered_to_the_model(calling: Calling, call: Call, fact: str) -> None:
    async with calling(LINES, [Reply("", (call,)), "Sorry, let me ask again."]) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
        [turn] = await made.events("TurnFinished")
        answer = made.asked(1)[-1]
    assert turn["outcome"] == "answered"
    assert answer["role"] == "tool"
    assert fact in answer["content"]
    assert await made.live_holds() == []


async def test_parallel_tool_calls_are_all_answered(calling: Calling) -> None:
    both = (
        Call("find_slots", {"service": "rhinoplasty", "day": None, "after": None}),
        Call("find_slots", {"service": "dermal filler", "day": None, "after": None}),
    )
    async with calling(LINES, [Reply("", both), "Here you are."]) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
        roles = [message["role"] for message in made.asked(1)]
    assert roles[-3:] == ["assistant", "tool", "tool"]
