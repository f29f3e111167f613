"""The arguments of `python -m bench carrier`, and the check that they ask for."""

import argparse
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from bench.caller import Manners
from bench.carrier.check import Check, run_check
from bench.carrier.credentials import CARRIERS, CredentialsUnusable, account_of
from bench.carrier.dialect import Account
from bench.carrier.faults import FaultUnreadable, LineFaults, parse_faults
from bench.carrier.vonage import VonageAccount
from bench.demo.clinic import CLINIC_NUMBER
from bench.demo.running import Running, read_running
from bench.demo.supervisor import run_folder
from bench.harness.target import TargetUnusable
from bench.harness.values import amount, port, result_file

CALLER: Final = "+442071838750"
LISTEN_S: Final = 5.0


def add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("carrier", choices=sorted(CARRIERS))
    parser.add_argument(
        "--url",
        help="https:// a gateway with our routes, or a number's webhook; wss:// a media socket "
        "(default: the demo that runs here, with its accounts)",
    )
    parser.add_argument("--connect-url", help="where the gateway really listens, if not at --url")
    parser.add_argument("--status-url", help="told of the call's end, for a webhook of another's")
    parser.add_argument("--number", default=CLINIC_NUMBER, help="dialled (default: %(default)s)")
    parser.add_argument("--caller", default=CALLER, help="whose number it is (default: %(default)s)")
    parser.add_argument("--audio", type=Path, metavar="FILE", help="what the caller says, turn by turn")
    parser.add_argument(
        "--listen",
        type=amount,
        default=LISTEN_S,
        metavar="S",
        help="to what follows the last turn (default: %(default)s)",
    )
    _add_credentials(parser)
    known = [field.name for field in fields(LineFaults) if field.name != "seed"]
    faults = parser.add_argument_group("what goes wrong", ", ".join(known))
    faults.add_argument("--faults", default="", metavar="NAME=VALUE,…", help="jitter=40,loss=0.02,…")
    faults.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of the faults (default: %(default)s)"
    )
    parser.add_argument("--json", type=result_file, metavar="FILE", help="write the report")
    parser.add_argument(
        "--wav", type=result_file, metavar="FILE", help="write both channels: caller left, agent right"
    )


def _add_credentials(parser: argparse.ArgumentParser) -> None:
    variables = "; ".join(f"{name}: {each[0]}, {each[1]}" for name, each in CARRIERS.items())
    account = parser.add_argument_group("the account", f"or by the environment: {variables}")
    account.add_argument("--account", metavar="ID", help="account SID, auth id, API key or application id")
    account.add_argument("--secret", help="auth token, signature secret, or Telnyx's signing key (base64)")
    account.add_argument(
        "--public-key", type=Path, metavar="PEM", help="of a Vonage application: opens its REST interface"
    )
    account.add_argument(
        "--answer-method", choices=("GET", "POST"), default="POST", help="of Vonage's answer address"
    )
    account.add_argument(
        "--api-port", type=port, default=0, metavar="PORT", help="of the carrier's REST interface (0: any)"
    )
    account.add_argument(
        "--api-host", default="127.0.0.1", metavar="HOST", help="where it is served (default: %(default)s)"
    )


def check(chosen: argparse.Namespace) -> int:
    """Raises `TargetUnusable`."""
    return run_check(check_of(chosen))


def _demo(chosen: argparse.Namespace) -> Running:
    """Raises `TargetUnusable`."""
    running = read_running(run_folder(Path.cwd()))
    if running is None:
        raise TargetUnusable("no demo runs here: start it with `make run`, or give --url")
    if chosen.account or chosen.secret:
        raise TargetUnusable("the demo's accounts are its own: --account and --secret go with --url")
    return running


def _account(chosen: argparse.Namespace) -> Account:
    """Raises `CredentialsUnusable`."""
    return account_of(chosen.carrier, chosen.account, chosen.secret, os.environ)


def demos_account(carrier: str, demo: Running) -> Account:
    """Raises `TargetUnusable` for a carrier whose account the demo was given by others."""
    if carrier == "twilio":
        return account_of(carrier, demo.account_sid, demo.auth_token, {})
    if carrier not in demo.carriers:
        raise TargetUnusable(
            f"the demo's {carrier} account was given to it: give --url, --account and --secret"
        )
    account_id, secret, public_key = demo.carriers[carrier]
    account = account_of(carrier, account_id, secret, {})
    return replace(account, public_key=public_key) if isinstance(account, VonageAccount) else account


def check_of(chosen: argparse.Namespace) -> Check:
    """Raises `TargetUnusable`."""
    demo = _demo(chosen) if chosen.url is None else None
    try:
        account = _account(chosen) if demo is None else demos_account(chosen.carrier, demo)
        faults = parse_faults(chosen.faults, chosen.seed)
        key = chosen.public_key.read_text() if chosen.public_key is not None else ""
    except (CredentialsUnusable, FaultUnreadable, OSError) as error:
        raise TargetUnusable(str(error)) from None
    if isinstance(account, VonageAccount):
        public_key = key or account.public_key
        account = replace(account, answer_method=chosen.answer_method, public_key=public_key)
    return Check(
        account=account,
        url=chosen.url if demo is None else demo.public_url,
        number=chosen.number,
        caller=chosen.caller,
        connect_url=chosen.connect_url if demo is None else demo.connect_url,
        status_url=chosen.status_url,
        api_host=chosen.api_host,
        api_port=chosen.api_port if demo is None or chosen.carrier == "twilio" else demo.api_port,
        audio=chosen.audio,
        manners=Manners(goodbye_s=chosen.listen),
        faults=faults,
        json=chosen.json,
        wav=chosen.wav,
    )
