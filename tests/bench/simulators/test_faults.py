"""The plan of what goes wrong."""

import pytest

from bench.simulators.faults import DropSocket, Faults, Refuse, Stall


def test_a_fault_strikes_once_unless_told_otherwise() -> None:
    faults = Faults()
    faults.add(Refuse(status=429))
    assert faults.take(Refuse) == Refuse(status=429)
    assert faults.take(Refuse) is None


def test_a_lasting_fault_strikes_until_cleared() -> None:
    faults = Faults()
    faults.add(Stall(), times=None)
    assert [faults.take(Stall) for _ in range(3)] == [Stall()] * 3
    faults.clear()
    assert faults.take(Stall) is None
    assert len(faults.struck) == 3


def test_only_faults_of_the_kind_that_are_due_are_taken_oldest_first() -> None:
    faults = Faults()
    late, early, other = DropSocket(after_audio_ms=900), DropSocket(after_audio_ms=100), Refuse()
    for fault in (late, other, early):
        faults.add(fault)
    assert faults.take(DropSocket, lambda fault: fault.after_audio_ms <= 500) == early
    assert faults.take(DropSocket, lambda fault: fault.after_audio_ms <= 500) is None
    assert faults.take(DropSocket) == late


@pytest.mark.parametrize("times", [0, -1])
def test_a_fault_that_never_strikes_is_a_mistake(times: int) -> None:
    with pytest.raises(ValueError, match="at least once"):
        Faults().add(Refuse(), times=times)
