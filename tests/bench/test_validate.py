"""`python -m bench validate` against what `make run` starts: real servers and speech, one call for all of it.

TTFB is not judged here: how soon speech engines answer on a busy machine says nothing of the gateway.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from bench.demo.plan import make_plan
from bench.demo.supervisor import Supervisor
from bench.status import run_status
from bench.validate import claims, follow_up, redaction, tenancy, ttfb
from bench.validate.checked import NotTried
from bench.validate.command import Options, chosen
from bench.validate.deployment import Answer
from bench.validate.redaction import Canary, canaries

pytestmark = pytest.mark.timeout(300)

INHERITED = ("PATH", "HOME", "TMPDIR", "LANG")
PATIENT_S = 120.0


@dataclass(frozen=True)
class Run:
    """The command's end, its report, and which orgs there were before and after."""

    code: int | None
    report: dict[str, Any]
    error: str
    before: list[UUID]
    after: list[UUID]

    def of(self, name: str) -> dict[str, Any]:
        return next(check for check in self.report["checks"] if check["name"] == name)


@dataclass(frozen=True)
class Session:
    whole: Run
    interrupted: Run
    most_at_once: int
    status: int
    shown: str


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return asyncio.run(_session(tmp_path_factory.mktemp("validated")))


async def _session(root: Path) -> Session:
    async with Supervisor(make_plan({}), root, lambda name, what, seconds: None) as supervisor:
        running = supervisor.running
        assert running.worker_url is not None
        worker = await asyncpg.connect(running.worker_url)
        try:
            whole = await _validated(root, worker, "--claims", "8", "--ttfb-ms", "60000")
            interrupted, most = await _interrupted(root, worker)
        finally:
            await worker.close()
        status = await _bench(root, "status")
        told, _ = await status.communicate()
    return Session(whole, interrupted, most, status.returncode or 0, told.decode())


async def _orgs(worker: asyncpg.Connection) -> list[UUID]:
    return [row[0] for row in await worker.fetch("select app.org_ids(null, 1000)")]


async def _bench(root: Path, *arguments: str) -> asyncio.subprocess.Process:
    environ: Mapping[str, str] = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench", *arguments, cwd=root, env=environ,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def _validated(root: Path, worker: asyncpg.Connection, *arguments: str) -> Run:
    before = await _orgs(worker)
    process = await _bench(root, "validate", "--json", *arguments)
    async with asyncio.timeout(PATIENT_S):
        out, err = await process.communicate()
    report = json.loads(out) if out else {}
    return Run(process.returncode, report, err.decode(), before, await _orgs(worker))


async def _interrupted(root: Path, worker: asyncpg.Connection) -> tuple[Run, int]:
    """Ctrl-C as soon as both orgs are there; and how many there were at the most."""
    before = await _orgs(worker)
    process = await _bench(root, "validate")
    async with asyncio.timeout(PATIENT_S):
        while len(found := await _orgs(worker)) < len(before) + 2:
            assert process.returncode is None
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()
    return Run(process.returncode, {}, err.decode(), before, await _orgs(worker)), len(found)


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
    assert figures["masked"].keys() >= {canary.kind for canary in canaries()}
    assert figures["shown"] == []
    assert "of the transcript" in session.whole.of(redaction.NAME)["told"]


def test_each_turn_of_the_call_was_timed(session: Session) -> None:
    figures = session.whole.of(ttfb.NAME)["figures"]
    assert figures["answered"] == figures["turns"] == len(figures["turns_ms"])
    assert all(ms > 0 for ms in figures["turns_ms"])


def test_every_attempt_across_orgs_is_on_record(session: Session) -> None:
    figures = session.whole.of(tenancy.NAME)["figures"]
    assert figures["attempts"] == figures["refused"] == figures["recorded"] == 10


def test_nothing_is_left_behind(session: Session) -> None:
    assert session.whole.after == session.whole.before


def test_nothing_is_left_behind_by_one_that_was_interrupted(session: Session) -> None:
    assert session.most_at_once == len(session.interrupted.before) + 2
    assert session.interrupted.code == 130
    assert session.interrupted.after == session.interrupted.before


