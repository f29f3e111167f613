"""What an org's turns say of it, and when it changes its profile."""

from dataclasses import replace

import pytest

from gateway.latency import LatencyRules, OrgState, Status, Turn, figures, next_state, waited_ms
from pipeline.events import TurnFinished
from pipeline.turn.protocol import TurnOutcome

RULES = LatencyRules(min_turns=20, hold_s=600.0, calm_s=300.0, back_ms=650.0)
NOW_S = 10_000.0
NORMAL, TURBO = OrgState("normal", 0.0), OrgState("turbo", 1_000.0)


def turns(*ttfb_ms: float, at_s: float = NOW_S - 1) -> list[Turn]:
    return [Turn(at_s, each) for each in ttfb_ms]


@pytest.mark.parametrize(
    ("slowest_ms", "status"),
    [
        (499.9, "acceptable"),
        (500.0, "warning"),
        (799.9, "warning"),
        (800.0, "critical"),
        (4_000.0, "critical"),
    ],
)
def test_the_95th_percentile_gives_the_status(slowest_ms: float, status: Status) -> None:
    seen = figures(turns(*[300.0] * 18, slowest_ms, slowest_ms), NORMAL, NOW_S, RULES)
    assert (seen.status, seen.p50_ms, seen.p95_ms) == (status, 300.0, slowest_ms)


def test_one_slow_turn_in_twenty_is_not_the_95th_percentile() -> None:
    assert figures(turns(*[300.0] * 19, 4_000.0), NORMAL, NOW_S, RULES).status == "acceptable"


def test_too_few_turns_say_nothing() -> None:
    seen = figures(turns(*[4_000.0] * 19), NORMAL, NOW_S, RULES)
    assert (seen.turns, seen.status, seen.p95_ms) == (19, "unknown", None)
    assert next_state(NORMAL, seen, NOW_S, RULES) == NORMAL


def test_old_turns_and_those_before_the_last_switch_do_not_count() -> None:
    old = turns(*[4_000.0] * 30, at_s=NOW_S - RULES.window_s - 1)
    before = turns(*[4_000.0] * 30, at_s=NOW_S - 100)
    assert figures(old, NORMAL, NOW_S, RULES).turns == 0
    assert figures(before, replace(TURBO, since_s=NOW_S - 50), NOW_S, RULES).turns == 0


def test_of_many_turns_the_newest_count() -> None:
    rules = replace(RULES, turns=20)
    seen = figures([*turns(*[4_000.0] * 80, at_s=NOW_S - 9), *turns(*[200.0] * 20)], NORMAL, NOW_S, rules)
    assert (seen.turns, seen.p95_ms) == (20, 200.0)


def test_critical_switches_to_turbo_and_warning_does_not() -> None:
    critical = figures(turns(*[900.0] * 20), NORMAL, NOW_S, RULES)
    warning = figures(turns(*[700.0] * 20), NORMAL, NOW_S, RULES)
    assert next_state(NORMAL, critical, NOW_S, RULES) == OrgState("turbo", NOW_S)
    assert next_state(NORMAL, warning, NOW_S, RULES) == NORMAL


def test_nothing_switches_again_before_the_hold_is_over() -> None:
    just_back = OrgState("normal", NOW_S - RULES.hold_s + 1)
    critical = figures(turns(*[900.0] * 20), just_back, NOW_S, RULES)
    assert next_state(just_back, critical, NOW_S, RULES) == just_back
    assert next_state(just_back, critical, NOW_S + 1, RULES).profile == "turbo"


def test_turbo_ends_after_a_calm_time_below_the_lower_bound() -> None:
    calm = figures(turns(*[400.0] * 20), TURBO, NOW_S, RULES)
    waiting = next_state(TURBO, calm, NOW_S, RULES)
    assert (waiting.profile, waiting.calm_since_s) == ("turbo", NOW_S)
    assert next_state(waiting, calm, NOW_S + RULES.calm_s - 1, RULES) == waiting
    assert next_state(waiting, calm, NOW_S + RULES.calm_s, RULES) == OrgState("normal", NOW_S + RULES.calm_s)


def test_with_too_few_turns_turbo_ends_after_the_hold_and_the_window() -> None:
    ends_s = TURBO.since_s + RULES.hold_s + RULES.window_s
    few = figures(turns(*[900.0] * 19, at_s=ends_s - 1), TURBO, ends_s, RULES)
    assert few.status == "unknown"
    assert next_state(TURBO, few, ends_s - 1, RULES) == TURBO
    assert next_state(TURBO, few, ends_s, RULES) == OrgState("normal", ends_s)
    assert next_state(OrgState("normal", TURBO.since_s), few, ends_s, RULES).since_s == TURBO.since_s


def test_between_the_bounds_turbo_stays_and_calm_begins_anew() -> None:
    waiting = replace(TURBO, calm_since_s=NOW_S - 299)
    between = figures(turns(*[700.0] * 20), TURBO, NOW_S, RULES)
    assert next_state(waiting, between, NOW_S, RULES) == TURBO


@pytest.mark.parametrize(
    ("outcome", "ttfb_ms", "ended_s", "waited"),
    [
        ("answered", 320.0, 9.0, 320.0),
        ("failed", 320.0, 9.0, 320.0),
        ("failed", None, 9.0, 8_000.0),
        ("interrupted", None, 2.0, 1_000.0),
        ("failed", None, 1.25, None),
        ("silent", None, 9.0, None),
    ],
    ids=["heard", "heard, then failed", "failed", "caller gave up", "failed at once", "nothing to say"],
)
def test_a_turn_that_was_never_heard_counts_once_it_is_slow(
    outcome: TurnOutcome, ttfb_ms: float | None, ended_s: float, waited: float | None
) -> None:
    assert waited_ms(TurnFinished(1, {"speech_end": 1.0}, ttfb_ms, None, outcome), ended_s) == waited


def test_of_a_turn_without_speech_nothing_is_known() -> None:
    assert waited_ms(TurnFinished(1, {"llm_request": 1.0}, None, None, "failed"), 9.0) is None
