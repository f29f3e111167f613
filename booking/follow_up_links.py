"""Short links to guides: opaque, signed, and of no use to who reads the database. Pure.

`/g/<20 characters>`: 9 bytes of code and 6 of signature in base64url. Both are HMAC-SHA256 under keys of this
deployment, the code over org and call, so that a follow-up which is taken up again has the link that it had.
A forged link is told from a good one without asking the database (one guess in 2^48); what a good one leads
to, and for how long, the database knows, by SHA-256 of the code.
"""

import binascii
import hashlib
import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

PATH: Final = "/g/"
_CODE_BYTES: Final = 9
_MAC_BYTES: Final = 6
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20}")


@dataclass(frozen=True, slots=True)
class Link:
    """`digest` is what the database knows of it."""

    url: str = field(repr=False)
    digest: bytes


class GuideLinks:
    """Makes links and reads them back. `public_url` has no trailing slash; keys are secret, newest first."""

    def __init__(self, master_keys: Sequence[bytes], public_url: str) -> None:
        self._keys = [
            hmac.digest(key, b"clinic-voice-gateway guide link", hashlib.sha256) for key in master_keys
        ]
        self._public_url = public_url

    def link(self, org_id: UUID, call_id: UUID, known: bytes | None = None) -> Link:
        """The follow-up's link. `known`: the digest of the one that it has, made under whichever key."""
        made = [self._link(key, org_id, call_id) for key in self._keys]
        return next((each for each in made if each.digest == known), made[0])

    def digest_in(self, token: str) -> bytes | None:
        """The digest of a link of ours, None for any other."""
        if not _TOKEN.fullmatch(token):
            return None
        try:
            told = urlsafe_b64decode(token)
        except binascii.Error:
            return None
        code, mac = told[:_CODE_BYTES], told[_CODE_BYTES:]
        if not any(hmac.compare_digest(_mac(key, code), mac) for key in self._keys):
            return None
        return hashlib.sha256(code).digest()

    def _link(self, key: bytes, org_id: UUID, call_id: UUID) -> Link:
        code = hmac.digest(key, b"code" + org_id.bytes + call_id.bytes, hashlib.sha256)[:_CODE_BYTES]
        token = urlsafe_b64encode(code + _mac(key, code)).decode()
        return Link(f"{self._public_url}{PATH}{token}", hashlib.sha256(code).digest())


def _mac(key: bytes, code: bytes) -> bytes:
    return hmac.digest(key, b"mac" + code, hashlib.sha256)[:_MAC_BYTES]
