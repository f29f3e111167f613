"""How an org is set up at Vapi: by which ids it goes there, and what was chosen for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from booking import db
from booking.types import Actor, Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class VapiSetup:
    """The ids are Vapi's. `model_credential_id` None: the model is not ours. `choices`: as the gateway wrote
    them. `applied_at` None: not stored yet.
    """

    assistant_id: str
    credential_id: str
    model_credential_id: str | None
    choices: Mapping[str, Any]
    applied_at: datetime | None = None


async def load_vapi_setup(pool: asyncpg.Pool, claim: Claim) -> VapiSetup | None:
    """None if the org is not set up there. Raises `BookingUnavailable`."""
    rows = await db.fetch(pool, claim, "vapi_setup")
    if not rows:
        return None
    (row,) = rows
    return VapiSetup(**{**dict(row), "choices": msgspec.json.decode(row["choices"])})


async def store_vapi_setup(pool: asyncpg.Pool, claim: Claim, setup: VapiSetup, *, actor: Actor) -> None:
    """In place of what was there. Audited. Raises `BookingUnavailable`."""
    await db.fetch(
        pool,
        claim,
        "store_vapi_setup",
        setup.assistant_id,
        setup.credential_id,
        setup.model_credential_id,
        msgspec.json.encode(setup.choices).decode(),
        actor.kind,
        actor.id,
    )
