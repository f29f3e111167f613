"""The vault as booking asks for it. Satisfies `booking.ports.Sealer`."""

from dataclasses import dataclass
from uuid import UUID

from booking.errors import SealUnreadable
from booking.ports import Place
from compliance.errors import VaultError
from compliance.vault import Cell, Vault


@dataclass(frozen=True, slots=True)
class VaultSealer:
    """Seals and digests with the vault's keys of each org."""

    vault: Vault

    def seal(self, org_id: UUID, plain: bytes, place: Place) -> bytes:
        return self.vault.for_org(org_id).seal(plain, _cell(place))

    def open(self, org_id: UUID, blob: bytes, place: Place) -> bytes:
        """Raises `SealUnreadable`."""
        try:
            return self.vault.for_org(org_id).open(blob, _cell(place))
        except VaultError as error:
            raise SealUnreadable(f"{place.table}.{place.column}: {type(error).__name__}") from None

    def digest(self, org_id: UUID, purpose: str, value: bytes) -> bytes:
        return self.digests(org_id, purpose, value)[0]

    def digests(self, org_id: UUID, purpose: str, value: bytes) -> tuple[bytes, ...]:
        return self.vault.for_org(org_id).digests(purpose, value)


def _cell(place: Place) -> Cell:
    return Cell(place.table, place.column, place.row)
