"""`python -m gateway.keys status|rotate`: whether all is under the newest master key, and moving it there.

Calls go on meanwhile. To change the master key without a gap, in this order:

1. give every process both, the old one first: all can open what either seals;
2. give every process both, the new one first: what is sealed from now on is under the new one;
3. `python -m gateway.keys rotate`, which may be stopped and started again at any time;
4. when `status` finds nothing left and a day has passed (kept API answers), take the old one away.

Both read the gateway's settings; all orgs are taken from DATABASE_WORKER_URL, or `--org` names one.

Exit status: 0 if nothing is left to do, 1 if something is or the database does not answer, 2 for settings
that make no sense.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from booking.db import open_pool, org_transaction
from booking.errors import BookingError
from booking.types import Claim
from compliance.keys import Keyring
from compliance.rotation import (
    Left,
    Rotated,
    left_of,
    renew_callers,
    renew_contacts,
    renew_texts,
    reseal_secrets,
    rewrap_keys,
)
from gateway.errors import SettingsInvalid
from gateway.retention import every_org
from gateway.sealing import keyring, open_vault
from gateway.settings import Settings, load

Step = Callable[[asyncpg.Connection, Keyring, UUID, UUID | None], Awaitable[Rotated]]

_STEPS: Final[dict[str, Step]] = {
    "keys": rewrap_keys,
    "secrets": reseal_secrets,
    "contacts": renew_contacts,
    "texts": renew_texts,
    "calls": renew_callers,
}


@dataclass(frozen=True, slots=True)
class Rotation:
    """Moves orgs to the newest of the ring's master keys."""

    pool: asyncpg.Pool
    keys: Keyring

    async def rotate(self, claim: Claim) -> dict[str, Rotated]:
        """Everything of one org, batch by batch, each in a transaction. Raises `BookingError`."""
        return {name: await self._done(claim, step) for name, step in _STEPS.items()}

    async def left(self, claim: Claim) -> Left:
        """What of the org is not under the newest master key, as far as that shows."""
        async with org_transaction(self.pool, claim) as connection:
            return await left_of(connection, self.keys, claim.org_id)

    async def _done(self, claim: Claim, step: Step) -> Rotated:
        total, after = Rotated(), None
        while True:
            async with org_transaction(self.pool, claim) as connection:
                batch = await step(connection, self.keys, claim.org_id, after)
            total, after = total.plus(batch), batch.last
            if after is None:
                return total


def main(arguments: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        prog="python -m gateway.keys", description="Move everything to the newest master key."
    )
    parser.add_argument("action", choices=("status", "rotate"))
    parser.add_argument("--org", type=UUID, help="this org alone")
    chosen = parser.parse_args(arguments)
    try:
        settings = load()
        if chosen.org is None and not settings.jobs.url:
            raise SettingsInvalid("give --org or set DATABASE_WORKER_URL")
    except SettingsInvalid as fault:
        sys.stderr.write(f"gateway.keys: {fault}\n")
        return 2
    try:
        return asyncio.run(_act(settings, chosen.action, chosen.org))
    except BookingError as error:
        sys.stderr.write(f"gateway.keys: {error}\n")
        return 1


async def _act(settings: Settings, action: str, org_id: UUID | None) -> int:
    keys = keyring(open_vault(settings))
    claims = [Claim(org_id)] if org_id else await _all_orgs(settings)
    sys.stdout.write(f"master keys, newest first: {', '.join(keys.vault.key_ids)}\n")
    open_again = 0
    async with await open_pool(settings.database_url, max_size=2) as pool:
        rotation = Rotation(pool, keys)
        for claim in claims:
            unreadable = 0
            if action == "rotate":
                rotated = await rotation.rotate(claim)
                unreadable = sum(each.unreadable for each in rotated.values())
                sys.stdout.write(f"{claim.org_id}: {told(rotated)}\n")
            left = await rotation.left(claim)
            sys.stdout.write(f"{claim.org_id}: {left.told()}\n")
            open_again += unreadable + left.total
    return 1 if open_again else 0


async def _all_orgs(settings: Settings) -> list[Claim]:
    async with await open_pool(settings.jobs.url, max_size=1) as worker_pool:
        return [claim for claim, _ in await every_org(worker_pool)]


def told(rotated: dict[str, Rotated]) -> str:
    """What was done, in one line of numbers."""
    parts = [f"{name} {each.changed} of {each.seen}" for name, each in rotated.items()]
    unreadable = sum(each.unreadable for each in rotated.values())
    return "changed " + ", ".join(parts) + (f"; {unreadable} do not open" if unreadable else "")


if __name__ == "__main__":
    sys.exit(main())
