"""The demo as a newcomer runs it: real servers, real speech engines, real sockets, recorded callers.

The words of a call exist nowhere but in its audio: with other audio the same command fails or books another
slot.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from bench.demo.carriers import CARRIERS
from bench.validate import claims, follow_up, redaction, tenancy, ttfb
from tests.demo.validation import Validation, interrupted, validated

pytestmark = pytest.mark.timeout(420)

RECORDINGS = Path(__file__).parents[2] / "bench" / "demo" / "recordings"
INHERITED = ("PATH", "HOME", "TMPDIR", "LANG")
FETCHED_WITHIN_S = 300


@dataclass(frozen=True)
class Ended:
    """A command's exit code and what it printed."""

    code: int
    output: str


def environment() -> dict[str, str]:
    """Without any setting of the developer's own."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def bench(folder: Path, *arguments: str) -> Ended:
    """`python -m bench …` to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=FETCHED_WITHIN_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


class Serving:
    """A demo that goes on serving after its first call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench", "demo"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until_it_serves(self) -> str:
        """What it has printed by then."""
        printed = ""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            printed += line
            if line.lstrip().startswith("Stop "):
                break
        return printed

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self._process.pid).children(recursive=True)

    def stop(self) -> int:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=60)
        return self._process.returncode


@dataclass(frozen=True)
class Session:
    """What a first call, four further ones at once, a validation, the status, and the end brought."""

    first: str
    calls: Mapping[str, Ended]
    carriers: Mapping[str, Ended]
    once: Ended
    interrupted: Validation
    whole: Validation
    status: Ended
    stopped: int
    left_running: list[str]
    left_in_folder: list[str]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder, elsewhere = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("once")
    recordings = write_recordings(folder)
    serving = Serving(folder)
    try:
        with ThreadPoolExecutor() as pool:
            once = pool.submit(
                bench, elsewhere, "demo", "--once", "--call", str(RECORDINGS / "wednesday.wav")
            )
            first = serving.until_it_serves()
            calls = {
                name: pool.submit(bench, folder, "call", str(recording))
                for name, recording in recordings.items()
            }
            stopped_early = pool.submit(interrupted, folder, environment())
            called = pool.submit(as_other_carriers, folder)
            ended = {name: call.result() for name, call in calls.items()}
        whole = validated(folder, environment(), "--carrier", "plivo", "--claims", "8", "--ttfb-ms", "60000")
        status = bench(folder, "status")
        family = serving.family()
    finally:
        stopped = serving.stop()
    return Session(
        first=first,
        calls=ended,
        carriers=called.result(),
        once=once.result(),
        interrupted=stopped_early.result(),
        whole=whole,
        status=status,
        stopped=stopped,
        left_running=[" ".join(process.cmdline()) for process in family if process.is_running()],
        left_in_folder=[path.name for path in (folder / ".data" / "run").iterdir()],
    )


def write_recordings(folder: Path) -> dict[str, Path]:
    """Each asks for Tuesday according to the file beside it; what is heard is another matter."""
    soundfile.write(folder / "silence.wav", np.zeros(8000 * 5, np.float32), 8000)
    for name in ("thursday", "question"):
        shutil.copy(RECORDINGS / f"{name}.wav", folder)
    for name in ("silence", "thursday", "question"):
        shutil.copy(RECORDINGS / "tuesday.toml", folder / f"{name}.toml")
    return {name: folder / f"{name}.wav" for name in ("silence", "thursday", "question")}


def as_other_carriers(folder: Path) -> dict[str, Ended]:
    """One after the other: their REST interfaces share a port."""
    return {name: bench(folder, "carrier", name, "--listen", "0.5") for name in CARRIERS}


def test_the_first_call_is_understood_answered_and_booked(session: Session) -> None:
    assert "Understood, answered, and the slot asked for is booked." in session.first
    assert "claim_slot: held" in session.first
    assert "(keypad) ******" in session.first
    assert "confirm_booking: booked" in session.first
    assert "Row in appointments" in session.first
    assert session.first.count("TTFB") >= 4
    assert "end of turn" in session.first
    assert "http://127.0.0.1:" in session.first


def test_words_are_shown_redacted(session: Session) -> None:
    assert "[REDACTED: MEDICAL" in session.first
    printed = session.first + session.once.output + "".join(call.output for call in session.calls.values())
    assert "rhinoplasty" not in printed.lower()
    assert "botox" not in printed.lower()


def test_another_requested_day_holds_that_other_slot(session: Session) -> None:
    thursday = session.calls["thursday"]
    assert "Thursday" in thursday.output
    assert "14:00" in thursday.output
    assert "is not the one asked for (Tuesday 10:30 for a certain service)" in thursday.output
    assert thursday.code == 1


def test_silence_in_place_of_the_voice_fails(session: Session) -> None:
    silence = session.calls["silence"]
    assert "caller " not in silence.output
    assert "no slot is held" in silence.output
    assert silence.code == 1


def test_other_words_fail(session: Session) -> None:
    question = session.calls["question"]
    assert question.output.count("answered") >= 3
    assert "no slot is held" in question.output
    assert question.code == 1


@pytest.mark.parametrize("carrier", CARRIERS)
def test_each_other_carrier_can_call_it(session: Session, carrier: str) -> None:
    called = session.carriers[carrier]
    assert called.code == 0, called.output
    assert f"{carrier} call" in called.output
    assert called.output.endswith("good\n")


def test_once_ends_with_the_call(session: Session) -> None:
    assert session.once.code == 0, session.once.output
    assert "Wednesday" in session.once.output
    assert "Serving" not in session.once.output


def test_both_channels_are_recorded(session: Session) -> None:
    path = next(line for line in session.first.splitlines() if "Recording made" in line).split()[2]
    assert Path(path).stat().st_mode & 0o777 == 0o600
    audio, rate_hz = soundfile.read(path)
    assert rate_hz == 8000
    assert audio.shape[1] == 2
    assert np.abs(audio).max(axis=0).min() > 0.05


# --- python -m bench validate, status -----------------------------------------------------------------------
#
# TTFB is not judged here: how soon speech engines answer on a busy machine says nothing of the gateway.


def test_all_that_can_be_tried_passes(session: Session) -> None:
    run = session.whole
    assert run.report.get("checks"), run.error
    assert [(each["name"], each["told"]) for each in run.report["checks"] if not each["passed"]] == []
    assert (run.code, run.report["passed"], run.report["left"]) == (0, True, [])


def test_one_of_the_claims_has_won(session: Session) -> None:
    figures = session.whole.of(claims.NAME)["figures"]
    assert figures["statuses"] == {"201": 1, "409": 7}
    assert figures["with_alternatives"] == 7


def test_the_call_was_followed_up(session: Session) -> None:
    figures = session.whole.of(follow_up.NAME)["figures"]
    assert figures["campaign"]
    assert figures["state"] in ("sent", "delivered")


def test_what_the_caller_told_was_heard_and_masked(session: Session) -> None:
    figures = session.whole.of(redaction.NAME)["figures"]
    assert figures["masked"].keys() >= {canary.kind for canary in redaction.canaries()}
    assert figures["shown"] == []
    assert "of the transcript" in session.whole.of(redaction.NAME)["told"]


def test_each_turn_of_the_call_was_timed(session: Session) -> None:
    figures = session.whole.of(ttfb.NAME)["figures"]
    assert figures["answered"] == figures["turns"] == len(figures["turns_ms"])
    assert all(ms > 0 for ms in figures["turns_ms"])


def test_every_attempt_across_orgs_is_on_record(session: Session) -> None:
    figures = session.whole.of(tenancy.NAME)["figures"]
    assert figures["attempts"] == figures["refused"] == figures["recorded"] == 10


def test_a_validation_leaves_no_org_behind(session: Session) -> None:
    assert session.whole.after == session.whole.before


def test_nor_does_one_that_was_interrupted(session: Session) -> None:
    stopped = session.interrupted
    assert stopped.most_at_once == len(stopped.before) + 2
    assert (stopped.code, stopped.error) == (130, "validate: interrupted\n")
    assert stopped.after == stopped.before


def test_the_status_is_that_of_the_demo(session: Session) -> None:
    assert session.status.code in (0, 1)
    assert "Double bookings  none among" in session.status.output


def test_nothing_is_left_after_a_stop(session: Session) -> None:
    assert session.stopped == 0
    assert session.left_running == []
    assert not [name for name in session.left_in_folder if name.endswith((".pid", ".json"))]
