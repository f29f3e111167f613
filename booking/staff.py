"""Staff tokens: who may use the API without an identity provider. Only a token's digest is ever stored."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.types import Claim
from booking.values import utf8

Scope = Literal["slots:read", "holds:read", "holds:write", "bookings:read", "bookings:write", "admin"]

SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
PREFIX: Final = "cvg_"
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class StaffToken:
    """A live token as its org sees it. `name`: what it is for, unique among an org's live tokens."""

    id: UUID
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token; `secret` is shown this once."""

    id: UUID
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whom a good token speaks for."""

    org_id: UUID
    token_id: UUID
    scopes: tuple[str, ...]


async def issue_token(
    pool: asyncpg.Pool,
    claim: Claim,
    *,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
) -> IssuedToken:
    """A new token under this name; the one before of that name stops working in the same moment."""
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    (row,) = await db.fetch(
        pool, claim, "issue_staff_token", name, digest_of(secret), list(scopes), expires_at
    )
    return IssuedToken(id=row[0], secret=secret)


async def revoke_token(pool: asyncpg.Pool, claim: Claim, *, name: str) -> bool:
    """End the live token of this name. False if there is none."""
    (row,) = await db.fetch(pool, claim, "revoke_staff_token", name)
    revoked: bool = row[0]
    return revoked


async def live_tokens(pool: asyncpg.Pool, claim: Claim) -> list[StaffToken]:
    """The org's tokens that are not revoked, by name; expired ones among them."""
    rows = await db.fetch(pool, claim, "staff_tokens")
    return [
        StaffToken(
            id=row["token_id"],
            name=row["name"],
            scopes=tuple(row["scopes"]),
            created_at=row["created_at"],
            expires_at=row["expires_at"],
        )
        for row in rows
    ]


async def resolve_token(pool: asyncpg.Pool, token: str) -> TokenHolder | None:
    """Whose token this is; None if it is unknown, expired or revoked. Needs no claim."""
    found = await db.fetch_value(
        pool, "select to_json(r) from app.resolve_staff_token($1) r", digest_of(token)
    )
    return None if found is None else msgspec.json.decode(found, type=TokenHolder)


def digest_of(token: str) -> bytes:
    """What a token is found by: SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(utf8(token)).digest()
