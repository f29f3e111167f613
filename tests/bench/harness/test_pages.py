"""The page stands alone, and the result can be read back."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench.harness.figures import parse_objective
from bench.harness.floor import Policy
from bench.harness.page import ttfb_page, write_page
from bench.harness.plots import cdf, timeline
from bench.harness.results import SCHEMA, Outcome, Result, TurnResult, write_json
from bench.harness.waterfall import stage_table

STAGES = {
    "eager_end": 130.0,
    "end_of_turn": 250.0,
    "llm_request": 251.0,
    "llm_first_token": 501.0,
    "first_clause": 520.0,
    "tts_request": 520.0,
    "tts_first_audio": 610.0,
    "first_audio_sent": 611.0,
}


def turn(number: int, ttfb_ms: float | None, outcome: Outcome = "answered") -> TurnResult:
    return TurnResult(
        call="CA<script>",
        number=number,
        id=number,
        outcome=outcome,
        ttfb_ms=ttfb_ms,
        first_sound_ms=ttfb_ms,
        own_ttfb_ms=ttfb_ms and ttfb_ms - 2,
        overhead_ms=ttfb_ms and 3.0,
        floor_ms=600.0,
        stages_ms=STAGES,
        drawn_ms={},
        gaps_ms=[],
        requests=1,
    )


def result() -> Result:
    turns = [turn(1, 612.0), turn(2, 640.0), turn(3, None, "unanswered")]
    return Result(
        "ttfb", {"kind": "own"}, {"kind": "simulated", "model": "steady"}, Policy(), turns, {"unanswered": 1}
    )


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.outside += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_needs_no_network_and_no_script(tmp_path: Path) -> None:
    objectives = [parse_objective("p95<800"), parse_objective("p50<100")]
    write_page(ttfb_page(result(), objectives), tmp_path / "sub" / "page.html")
    text = (tmp_path / "sub" / "page.html").read_text()
    page = Page()
    page.feed(text)
    assert page.outside == []
    assert "script" not in page.tags
    assert page.tags.count("svg") == 5  # the median's waterfall, distribution, timeline, two turns
    assert "@import" not in text
    assert "url(" not in text
    assert '<p class="met">met: ttfb.p95' in text
    assert '<p class="missed">missed: ttfb.p50' in text


def test_the_result_says_what_was_measured(tmp_path: Path) -> None:
    write_json(result().as_json(), tmp_path / "r.json")
    told = json.loads((tmp_path / "r.json").read_text())
    assert told["schema"] == SCHEMA
    assert told["summary"]["ttfb"]["n"] == 2
    assert told["summary"]["over_floor"]["p50"] == 26.0
    assert told["outcomes"] == {"answered": 2, "filler_only": 0, "unanswered": 1}
    assert told["turns"][0]["difference_ms"] == 2.0
    assert told["turns"][2]["ttfb_ms"] is None


def test_stages_add_up_to_what_the_gateway_says() -> None:
    stages = {stage.name: stage for stage in stage_table([turn(1, 612.0)])}
    assert stages["recogniser: end of turn"].lasts_ms == 250
    assert stages["model: first token"].begins_ms == 251
    assert sum(stage.lasts_ms for name, stage in stages.items() if "guess" not in name) == 612.0


def test_a_guess_counts_from_what_it_followed_and_waits_for_the_end() -> None:
    guessed = replace(turn(1, 302.0), stages_ms=STAGES | {"llm_request": 132.0, "tts_first_audio": 240.0})
    stages = {stage.name: stage for stage in stage_table([guessed])}
    asked = stages["gateway: request to the model"]
    assert (asked.begins_ms, asked.lasts_ms) == (130, 2)
    assert stages["gateway: audio to the line"].begins_ms == 250
    interim = replace(turn(1, 302.0), stages_ms=STAGES | {"llm_request": -80.0})
    assert "gateway: request to the model" not in {stage.name for stage in stage_table([interim])}


@pytest.mark.parametrize("values", [[], [5.0], [5.0, 5.0], [-3.0, 700.0]])
def test_plots_stand_any_values(values: list[float]) -> None:
    for plot in (cdf({"a": values}), timeline({"a": [*values, None]})):
        assert plot.startswith("<svg")
        assert "nan" not in plot


def test_a_filler_has_its_own_figure_and_answers_nothing() -> None:
    answered, filled, alone = turn(1, 612.0), turn(2, 1900.0), turn(3, None, "filler_only")
    filled, alone = replace(filled, first_sound_ms=700.0), replace(alone, first_sound_ms=800.0)
    made = replace(result(), turns=[answered, filled, alone])
    assert made.values("first_filler") == [700.0, 800.0]
    assert made.values("ttfb") == [612.0, 1900.0]
    assert made.outcomes() == {"answered": 2, "filler_only": 1, "unanswered": 0}
    assert [each["first_filler_ms"] for each in made.as_json()["turns"]] == [None, 700.0, 800.0]
