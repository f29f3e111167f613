"""The caller presses keys, or says nothing at all."""

from tests.calls.conftest import Calling


async def test_keys_are_a_turn(calling: Calling) -> None:
    async with calling([], ["Thank you for the code."]) as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await live.press("472916#")
            await live.agent_answers(500)
        said = made.asked(0)[-1]
    assert said["role"] == "user"
    assert "472916" in said["content"]


async def test_keys_interrupt_the_agent(calling: Calling) -> None:
    async with calling([], ["Thank you."]) as made:
        async with made.call() as live:
            await live.agent_speaks(200)
            await live.press("12")
            await live.agent_answers(500)
        assert "12" in made.asked(0)[-1]["content"]


async def test_keys_are_never_published(calling: Calling) -> None:
    async with calling([], ["Thank you for the code."]) as made:
        async with made.call() as live:
            await live.agent_answers(500)
            await live.press("472916#")
            await live.agent_answers(500)
        await made.events("TurnFinished")
        assert "472916" not in str(made.feed)
        assert "472916" not in str(await made.turn_rows())


async def test_silent_caller_is_asked_and_then_let_go(calling: Calling) -> None:
    async with calling([], [], SILENCE_PROMPT_S="1", SILENCE_GOODBYE_S="1") as made:
        async with made.call() as live:
            record = await live.ended()
        said = [event["kind"] for event in made.feed if event["type"] == "AgentSaid"]
    assert said == ["greeting", "prompt", "goodbye"]
    assert record.end_reason == "rest_completed"


async def test_no_call_is_longer_than_its_limit(calling: Calling) -> None:
    async with calling([], [], MAX_CALL_S="2") as made:
        async with made.call() as live:
            record = await live.ended()
        [finished] = await made.events("CallFinished")
    assert finished["reason"] == "time_limit"
    assert record.end_reason == "rest_completed"
