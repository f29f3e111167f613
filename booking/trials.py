"""Trial orgs: made for a while to try a deployment out, removed with all that is theirs.

An org is a trial from the transaction that makes it, or never, and no other org can be removed. Whoever makes
one removes it; a sweep does if they do not.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.errors import BookingError
from booking.types import Claim

LONGEST: Final = timedelta(days=1)
_AT_ONCE: Final = 100


async def mark_trial(connection: asyncpg.Connection, claim: Claim, lasting: timedelta) -> None:
    """Have the org removed after so long; one that is a trial already keeps its time.

    For the transaction that makes the org. Raises `OrgStands` (from `db`) in any later one.
    """
    await connection.execute(
        "update public.organizations set trial_until = clock_timestamp() + $2 "
        "where org_id = $1 and trial_until is null",
        claim.org_id,
        min(lasting, LONGEST),
    )


async def remove_trial(pool: asyncpg.Pool, claim: Claim) -> bool:
    """Remove the org and every row of its own; False if there is none. Raises `OrgStands` for a clinic."""
    (row,) = await db.fetch(pool, claim, "remove_trial_org")
    return bool(row[0])


async def ended_trials(worker_pool: asyncpg.Pool) -> list[Claim]:
    """Trials of which the time is over, longest over first; role gw_worker's pool."""
    statement = "select coalesce(jsonb_agg(o), '[]') from app.ended_trials($1) o"
    found = msgspec.json.decode(await db.fetch_value(worker_pool, statement, _AT_ONCE), type=list[UUID])
    return [Claim(org_id) for org_id in found]


def removing_trials(pool: asyncpg.Pool, worker_pool: asyncpg.Pool) -> Callable[[], Awaitable[None]]:
    """The sweep of those whose makers did not."""

    async def sweep() -> None:
        refused: BookingError | None = None
        for claim in await ended_trials(worker_pool):
            try:
                await remove_trial(pool, claim)
            except BookingError as error:  # one that stays for now keeps none of the others
                refused = error
        if refused is not None:
            raise refused

    return sweep
