"""A late first clause is asked for twice: one request speaks, the other leaves no word, tool call or task."""

import asyncio
from collections.abc import Sequence

import pytest

from pipeline.errors import ProviderDropped, ProviderError, ProviderRefused
from pipeline.events import EagerEndOfTurn, EndOfTurn, LlmEvent, ReplyFinished, TextDelta, ToolCall
from pipeline.hedge import FEWEST, RECENT, HedgeBudget, Hedged, HedgedModel, HedgeLimits
from pipeline.ports import Message
from tests.pipeline.runner.world import Beat, Hand, Mind, call, now_s

LATE_S = 0.8
STALL_S = 9.0
ASKED = [Message("user", "Is Tuesday free?")]
CLAIM = ToolCall("c1", "claim_slot", "{}")


class Hedge:
    """A hedged model over scripts; what it told of its second requests."""

    def __init__(
        self, mind: Mind, fallback: Mind | None = None, *, budget: HedgeBudget | None = None, **limits: int
    ) -> None:
        self.told: list[Hedged] = []
        self.model = HedgedModel(
            mind, fallback, HedgeLimits(LATE_S, **limits), budget or HedgeBudget(), self.told.append
        )

    async def reply(self) -> list[LlmEvent]:
        return [event async for event in self.model.reply(ASKED, [])]

    async def says(self) -> str:
        return "".join(event.text for event in await self.reply() if isinstance(event, TextDelta))


class TwoMinds(Mind):
    """A hedged model as a call's mind."""

    def __init__(self, mind: Mind) -> None:
        super().__init__()
        self._hedged = Hedge(mind).model
        self.reply = self._hedged.reply  # type: ignore[method-assign]

    def caller_waits(self, waits: bool) -> None:
        self._hedged.caller_waits(waits)


def refused() -> ProviderRefused:
    return ProviderRefused("llm", "http_401", retryable=False)


def dropped() -> ProviderDropped:
    return ProviderDropped("llm", "connection_lost", retryable=True)


async def test_a_reply_in_time_is_asked_for_once() -> None:
    mind = Mind([0.5, "Yes, it is."])
    hedge = Hedge(mind)
    assert await hedge.says() == "Yes, it is."
    assert (len(mind.requests), hedge.told) == (1, [])


@pytest.mark.parametrize(
    ("first", "second", "said", "after_s", "won"),
    [
        ([3.0, "Late."], ["Yes, it is."], "Yes, it is.", LATE_S + 0.04, "second"),
        ([1.0, "First. "], [5.0, "Second. "], "First. ", 1.04, "first"),
        (["It is", 3.0, " free."], ["Yes, it is."], "Yes, it is.", LATE_S + 0.04, "second"),
    ],
    ids=["the second gives a clause", "the first still does", "a first word is no clause"],
)
async def test_the_first_clause_wins(
    first: Sequence[Beat], second: Sequence[Beat], said: str, after_s: float, won: str
) -> None:
    mind = Mind(first, second)
    hedge = Hedge(mind)
    began_s = now_s()
    said_so_far = ""
    clause_s = None
    async for event in hedge.model.reply(ASKED, []):
        if isinstance(event, TextDelta) and event.text:
            clause_s = clause_s or now_s() - began_s
            said_so_far += event.text
    assert said_so_far == said
    assert clause_s == pytest.approx(after_s, abs=0.05)
    assert mind.cancelled == 1
    [hedged] = hedge.told
    assert (hedged.reason, hedged.won) == ("late", won)
    assert hedged.extra_tokens >= len(ASKED[0].content) // 4


async def test_that_the_model_has_begun_is_told_before_a_clause_is_there() -> None:
    hedge = Hedge(Mind([0.3, "It is", 0.3, " free."]))
    stream = hedge.model.reply(ASKED, [])
    began_s = now_s()
    assert await anext(stream) == TextDelta("")
    assert now_s() - began_s == pytest.approx(0.32)
    await stream.aclose()


async def test_a_tool_call_wins_and_the_losers_is_never_passed_on() -> None:
    mind = Mind([1.0, CLAIM], [0.1, ToolCall("c2", "claim_slot", '{"slot": "s2"}')])
    events = await Hedge(mind).reply()
    assert [event for event in events if isinstance(event, ToolCall)] == [
        ToolCall("c2", "claim_slot", '{"slot": "s2"}')
    ]


