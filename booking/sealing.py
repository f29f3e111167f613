"""Seals under master keys in this process. Satisfies `booking.ports.Sealer`, for booking without the gateway.

    master key  ->  the org's key  ->  a person's key  ->  values

The format is the vault's of package compliance, so that what one sealed the other opens, and a script may
work beside the gateway with the same master keys:

    org's own     1 | master key id (4) | nonce (12) | ciphertext | tag (16)
    a person's    2 | key id (16)       | nonce (12) | ciphertext | tag (16)
    erased        0

AES-256-GCM, 96 random bits of nonce (NIST SP 800-38D section 8.3). Keys of an org are derived by HKDF-SHA256
(RFC 5869) with the org in `info`, those of people are random and kept wrapped. Org, table, column and row
are associated data: a value copied to another place does not open.

Rotation: the first master key seals, all of them open and find.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from booking.errors import MasterKeyInvalid, SealUnreadable
from booking.ports import PersonKey, PersonSealer, Place

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_MASTER_ID_BYTES: Final = 4
_ORGS: Final = b"\x01"
_PERSONS: Final = b"\x02"
_PERSONS_HEADER_BYTES: Final = len(_PERSONS) + 16
_ORGS_KEPT: Final = 1024


class MasterKeySealer:
    """Seals and digests with keys of each org and of its people. No I/O; safe to share between tasks.

    `master_keys`: 32 secret bytes each (`openssl rand -base64 32`), newest first. Whoever has them reads all
    that is sealed; without them nobody ever will. Raises `MasterKeyInvalid`.
    """

    def __init__(self, master_keys: Sequence[bytes]) -> None:
        if not master_keys or any(len(key) != KEY_BYTES for key in master_keys):
            raise MasterKeyInvalid(MasterKeyInvalid.__doc__)
        self._master_keys = tuple(master_keys)
        self._keys_of = lru_cache(maxsize=_ORGS_KEPT)(self._derived)

    def seal(self, org_id: UUID, plain: bytes, place: Place) -> bytes:
        """Twice the same value gives two different blobs."""
        return self._keys_of(org_id).seal(plain, place)

    def open(self, org_id: UUID, blob: bytes, place: Place) -> bytes:
        """Raises `SealUnreadable`."""
        return self._keys_of(org_id).open(blob, place)

    async def new_key(self, org_id: UUID) -> PersonKey:
        key_id, secret = uuid4(), secrets.token_bytes(KEY_BYTES)
        return PersonKey(key_id, self._keys_of(org_id).seal(secret, _wrapped(key_id)))

    async def under(self, org_id: UUID, key: PersonKey | None) -> PersonSealer:
        """Raises `SealUnreadable`."""
        org = self._keys_of(org_id)
        return org if key is None else _PersonKeys(org, key.id, org.open(key.wrapped, _wrapped(key.id)))

    def digest(self, org_id: UUID, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA256 under the org's newest key; `purpose` holds no NUL."""
        return self.digests(org_id, purpose, value)[0]

    def digests(self, org_id: UUID, purpose: str, value: bytes) -> tuple[bytes, ...]:
        return self._keys_of(org_id).digests(purpose, value)

    def _derived(self, org_id: UUID) -> "_OrgKeys":
        return _OrgKeys(self._master_keys, org_id)


class _OrgKeys:
    """One org's keys under every master key. Satisfies `PersonSealer` for who has no key of their own."""

    def __init__(self, master_keys: Sequence[bytes], org_id: UUID) -> None:
        ids = [_derive(key, b"key id", _MASTER_ID_BYTES) for key in master_keys]
        ciphers = [AESGCM(_derive(key, b"seal\x00" + org_id.bytes)) for key in master_keys]
        self.org_id = org_id
        self._newest = ids[0]
        self._ciphers = dict(zip(ids, ciphers, strict=True))
        self._digest_keys = tuple(_derive(key, b"digest\x00" + org_id.bytes) for key in master_keys)

    def seal(self, plain: bytes, place: Place) -> bytes:
        header = _ORGS + self._newest
        return header + _encrypted(self._ciphers[self._newest], plain, _bound(self.org_id, place))

    def open(self, blob: bytes, place: Place) -> bytes:
        header = len(_ORGS) + _MASTER_ID_BYTES
        cipher = self._ciphers.get(blob[len(_ORGS) : header])
        if blob[: len(_ORGS)] != _ORGS or cipher is None:
            raise _unreadable(place)
        return _decrypted(cipher, blob[header:], _bound(self.org_id, place), place)

    def digests(self, purpose: str, value: bytes) -> tuple[bytes, ...]:
        message = purpose.encode() + b"\x00" + value
        return tuple(hmac.digest(key, message, hashlib.sha256) for key in self._digest_keys)


class _PersonKeys:
    """One person's key at work. Satisfies `PersonSealer`."""

    def __init__(self, org: _OrgKeys, key_id: UUID, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise _unreadable(_wrapped(key_id))
        self._org = org
        self._header = _PERSONS + key_id.bytes
        self._cipher = AESGCM(secret)

    def seal(self, plain: bytes, place: Place) -> bytes:
        return self._header + _encrypted(self._cipher, plain, self._bound(place))

    def open(self, blob: bytes, place: Place) -> bytes:
        if blob[: len(_PERSONS)] != _PERSONS:
            return self._org.open(blob, place)
        if blob[:_PERSONS_HEADER_BYTES] != self._header:
            raise _unreadable(place)
        return _decrypted(self._cipher, blob[_PERSONS_HEADER_BYTES:], self._bound(place), place)

    def _bound(self, place: Place) -> bytes:
        return self._header + _bound(self._org.org_id, place)


def _encrypted(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _decrypted(cipher: AESGCM, sealed: bytes, bound: bytes, place: Place) -> bytes:
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        raise _unreadable(place)
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound)
    except InvalidTag:
        raise _unreadable(place) from None


def _bound(org_id: UUID, place: Place) -> bytes:
    """No two places give the same: each part is preceded by its length."""
    parts = (place.table.encode(), place.column.encode(), place.row.encode())
    return org_id.bytes + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _wrapped(key_id: UUID) -> Place:
    """Where a person's key is kept."""
    return Place("contact_keys", "wrapped", str(key_id))


def _derive(master_key: bytes, info: bytes, length: int = KEY_BYTES) -> bytes:
    """HKDF-SHA256 without salt: a master key is uniformly random already."""
    return HKDF(hashes.SHA256(), length, salt=None, info=b"clinic-voice-gateway\x00" + info).derive(
        master_key
    )


def _unreadable(place: Place) -> SealUnreadable:
    return SealUnreadable(f"{place.table}.{place.column}: altered, moved, erased, or its key is not at hand")
