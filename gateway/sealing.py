"""The vault and people's keys as booking asks for them. Satisfies `booking.ports.Sealer`.

`keyring` is the one place in which it is chosen who wraps people's keys.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from booking.errors import SealUnreadable
from booking.ports import PersonKey, Place
from compliance.errors import VaultError
from compliance.keys import KeyProvider, Keyring, VaultKeys, WrappedKey
from compliance.keys import PersonKey as OpenKey
from compliance.vault import Cell, MasterKey, OrgVault, Vault
from gateway.settings import Settings


def keyring(vault: Vault) -> Keyring:
    """People's keys, wrapped by this process. A key management service takes the place of `VaultKeys`."""
    provider: KeyProvider = VaultKeys(vault)
    return Keyring(vault, provider)


@dataclass(frozen=True, slots=True)
class VaultSealer:
    """Seals and digests with the keys of each org and of its people."""

    vault: Vault

    @property
    def keys(self) -> Keyring:
        return keyring(self.vault)

    def seal(self, org_id: UUID, plain: bytes, place: Place) -> bytes:
        return self.vault.for_org(org_id).seal(plain, _cell(place))

    def open(self, org_id: UUID, blob: bytes, place: Place) -> bytes:
        """Raises `SealUnreadable`."""
        with _told(place):
            return self.vault.for_org(org_id).open(blob, _cell(place))

    async def new_key(self, org_id: UUID) -> PersonKey:
        made = await self.keys.new_key(org_id)
        return PersonKey(made.id, made.wrapped)

    async def under(self, org_id: UUID, key: PersonKey | None) -> "Under":
        """Raises `SealUnreadable`."""
        if key is None:
            return Under(self.vault.for_org(org_id))
        with _told(Place("contact_keys", "wrapped", str(key.id))):
            return Under(await self.keys.unlocked(org_id, WrappedKey(key.id, key.wrapped)))

    def digest(self, org_id: UUID, purpose: str, value: bytes) -> bytes:
        return self.digests(org_id, purpose, value)[0]

    def digests(self, org_id: UUID, purpose: str, value: bytes) -> tuple[bytes, ...]:
        return self.vault.for_org(org_id).digests(purpose, value)


@dataclass(frozen=True, slots=True)
class Under:
    """One key at work. Satisfies `booking.ports.PersonSealer`."""

    key: OpenKey | OrgVault

    def seal(self, plain: bytes, place: Place) -> bytes:
        return self.key.seal(plain, _cell(place))

    def open(self, blob: bytes, place: Place) -> bytes:
        """Raises `SealUnreadable`."""
        with _told(place):
            return self.key.open(blob, _cell(place))


@contextmanager
def _told(place: Place) -> Iterator[None]:
    """The vault's errors as booking knows them."""
    try:
        yield
    except VaultError as error:
        raise SealUnreadable(f"{place.table}.{place.column}: {type(error).__name__}") from None


def open_vault(settings: Settings) -> Vault:
    """The vault under this process's master keys."""
    return Vault([MasterKey(key) for key in settings.master_keys])


def _cell(place: Place) -> Cell:
    return Cell(place.table, place.column, place.row)
