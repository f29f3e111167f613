"""`bench hedge`: the same draws with and without second requests."""

import pytest

from bench.hedge import HedgeLoad, run_hedge


def test_second_requests_cut_the_stalls_and_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    load = HedgeLoad(after_s=[0, 1.5], requests=100, at_once=50, model="published", seed=1)
    assert run_hedge(load) == 0
    off, hedged = (line.split() for line in capsys.readouterr().out.splitlines()[-2:])
    assert off[0] == "off"
    assert float(off[4]) > 3_000
    assert float(hedged[5]) < 3_000
    assert (float(off[5]), float(hedged[6]) > 0) == (0.0, True)
