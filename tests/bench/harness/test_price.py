"""What speed costs: guesses thrown away, and tokens billed in vain."""

from dataclasses import replace

from bench.harness.results import Result, TurnResult, wasted_tokens
from bench.harness.turns import Turn
from bench.simulators.chat import ChatRequest
from bench.simulators.latency import TurnDelays
from tests.bench.harness.test_pages import turn


def result(*turns: TurnResult) -> Result:
    return Result("ttfb", {"kind": "own"}, {"kind": "simulated"}, None, list(turns), {})


def request(said: str, pieces_sent: int, **more: object) -> ChatRequest:
    return ChatRequest({}, {"messages": [{"role": "user", "content": said}], **more}, pieces_sent=pieces_sent)


def asked(early: list[ChatRequest], whole: list[ChatRequest]) -> Turn:
    delays = TurnDelays(eager_ms=130.0, end_ms=250.0, stable_ms=None)
    return Turn(1, "bobab", 1.0, delays, requests=whole, early_requests=early)


def test_the_share_thrown_away_is_of_guesses_and_not_of_turns() -> None:
    right = replace(turn(1, 400.0), speculated="interim")
    right_at_third = replace(turn(2, 420.0), speculated="eager", guesses_dropped=2)
    thrown = replace(turn(3, 600.0), speculated="thrown", guesses_dropped=1)
    price = result(right, right_at_third, thrown, replace(turn(4, 600.0), speculated="none")).price()
    assert price["thrown_away_share"] == 0.6, "three of five"
    assert result(turn(1, 400.0)).price()["thrown_away_share"] == 0, "nothing is told by other gateways"


def test_nothing_is_said_of_the_price_where_nobody_knows_it() -> None:
    foreign = Result("ttfb", {"kind": "address"}, {"kind": "the target's own"}, None, [turn(1, 400.0)], {})
    assert foreign.price() == {}
    assert "requests" not in foreign.as_json()["turns"][0]
    assert result(turn(1, 400.0)).as_json()["turns"][0]["requests"] == 1


def test_a_request_in_vain_costs_its_prompt_too() -> None:
    early = request("Could you tell", pieces_sent=0)
    won, lost = request("Could you tell me", pieces_sent=9), request("Could you tell me", pieces_sent=1)
    assert wasted_tokens(asked([early], [lost, won])) == 3 + (4 + 1)
    assert wasted_tokens(asked([], [won])) == 0
    assert wasted_tokens(asked([], [])) == 0


def test_tools_are_a_part_of_the_prompt() -> None:
    bare = request("Hello", pieces_sent=2).tokens_billed
    assert bare == 3
    assert request("Hello", 2, tools=[{"type": "function"}]).tokens_billed > bare
