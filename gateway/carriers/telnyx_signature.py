"""Telnyx's webhook signature: Ed25519 over `timestamp|body`.

Telnyx docs, "Receiving webhooks" (read 2026-11): `telnyx-timestamp` in unix seconds,
`telnyx-signature-ed25519` in base64, the public key in base64 from the portal. The media socket's upgrade is
not signed: its token admits.
"""

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidSignature

from gateway.ed25519 import parse_public_key

SIGNATURE_HEADER: Final = "telnyx-signature-ed25519"
TIMESTAMP_HEADER: Final = "telnyx-timestamp"
TOLERANCE_S: Final = 300


def telnyx_signed(public_key: str, timestamp: str, body: bytes, signature: str, *, now_s: float) -> bool:
    """Whether the key's owner signed this body within the last five minutes. `now_s` is unix time."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        return False
    try:
        given = base64.b64decode(signature.encode("utf-8", "surrogateescape"), validate=True)
        parse_public_key(public_key).verify(given, timestamp.encode() + b"|" + body)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return True
