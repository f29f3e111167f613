"""From the dialled number to the org, and what a call needs to know of it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from booking import db
from booking.types import Claim, OrgProfile, Practitioner, Service


async def resolve_number(pool: asyncpg.Pool, dialled_e164: str) -> UUID | None:
    """The org that owns the number, None if nobody does. The one look-up that needs no claim."""
    org_id: UUID | None = await db.fetch_value(pool, "select app.resolve_org($1)", dialled_e164)
    return org_id


async def load_profile(pool: asyncpg.Pool, claim: Claim) -> OrgProfile | None:
    """The org's profile with its active services and practitioners, by name; None if the org is gone."""
    rows = await db.fetch(pool, claim, "org_profile")
    return _profile(rows[0]) if rows else None


async def load_credentials(pool: asyncpg.Pool, claim: Claim) -> Mapping[str, bytes]:
    """Provider -> sealed credentials; what is sealed in them only the vault can tell."""
    rows = await db.fetch(pool, claim, "sealed_credentials")
    return {row["provider"]: row["sealed"] for row in rows}


async def store_credentials(pool: asyncpg.Pool, claim: Claim, provider: str, sealed: bytes) -> None:
    """Keep sealed credentials for a provider, in place of earlier ones."""
    await db.fetch(pool, claim, "store_credentials", provider, sealed)


async def remove_credentials(pool: asyncpg.Pool, claim: Claim, provider: str) -> bool:
    """Drop a provider's sealed credentials. False if there were none."""
    async with db.org_transaction(pool, claim) as connection:
        removed = await connection.fetchval(
            "delete from public.org_credentials where org_id = $1 and provider = $2 returning true",
            claim.org_id,
            provider,
        )
    return removed is True


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
    )
