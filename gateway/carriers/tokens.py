"""The media token: admits one socket to one call of one org, once, for a short time.

We put it into the answer document and get it back in the stream's first frame. It reads
`v1.<payload>.<mac>`, both base64url: the payload is `nonce (16) | org (16) | expiry, unix seconds (8) |
call id`, the mac HMAC-SHA256 over it. Checking is pure; that a nonce is used once is for whoever keeps
the used ones.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from uuid import UUID

from gateway.errors import TokenRefused

VERSION = "v1"
NONCE_BYTES = 16
_UUID_BYTES = 16
_EXPIRY_BYTES = 8
_HEADER_BYTES = NONCE_BYTES + _UUID_BYTES + _EXPIRY_BYTES


@dataclass(frozen=True, slots=True)
class MediaToken:
    """What a token says. `expires_at_s` is unix time."""

    nonce: bytes
    org_id: UUID
    call_id: str
    expires_at_s: int


def token_key(master_key: bytes) -> bytes:
    """The signing key of this deployment: a child of the master key that opens nothing else."""
    return hmac.digest(master_key, b"clinic-voice-gateway media token", hashlib.sha256)


def issue(key: bytes, token: MediaToken) -> str:
    """The token as text; under 200 characters with a carrier's call id in it."""
    header = token.nonce + token.org_id.bytes + token.expires_at_s.to_bytes(_EXPIRY_BYTES, "big")
    payload = _text(header + token.call_id.encode())
    return f"{VERSION}.{payload}.{_mac(key, payload)}"


def admit(key: bytes, text: str, *, call_id: str, now_s: float) -> MediaToken:
    """The token behind `text`, if it is ours, in time and for this call. Raises `TokenRefused`."""
    version, _, rest = text.partition(".")
    payload, _, mac = rest.partition(".")
    if version != VERSION or not hmac.compare_digest(_mac(key, payload).encode(), _bytes(mac)):
        raise TokenRefused("forged")
    token = _parse(payload)
    if now_s >= token.expires_at_s:
        raise TokenRefused("expired")
    if token.call_id != call_id:
        raise TokenRefused("foreign")
    return token


def _parse(payload: str) -> MediaToken:
    try:
        raw = urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        nonce, org, expiry = (
            raw[:NONCE_BYTES],
            raw[NONCE_BYTES : NONCE_BYTES + _UUID_BYTES],
            raw[:_HEADER_BYTES],
        )
        expires_at_s = int.from_bytes(expiry[-_EXPIRY_BYTES:], "big")
        return MediaToken(nonce, UUID(bytes=org), raw[_HEADER_BYTES:].decode(), expires_at_s)
    except (Base64Error, ValueError):
        raise TokenRefused("forged") from None


def _mac(key: bytes, payload: str) -> str:
    signed = f"{VERSION}.{payload}".encode("utf-8", "surrogateescape")
    return _text(hmac.digest(key, signed, hashlib.sha256))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
