"""What is remembered of an org is dropped when it changes: in this process, and what all of them share.

Another process may go on with its own memory for `CREDENTIALS_MEMORY_S`, which is as long for all that is
remembered. Without Redis the shared copies serve to the end of their lives.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from booking.types import OrgProfile
from gateway.tenancy.cache import LayeredCache


@dataclass(frozen=True, slots=True)
class OrgMemory:
    """The caches of one process."""

    numbers: LayeredCache[str, UUID]
    profiles: LayeredCache[UUID, OrgProfile]
    credentials: LayeredCache[UUID, Mapping[str, bytes]]

    async def forget_clinic(self, org_id: UUID, numbers: Iterable[str] = ()) -> None:
        """What is said of the clinic, and whose these numbers are."""
        await self.profiles.forget_everywhere(org_id)
        for number in numbers:
            await self.numbers.forget_everywhere(number)

    async def forget_secrets(self, org_id: UUID) -> None:
        """The org's secrets."""
        await self.credentials.forget_everywhere(org_id)