def test_the_status_is_that_of_the_demo(session: Session) -> None:
    assert session.status in (0, 1)
    assert "Double bookings  none among" in session.shown


# --- what each check takes for a failure --------------------------------------------------------------------


def answer(status: int, **body: Any) -> Answer:
    return Answer(status, json.dumps(body), body, 1.0)


@pytest.mark.parametrize(
    ("statuses", "free", "passed"),
    [((201, 409, 409), False, True), ((201, 201, 409), False, False), ((409, 409, 409), False, False),
     ((201, 409, 500), False, False), ((201, 409, 409), True, False)],
)  # fmt: skip
def test_claims_fail_unless_exactly_one_wins(statuses: tuple[int, ...], free: bool, passed: bool) -> None:
    answers = [answer(status, alternatives=[{"id": "1"}]) for status in statuses]
    assert claims._judged(answers, slot_still_free=free).passed is passed


def test_a_loser_who_is_told_nothing_fails_the_claims() -> None:
    assert claims._judged([answer(201), answer(409)], slot_still_free=False).passed is False


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("my name is [REDACTED: PERSON]", set()),
        ("Margaret called", {"PERSON"}),
        ("on 07700 900-456 or", {"PHONE"}),
        ("0770090045", set()),
        ("about a Nose Job, and diabetes", {"MEDICAL"}),
        ("diabetesx", set()),
    ],
)
def test_a_canary_is_found_however_it_is_written(text: str, shown: set[str]) -> None:
    assert {canary.kind for canary in canaries() if canary.in_text(text)} == shown


def test_a_canary_that_is_shown_or_was_never_heard_fails_redaction() -> None:
    masked = {"PERSON": 1}
    assert redaction._judged([], [], masked, 3, turns=1).passed is True
    assert redaction._judged(["PERSON"], [], masked, 3, turns=1).passed is False
    assert redaction._judged([], ["PHONE"], masked, 3, turns=1).passed is False
    assert not Canary("PHONE").in_text("07700 900456")


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"handed_at": "2026-11-21T10:00:06Z"}, False),
        ({"handed_at": None}, False),
        ({"campaign_id": None}, False),
    ],
)
def test_a_follow_up_that_is_late_or_has_no_campaign_fails(changes: dict[str, Any], passed: bool) -> None:
    one = {
        "state": "sent", "reason": None, "campaign_id": "1", "settled_at": "2026-11-21T10:00:00Z",
        "handed_at": "2026-11-21T10:00:05Z",
    } | changes  # fmt: skip
    assert follow_up._judged([one], None).passed is passed
    assert follow_up._judged([one, one], None).passed is False


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (Options(), "no demo runs here"),
        (Options(url="ftp://x"), "https"),
        (Options(url="https://x"), "--number"),
        (Options(url="https://x", number="+1", account_sid="AC"), "TWILIO_AUTH_TOKEN"),
    ],
)
def test_what_is_not_told_is_asked_for(options: Options, why: str, tmp_path: Path) -> None:
    with pytest.raises(NotTried, match=why):
        chosen(options, {}, tmp_path)


def test_a_token_is_given_or_signed(tmp_path: Path) -> None:
    options = Options(url="https://x/", number="+1", account_sid="AC")
    base = {"TWILIO_AUTH_TOKEN": "t"}
    with pytest.raises(NotTried, match="VALIDATE_TOKEN"):
        chosen(options, base, tmp_path)
    assert chosen(options, base | {"VALIDATE_TOKEN": "given"}, tmp_path).platform_token == "given"
    signing = {"API_JWT_ISSUER": "i", "API_JWT_AUDIENCE": "a", "API_JWT_SECRET": "s" * 32}
    signed = chosen(options, base | signing, tmp_path)
    assert signed.platform_token.count(".") == 2
    assert (signed.url, signed.phone) == ("https://x", None)
    assert "s" * 32 not in repr(signed) + repr(chosen)


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_status_without_a_demo_or_addresses_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_WORKER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        run_status(as_json=False)
    assert ended.value.code == 2
