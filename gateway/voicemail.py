"""A message that a caller leaves for the clinic: kept in its inbox as call words are, redacted and sealed."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg

from booking.db import org_transaction
from booking.errors import SealUnreadable
from booking.types import Claim
from compliance.errors import VaultError
from compliance.keys import Keyring
from compliance.records import call_key
from compliance.vault import Cell


@dataclass(frozen=True, slots=True)
class Voicemail:
    """One call's. `redacted`: the public form of what was said, None where no words are kept: a message is
    what its caller wants kept, so its sealed words are there all the same.
    """

    pool: asyncpg.Pool
    claim: Claim
    call_id: UUID
    keys: Keyring
    redacted: Callable[[str], str | None]

    async def keep(self, said: str) -> bool:
        """The call must be on record. False if nothing is kept of whoever calls: they were erased.

        Raises `SealUnreadable`, `CallUnknown`, `BookingUnavailable`.
        """
        message_id, org_id = uuid4(), self.claim.org_id
        try:
            async with org_transaction(self.pool, self.claim) as connection:
                key = await call_key(connection, self.keys, org_id, self.call_id)
                if key is None:
                    return False
                cell = Cell("text_replies", "sealed_body", str(message_id))
                sealed = key.seal(said.encode("utf-8", "replace"), cell)
                kept: bool = await connection.fetchval(
                    "select app.keep_voicemail($1, $2, $3, $4, $5, $6)",
                    org_id,
                    message_id,
                    self.call_id,
                    key.id,
                    sealed,
                    self.redacted(said),
                )
                return kept
        except VaultError:
            raise SealUnreadable(SealUnreadable.__doc__) from None
