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
from booking.errors import ScopeUnknown
from booking.types import OPERATOR, Actor, Claim
from booking.values import require_sound, utf8

OrgScope = Literal[
    "slots:read",
    "holds:read",
    "holds:write",
    "bookings:read",
    "bookings:write",
    "org:read",
    "org:write",
    "secrets:write",
    "sealed:read",
    "contacts:export",
    "contacts:erase",
    "consents:read",
    "consents:write",
    "retention:read",
    "retention:write",
    "audit:read",
    "calls:stream",
    "calls:place",
    "role:staff",
    "role:clinician",
    "role:auditor",
]
Scope = OrgScope | Literal["admin"]

SCOPES: Final[tuple[OrgScope, ...]] = get_args(OrgScope)
"""What a token of one org may be allowed; `admin` is the platform's, whose tokens are of no org."""
PREFIX: Final = "cvg_"
_SECRET_BYTES: Final = 32
_LIVE: Final = "select id from public.staff_tokens where org_id = $1 and name = $2 and revoked_at is null"


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
    actor: Actor = OPERATOR,
) -> IssuedToken:
    """A new token under this name; the one before of that name stops working in the same moment.

    Raises `ScopeUnknown`, `StatementRefused` for an org that is not there, a name or an end that makes no
    sense. On record in the audit log.
    """
    if not scopes or set(scopes) - set(SCOPES):
        raise ScopeUnknown(ScopeUnknown.__doc__)
    secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    require_sound([name, expires_at])
    async with db.org_transaction(pool, claim) as connection:
        token_id: UUID = await connection.fetchval(
            "select app.issue_staff_token($1, $2, $3, $4, $5)",
            claim.org_id, name, digest_of(secret), sorted(set(scopes)), expires_at,
        )  # fmt: skip
        await _record(connection, claim, actor, "token_issued", token_id)
    return IssuedToken(id=token_id, secret=secret)


async def revoke_token(pool: asyncpg.Pool, claim: Claim, *, name: str, actor: Actor = OPERATOR) -> bool:
    """End the live token of this name. False if there is none. On record in the audit log."""
    require_sound([name])
    async with db.org_transaction(pool, claim) as connection:
        live: UUID | None = await connection.fetchval(_LIVE, claim.org_id, name)
        revoked = await connection.fetchval("select app.revoke_staff_token($1, $2)", claim.org_id, name)
        if revoked and live is not None:
            await _record(connection, claim, actor, "token_revoked", live)
    return revoked is True


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


async def _record(
    connection: asyncpg.Connection, claim: Claim, actor: Actor, action: str, token_id: UUID
) -> None:
    await connection.execute(
        "select app.audit($1, $2, $3, $4, 'staff_token', $5)",
        claim.org_id, actor.kind, actor.id, action, token_id,
    )  # fmt: skip


def digest_of(token: str) -> bytes:
    """What a token is found by: SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(utf8(token)).digest()
