"""What is remembered of an org is dropped when it changes, in all replicas.

While Redis is away nobody can be told: the others' memory serves for `CREDENTIALS_MEMORY_S`, and what Redis
holds when it comes back to the end of its life.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from booking.types import OrgProfile
from gateway.tenancy.cache import LayeredCache
from gateway.tenancy.credentials import CredentialCache


@dataclass(frozen=True, slots=True)
class OrgMemory:
    """The caches of one process."""

    numbers: LayeredCache[str, UUID]
    profiles: LayeredCache[UUID, OrgProfile]
    credentials: CredentialCache

    async def forget_clinic(self, org_id: UUID, numbers: Iterable[str] = ()) -> None:
        """What is said of the clinic, and whose these numbers are."""
        await self.profiles.forget_everywhere(org_id)
        for number in numbers:
            await self.numbers.forget_everywhere(number)

    async def forget_secrets(self, org_id: UUID) -> None:
        """The org's secrets."""
        await self.credentials.forget_everywhere(org_id)
