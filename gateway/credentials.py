"""`python -m gateway.credentials`: an org's own provider keys and carrier account.

The secret is read from standard input, never from the command line, where every user of the machine could
see it. It is checked, sealed with `MASTER_KEY` and stored; then all running gateways are told, over Redis, to
forget the old one: the next call goes by the new. Each change stands in the audit log, without the secret.

    python -m gateway.credentials set --org 9f… --provider deepgram < key.txt
    python -m gateway.credentials rotate --org 9f… --provider twilio < account.json
    python -m gateway.credentials test --org 9f… --provider deepgram
    python -m gateway.credentials reseal --org 9f…

A carrier's account is JSON: `{"account_sid": "AC…", "auth_token": "…"}` for Twilio, `{"auth_id": "MA…",
"auth_token": "…"}` for Plivo, `{"api_key": "…", "public_key": "…"}` for Telnyx, `{"application_id": "…",
"private_key": "-----BEGIN …", "signature_secret": "…"}` for Vonage; so is an account at Vapi, see
`docs/vapi.md`. For `google_calendar` it is the service account's key file. `rotate` tries the new secret at
the provider first, and keeps the old one if the new one is refused there; `test` tries the one that is kept.

Exit status: 0 when done, 1 if it could not be done, 2 for settings or arguments that make no sense.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TextIO
from uuid import UUID

from booking.db import open_pool
from booking.errors import BookingError
from booking.orgs import load_profile
from booking.types import OPERATOR, Claim
from gateway.errors import SecretInvalid, SecretUnknown, SettingsInvalid, SharedStoreAway
from gateway.metrics import Metrics
from gateway.sealing import open_vault
from gateway.settings import Settings, load
from gateway.shared_store import SharedStore
from gateway.tenancy.changes import tell_changed
from gateway.tenancy.credentials import shared_key
from gateway.tenancy.secrets import KEPT, MAX_CHARACTERS, OrgSecrets, require_secret
from gateway.tenancy.trials import Trial, try_secret

_WITH_SECRET: Final = ("set", "rotate")
_OF_ALL: Final = ("list", "reseal")
_STALE: Final = ", but Redis does not answer: an old copy may serve until CREDENTIALS_REDIS_S is over"


class Refused(Exception):
    """What was asked for cannot be done; the message is one line and holds no secret."""


def main(arguments: list[str] | None = None, stdin: TextIO = sys.stdin) -> int:
    """See the module."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = load()
    except SettingsInvalid as fault:
        sys.stderr.write(f"gateway.credentials: {fault}\n")
        return 2
    try:
        secret = _secret(chosen.provider, stdin) if chosen.action in _WITH_SECRET else ""
        told = asyncio.run(_act(settings, chosen, secret))
    except (Refused, SecretInvalid, SecretUnknown, BookingError) as error:
        sys.stderr.write(f"gateway.credentials: {error}\n")
        return 1
    sys.stdout.write(told)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.credentials",
        description="An org's own provider keys and carrier account.",
        epilog="`set` and `rotate` read the secret from standard input: a key; for twilio JSON with "
        "account_sid and auth_token, for plivo with auth_id and auth_token, for telnyx with api_key and "
        "public_key, for vonage with application_id, private_key (PEM) and signature_secret; for vapi with "
        "api_key and auth; for google_calendar a service account's key file.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, does in (
        ("set", "seal and store a secret, in place of an earlier one"),
        ("rotate", "the same for one that is there, unless its provider refuses the new one"),
        ("test", "try the secret at its provider"),
        ("list", "which providers have one, and since when; never the secret"),
        ("reseal", "put what an older master key sealed under the newest"),
        ("remove", "go back to the process-wide one"),
    ):
        action = actions.add_parser(name, help=does)
        action.add_argument("--org", type=UUID, required=True, help="the org's id")
        if name not in _OF_ALL:
            action.add_argument("--provider", choices=KEPT, required=True)
    return parser


def _secret(provider: str, stdin: TextIO) -> str:
    secret = stdin.read(MAX_CHARACTERS + 1).strip()
    require_secret(provider, secret)
    return secret


@dataclass(frozen=True, slots=True)
class _Work:
    """One action on one org's secrets."""

    settings: Settings
    secrets: OrgSecrets
    store: SharedStore
    claim: Claim
    provider: str
    secret: str

    async def set(self) -> str:
        await self.secrets.keep(self.claim, self.provider, self.secret, actor=OPERATOR)
        return f"{self.provider}: stored{await self._stale()}\n"

    async def rotate(self) -> str:
        await self._require_kept()
        trial = await try_secret(self.settings, self.provider, self.secret)
        if trial.verdict == "refused":
            raise Refused(f"{self.provider}: the provider refuses the new secret; the old one stays")
        await self.secrets.keep(self.claim, self.provider, self.secret, actor=OPERATOR)
        untried = "" if trial.verdict == "works" else ", untried: the provider gave no answer"
        return f"{self.provider}: rotated{untried}{await self._stale()}\n"

    async def test(self) -> str:
        trial = await try_secret(
            self.settings, self.provider, await self.secrets.opened(self.claim, self.provider)
        )
        if trial.verdict != "works":
            raise Refused(f"{self.provider}: {_told(trial)}")
        return f"{self.provider}: works\n"

    async def list(self) -> str:
        kept = await self.secrets.kept(self.claim)
        return "".join(f"{provider}\t{since:%Y-%m-%d %H:%M} UTC\n" for provider, since in kept.items())

    async def reseal(self) -> str:
        resealed = await self.secrets.reseal(self.claim, actor=OPERATOR)
        if not resealed:
            return "nothing to do\n"
        return f"resealed: {', '.join(resealed)}{await self._stale()}\n"

    async def remove(self) -> str:
        if not await self.secrets.remove(self.claim, self.provider, actor=OPERATOR):
            raise Refused(f"the org has no {self.provider} secret")
        return f"{self.provider}: removed{await self._stale()}\n"

    async def _require_kept(self) -> None:
        if self.provider not in await self.secrets.kept(self.claim):
            raise Refused(f"the org has no {self.provider} secret; `set` stores the first one")

    async def _stale(self) -> str:
        with suppress(SharedStoreAway):
            await tell_changed(self.store, shared_key(self.claim.org_id))
            return ""
        return _STALE


_ACTIONS: Final[Mapping[str, Callable[[_Work], Awaitable[str]]]] = {
    "set": _Work.set,
    "rotate": _Work.rotate,
    "test": _Work.test,
    "list": _Work.list,
    "reseal": _Work.reseal,
    "remove": _Work.remove,
}


async def _act(settings: Settings, chosen: argparse.Namespace, secret: str) -> str:
    waits = settings.waits
    async with (
        await open_pool(settings.database_url, statement_timeout_s=waits.database_s) as pool,
        SharedStore(settings.redis_url, Metrics(), command_s=waits.redis_s) as store,
    ):
        claim = Claim(chosen.org)
        if await load_profile(pool, claim) is None:
            raise Refused("there is no such org")
        secrets = OrgSecrets(pool, open_vault(settings))
        provider = "" if chosen.action in _OF_ALL else chosen.provider
        return await _ACTIONS[chosen.action](_Work(settings, secrets, store, claim, provider, secret))


def _told(trial: Trial) -> str:
    answered = "" if trial.status is None else f" (HTTP {trial.status})"
    if trial.verdict == "refused":
        return f"the provider refuses the secret{answered}"
    return f"the provider gave no answer that tells{answered}"


if __name__ == "__main__":
    sys.exit(main())