async def test_an_effect_happens_once_though_both_requests_ask_for_it() -> None:
    """The second comes first; the first one's call, due a moment later, is gone with its request."""
    hand = Hand("claim_slot", effectful=True)
    mind = Mind([1.0, CLAIM], [0.19, CLAIM], ["It is yours."])
    async with call(TwoMinds(mind), tools=[hand]) as c:
        await c.greeted()
        c.says("Tuesday.")
        await c.passes(4)
    assert len(hand.begun) == 1
    assert len(mind.requests) == 3


@pytest.mark.parametrize("fault", [refused(), dropped()], ids=["refused", "dropped"])
async def test_the_fallback_takes_over_from_a_failure_at_once(fault: ProviderError) -> None:
    hedge = Hedge(Mind([0.1, fault]), Mind(["Yes, it is."]))
    began_s = now_s()
    assert await hedge.says() == "Yes, it is."
    assert now_s() - began_s < LATE_S
    [hedged] = hedge.told
    assert (hedged.reason, hedged.won) == ("failed", "second")
    assert (hedged.extra_tokens == 0) == isinstance(fault, ProviderRefused)


async def test_without_fallback_a_failure_is_whoever_asked_to_deal_with() -> None:
    mind = Mind([dropped()], ["Yes."])
    hedge = Hedge(mind)
    with pytest.raises(ProviderDropped):
        await hedge.says()
    assert len(mind.requests) == 1


async def test_of_two_failures_the_one_that_a_retry_may_help_is_told() -> None:
    hedge = Hedge(Mind([refused()]), Mind([dropped()]))
    with pytest.raises(ProviderDropped):
        await hedge.says()
    assert [hedged.won for hedged in hedge.told] == ["none"]


async def test_a_failure_while_the_other_still_runs_is_no_failure() -> None:
    hedge = Hedge(Mind([1.0, dropped()], [1.0, "Yes, it is."]))
    assert await hedge.says() == "Yes, it is."


async def test_what_breaks_after_its_clause_breaks_the_reply() -> None:
    """Its words have been spoken: another request would say them again."""
    hedge = Hedge(Mind(["Yes, it is. ", dropped()]), Mind(["Never said."]))
    with pytest.raises(ProviderDropped):
        await hedge.says()
    assert hedge.told == []


async def test_an_empty_reply_is_no_reply_as_long_as_another_may_come() -> None:
    hedge = Hedge(Mind([]), Mind(["Yes, it is."]))
    assert await hedge.says() == "Yes, it is."
    assert await Hedge(Mind([]), Mind([])).reply() == [ReplyFinished("stop")]


async def test_leaving_early_cancels_both_and_tells_what_they_cost() -> None:
    mind = Mind([5.0, "A."], [5.0, "B."])
    hedge = Hedge(mind)
    reading = asyncio.create_task(hedge.reply())
    await asyncio.sleep(1.0)
    reading.cancel()
    await asyncio.wait([reading])
    assert mind.cancelled == 2
    assert [(hedged.won, hedged.extra_tokens > 0) for hedged in hedge.told] == [("none", True)]


async def test_a_call_may_ask_twice_only_so_often() -> None:
    slow: list[Beat] = [1.0, "First."]
    mind = Mind(slow, [5.0], slow, slow)
    hedge = Hedge(mind, requests_per_call=1)
    for _ in range(2):
        assert await hedge.says() == "First."
    assert len(mind.requests) == 3
    assert [hedged.won for hedged in hedge.told] == ["first", "capped"]


async def test_a_call_may_waste_only_so_many_tokens() -> None:
    slow: list[Beat] = [1.0, "First."]
    hedge = Hedge(Mind(slow, [5.0], slow), tokens_per_call=1)
    for _ in range(2):
        await hedge.says()
    assert [hedged.won for hedged in hedge.told] == ["first", "capped"]


async def test_an_orgs_calls_share_one_budget() -> None:
    budget = HedgeBudget(share=0.5, burst=1)
    slow: list[Beat] = [1.0, "First."]
    outcomes = []
    for _ in range(4):
        hedge = Hedge(Mind(slow, [5.0]), budget=budget)
        await hedge.says()
        outcomes += [hedged.won for hedged in hedge.told]
    assert outcomes == ["first", "capped", "first", "capped"]


