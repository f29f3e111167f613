"""Tools: side by side, in limited time, answered whatever happens; effects finish and are told."""

import asyncio
import json
import re

import pytest

from pipeline.errors import ProviderDropped, ToolArgumentError
from pipeline.events import ToolCall, ToolFinished
from pipeline.ports import Message, ToolResult
from pipeline.toolbox import SAY
from tests.pipeline.runner.world import Hand, Mind, call, now_s


def asks(name: str, arguments: str = "{}", call_id: str = "c1") -> ToolCall:
    return ToolCall(call_id, name, arguments)


def answers(messages: list[Message]) -> dict[str | None, object]:
    return {each.tool_call_id: json.loads(each.content) for each in messages if each.role == "tool"}


async def test_the_result_goes_back_to_the_model() -> None:
    hand = Hand("find_slots", ToolResult('{"slots": []}', "none", {"count": "0"}))
    mind = Mind(["One moment. ", asks("find_slots", '{"day": "Tuesday"}')], ["Nothing is free."])
    async with call(mind, tools=[hand]) as c:
        await c.greeted()
        c.says("Tuesday?")
        await c.passes(4)
        assert hand.begun == [{"day": "Tuesday"}]
        assert [message.role for message in mind.requests[1]][-3:] == ["user", "assistant", "tool"]
        assert mind.requests[1][-2].tool_calls == (("c1", "find_slots", '{"day": "Tuesday"}'),)
        assert answers(mind.requests[1]) == {"c1": {"slots": []}}
        assert c.sounds() == [101, 1, 2]
        [finished] = c.diary.of(ToolFinished)
    assert (finished.name, finished.outcome, finished.detail) == ("find_slots", "none", {"count": "0"})


async def test_calls_of_one_step_run_side_by_side_and_each_is_answered() -> None:
    first, second = Hand("find_slots", takes_s=1.0), Hand("find_doctors", takes_s=1.0)
    mind = Mind([asks("find_slots", call_id="x"), asks("find_doctors", call_id="x")], ["Both done."])
    async with call(mind, tools=[first, second]) as c:
        await c.greeted()
        c.says("Who and when?")
        await c.passes(1.3)
        assert (first.ended, second.ended) == (1, 1)
        assert answers(mind.requests[1]) == {"x": {"ok": True}, "x_2": {"ok": True}}


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (asks("fly_me_to_the_moon"), "unknown_tool"),
        (asks("find_slots", '{"day": '), "bad_arguments"),
        (asks("find_slots", "[1, 2]"), "bad_arguments"),
        (asks("refuse"), "bad_arguments"),
        (asks("crash"), "failed"),
        (asks("sleep"), "timed_out"),
    ],
)
async def test_a_call_that_cannot_be_carried_out_is_an_error_for_the_model(
    asked: ToolCall, outcome: str
) -> None:
    tools = [
        Hand("find_slots"),
        Hand("refuse", ToolArgumentError("no such day")),
        Hand("crash", RuntimeError("secret")),
        Hand("sleep", takes_s=100),
    ]
    mind = Mind([asked], ["I could not do that."])
    async with call(mind, tools=tools) as c:
        await c.greeted()
        c.says("Please")
        await c.passes(10)
        told = answers(mind.requests[1])["c1"]
        assert isinstance(told, dict)
        assert told.keys() == {"error", "say"}
        assert told["say"] == SAY[outcome]
        assert "secret" not in str(mind.requests)
        assert c.sounds()[-1] == 1
        assert [finished.outcome for finished in c.diary.of(ToolFinished)] == [outcome]


def test_what_is_said_of_a_call_that_was_not_carried_out_can_be_spoken() -> None:
    for sentence in SAY.values():
        assert sentence[0].isupper()
        assert sentence[-1] in ".?"
        assert not re.search(r"[0-9@<>*#_{}\[\]]", sentence)


async def test_an_effect_survives_a_barge_in_and_its_outcome_is_told() -> None:
    claim = Hand("claim_slot", ToolResult('{"held": true}', "held"), takes_s=2.0, effectful=True)
    mind = Mind(["I will hold it. ", asks("claim_slot")], ["It is held."])
    async with call(mind, tools=[claim], filler_after_s=9.0) as c:
        await c.greeted()
        c.says("Hold it")
        await c.passes(1)
        c.says("Wait, is that with Doctor Patel?")
        await c.passes(0.5)
        assert (len(claim.begun), claim.ended, len(mind.requests)) == (1, 0, 1)
        await c.passes(2)
        assert claim.ended == 1
        assert answers(mind.requests[1]) == {"c1": {"held": True}}
        assert mind.requests[1][-1].content == "Wait, is that with Doctor Patel?"


