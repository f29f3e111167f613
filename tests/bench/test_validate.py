"""`python -m bench validate`: what each check takes for a failure, and what the command is told.

Against what `make run` starts it is tried beside that, in `tests/demo`; stopped at any instant, in
`test_validate_interrupted.py`.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.carrier import PlivoAccount, TwilioAccount, VonageAccount
from bench.demo.running import Running
from bench.status import run_status
from bench.validate import claims, follow_up, redaction
from bench.validate.checked import NotTried
from bench.validate.command import Options, chosen, of_demo
from bench.validate.deployment import Answer
from bench.validate.redaction import Canary, canaries

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
        (Options(url="https://x", number="+1"), "TWILIO_ACCOUNT_SID"),
        (Options(url="https://x", number="+1", account_id="AC"), "TWILIO_AUTH_TOKEN"),
        (Options(url="https://x", number="+1", carrier="vonage"), "VONAGE_APPLICATION_ID"),
        (Options(url="https://x", number="+1", carrier="telnyx", account_id="K"), "for the demo alone"),
        (Options(url="https://x", number="+1", carrier="vonage", account_id="u"), "VONAGE_SIGNATURE_SECRET"),
    ],
)
def test_what_is_not_told_is_asked_for(options: Options, why: str, tmp_path: Path) -> None:
    with pytest.raises(NotTried, match=why):
        chosen(options, {"VALIDATE_TOKEN": "given"}, tmp_path)


def test_a_token_is_given_or_signed(tmp_path: Path) -> None:
    options = Options(url="https://x/", number="+1", account_id="AC")
    base = {"TWILIO_AUTH_TOKEN": "t"}
    with pytest.raises(NotTried, match="VALIDATE_TOKEN"):
        chosen(options, base, tmp_path)
    assert chosen(options, base | {"VALIDATE_TOKEN": "given"}, tmp_path).platform_token == "given"
    signing = {"API_JWT_ISSUER": "i", "API_JWT_AUDIENCE": "a", "API_JWT_SECRET": "s" * 32}
    signed = chosen(options, base | signing, tmp_path)
    assert signed.platform_token.count(".") == 2
    assert (signed.url, signed.phone) == ("https://x", None)
    assert "s" * 32 not in repr(signed) + repr(chosen)


def test_a_demo_is_called_by_an_account_that_it_made() -> None:
    demo = Running(
        public_url="http://x", connect_url="http://x", redis_url="", database_url="", account_sid="AC",
        auth_token="t", issuer=("i", "a", "s" * 32), carriers={"plivo": ("MA", "t", "")}, api_port=7,
    )  # fmt: skip
    by_plivo, by_twilio = of_demo(demo, "plivo"), of_demo(demo)
    assert (by_plivo.account, by_plivo.api_port) == (PlivoAccount("MA", "t"), 7)
    assert (by_twilio.account, by_twilio.api_port) == (TwilioAccount("AC", "t"), None)
    with pytest.raises(NotTried, match="vonage account was given to it"):
        of_demo(demo, "vonage")


def test_any_carriers_account_may_sign_the_call(tmp_path: Path) -> None:
    told = {"VALIDATE_TOKEN": "given", "VONAGE_APPLICATION_ID": "u-1", "VONAGE_SIGNATURE_SECRET": "s3cret"}
    made = chosen(Options(url="https://x", number="+1", carrier="vonage"), told, tmp_path)
    assert made.account == VonageAccount("u-1", "s3cret")
    assert "s3cret" not in repr(made)


@pytest.fixture(autouse=True)
def own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_status_without_a_demo_or_addresses_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_WORKER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        run_status(as_json=False)
    assert ended.value.code == 2
