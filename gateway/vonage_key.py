"""A Vonage application: its id, its private key, and the tokens that this signs.

Vonage docs, "Authentication: JWT" (read 2026-11): RS256 with claims `application_id`, `iat`, `exp`, `jti`.
"""

import re
from functools import lru_cache
from typing import Final
from uuid import uuid4

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

LEAST_BITS: Final = 2048  # RFC 7518 section 3.3
LIFE_S: Final = 300
_REMEMBERED: Final = 256
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def require_application_id(text: str) -> str:
    """ValueError for what is none."""
    if not _ID.fullmatch(text):
        raise ValueError("an application's id is a UUID in small letters")
    return text


@lru_cache(maxsize=_REMEMBERED)  # OpenSSL checks a key's numbers at length each time that it is read
def parse_private_key(pem: str) -> RSAPrivateKey:
    """ValueError for what is no unencrypted RSA key of 2048 bits or more; it is never repeated."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("a private key is PEM, without a password") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
        raise ValueError(f"a private key is RSA of {LEAST_BITS} bits or more")
    return key


def application_token(application_id: str, private_key: str, *, now_s: float) -> str:
    """What opens Vonage's REST for some minutes. `private_key`: PEM; `now_s`: unix time."""
    issued_at = int(now_s)
    claims = {
        "application_id": application_id,
        "iat": issued_at,
        "exp": issued_at + LIFE_S,
        "jti": str(uuid4()),
    }
    return jwt.encode(claims, parse_private_key(private_key), algorithm="RS256")
