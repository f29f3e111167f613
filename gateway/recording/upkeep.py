"""What becomes of a recording that a crash cut off or that is to go: the job of it.

The store confirms: what was to be deleted counts as deleted once nothing is listed there any more, and so
long after it was decided that no request that was under way then can still put anything there.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.types import Claim
from compliance.recordings import note_deleted, settle_recording
from gateway.errors import RecordingStoreAway
from gateway.recording.store import SoundStore

_MARGIN: Final = timedelta(seconds=10)
_TRIES: Final = 3
"""A request that nobody waits for any more may be tried again by the store's library, within these bounds."""


async def due_recordings(worker: asyncpg.Pool, *, limit: int = 200) -> list[tuple[Claim, UUID]]:
    """Recordings of all orgs to look at now; role gw_worker's pool."""
    statement = (
        "select coalesce(jsonb_agg(jsonb_build_array(d.org_id, d.recording_id)), '[]') "
        "from app.due_recordings($1) d"
    )
    found = msgspec.json.decode(await db.fetch_value(worker, statement, limit), type=list[tuple[UUID, UUID]])
    return [(Claim(org_id), recording_id) for org_id, recording_id in found]


@dataclass(frozen=True, slots=True)
class RecordingUpkeep:
    """`store` None: this process knows of none. `put_s`: the longest that one request to it takes."""

    pool: asyncpg.Pool
    store: SoundStore | None
    put_s: float

    async def go_on(self, claim: Claim, recording_id: UUID) -> None:
        """Satisfies `booking.jobs.Handler`. Raises `BookingUnavailable`, `RecordingStoreAway`."""
        async with db.org_transaction(self.pool, claim) as connection:
            settled = await settle_recording(connection, claim.org_id, recording_id)
        if settled is None or settled.state != "deleting" or settled.deleting_for is None:
            return
        if self.store is None:
            raise RecordingStoreAway("is not configured here")
        is_gone = not await self.store.remove_all(settled.place)
        quiet = timedelta(seconds=_TRIES * self.put_s) + _MARGIN
        async with db.org_transaction(self.pool, claim) as connection:
            await note_deleted(
                connection,
                claim.org_id,
                recording_id,
                done=is_gone and settled.deleting_for > quiet,
                again_after=quiet,
            )
