"""`python -m bench ttfb`, short: our own gateway as a child, real servers, real audio in real time."""

import json
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.demo.ports import reserved
from bench.harness.floor import Policy
from bench.harness.results import Result
from bench.harness.target import Address
from bench.ttfb import Load, Outputs, Setup, report, warn_of_fewer

FRAME_MS = 20


def test_a_short_run_is_measured_by_its_audio_and_told_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        [
            "ttfb", "--turns", "2", "--model", "quick", "--slo", "p95<5000",
        "--json", str(tmp_path / "r.json"), "--html", str(tmp_path / "r.html"),
        ]
    )  # fmt: skip
    told = json.loads((tmp_path / "r.json").read_text())
    assert code == 0, told["calls_failed"]
    assert told["outcomes"]["answered"] == 2
    assert told["greeting"]["n"] == 1
    assert told["greeting"]["p50"] > 0
    for turn in told["turns"]:
        assert turn["floor_ms"] <= turn["ttfb_ms"] < 5000
        assert abs(turn["difference_ms"]) < 200
        # the end of speech is known to a frame: the stage may be that much shorter than the vendor's delay
        assert turn["stages_ms"]["end_of_turn"] >= turn["drawn_ms"]["stt_end"] - FRAME_MS
        assert turn["requests"] >= 1
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    shown = capsys.readouterr()
    assert "TTFB, heard" in shown.out
    assert shown.err.startswith("starting servers")


def test_a_setting_that_the_gateway_does_not_read_is_refused() -> None:
    assert main(["ttfb", "--turns", "1", "--set", "NO_SUCH_SETTING=1"]) == 2


@pytest.mark.parametrize("url", ["ftp://example.org", "wss://:8080/media", "http://127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ttfb", "--turns", "1", "--url", url])
    assert ended.value.code == 2


@pytest.mark.parametrize("command", ["ttfb", "load", "barge-in"])
def test_where_nobody_listens_nothing_can_be_run(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with reserved("127.0.0.1", 0) as port:
        assert main([command, "--url", f"wss://127.0.0.1:{port}/media"]) == 2
    told = capsys.readouterr()
    assert f"nobody listens at 127.0.0.1:{port}: no connection" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--slo", "foo.p50<3"], "'foo' is no measure"),
        (["--turns", "0"], "'0' is no number from 1 on"),
        (["--at-once", "0"], "'0' is no number from 1 on"),
    ],
)
def test_what_could_not_be_judged_is_refused_before_anything_starts(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ttfb", *arguments])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert why in told
    assert "starting servers" not in told


def test_a_result_tells_how_many_calls_there_were_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert Load(turns=60, per_call=6, at_once=10).facts() == {"turns": 60, "per_call": 6, "at_once": 10}
    few = Load(turns=25, per_call=10, at_once=10)
    assert few.facts()["at_once"] == 3
    warn_of_fewer(len(few.calls()), few.at_once)
    assert capsys.readouterr().err == "no more than 3 of 10 calls at once: there are no more calls\n"
    warn_of_fewer(10, 10)
    assert capsys.readouterr().err == ""


def test_no_floor_is_told_of_delays_that_were_not_drawn() -> None:
    flux, policy = {"STT_MODEL": "flux-general-multi"}, Policy("eager")
    assert Setup(policy=policy).policy_known == Setup(policy=policy, settings=flux).policy_known == policy
    assert Setup(policy=policy, settings={"STT_MODEL": "nova-3"}).policy_known is None
    assert Setup(policy=policy, address=Address("wss://gw.example.com/media")).policy_known is None


def test_a_run_without_a_measured_turn_does_not_end_well(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = Result("ttfb", {"kind": "own"}, {"kind": "simulated", "model": "quick"}, None, [], {})
    assert report(nothing, Outputs()) == 1
    assert "no turn was measured" in capsys.readouterr().err
