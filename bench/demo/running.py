"""A demo that runs, as one needs to know it to call it: in a file that only its owner can read."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.carrier import Carrier, TwilioAccount
from bench.carrier.dialect import CallPlan
from bench.demo.phone import Phone


@dataclass(frozen=True, slots=True)
class Running:
    """Where its gateway, Redis and Postgres (as gw_app) are, and the account that both sides sign with.

    `twilio_url`: the simulated account's REST interface, None with a real account. `worker_url`: Postgres as
    gw_worker, None where nobody has told it. `issuer`: whose tokens the API takes, as issuer, audience and
    secret, None where they are signed elsewhere. `carriers`: its accounts at others than Twilio, each as id,
    secret and public key; `api_port`: where their REST interfaces are to be served.
    """

    public_url: str
    connect_url: str
    redis_url: str = field(repr=False)
    database_url: str = field(repr=False)
    account_sid: str
    auth_token: str = field(repr=False)
    twilio_url: str | None = None
    worker_url: str | None = field(default=None, repr=False)
    issuer: Sequence[str] | None = field(default=None, repr=False)
    carriers: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    api_port: int = 0

    def phone(self, number: str) -> Phone:
        """A caller's, which can read what is texted to it unless the account is a real one."""
        return Phone(number, self.twilio_url, self.account_sid, self.auth_token)

    def carrier(self, dialled: Callable[[CallPlan], None] = lambda plan: None) -> Carrier:
        """The phone company that calls this gateway; `dialled` as there."""
        account = TwilioAccount(self.account_sid, self.auth_token)
        return Carrier(self.public_url, account, connect_url=self.connect_url, dialled=dialled)

    def publish(self, folder: Path) -> Path:
        """Write it down; the file is the publisher's to remove."""
        file = folder / "demo.json"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self)))
        return file


def read_running(folder: Path) -> Running | None:
    """The demo whose file lies in `folder`, None if none does."""
    try:
        return Running(**json.loads((folder / "demo.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
