"""Calls that a clinic places, without the API: its rules, an attempt asked for, and how far it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from uuid import UUID, uuid4

import asyncpg

from booking.calling_rules import CallCarrier, CallingRules, store_calling_rules
from booking.contacts import Person, save_contact
from booking.db import org_transaction
from booking.placed_calls import ask_for_call, find_placed_call
from booking.placing import Placing
from booking.types import Actor
from gateway.placing import open_placing
from gateway.sealing import VaultSealer
from tests.booking.following import mobile
from tests.conftest import Clinic
from tests.gateway.running import Gateway

CLERK = Actor("operator")


async def ruled(
    pool: asyncpg.Pool, clinic: Clinic, carrier: CallCarrier, on_machine: Literal["hang_up", "message"]
) -> None:
    """Over this carrier, and what a machine that picks up is left."""
    rules = CallingRules(carrier=carrier, consent="inquiry", on_machine=on_machine, pause_minutes=5)
    await store_calling_rules(pool, clinic.claim, rules, services=(), actor=CLERK)


@asynccontextmanager
async def placing_over(
    carrier: CallCarrier, gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic
) -> AsyncIterator[Placing]:
    """At any hour; a machine is left a message."""
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute(
            "insert into follow_up_settings (org_id, quiet_from, quiet_to) values ($1, '00:00', '00:00')",
            clinic.claim.org_id,
        )
    await ruled(pool, clinic, carrier, "message")
    edge = gateway.edge
    async with open_placing(edge.settings, edge.desk.pool, edge.desk.vault, edge.metrics) as placing:
        yield placing


async def asked(gateway: Gateway, clinic: Clinic) -> UUID:
    """An attempt to ring somebody new, not yet ordered."""
    pool, placed_id = gateway.edge.desk.pool, uuid4()
    sealer = VaultSealer(gateway.edge.desk.vault)
    contact_id = await save_contact(pool, clinic.claim, sealer, Person(mobile()))
    came = await ask_for_call(
        pool, clinic.claim, placed_id=placed_id, contact_id=contact_id, campaign_id=None, actor=CLERK
    )
    assert came == "placed"
    return placed_id


async def stands(gateway: Gateway, clinic: Clinic, placed_id: UUID) -> tuple[str, str | None, str | None]:
    """State, outcome, and by whom it was answered."""
    found = await find_placed_call(gateway.edge.desk.pool, clinic.claim, placed_id=placed_id)
    assert found is not None
    return found.state, found.outcome, found.answered_by
