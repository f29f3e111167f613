"""What was masked in a live call, on its way to sealed rows, beside the call and never in its way.

The redactor tells each value as it masks it; a task of the call writes them, again and again while the
database is away, and what is left is written when the call ends. Values wait in memory alone, bounded by the
length of the call; none is ever logged. A row's id is chosen with the value, so that writing it again,
because nobody could tell whether it was written, doubles nothing.
"""

import asyncio
from collections import deque
from dataclasses import replace
from itertools import islice
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from booking.db import org_transaction
from booking.errors import BookingError
from booking.types import Claim
from compliance.errors import VaultError
from compliance.keys import Keyring, PersonKey
from compliance.records import CallEnds, SpokenValue, call_key, keep_ends, keep_values, settle_call
from compliance.redaction.call import Speaker
from compliance.redaction.text.entities import EntityType
from gateway.caller import Ends
from gateway.consent import AllKept, Withholds

log = structlog.get_logger("gateway.call")

AGAIN_S: Final = 1.0
_BATCH: Final = 50


class CallRecords:
    """One call's writer. `ends`: both ends' numbers, kept sealed with the call, whatever `consent` says."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        claim: Claim,
        call_id: UUID,
        keys: Keyring,
        ends: Ends,
        consent: Withholds | None = None,
        again_s: float = AGAIN_S,
    ) -> None:
        self._pool = pool
        self._claim = claim
        self._call_id = call_id
        self._keys = keys
        known = ends.caller or ends.dialled
        self._ends = CallEnds(ends.caller, ends.dialled or None) if known else None
        self._consent = consent or AllKept()
        self._again_s = again_s
        self._key: PersonKey | None = None
        self._turn = 0
        self._heard: list[SpokenValue] = []
        self._unkept: deque[SpokenValue] = deque()
        self._some = asyncio.Event()
        self._some.set()

    def masked(self, speaker: Speaker, entity: EntityType, value: str) -> None:
        """A value was masked. Returns at once. Which turn the caller's words are is told after them."""
        if self._consent.withheld:
            return
        if speaker == "caller":
            self._heard.append(SpokenValue(entity, value))
        else:
            self._unkept.append(SpokenValue(entity, value, self._turn))
            self._some.set()

    def caller_heard(self, turn: int) -> None:
        """What was masked of the caller's words belongs to this turn, what the agent says from now on too."""
        self._turn = turn
        self._unkept.extend(replace(value, turn=turn) for value in self._heard)
        self._heard.clear()
        self._some.set()

    def forget(self) -> None:
        """The caller has refused to be recorded: what is not written yet goes."""
        self._heard.clear()
        self._unkept.clear()

    async def keep(self) -> None:
        """Write values as they come, until cancelled. A database that is away is asked again."""
        while True:
            await self._some.wait()
            self._some.clear()
            if not await self._kept():
                await asyncio.sleep(self._again_s)
                self._some.set()

    async def flush(self) -> None:
        """The caller has said their last word: write what is left, and make it the caller's.

        Time-boxed by whoever asks. What cannot be written now is lost, see `unkept`.
        """
        self._unkept.extend(self._heard)
        self._heard.clear()
        if await self._kept():
            await self._settle()

    def unkept(self) -> int:
        """How many values have not been written; told once, at the end."""
        left = len(self._unkept) + len(self._heard)
        if left:
            log.error("values_unkept", call=str(self._call_id), count=left)
        return left

    async def _kept(self) -> bool:
        """Whether nothing is left to write."""
        try:
            while True:
                await self._consent.noted()
                if not self._unkept and self._ends is None:
                    return True
                await self._write()
        except (BookingError, VaultError) as error:
            log.debug("values_wait", call=str(self._call_id), error=type(error).__name__)
            return False

    async def _settle(self) -> None:
        try:
            async with org_transaction(self._pool, self._claim) as connection:
                await settle_call(connection, self._keys, self._claim.org_id, self._call_id)
        except (BookingError, VaultError) as error:
            log.warning("records_unsettled", call=str(self._call_id), error=type(error).__name__)

    async def _write(self) -> None:
        """The next values, in one transaction. What is written leaves the queue once that is committed."""
        batch = list(islice(self._unkept, _BATCH))
        async with org_transaction(self._pool, self._claim) as connection:
            key = self._key or await call_key(connection, self._keys, self._claim.org_id, self._call_id)
            if key is not None:
                await self._write_under(connection, key, batch)
        self._key, self._ends = key, None
        written = {value.id for value in batch}  # some may have been forgotten meanwhile
        self._unkept = deque(value for value in self._unkept if value.id not in written)

    async def _write_under(
        self, connection: asyncpg.Connection, key: PersonKey, batch: list[SpokenValue]
    ) -> None:
        """Whoever was erased meanwhile has no key any more, and nothing is kept."""
        org_id = self._claim.org_id
        if self._ends is not None:
            await keep_ends(connection, self._keys, key, org_id, self._call_id, self._ends)
        if batch:
            await keep_values(connection, key, org_id, self._call_id, batch)