async def test_an_effect_is_finished_although_the_caller_hangs_up() -> None:
    claim = Hand("claim_slot", takes_s=3.0, effectful=True)
    async with call(Mind([asks("claim_slot")]), tools=[claim]) as c:
        await c.greeted()
        c.says("Hold it")
        await c.passes(1)
        began_s = now_s()
        await c.hang_up()
        assert claim.ended == 1
        assert now_s() - began_s == pytest.approx(2.1, abs=0.2)
        assert [finished.outcome for finished in c.diary.of(ToolFinished)] == ["done"]


async def test_an_effect_is_finished_although_the_call_is_cancelled() -> None:
    claim = Hand("claim_slot", takes_s=3.0, effectful=True)
    async with call(Mind([asks("claim_slot")]), tools=[claim]) as c:
        await c.greeted()
        c.says("Hold it")
        await c.passes(1)
        assert c.task is not None
        c.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await c.task
    assert claim.ended == 1


async def test_no_effect_outlives_its_limit() -> None:
    claim = Hand("claim_slot", takes_s=1000.0, effectful=True)
    async with call(Mind([asks("claim_slot")]), tools=[claim], effect_s=5.0) as c:
        await c.greeted()
        c.says("Hold it")
        await c.passes(1)
        await c.hang_up()
    assert [finished.outcome for finished in c.diary.of(ToolFinished)] == ["timed_out"]


async def test_a_tool_without_effect_is_dropped_with_its_reply() -> None:
    find = Hand("find_slots", takes_s=3.0)
    mind = Mind([asks("find_slots")], ["Yes?"])
    async with call(mind, tools=[find], filler_after_s=9.0) as c:
        await c.greeted()
        c.says("When?")
        await c.passes(1)
        c.says("Wait, stop")
        await c.passes(4)
        assert find.ended == 0
        assert answers(mind.requests[1]) == {"c1": {"error": "interrupted before it ran"}}


async def test_a_slow_tool_is_covered_by_a_filler() -> None:
    find = Hand("find_slots", takes_s=3.0)
    mind = Mind(["Let me see. ", asks("find_slots")], ["Tuesday is free."])
    async with call(mind, tools=[find]) as c:
        await c.greeted()
        c.says("When?")
        await c.passes(7)
        assert c.sounds() == [101, 1, 102, 2]


async def test_effects_are_not_repeated_when_the_model_fails_after_them() -> None:
    claim = Hand("claim_slot", effectful=True)
    dropped = ProviderDropped("llm", "reset", retryable=True)
    mind = Mind([asks("claim_slot")], [dropped], ["It is held."])
    async with call(mind, tools=[claim]) as c:
        await c.greeted()
        c.says("Hold it")
        await c.passes(4)
        assert len(claim.begun) == 1
        assert mind.requests[1] == mind.requests[2]
        assert c.sounds() == [101, 1]


async def test_a_model_that_only_calls_tools_is_stopped() -> None:
    mind = Mind(*[[asks("find_slots")]] * 20)
    async with call(mind, tools=[Hand("find_slots")]) as c:
        await c.greeted()
        c.says("When?")
        await c.passes(2)
        assert len(mind.requests) == 6
        assert c.sounds() == [101, 104]


async def test_end_call_without_a_word_says_goodbye_for_the_model() -> None:
    async with call(Mind([asks("end_call")])) as c:
        await c.greeted()
        c.says("That is all")
        assert (await c.outcome()).reason == "goodbye"
        assert c.sounds() == [101, 106]


async def test_end_call_beside_another_tool_waits_until_its_outcome_is_told() -> None:
    claim = Hand("claim_slot", effectful=True)
    mind = Mind([asks("claim_slot"), asks("end_call", call_id="c2")], ["It is held. Goodbye."])
    async with call(mind, tools=[claim]) as c:
        await c.greeted()
        c.says("Hold it, that is all")
        assert (await c.outcome()).reason == "goodbye"
        assert c.sounds() == [101, 1]


async def test_words_over_our_goodbye_keep_the_call() -> None:
    mind = Mind(["Goodbye and have a nice day.", asks("end_call")], ["Of course."])
    async with call(mind) as c:
        await c.greeted()
        c.says("That is all")
        await c.passes(1)
        c.says("Oh wait, one more thing")
        await c.passes(3)
        assert c.sounds() == [101, 1, 2]


async def test_a_goodbye_over_our_goodbye_does_not() -> None:
    mind = Mind(["Goodbye and have a nice day.", asks("end_call")])
    async with call(mind) as c:
        await c.greeted()
        c.says("That is all")
        await c.passes(1)
        c.says("Thank you, bye bye")
        assert (await c.outcome()).reason == "goodbye"
        assert c.cleared() == []
