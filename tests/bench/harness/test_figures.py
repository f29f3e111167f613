"""Percentiles, ratios with their uncertainty, objectives."""

import random

import pytest

from bench.harness.figures import (
    ObjectiveUnreadable,
    parse_objective,
    percentile,
    ratio,
    share_low,
    summary,
)


def test_summary_leaves_out_what_is_not_known() -> None:
    told = summary([100.0, None, 300.0])
    assert (told["n"], told["p50"], told["max"]) == (2, 200.0, 300.0)
    assert summary([None]) == {"n": 0}


def test_percentile_lies_between_its_neighbours() -> None:
    assert percentile([10.0, 20.0], 95) == pytest.approx(19.5)


def test_a_ratio_of_equals_holds_one_and_a_real_difference_does_not() -> None:
    chance = random.Random(1)
    before = [chance.gauss(600, 40) for _ in range(200)]
    again = [chance.gauss(600, 40) for _ in range(200)]
    faster = [value * 0.8 for value in again]
    same = ratio(before, again, 50)
    assert same.low < 1 < same.high
    assert ratio(before, faster, 50).high < 0.9
    assert ratio(before, faster, 50) == ratio(before, faster, 50)


@pytest.mark.parametrize(
    ("hits", "of", "low"),
    [
        (40, 40, 0.05 ** (1 / 40)),  # the share at which all hit once in twenty times
        (2000, 2000, 0.05 ** (1 / 2000)),
        (8, 10, 0.49310),
        (1, 2, 1 - 0.95 ** (1 / 2)),  # none would hit nineteen times in twenty
        (0, 5, 0.0),
        (0, 0, 0.0),
    ],
)
def test_the_low_end_of_a_share_depends_on_how_many_were_seen(hits: int, of: int, low: float) -> None:
    assert share_low(hits, of) == pytest.approx(low, abs=2e-5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("p95<800", "ttfb.p95<800"),
        (" p50 <= 505 ms ", "ttfb.p50<=505"),
        ("overhead.p99.9<20", "overhead.p99.9<20"),
        ("max<2000", "ttfb.max<2000"),
    ],
)
def test_objectives_are_read(text: str, told: str) -> None:
    assert str(parse_objective(text)) == told


def test_a_command_with_measures_of_its_own_takes_no_others() -> None:
    assert str(parse_objective("p95<=5", ["stale", "overlap"])) == "stale.p95<=5"
    with pytest.raises(ObjectiveUnreadable, match="there are stale, overlap"):
        parse_objective("ttfb.p95<5", ["stale", "overlap"])


@pytest.mark.parametrize("text", ["", "p95", "p95>800", "p101<5", "p95<fast", "other p95<1", "foo.p50<3"])
def test_what_is_no_objective_is_refused(text: str) -> None:
    with pytest.raises(ObjectiveUnreadable):
        parse_objective(text)


def test_an_objective_without_a_value_is_missed() -> None:
    objective = parse_objective("p50<=100")
    assert objective.met([100.0])
    assert not objective.met([101.0])
    assert not objective.met([])
