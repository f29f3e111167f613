"""Drawn delays have the percentiles they are named by, and are the same for who asks the same."""

import random
from pathlib import Path
from statistics import correlation

import pytest

from bench.harness.figures import percentile
from bench.simulators.latency import (
    MODELS,
    Draws,
    Fixed,
    HeavyTail,
    Latency,
    LatencyUnreadable,
    LogNormal,
    Stalling,
    changed,
    parse_latency,
)

DRAWS = 20_000


def drawn(latency: Latency) -> list[float]:
    chance = random.Random(7)
    return [latency.at(chance.random()) for _ in range(DRAWS)]


@pytest.mark.parametrize("latency", [LogNormal(380, 650), HeavyTail(380, 650)])
def test_percentiles_are_those_asked_for(latency: Latency) -> None:
    values = drawn(latency)
    assert percentile(values, 50) == pytest.approx(380, rel=0.03)
    assert percentile(values, 95) == pytest.approx(650, rel=0.05)


def test_a_heavy_tail_is_heavier() -> None:
    assert percentile(drawn(HeavyTail(380, 650)), 99.9) > 1.2 * percentile(drawn(LogNormal(380, 650)), 99.9)


def test_stalls_come_as_often_as_said() -> None:
    values = drawn(Stalling(LogNormal(380, 650), 0.02, 3000))
    assert values.count(3000) / DRAWS == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize(
    ("text", "latency"),
    [
        ("fixed:250", Fixed(250)),
        ("lognormal:260:350", LogNormal(260, 350)),
        ("heavy:260:350", HeavyTail(260, 350)),
        ("stalling:380:650:0.02:3000", Stalling(LogNormal(380, 650), 0.02, 3000)),
    ],
)
def test_distributions_are_read(text: str, latency: Latency) -> None:
    assert parse_latency(text) == latency


@pytest.mark.parametrize(
    "text",
    [
        "",
        "250",
        "fixed",
        "fixed:-1",
        "fixed:nan",
        "lognormal:350:260",
        "lognormal:0:5",
        "heavy:1",
        "stalling:1:2:3:4",
    ],
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(LatencyUnreadable):
        parse_latency(text)


def test_a_draw_depends_on_its_seed_and_key_alone() -> None:
    draws, again = Draws(MODELS["published"], 1), Draws(MODELS["published"], 1)
    asked = [draws.llm_ms(turn, 0) for turn in range(20)]
    assert [again.llm_ms(turn, 0) for turn in reversed(range(20))] == asked[::-1]
    assert draws.llm_ms(3, 1) != asked[3]
    assert Draws(MODELS["published"], 2).llm_ms(3, 0) != asked[3]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("nth", [0, 1, -1])
def test_a_hundred_turns_meet_each_hundredth_of_a_distribution_once(seed: int, nth: int) -> None:
    draws = Draws(MODELS["published"], seed)
    for begin in (0, 300):
        met = sorted(draws.llm_ms(turn, nth) for turn in range(begin, begin + 100))
        assert met.count(3000) == 2
        bounds = [draws.model.llm.at(edge / 100) for edge in range(1, 98)]
        assert all(below <= bound <= above for below, bound, above in _parted(met, bounds))


def _parted(met: list[float], bounds: list[float]) -> list[tuple[float, float, float]]:
    """Each bound between the draws that it parts."""
    return [(met[at], bound, met[at + 1]) for at, bound in enumerate(bounds)]


def test_providers_are_late_independently_of_each_other() -> None:
    draws = Draws(MODELS["published"], 1)
    llm = [draws.llm_ms(turn, 0) for turn in range(2000)]
    for other in (
        [draws.tts_ms(turn, 0) for turn in range(2000)],
        [draws.llm_ms(turn, 1) for turn in range(2000)],
    ):
        assert abs(correlation(llm, other)) < 0.06


def test_the_guess_comes_before_the_end_and_never_before_the_speech_ends() -> None:
    draws = Draws(MODELS["published"], 1)
    for turn in range(200):
        delays = draws.turn(turn)
        assert delays.eager_ms == max(0.0, delays.end_ms - 150)


def test_words_are_stable_early_in_two_turns_of_three() -> None:
    draws = Draws(MODELS["published"], 1)
    early = sum(draws.turn(turn).stable_ms is not None for turn in range(3000))
    assert early / 3000 == pytest.approx(2 / 3, abs=0.03)


def test_a_changed_model_says_so() -> None:
    assert changed(MODELS["steady"], llm=None, tts=None) is MODELS["steady"]
    assert changed(MODELS["steady"], llm=Fixed(1)).name == "steady, changed"


def test_what_was_recorded_comes_as_often_as_it_did(tmp_path: Path) -> None:
    record = tmp_path / "ttft.txt"
    record.write_text("# ms\n" + "\n".join(["300"] * 90 + ["900"] * 10) + "\n")
    recorded = parse_latency(f"recorded:{record}")
    values = drawn(recorded)
    assert min(values) == 300
    assert max(values) == 900
    assert sum(each == 300 for each in values) / DRAWS == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("text", ["", "300\n" * 19, "300\n" * 30 + "soon", "300\n" * 30 + "-1", "nan\n" * 30])
def test_a_record_that_tells_nothing_is_refused(tmp_path: Path, text: str) -> None:
    record = tmp_path / "ttft.txt"
    record.write_text(text)
    with pytest.raises(LatencyUnreadable, match=r"ttft\.txt"):
        parse_latency(f"recorded:{record}")


def test_a_record_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LatencyUnreadable, match="none"):
        parse_latency(f"recorded:{tmp_path / 'none'}")
