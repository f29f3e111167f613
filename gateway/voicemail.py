"""A message that a caller leaves for the clinic: kept in its inbox as call words are, redacted and sealed."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from booking import db
from booking.errors import SealUnreadable
from booking.types import Claim
from compliance.errors import VaultError
from compliance.keys import Keyring, PersonKey, WrappedKey
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

    async def keep(self, said: str, message_id: UUID) -> bool:
        """The call must be on record. Kept again under the same id, it is there once. False if nothing is
        kept of whoever calls: they were erased.

        Two round trips: a key that goes in between takes the message with it. Raises `SealUnreadable`,
        `CallUnknown`, `BookingUnavailable`.
        """
        try:
            key = await self._key()
        except VaultError:
            raise SealUnreadable(SealUnreadable.__doc__) from None
        if key is None:
            return False
        sealed = key.seal(
            said.encode("utf-8", "replace"), Cell("text_replies", "sealed_body", str(message_id))
        )
        kept = (message_id, self.call_id, key.id, sealed, self.redacted(said))
        (row,) = await db.fetch(self.pool, self.claim, "keep_voicemail", *kept)
        return bool(row[0])

    async def _key(self) -> PersonKey | None:
        """The call's, made if it has none; None if its caller was erased. Raises `VaultError`."""
        org_id = self.claim.org_id
        new = await self.keys.new_key(org_id)
        rows = await db.fetch(self.pool, self.claim, "call_key", self.call_id, new.id, new.wrapped)
        if not rows:
            return None
        return await self.keys.unlocked(org_id, WrappedKey(rows[0]["key_id"], rows[0]["wrapped"]))
