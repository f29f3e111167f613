"""Ed25519 public keys as a portal shows them: 32 bytes in base64."""

import base64
import binascii
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_KEY_BYTES: Final = 32


def parse_public_key(text: str) -> Ed25519PublicKey:
    """ValueError for what is no base64 of 32 bytes."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a public key is base64") from None
    if len(raw) != _KEY_BYTES:
        raise ValueError("a public key is 32 bytes in base64")
    return Ed25519PublicKey.from_public_bytes(raw)
