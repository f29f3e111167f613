"""From the dialled number to the org, and what a call needs to know of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.errors import OrgUnknown
from booking.types import OPERATOR, Actor, Claim, OrgProfile, Practitioner, Service


async def resolve_number(pool: asyncpg.Pool, dialled_e164: str) -> UUID | None:
    """The org that owns the number, None if nobody does. The one look-up that needs no claim."""
    org_id: UUID | None = await db.fetch_value(pool, "select app.resolve_org($1)", dialled_e164)
    return org_id


async def load_profile(pool: asyncpg.Pool, claim: Claim) -> OrgProfile | None:
    """The org's profile with its active services and practitioners, by name; None if the org is gone."""
    rows = await db.fetch(pool, claim, "clinic_profile")
    return _profile(rows[0]) if rows else None


async def load_credentials(pool: asyncpg.Pool, claim: Claim) -> Mapping[str, bytes]:
    """Provider -> sealed credentials; what is sealed in them only the vault can tell."""
    rows = await db.fetch(pool, claim, "sealed_credentials")
    return {row["provider"]: row["sealed"] for row in rows}


async def store_credentials(
    pool: asyncpg.Pool, claim: Claim, provider: str, sealed: bytes, *, actor: Actor = OPERATOR
) -> bool:
    """Keep sealed credentials for a provider, in place of earlier ones; whether there were any.

    On record in the audit log. Raises `OrgUnknown`.
    """
    async with db.org_transaction(pool, claim) as connection:
        if not await connection.fetchval(_IS_THERE, claim.org_id):
            raise OrgUnknown(OrgUnknown.__doc__)
        replaced = await connection.fetchval(_HAS, claim.org_id, provider) is True
        await connection.execute("select app.store_credentials($1, $2, $3)", claim.org_id, provider, sealed)
        await _record(
            connection, claim, actor, "credentials_rotated" if replaced else "credentials_set", provider
        )
    return replaced


async def remove_credentials(
    pool: asyncpg.Pool, claim: Claim, provider: str, *, actor: Actor = OPERATOR
) -> bool:
    """Drop a provider's sealed credentials. False if there were none. On record in the audit log."""
    async with db.org_transaction(pool, claim) as connection:
        removed = await connection.fetchval(
            "delete from public.org_credentials where org_id = $1 and provider = $2 returning true",
            claim.org_id,
            provider,
        )
        if removed:
            await _record(connection, claim, actor, "credentials_removed", provider)
    return removed is True


async def reseal_credentials(
    pool: asyncpg.Pool, claim: Claim, provider: str, *, before: bytes, sealed: bytes, actor: Actor = OPERATOR
) -> bool:
    """The same secret under another seal. False if it has been changed meanwhile: then that stays."""
    async with db.org_transaction(pool, claim) as connection:
        resealed = await connection.fetchval(_RESEAL, claim.org_id, provider, before, sealed)
        if resealed:
            await _record(connection, claim, actor, "credentials_resealed", provider)
    return resealed is True


async def kept_credentials(pool: asyncpg.Pool, claim: Claim) -> Mapping[str, datetime]:
    """For which providers there are any, and since when these; never what they are."""
    async with db.org_transaction(pool, claim) as connection:
        rows = await connection.fetch(_KEPT, claim.org_id)
    return {row["provider"]: row["updated_at"] for row in rows}


_IS_THERE: Final = "select exists (select from public.organizations where org_id = $1)"
_HAS: Final = "select true from public.org_credentials where org_id = $1 and provider = $2 for update"
_KEPT: Final = "select provider, updated_at from public.org_credentials where org_id = $1 order by provider"
_RESEAL: Final = """
update public.org_credentials set sealed = $4
where org_id = $1 and provider = $2 and sealed = $3 returning true
"""


async def _record(
    connection: asyncpg.Connection, claim: Claim, actor: Actor, action: str, provider: str
) -> None:
    """Which provider's stands there as the kind of subject; the secret nowhere."""
    await connection.execute(
        "select app.audit($1, $2, $3, $4, $5)",
        claim.org_id, actor.kind, actor.id, action, f"{provider}_credentials",
    )  # fmt: skip


def _profile(row: Mapping[str, Any]) -> OrgProfile:
    return OrgProfile(
        org_id=row["org_id"],
        name=row["name"],
        time_zone=row["time_zone"],
        greeting=row["greeting"],
        agent_name=row["agent_name"],
        voice=row["voice"],
        services=tuple(msgspec.json.decode(row["services"], type=list[Service])),
        practitioners=tuple(msgspec.json.decode(row["practitioners"], type=list[Practitioner])),
        recording=row["recording"],
    )
