"""Secrets and personal data, encrypted per org: AES-256-GCM under keys derived from one master key.

A blob is `version (1) | master key id (4) | nonce (12) | ciphertext | tag (16)`. The org, table, column and
row are bound to it as associated data, so that a blob copied to another place does not open. The keys of an
org are derived by HKDF-SHA256 (RFC 5869) with the org in `info`; sealing and look-up digests use different
keys. A nonce is 96 random bits, good for 2^32 blobs per org and master key (NIST SP 800-38D section 8.3).

Version 1 is the org's own: credentials, keys of people (`compliance.keys`), and what was sealed of people
before they had keys. Version 2 is sealed under a person's key. One byte 0 stands where a value was erased.

Rotation: the first master key seals, all of them open, `OrgVault.phone_digests` finds rows under any of them.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from compliance.errors import BlobMalformed, KeyUnknown, MasterKeyInvalid, SealBroken, ValueErased

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
ERASED: Final = b"\x00"
_VERSION: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_HEADER_BYTES: Final = len(_VERSION) + _KEY_ID_BYTES
_ORGS_KEPT: Final = 1024


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a sealed value stands; part of its seal. `row` is the row's primary key as text."""

    table: str
    column: str
    row: str

    def bound_to(self, org_id: UUID) -> bytes:
        """What the seal of a value in this cell binds besides the value: no two cells give the same."""
        parts = (self.table.encode(), self.column.encode(), self.row.encode())
        return org_id.bytes + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class MasterKey:
    """32 secret bytes and the id that blobs name them by. Never shows them."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise MasterKeyInvalid(f"a master key is {KEY_BYTES} bytes, not {len(secret)}")
        self._secret = secret
        self.id = self.derive(b"key id", _KEY_ID_BYTES)

    @classmethod
    def from_base64(cls, text: str) -> Self:
        """Standard base64 of 32 bytes, as `openssl rand -base64 32` prints it. Raises `MasterKeyInvalid`."""
        try:
            secret = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            raise MasterKeyInvalid("a master key is written in base64") from None
        return cls(secret)

    @classmethod
    def generate(cls) -> Self:
        return cls(secrets.token_bytes(KEY_BYTES))

    def derive(self, info: bytes, length: int = KEY_BYTES) -> bytes:
        """HKDF-SHA256 without salt: the master key is uniformly random already."""
        hkdf = HKDF(hashes.SHA256(), length, salt=None, info=b"clinic-voice-gateway\x00" + info)
        return hkdf.derive(self._secret)

    def __repr__(self) -> str:
        return f"MasterKey({self.id.hex()})"


class OrgVault:
    """Seals, opens and digests for one org. Holds no I/O; safe to share between tasks and threads."""

    def __init__(self, keys: Sequence[MasterKey], org_id: UUID) -> None:
        self._org_id = org_id
        self._sealing_id = keys[0].id
        self._ciphers = {key.id: AESGCM(key.derive(b"seal\x00" + org_id.bytes)) for key in keys}
        self._digest_keys = tuple(key.derive(b"digest\x00" + org_id.bytes) for key in keys)

    def seal(self, plain: bytes, cell: Cell) -> bytes:
        """Encrypt `plain` for exactly this cell. Twice the same value gives two different blobs."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._sealing_id].encrypt(nonce, plain, cell.bound_to(self._org_id))
        return _VERSION + self._sealing_id + nonce + sealed

    def open(self, blob: bytes, cell: Cell) -> bytes:
        """The plain value. Raises `ValueErased`, `BlobMalformed`, `KeyUnknown` or `SealBroken`."""
        if blob == ERASED:
            raise ValueErased(f"{cell.table}.{cell.column}: erased")
        if len(blob) < _HEADER_BYTES + NONCE_BYTES + TAG_BYTES or blob[:1] != _VERSION:
            raise BlobMalformed("not a sealed value of this format")
        key_id = blob[len(_VERSION) : _HEADER_BYTES]
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise KeyUnknown(key_id.hex())
        nonce = blob[_HEADER_BYTES : _HEADER_BYTES + NONCE_BYTES]
        try:
            return cipher.decrypt(nonce, blob[_HEADER_BYTES + NONCE_BYTES :], cell.bound_to(self._org_id))
        except InvalidTag:
            raise SealBroken(f"{cell.table}.{cell.column}: altered, or sealed for another place") from None

    def phone_digest(self, e164: str) -> bytes:
        """32 bytes by which a row with this number is found, under the newest key; `e164` as in `+44…`."""
        return self.phone_digests(e164)[0]

    def phone_digests(self, e164: str) -> tuple[bytes, ...]:
        """The digest under every configured master key, newest first: a look-up matches any of them."""
        return self.digests("phone", e164.encode())

    def digests(self, purpose: str, value: bytes) -> tuple[bytes, ...]:
        """HMAC-SHA256 of `value` under every configured master key, newest first.

        `purpose` holds no NUL; equal values of different purposes have different digests.
        """
        message = purpose.encode() + b"\x00" + value
        return tuple(hmac.digest(key, message, hashlib.sha256) for key in self._digest_keys)

    def seals_newest(self, blob: bytes) -> bool:
        """Whether the blob was sealed under the newest master key, as what is sealed from now on is."""
        return blob[:_HEADER_BYTES] == _VERSION + self._sealing_id


class Vault:
    """All orgs' vaults under one list of master keys: the first seals, all of them open."""

    def __init__(self, keys: Sequence[MasterKey]) -> None:
        if not keys:
            raise MasterKeyInvalid("no master key is configured")
        self._keys = tuple(keys)
        self.key_ids = tuple(key.id.hex() for key in keys)
        self.for_org = lru_cache(maxsize=_ORGS_KEPT)(self._for_org)

    def _for_org(self, org_id: UUID) -> OrgVault:
        return OrgVault(self._keys, org_id)
