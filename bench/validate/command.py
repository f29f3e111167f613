"""`python -m bench validate`: five capabilities of a deployment that runs, tried out and told.

Exit codes: 0 whatever could be tried passed; 1 a check failed, or a trial org could not be removed yet; 2 it
could not be tried; 130 it was interrupted, and has removed what it made.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from bench.carrier import Account
from bench.carrier.arguments import demos_account
from bench.carrier.credentials import CARRIERS, account_of
from bench.demo.clinic import TRIAL_NUMBER, a_caller_number
from bench.demo.running import Running, read_running
from bench.demo.supervisor import run_folder
from bench.harness.speech import read_voice
from bench.harness.target import TargetUnusable
from bench.validate import claims, follow_up, redaction, tenancy, ttfb
from bench.validate.calling import place
from bench.validate.checked import Checked, NotTried
from bench.validate.deployment import Deployment, Issuer, reached
from bench.validate.trial import TRIAL_MINUTES, Trial, on_trial
from gateway.status.thresholds import TTFB_MS

ANSWERED_BY_DOCUMENT: Final = ("twilio", "plivo", "vonage")
"""Carriers whose part the command can play: of another's calls the carrier itself would have to know."""
PASSED, FAILED, NOT_TRIED, INTERRUPTED = 0, 1, 2, 130
TOKEN_NAME: Final = "VALIDATE_TOKEN"  # noqa: S105 - the variable's name
_MARKS: Final = {True: "passed", False: "FAILED", None: "skipped"}


@dataclass(frozen=True, slots=True)
class Options:
    """`url` None: the demo that runs in this folder. `account_id`: at the carrier, None: as the environment
    has it; `text_to`: the one number that may be texted.
    """

    url: str | None = None
    number: str | None = None
    carrier: str = "twilio"
    account_id: str | None = None
    text_to: str | None = None
    database_url: str | None = None
    claims: int = 20
    ttfb_ms: float = TTFB_MS
    as_json: bool = False


def run_validate(options: Options) -> int:
    """Try, print. The exit code."""
    left: list[UUID] = []
    try:
        deployment = chosen(options, os.environ, Path.cwd())
        checks = _interruptible(validate(deployment, options, left))
    except NotTried as why:
        sys.stderr.write(f"validate: {why}\n{_told(left)}")
        return NOT_TRIED
    except asyncio.CancelledError:
        sys.stderr.write(f"validate: interrupted\n{_told(left)}")
        return INTERRUPTED
    sys.stdout.write(_json(deployment, checks, left) if options.as_json else _page(deployment, checks, left))
    return FAILED if left or any(check.passed is False for check in checks) else PASSED


async def validate(deployment: Deployment, options: Options, left: list[UUID]) -> list[Checked]:
    """What came of each check; `left` gets the trial orgs that could not be removed. Raises `NotTried`."""
    async with reached(deployment) as api, on_trial(api, deployment.number, left) as trial:
        return await _checked(deployment, trial, options)


async def _checked(deployment: Deployment, trial: Trial, options: Options) -> list[Checked]:
    """The call first: what else is asked would keep a small machine from answering it."""
    call = await place(deployment, read_voice(redaction.RECORDING))
    found = await follow_up.follow_ups(trial.ours)
    return [
        await claims.check(trial.ours, options.claims),
        follow_up.check(deployment, call, found),
        await redaction.check(trial.ours, deployment.database_url),
        ttfb.check(call, options.ttfb_ms),
        await tenancy.check(trial),
    ]


def chosen(options: Options, environ: Mapping[str, str], root: Path) -> Deployment:
    """What is to be validated. Raises `NotTried`."""
    if options.url is None:
        running = read_running(run_folder(root))
        if running is None:
            raise NotTried("no demo runs here: start it with `make run`, or give --url")
        return of_demo(running, options.carrier)
    if urlsplit(options.url).scheme not in ("http", "https") or not urlsplit(options.url).netloc:
        raise NotTried("--url is the deployment's public address, https://…")
    if options.number is None:
        raise NotTried("--url needs --number: one of the carrier's account that no clinic has")
    return Deployment(
        url=options.url.rstrip("/"),
        platform_token=_token(environ),
        account=_account(options, environ),
        number=options.number,
        phone=options.text_to,
        database_url=options.database_url,
    )


def _account(options: Options, environ: Mapping[str, str]) -> Account:
    """That of the deployment at its carrier. Raises `NotTried`."""
    if options.carrier not in ANSWERED_BY_DOCUMENT:
        raise NotTried(f"{options.carrier} is answered by orders for calls that it knows: for the demo alone")
    id_variable, secret_variable, _ = CARRIERS[options.carrier]
    if not options.account_id and not environ.get(id_variable):
        raise NotTried(f"--url needs --account-id, or {id_variable}: whose number calls")
    if not environ.get(secret_variable):
        raise NotTried(f"{secret_variable} is missing: it signs the call")
    return account_of(options.carrier, options.account_id, None, environ)


def of_demo(running: Running, carrier: str = "twilio") -> Deployment:
    """Its texts end in a simulated account, so they may go to anybody. Raises `NotTried`."""
    if running.issuer is None:
        raise NotTried("the demo's API takes the tokens of somebody else's issuer: give --url")
    try:
        account = demos_account(carrier, running)
    except TargetUnusable as why:
        raise NotTried(str(why)) from None
    simulated = running.twilio_url is not None
    return Deployment(
        url=running.public_url,
        connect_url=running.connect_url,
        platform_token=Issuer(*running.issuer).platform_token(),
        account=account,
        number=TRIAL_NUMBER,
        phone=a_caller_number() if simulated else None,
        database_url=running.database_url,
        api_port=None if carrier == "twilio" else running.api_port,
    )


def _token(environ: Mapping[str, str]) -> str:
    """One that is given, or that the deployment's own secret signs."""
    if given := environ.get(TOKEN_NAME):
        return given
    names = ("API_JWT_ISSUER", "API_JWT_AUDIENCE", "API_JWT_SECRET")
    if not all(environ.get(name) for name in names):
        raise NotTried(f"a token of the platform is needed: {TOKEN_NAME}, or {', '.join(names)}")
    return Issuer(*(environ[name] for name in names)).platform_token()


def _interruptible(work: Coroutine[Any, Any, list[Checked]]) -> list[Checked]:
    """SIGINT, SIGTERM and SIGHUP cancel the work, which then removes what it made."""

    async def guarded() -> list[Checked]:
        working = asyncio.ensure_future(work)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, working.cancel)
        return await working

    return asyncio.run(guarded())


def _page(deployment: Deployment, checks: Sequence[Checked], left: Sequence[UUID]) -> str:
    width = max(len(check.name) for check in checks) + 3
    lines = [deployment.url, ""]
    lines += [f"{_MARKS[check.passed]:<9}{check.name:<{width}}{check.told}" for check in checks]
    return "\n".join([*lines, ""]) + _told(left)


def _told(left: Sequence[UUID]) -> str:
    """Of each org that is still there a line."""
    soon = f"could not be removed; the deployment does it by itself within {TRIAL_MINUTES + 2} minutes"
    return "".join(f"org {org_id} {soon}\n" for org_id in left)


def _json(deployment: Deployment, checks: Sequence[Checked], left: Sequence[UUID]) -> str:
    told = {
        "schema": "clinic-voice-gateway/validate/1",
        "made_at": datetime.now(UTC).isoformat(),
        "url": deployment.url,
        "passed": not left and all(check.passed is not False for check in checks),
        "checks": [asdict(check) for check in checks],
        "left": list(map(str, left)),
    }
    return json.dumps(told, indent=2) + "\n"
