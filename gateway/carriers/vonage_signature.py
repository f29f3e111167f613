"""Vonage's signed webhooks and upgrades: a JWT, HS256 under the account's signature secret.

Vonage docs, "Signed webhooks" (read 2026-11): `Authorization: Bearer`, claims `iss`, `iat`, `jti`, `api_key`,
`application_id` and `payload_hash`, the SHA-256 of a post's body. There is no `exp`: the age is ours to
check. An upgrade is signed only where the call was connected with `authorization: {"type": "vonage"}`.
"""

import hashlib
import hmac
import warnings
from dataclasses import dataclass
from typing import Final

import jwt

TOLERANCE_S: Final = 300
_SCHEME: Final = "Bearer "
_MOST_CHARS: Final = 4096


@dataclass(frozen=True, slots=True)
class VonageSigner:
    """Who signed: the account's API key and its application, "" where the token names none."""

    api_key: str
    application_id: str


def vonage_signer(
    secret: str, authorization: str, body: bytes | None, *, now_s: float
) -> VonageSigner | None:
    """Who signed this within the last five minutes, None if not the secret's holder.

    `authorization` is the header's value, `body` a post's, None for a GET or an upgrade; `now_s` is unix
    time.
    """
    if not authorization.startswith(_SCHEME) or len(authorization) > _MOST_CHARS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the secret's length is the vendor's choice
            claims = jwt.decode(
                authorization.removeprefix(_SCHEME),
                secret,
                algorithms=["HS256"],
                options={"verify_iat": False, "require": ["iat"]},
            )
    except (jwt.PyJWTError, UnicodeError):
        return None
    if not _is_recent(claims["iat"], now_s) or not _covers(claims, body):
        return None
    return VonageSigner(str(claims.get("api_key", "")), str(claims.get("application_id", "")))


def _is_recent(issued_at: object, now_s: float) -> bool:
    return isinstance(issued_at, int | float) and abs(now_s - issued_at) <= TOLERANCE_S


def _covers(claims: dict[str, object], body: bytes | None) -> bool:
    """A post's token must vouch for its body."""
    if body is None:
        return True
    vouched = str(claims.get("payload_hash", "")).encode("utf-8", "surrogateescape")
    return hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), vouched)
