"""An org's own provider keys: sealed in Postgres and in Redis, open in the process's memory alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
import structlog

from booking.errors import BookingUnavailable
from booking.orgs import load_credentials
from booking.types import Claim
from compliance.errors import VaultError
from compliance.vault import Cell, Vault
from gateway.tenancy.cache import LayeredCache, Source

log = structlog.get_logger("gateway.credentials")

PROVIDERS: Final = ("deepgram", "llm", "cartesia")


@dataclass(frozen=True, slots=True)
class OrgKeys:
    """The org's own API keys; None means the process-wide one."""

    deepgram: str | None = field(default=None, repr=False)
    llm: str | None = field(default=None, repr=False)
    cartesia: str | None = field(default=None, repr=False)


def credentials_cell(provider: str) -> Cell:
    """Where a provider's sealed key stands: part of its seal."""
    return Cell("org_credentials", "sealed", provider)


def credentials_source(pool: asyncpg.Pool) -> Source[UUID, Mapping[str, bytes]]:
    """Org -> provider -> sealed key. Redis gets the very blobs that Postgres holds."""

    async def load(org_id: UUID) -> Mapping[str, bytes] | None:
        return await load_credentials(pool, Claim(org_id)) or None

    return Source(
        name="credentials",
        load=load,
        unavailable=BookingUnavailable,
        shared_key=lambda org_id: f"gw:credentials:{org_id}",
        dump=lambda sealed: msgspec.msgpack.encode(dict(sealed)),
        parse=msgspec.msgpack.Decoder(dict[str, bytes]).decode,
    )


async def open_keys(cache: LayeredCache[UUID, Mapping[str, bytes]], vault: Vault, org_id: UUID) -> OrgKeys:
    """The org's keys, opened. One that does not open is left out and told. Raises `OrgUnavailable`."""
    sealed = await cache.get(org_id) or {}
    opened: dict[str, str] = {}
    for provider in PROVIDERS:
        if provider not in sealed:
            continue
        try:
            opened[provider] = (
                vault.for_org(org_id).open(sealed[provider], credentials_cell(provider)).decode()
            )
        except (VaultError, UnicodeDecodeError) as error:
            log.error(
                "credentials_unreadable", org=str(org_id), provider=provider, error=type(error).__name__
            )
    return OrgKeys(**opened)