async def test_a_reply_is_not_late_before_the_caller_waits_for_it() -> None:
    mind = Mind([5.0, "Late."], ["Yes, it is."])
    hedge = Hedge(mind)
    hedge.model.caller_waits(False)
    said = asyncio.create_task(hedge.says())
    await asyncio.sleep(2)
    assert len(mind.requests) == 1
    hedge.model.caller_waits(True)
    hedge.model.caller_waits(True)
    await asyncio.sleep(LATE_S - 0.01)
    assert len(mind.requests) == 1
    assert await said == "Yes, it is."
    assert [hedged.won for hedged in hedge.told] == ["second"]


@pytest.mark.parametrize("guessed", [True, False], ids=["guessed", "never guessed"])
async def test_a_reply_begun_while_the_caller_speaks_is_late_by_the_callers_clock(guessed: bool) -> None:
    mind = Mind([9.0, "Late."], ["Yes, it is."])
    async with call(TwoMinds(mind), speculation="interim", interim_sentence_s=0.1) as c:
        await c.greeted()
        c.speaks("Is Tuesday free?")
        await c.passes(1.5)
        assert len(mind.requests) == 1
        c.ear.hears(EagerEndOfTurn("Is Tuesday free?") if guessed else EndOfTurn("Is Tuesday free?"))
        await c.passes(LATE_S - 0.1)
        assert len(mind.requests) == 1
        await c.passes(0.2)
        assert len(mind.requests) == 2


@pytest.mark.parametrize(
    ("took_s", "late_s"),
    [
        ([2.0] * (FEWEST - 1), 0.8),
        ([0.4] * 70 + [2.0] * 30, 2.0),
        ([0.4] * 71 + [2.0] * 29, 0.8),
        ([2.0] * 31 + [0.4] * RECENT, 0.8),
        ([0.4] * RECENT + [1.1, 1.2, 1.3] * 30, 1.2),
        ([30.0] * 100, 3.2),
    ],
    ids=["too few", "the slowest share", "a smaller share", "long ago", "slower of late", "an outage"],
)
async def test_what_is_late_follows_the_slowest_share_of_recent_replies(
    took_s: Sequence[float], late_s: float
) -> None:
    budget = HedgeBudget(share=0.3)
    for each in took_s:
        budget.note(each)
    assert budget.late_s(LATE_S) == late_s


async def test_what_the_caller_did_not_wait_for_makes_nothing_late() -> None:
    budget = HedgeBudget(share=0.3)
    for _ in range(FEWEST):
        hedge = Hedge(Mind([3.0, "Long ago."]), budget=budget)
        hedge.model.caller_waits(False)
        await hedge.says()
    assert budget.late_s(LATE_S) == LATE_S


async def test_a_slow_models_second_requests_go_to_its_latest_replies() -> None:
    """Every reply takes longer than the least wait; second ones come for the latest, within the share."""
    budget = HedgeBudget(share=0.3)
    told = []
    for number in range(300):
        first_s = STALL_S if number % 10 == 5 else 1.5 + number * 0.618 % 1
        hedge = Hedge(Mind([first_s, "First."], [1.6, "Second."]), budget=budget)
        await hedge.says()
        told += [(first_s, hedged.won) for hedged in hedge.told if number >= 100]
    asked_twice = [first_s for first_s, won in told if won != "capped"]
    assert asked_twice.count(STALL_S) >= 18
    assert len(asked_twice) <= 0.3 * 200 + 10


async def test_a_spent_budget_does_not_keep_the_fallback_from_taking_over() -> None:
    budget = HedgeBudget(share=0.01, burst=1)
    assert budget.spend()
    hedge = Hedge(Mind([1.0, dropped()]), Mind(["Yes, it is."]), budget=budget)
    assert await hedge.says() == "Yes, it is."
    assert [(hedged.reason, hedged.won) for hedged in hedge.told] == [
        ("late", "capped"),
        ("failed", "second"),
    ]


async def test_both_models_are_warmed() -> None:
    warmed = []

    class Warm(Mind):
        async def warm_up(self) -> None:
            warmed.append(self)

    first, fallback = Warm(), Warm()
    await Hedge(first, fallback).model.warm_up()
    assert warmed == [first, fallback]
