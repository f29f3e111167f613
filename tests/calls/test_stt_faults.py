"""The recogniser fails."""

from bench.simulators.faults import DropSocket, Refuse, Stall
from tests.calls.conftest import Calling
from tests.calls.rig import ask, say

LINES = ["I'd like to book a consultation.", "Thank you."]


async def test_turn_survives_a_socket_dropped_in_the_middle_of_it(calling: Calling) -> None:
    async with calling(LINES, ["Of course.", "Goodbye."]) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            spoken_ms = len(made.deepgram.sessions[0].audio) / 8
            made.deepgram.faults.add(DropSocket(after_audio_ms=spoken_ms + 600))
            await ask(live, 1.2)
            await ask(live)
        said = [each["content"] for each in made.asked(1) if each["role"] == "user"]
        assert len(made.deepgram.sessions) == 2
    assert said == LINES


async def test_recogniser_that_refuses_ends_the_call_with_an_apology(calling: Calling) -> None:
    async with calling(LINES, []) as made:
        made.deepgram.faults.add(Refuse(status=401), times=None)
        async with made.call() as live:
            record = await live.ended()
        [finished] = await made.events("CallFinished")
    assert finished["reason"] == "stt_failed"
    assert record.agent_audible_ms > 0
    assert record.end_reason == "rest_completed"


async def test_mute_recogniser_is_replaced(calling: Calling) -> None:
    async with calling(LINES, ["Of course."]) as made:
        async with made.call() as live:
            await live.agent_answers(300)
            spoken_ms = len(made.deepgram.sessions[0].audio) / 8
            made.deepgram.faults.add(Stall(after_audio_ms=spoken_ms + 200))
            await say(live, 1.0)
            await live.agent_answers(300)
        assert [each["content"] for each in made.asked(0) if each["role"] == "user"] == LINES[:1]
        assert len(made.deepgram.sessions) == 2
