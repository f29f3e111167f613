"""The benchmark of a claim: figures are medians over rounds, and a small run measures every contender."""

import pytest

from bench.booking import (
    CLAIM,
    GUARDED,
    HEADER,
    INSERT,
    MOST_DAYS,
    SELECT,
    SLOTS,
    SLOTS_A_DAY,
    UNPOLICED,
    UPDATE,
    Plan,
    Round,
    Times,
    run_booking,
)


def test_one_noisy_round_moves_no_figure() -> None:
    quiet, noisy = Round([1.0] * 100, 0.1, 0.02), Round([50.0] * 100, 5.0, 0.9)
    times = Times([quiet, noisy, quiet])
    assert (times.at(0.5), times.at(0.95)) == (1.0, 1.0)
    assert times.per_s == pytest.approx(1000)
    assert times.cpu_us == pytest.approx(200)


@pytest.mark.parametrize(("orgs", "practitioners", "days"), [(100, 5, 15), (1, 20, MOST_DAYS), (1000, 50, 1)])
def test_more_people_have_fewer_days(orgs: int, practitioners: int, days: int) -> None:
    plan = Plan([1], 1, durable=False, orgs=orgs, practitioners=practitioners)
    assert plan.days == days
    assert plan.orgs * plan.practitioners * plan.days * SLOTS_A_DAY >= SLOTS or days == MOST_DAYS
    clinics = plan.clinics()
    assert len({clinic.claim for clinic in clinics}) == orgs
    assert {len(clinic.practitioners) for clinic in clinics} == {practitioners}


def test_a_small_run_measures_every_contender(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_booking(Plan([1, 3], 30, durable=False, orgs=2, practitioners=2)) == 0
    table = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert table.startswith(HEADER)
    contenders = [SELECT, UPDATE, GUARDED, INSERT, CLAIM, UNPOLICED]
    assert [row[:2] for row in rows[2:]] == [[at_once, name] for at_once in "13" for name in contenders]
    for row in rows[2:]:
        assert float(row[2]) > 0
        assert float(row[4]) > 0
    assert all(("%" in row[6]) == (row[1] == CLAIM) for row in rows[2:])
