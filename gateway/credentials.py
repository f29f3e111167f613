"""`python -m gateway.credentials set|list|remove`: an org's own provider keys and carrier account.

The secret is read from standard input, never from the command line, where every user of the machine could
see it. It is checked, sealed with `MASTER_KEY` and stored; then the sealed copy in Redis is dropped. A
running gateway may go on with what is in its memory for `CREDENTIALS_MEMORY_S`.

    python -m gateway.credentials set --org 9f… --provider deepgram < key.txt
    python -m gateway.credentials set --org 9f… --provider twilio < account.json

A Twilio account is JSON: `{"account_sid": "AC…", "auth_token": "…"}`.

Exit status: 0 when done, 1 if it could not be done, 2 for settings or arguments that make no sense.
"""

import argparse
import asyncio
import sys
from contextlib import suppress
from typing import TextIO
from uuid import UUID

import asyncpg

from booking.db import open_pool
from booking.errors import BookingError
from booking.orgs import load_credentials, load_profile, remove_credentials, store_credentials
from booking.types import Claim
from compliance.vault import MasterKey, Vault
from gateway.errors import SettingsInvalid, SharedStoreAway
from gateway.metrics import Metrics
from gateway.settings import Settings, load
from gateway.shared_store import SharedStore
from gateway.tenancy.credentials import (
    PROVIDERS,
    TWILIO,
    credentials_cell,
    parse_account,
    parse_key,
    shared_key,
)

_MOST_CHARS = 4_096


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
        secret = _secret(chosen.provider, stdin) if chosen.action == "set" else ""
        told = asyncio.run(_act(settings, chosen, secret))
    except (Refused, BookingError) as error:
        sys.stderr.write(f"gateway.credentials: {error}\n")
        return 1
    sys.stdout.write(told)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.credentials",
        description="An org's own provider keys and carrier account.",
        epilog=f"`set` reads the secret from standard input: a key, or for {TWILIO} JSON with account_sid "
        "and auth_token.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    for name, does in (
        ("set", "seal and store a secret, in place of an earlier one"),
        ("list", "which providers have one; never the secret"),
        ("remove", "go back to the process-wide one"),
    ):
        action = actions.add_parser(name, help=does)
        action.add_argument("--org", type=UUID, required=True, help="the org's id")
        if name != "list":
            action.add_argument("--provider", choices=PROVIDERS, required=True)
    return parser


def _secret(provider: str, stdin: TextIO) -> str:
    secret = stdin.read(_MOST_CHARS + 1).strip()
    try:
        _ = parse_account(secret) if provider == TWILIO else parse_key(secret)
    except ValueError as fault:
        raise Refused(str(fault)) from None
    return secret


async def _act(settings: Settings, chosen: argparse.Namespace, secret: str) -> str:
    pool = await open_pool(settings.database_url, statement_timeout_s=settings.waits.database_s)
    try:
        claim = Claim(chosen.org)
        if await load_profile(pool, claim) is None:
            raise Refused("there is no such org")
        if chosen.action == "list":
            return "".join(f"{provider}\n" for provider in sorted(await load_credentials(pool, claim)))
        await _change(pool, settings, claim, chosen, secret)
    finally:
        await pool.close()
    stale = "" if await _forget_shared(settings, claim.org_id) else _STALE
    return f"{chosen.provider}: {'stored' if chosen.action == 'set' else 'removed'}{stale}\n"


_STALE = ", but Redis does not answer: an old copy may serve until CREDENTIALS_REDIS_S is over"


async def _change(
    pool: asyncpg.Pool, settings: Settings, claim: Claim, chosen: argparse.Namespace, secret: str
) -> None:
    if chosen.action == "remove":
        if not await remove_credentials(pool, claim, chosen.provider):
            raise Refused(f"the org has no {chosen.provider} secret")
        return
    vault = Vault([MasterKey(settings.master_key)]).for_org(claim.org_id)
    sealed = vault.seal(secret.encode(), credentials_cell(chosen.provider))
    await store_credentials(pool, claim, chosen.provider, sealed)


async def _forget_shared(settings: Settings, org_id: UUID) -> bool:
    async with SharedStore(settings.redis_url, Metrics(), command_s=settings.waits.redis_s) as store:
        with suppress(SharedStoreAway):
            await store.forget(shared_key(org_id))
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
