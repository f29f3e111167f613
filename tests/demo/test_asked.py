"""What a recorded caller asks for: read from beside the recording, judged in the clinic's time."""

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bench.demo.asked import Asked, AskedUnreadable, read_asked

LONDON = ZoneInfo("Europe/London")
# A Tuesday in summer: 09:30 UTC is 10:30 in London.
TUESDAY = datetime(2027, 6, 15, 9, 30, tzinfo=UTC)
SERVICE = "Rhinoplasty consultation"


@pytest.mark.parametrize(
    ("asked", "met"),
    [
        (Asked(), True),
        (Asked("tuesday", time(10, 30), "rhinoplasty"), True),
        (Asked("tuesday", time(9, 30)), False),
        (Asked("wednesday", time(10, 30)), False),
        (Asked("tuesday", time(10, 30), "botox"), False),
        (Asked(service="rhinoplasty"), True),
    ],
)
def test_a_slot_meets_what_was_asked(asked: Asked, met: bool) -> None:
    assert asked.met_by(TUESDAY, SERVICE, LONDON) is met


def test_read_from_the_file_beside(tmp_path: Path) -> None:
    (tmp_path / "call.toml").write_text('[asked]\nweekday = "Friday"\ntime = "14:00"\nservice = "Botox"\n')
    assert read_asked(tmp_path / "call.wav") == Asked("friday", time(14, 0), "botox")


def test_any_slot_will_do_without_a_file(tmp_path: Path) -> None:
    assert read_asked(tmp_path / "call.wav") == Asked()


@pytest.mark.parametrize(
    "text", ["[asked", 'asked = "x"', '[asked]\nweekday = "Someday"', '[asked]\ntime = "late"']
)
def test_nonsense_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "call.toml").write_text(text)
    with pytest.raises(AskedUnreadable, match=r"call\.toml"):
        read_asked(tmp_path / "call.wav")


def test_each_bundled_recording_says_what_it_asks_for() -> None:
    folder = Path(__file__).parents[2] / "bench" / "demo" / "recordings"
    asked = {file.stem: str(read_asked(file)) for file in folder.glob("*.wav")}
    assert asked == {
        "tuesday": "Tuesday 10:30 for a certain service",
        "thursday": "Thursday 14:00 for a certain service",
        "wednesday": "Wednesday 15:30 for a certain service",
        "question": "any slot",
    }
