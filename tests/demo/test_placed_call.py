"""The order of a call."""

from pathlib import Path

import pytest

from bench.demo.placed_call import Order
from bench.recording import RecordingUnusable


def test_a_recording_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(RecordingUnusable, match=r"nope\.wav: no such file$"):
        Order.read(tmp_path / "nope.wav")
