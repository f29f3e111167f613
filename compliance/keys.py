"""Keys of people: each value of a person is sealed under a random key of theirs, so that they can be erased.

    master key  ->  the org's key  ->  the person's key  ->  values

A person's key is kept wrapped, in one row (table contact_keys); without that row nothing sealed under it
opens any more, wherever copies of the sealed value lie. A call has a key of its own until and after it is
known whose call it was. No opened key is kept longer than the work at hand.

A blob is `version (2) | key id (16) | nonce (12) | ciphertext | tag (16)`, bound to its cell like version 1.

Whoever keeps master keys satisfies `KeyProvider`: here the vault does, elsewhere a key management service,
for which wrap is Encrypt and unwrap is Decrypt with org and key id as the encryption context.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.errors import BlobMalformed, SealBroken, ValueErased
from compliance.vault import ERASED, KEY_BYTES, NONCE_BYTES, TAG_BYTES, Cell, OrgVault, Vault

_VERSION: Final = b"\x02"
_ID_BYTES: Final = 16
_HEADER_BYTES: Final = len(_VERSION) + _ID_BYTES
SEALED_MORE: Final = _HEADER_BYTES + NONCE_BYTES + TAG_BYTES
"""By so many bytes a sealed value is longer than the plain one."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A person's key as it is stored."""

    id: UUID
    wrapped: bytes = field(repr=False)


class KeyProvider(Protocol):
    """Wraps and unwraps people's keys under a key of their org. May take its time: it may be remote."""

    async def wrap(self, org_id: UUID, key_id: UUID, secret: bytes) -> bytes: ...

    async def unwrap(self, org_id: UUID, key_id: UUID, wrapped: bytes) -> bytes:
        """Raises `VaultError`: altered, another org's or key's, or its master key is not at hand."""
        ...

    def is_newest(self, org_id: UUID, wrapped: bytes) -> bool:
        """Whether wrapping it anew would make a difference."""
        ...


@dataclass(frozen=True, slots=True)
class VaultKeys:
    """Keys wrapped under the org's key of the vault in this process. Satisfies `KeyProvider`."""

    vault: Vault

    async def wrap(self, org_id: UUID, key_id: UUID, secret: bytes) -> bytes:
        return self.vault.for_org(org_id).seal(secret, _wrapped_cell(key_id))

    async def unwrap(self, org_id: UUID, key_id: UUID, wrapped: bytes) -> bytes:
        return self.vault.for_org(org_id).open(wrapped, _wrapped_cell(key_id))

    def is_newest(self, org_id: UUID, wrapped: bytes) -> bool:
        return self.vault.for_org(org_id).seals_newest(wrapped)


class PersonKey:
    """Seals and opens one person's values. Opens what the org sealed of them before they had a key, too."""

    def __init__(self, org: OrgVault, org_id: UUID, key_id: UUID, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise BlobMalformed("not a wrapped key")
        self.id = key_id
        self._org = org
        self._org_id = org_id
        self._cipher = AESGCM(secret)

    def seal(self, plain: bytes, cell: Cell) -> bytes:
        """Encrypt `plain` for exactly this cell."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, plain, self._bound(cell))
        return _VERSION + self.id.bytes + nonce + sealed

    def open(self, blob: bytes, cell: Cell) -> bytes:
        """The plain value. Raises `VaultError`, among these `ValueErased` for what another key sealed."""
        named = key_named(blob)
        if named is None:
            return self._org.open(blob, cell)
        if named != self.id:
            raise ValueErased(f"{cell.table}.{cell.column}: its key is gone")
        nonce, sealed = blob[_HEADER_BYTES:][:NONCE_BYTES], blob[_HEADER_BYTES + NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, sealed, self._bound(cell))
        except InvalidTag:
            raise SealBroken(f"{cell.table}.{cell.column}: altered, or sealed for another place") from None

    def _bound(self, cell: Cell) -> bytes:
        return _VERSION + self.id.bytes + cell.bound_to(self._org_id)


@dataclass(frozen=True, slots=True)
class Keyring:
    """Makes and opens people's keys. `vault`: the orgs' own, for digests and for version 1."""

    vault: Vault
    provider: KeyProvider

    @classmethod
    def of(cls, vault: Vault) -> "Keyring":
        """With the keys of this process."""
        return cls(vault, VaultKeys(vault))

    async def new_key(self, org_id: UUID) -> WrappedKey:
        key_id = uuid4()
        return WrappedKey(key_id, await self.provider.wrap(org_id, key_id, secrets.token_bytes(KEY_BYTES)))

    async def unlocked(self, org_id: UUID, key: WrappedKey) -> PersonKey:
        """Raises `VaultError`."""
        secret = await self.provider.unwrap(org_id, key.id, key.wrapped)
        return PersonKey(self.vault.for_org(org_id), org_id, key.id, secret)

    async def open(self, org_id: UUID, blob: bytes, cell: Cell, key: WrappedKey | None) -> bytes:
        """One value with the key that its row was found with, if any. Raises `VaultError`."""
        if key_named(blob) is None:
            return self.vault.for_org(org_id).open(blob, cell)
        if key is None:
            raise ValueErased(f"{cell.table}.{cell.column}: its key is gone")
        return (await self.unlocked(org_id, key)).open(blob, cell)

    def digests(self, org_id: UUID, e164: str) -> Sequence[bytes]:
        """What rows with this number are found by, newest key first."""
        return self.vault.for_org(org_id).phone_digests(e164)


def key_named(blob: bytes) -> UUID | None:
    """The person's key that a value was sealed under; None if that is the org's. Raises `BlobMalformed`."""
    if blob == ERASED or blob[:1] != _VERSION:
        return None
    if len(blob) < _HEADER_BYTES + NONCE_BYTES + TAG_BYTES:
        raise BlobMalformed("a sealed value is cut short")
    return UUID(bytes=blob[len(_VERSION) : _HEADER_BYTES])


def _wrapped_cell(key_id: UUID) -> Cell:
    return Cell("contact_keys", "wrapped", str(key_id))
