from typing import Any

from bench.overhead import HEADER, Load, Measured


def finished(
    outcome: str = "answered", overhead_ms: float | None = 2.0, ttfb_ms: float | None = 800.0
) -> Any:
    return {"type": "TurnFinished", "outcome": outcome, "overhead_ms": overhead_ms, "ttfb_ms": ttfb_ms}


def test_a_load_is_complete_when_every_turn_was_answered() -> None:
    measured = Measured(Load(calls=1, turns=2))
    measured.add(finished())
    measured.add({"type": "CallerSaid", "text": "yes"})
    assert not measured.complete
    measured.add(finished())
    assert measured.complete


def test_a_failed_turn_counts_against_it_and_has_no_overhead() -> None:
    measured = Measured(Load(calls=1, turns=1))
    measured.add(finished("failed", None, None))
    assert not measured.complete
    assert "| 1 | 0 of 1 | - | - |" in measured.row()


def test_a_row_fits_its_header() -> None:
    measured = Measured(Load(calls=1, turns=3))
    for overhead_ms in (1.0, 2.0, 9.0):
        measured.add(finished(overhead_ms=overhead_ms))
    assert "| 2.0 / 8.3 |" in measured.row()
    assert measured.row().count("|") == HEADER.splitlines()[0].count("|")
