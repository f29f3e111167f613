"""From the dialled number to the org, and to the profile that a call needs."""

from uuid import UUID

import asyncpg
import msgspec

from booking.errors import BookingUnavailable
from booking.orgs import load_profile, resolve_number
from booking.types import Claim, OrgProfile
from booking.values import E164
from gateway.tenancy.cache import Source


def number_source(pool: asyncpg.Pool) -> Source[str, UUID]:
    """The clinic's own number (E.164) -> org. What is no number is nobody's."""

    async def load(number: str) -> UUID | None:
        return await resolve_number(pool, number) if E164.fullmatch(number) else None

    return Source(
        name="number",
        load=load,
        unavailable=BookingUnavailable,
        shared_key=lambda number: f"gw:number:{number}",
        dump=lambda org_id: org_id.bytes,
        parse=lambda raw: UUID(bytes=raw),
    )


def profile_source(pool: asyncpg.Pool) -> Source[UUID, OrgProfile]:
    """Org -> what a call needs to know of its clinic. Nothing in it is secret."""

    async def load(org_id: UUID) -> OrgProfile | None:
        return await load_profile(pool, Claim(org_id))

    return Source(
        name="profile",
        load=load,
        unavailable=BookingUnavailable,
        shared_key=lambda org_id: f"gw:profile:{org_id}",
        dump=msgspec.json.encode,
        parse=msgspec.json.Decoder(OrgProfile).decode,
    )
