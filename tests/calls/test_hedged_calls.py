"""The model is late or down, and another request answers the caller."""

from bench.simulators.chat import ChatSimulator
from bench.simulators.replies import ChatFault, Reply, ScriptedModel
from tests.calls.conftest import Calling
from tests.calls.rig import OFFER, ask
from tests.gateway.running import VENDOR_KEY

LINES = ["Tell me about the clinic.", "Thank you."]
ANSWER = "We are open every day."
STALL = ChatFault(then="stall")
PATIENT = {"LLM_FIRST_CLAUSE_S": "5", "FILLER_AFTER_S": "5"}


async def test_a_model_that_stalls_is_asked_again_before_the_caller_notices(calling: Calling) -> None:
    async with calling(LINES, [ANSWER, ANSWER], **PATIENT, LLM_HEDGE_AFTER_S="0.3") as made:
        made.chat.faults.add(STALL)
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
        [turn] = await made.events("TurnFinished")
        assert made.of_kind("ProviderFailed") == []
        assert [request.cancelled for request in made.chat.requests] == [True, False]
        told = {"reason": "late", "won": "second"}
        assert made.gateway.counted("gateway_llm_second_requests_total", **told) == 1
        assert made.gateway.counted("gateway_llm_second_request_tokens_total") > 0
    assert turn["outcome"] == "answered"
    assert 300 < turn["ttfb_ms"] < 2_000


async def test_a_tool_runs_once_though_two_requests_ask_for_it(calling: Calling) -> None:
    steps = [
        Reply(calls=(OFFER,), fault=ChatFault(delay_s=0.45)),
        Reply(calls=(OFFER,), fault=ChatFault(delay_s=0.1)),
        ANSWER,
    ]
    async with calling(LINES, steps, **PATIENT, LLM_HEDGE_AFTER_S="0.3") as made:
        async with made.call() as live:
            await live.agent_answers(300)
            await ask(live)
        assert len(made.chat.requests) == 3
        assert made.tools() == [("find_slots", "found")]


async def test_the_fallback_answers_while_the_model_is_down(calling: Calling) -> None:
    async with ChatSimulator(ScriptedModel([], otherwise=ANSWER), keys={"other-key"}) as other:
        fallback = {
            "LLM_FALLBACK_MODEL": "gpt-4.1-mini",
            "LLM_FALLBACK_BASE_URL": other.url,
            "LLM_FALLBACK_API_KEY": "other-key",
        }
        down = Reply(fault=ChatFault(status=503))
        async with calling(LINES, [down, down], **PATIENT, **fallback) as made:
            async with made.call() as live:
                await live.agent_answers(300)
                await ask(live)
                await ask(live)
            turns = await made.events("TurnFinished", 2)
            told = {"reason": "failed", "won": "second"}
            assert made.gateway.counted("gateway_llm_second_requests_total", **told) == 2
            assert made.gateway.counted("gateway_llm_second_request_tokens_total") == 0
            keys = {request.headers["Authorization"] for request in made.chat.requests}
    assert [turn["outcome"] for turn in turns] == ["answered", "answered"]
    assert len(other.requests) == 2
    assert keys == {f"Bearer {VENDOR_KEY}"}
