"""`python -m gateway.audit verify|heads`: is the audit log what was written? And where its chains end.

`verify` recomputes every link of every org's chain, or of `--org`'s, tells the first that is broken (a record
altered, removed, put in or moved) and how many records wait to be linked. `heads` tells each chain's end as
`org:position:hash`; kept outside the database and given back with `--anchor`, it shows that a chain was cut
off or written anew from some link on. The gateway logs the same once an hour (`audit_head`).

Both read the gateway's settings; all orgs are taken from DATABASE_WORKER_URL.

Exit status: 0 if all is intact, 1 if a link is broken, records have waited for over a minute or the database
does not answer, 2 for settings that make no sense.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from booking.db import open_pool, org_transaction
from booking.errors import BookingError
from booking.types import Claim
from compliance.chain import Anchor, Verified, verify
from gateway.errors import SettingsInvalid
from gateway.retention import every_org
from gateway.settings import Settings, load

OVERDUE: Final = timedelta(minutes=1)


def main(arguments: list[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m gateway.audit", description="Look after the audit log.")
    parser.add_argument("action", choices=("verify", "heads"))
    parser.add_argument("--org", type=UUID, help="this org alone")
    parser.add_argument(
        "--anchor", type=Anchor.parse, action="append", default=[], help="a head noted before"
    )
    chosen = parser.parse_args(arguments)
    try:
        settings = load()
        if chosen.org is None and not settings.jobs.url:
            raise SettingsInvalid("give --org or set DATABASE_WORKER_URL")
    except SettingsInvalid as fault:
        sys.stderr.write(f"gateway.audit: {fault}\n")
        return 2
    try:
        return asyncio.run(_act(settings, chosen.action, chosen.org, chosen.anchor))
    except BookingError as error:
        sys.stderr.write(f"gateway.audit: {error}\n")
        return 1


async def _act(settings: Settings, action: str, org_id: UUID | None, anchors: Sequence[Anchor]) -> int:
    claims = [Claim(org_id)] if org_id else await _all_orgs(settings)
    bad = 0
    async with await open_pool(settings.database_url, max_size=1) as pool:
        for claim in claims:
            found = await verified(pool, claim, anchors)
            if action == "verify":
                sys.stdout.write(f"{claim.org_id}: {told(found)}\n")
            elif found.intact and found.head.position:
                sys.stdout.write(f"{Anchor(claim.org_id, found.head.position, found.head.hash)}\n")
            bad += not found.intact or overdue(found)
    return 1 if bad else 0


async def verified(pool: asyncpg.Pool, claim: Claim, anchors: Sequence[Anchor] = ()) -> Verified:
    """One org's chain. Raises `BookingError`."""
    async with org_transaction(pool, claim) as connection:
        return await verify(connection, claim.org_id, anchors)


async def _all_orgs(settings: Settings) -> list[Claim]:
    async with await open_pool(settings.jobs.url, max_size=1) as worker_pool:
        return [claim for claim, _ in await every_org(worker_pool)]


def overdue(found: Verified) -> bool:
    """Whether records have waited for long: then nobody links them."""
    oldest = found.oldest_unlinked_at
    return oldest is not None and datetime.now(UTC) - oldest > OVERDUE


def told(found: Verified) -> str:
    """What was found, in one line without anything personal."""
    tail = f"{found.unlinked} not linked yet" + (" (overdue)" if overdue(found) else "")
    if found.fault is None:
        return f"intact, {found.links} links, {tail}"
    place = "outside the chain" if found.fault.position is None else f"at link {found.fault.position}"
    record = "" if found.fault.record_id is None else f", record {found.fault.record_id}"
    return f"BROKEN {place}: {found.fault.kind}{record}; {found.links} links before it are right, {tail}"


if __name__ == "__main__":
    sys.exit(main())
