"""Accounts at the carriers beside Twilio, which exist on this machine alone: the demo's gateway is given
them, `python -m bench carrier` calls with them and serves their REST interfaces while it does.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bench.carrier import PlivoAccount, TelnyxAccount, VonageAccount
from bench.carrier.dialect import Account
from bench.carrier.own import new_account

CARRIERS: Final = ("plivo", "telnyx", "vonage")
API_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """As the command line of `bench carrier` takes them. `public_key`: PEM, Vonage's alone."""

    account: str
    secret: str = field(repr=False)
    public_key: str = ""


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """`settings`: the gateway's."""

    credentials: Credentials
    settings: Mapping[str, str] = field(repr=False)


def new_accounts(api_port: int) -> dict[str, DemoAccount]:
    """By carrier. `api_port`: where their REST interfaces are, of which one is served at a time."""
    made = {name: new_account(name) for name in CARRIERS}
    api_url = f"http://{API_HOST}:{api_port}"
    return {
        name: DemoAccount(_credentials(own.account), own.environment(api_url)) for name, own in made.items()
    }


def _credentials(account: Account) -> Credentials:
    match account:
        case PlivoAccount(auth_id, token):
            return Credentials(auth_id, token)
        case TelnyxAccount(api_key, seed):
            return Credentials(api_key, base64.b64encode(seed).decode())
        case VonageAccount(application_id, secret, public_key):
            return Credentials(application_id, secret, public_key)
    raise ValueError(account.name)
