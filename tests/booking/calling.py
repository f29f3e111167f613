"""Placed calls as tests drive them: contacts of one clinic, called through a strict Twilio."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_calls import PlacedResource
from booking.calling_rules import CallingRules, load_calling_rules, store_calling_rules
from booking.contacts import Person, save_contact
from booking.db import fetch, org_transaction
from booking.placed_calls import Asked, CarrierWord, ask_for_call, report_call
from booking.placing import Placing
from booking.types import Actor
from compliance.vault import MasterKey, Vault
from gateway.control.rest import CarrierHttp
from gateway.control.telnyx_placing import TelnyxPlacing
from gateway.control.twilio_placing import Longest, TwilioPlacing
from gateway.metrics import Metrics
from gateway.placed_address import PlacedAddresses
from gateway.placing import CarrierDialler, PlacingAt
from gateway.sealing import VaultSealer
from gateway.tenancy.credentials import TwilioAccount, parse_telnyx, parse_twilio
from tests.booking.following import KEY, mobile
from tests.booking.texting import ACCOUNT_SID, TOKEN
from tests.conftest import Clinic

PUBLIC = "https://gw.example.com"
CLERK = Actor("operator")


@dataclass
class Noted:
    """A watch that keeps what it is told. Satisfies `PlacingWatch`."""

    attempts: list[tuple[str, str]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    def attempted(self, carrier: str, outcome: str) -> None:
        self.attempts.append((carrier, outcome))

    def ended(self, outcome: str) -> None:
        self.ends.append(outcome)


@dataclass
class Calling:
    """One clinic's placed calls. `then`: what time it is for the engine, if not now."""

    pool: asyncpg.Pool
    clinic: Clinic
    twilio: TwilioApiSimulator
    placing: Placing
    watch: Noted
    then: datetime | None = None
    unsure: timedelta = timedelta(minutes=5)

    @property
    def engine(self) -> Placing:
        return replace(self.placing, unsure=self.unsure, now=lambda: self.then or datetime.now(UTC))

    async def contact(self, *, agrees: bool | None = True, phone: str | None = None) -> UUID:
        """Somebody who has said whether they want to be called, or (None) nothing of it."""
        person = Person(phone or mobile())
        contact_id = await save_contact(self.pool, self.clinic.claim, self.placing.sealer, person)
        if agrees is not None:
            await self.says(contact_id, agrees)
        return contact_id

    async def says(self, contact_id: UUID, agrees: bool) -> None:
        await self.ask("record_consent", "calls", agrees, "staff", contact_id, None, "operator", None)

    async def asked(
        self, contact_id: UUID, campaign_id: UUID | None = None, placed_id: UUID | None = None
    ) -> tuple[Asked, UUID]:
        placed_id = placed_id or uuid4()
        came = await ask_for_call(
            self.pool,
            self.clinic.claim,
            placed_id=placed_id,
            contact_id=contact_id,
            campaign_id=campaign_id,
            actor=CLERK,
        )
        return came, placed_id

    async def placed(self, contact_id: UUID | None = None) -> UUID:
        """A call whose carrier has been asked, or was to be."""
        came, placed_id = await self.asked(contact_id or await self.contact())
        assert came == "placed"
        await self.go_on(placed_id)
        return placed_id

    async def go_on(self, placed_id: UUID) -> None:
        await self.engine.go_on(self.clinic.claim, placed_id)

    async def told(self, placed_id: UUID, attempt: int, call: PlacedResource, word: CarrierWord) -> str:
        return await report_call(
            self.pool,
            self.clinic.claim,
            placed_id=placed_id,
            attempt=attempt,
            carrier_call_id=call.sid,
            word=word,
        )

    async def row(self, placed_id: UUID) -> dict[str, Any]:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            found = await connection.fetchrow("select * from placed_calls where id = $1", placed_id)
        return dict(found)

    async def stands(self, placed_id: UUID) -> tuple[str, str | None, int]:
        row = await self.row(placed_id)
        return row["state"], row["outcome"], row["attempt"]

    async def rules(self, **changes: Any) -> CallingRules:
        rules = replace(await load_calling_rules(self.pool, self.clinic.claim), **changes)
        await store_calling_rules(self.pool, self.clinic.claim, rules, services=(), actor=CLERK)
        return rules

    async def by_hand(self, statement: str, *values: object) -> None:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            await connection.execute(statement, *values)

    async def ask(self, function: str, *values: object) -> list[asyncpg.Record]:
        return await fetch(self.pool, self.clinic.claim, function, *values)

    async def due(self, placed_id: UUID) -> None:
        """Whatever is waited for is over."""
        await self.by_hand("update placed_calls set next_at = now() where id = $1", placed_id)


@asynccontextmanager
async def calling(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Calling]:
    """The clinic calls at any hour, from its first number, by the process-wide account."""
    vault, watch = Vault([MasterKey(KEY)]), Noted()
    async with TwilioApiSimulator(account_sid=ACCOUNT_SID, auth_token=TOKEN) as twilio:
        twilio.placed.numbers.add(clinic.number)
        addresses = PlacedAddresses(lambda path: PUBLIC + path)
        async with (
            TwilioPlacing(twilio.url, addresses, Longest(call_s=1020, request_s=2.0)) as at_twilio,
            CarrierHttp(Metrics(), timeout_s=2.0) as http,
        ):
            ours = TwilioAccount(ACCOUNT_SID, TOKEN)
            at_telnyx = TelnyxPlacing(http, "http://127.0.0.1:9", 1020)
            at = {
                "twilio": PlacingAt(at_twilio, parse_twilio, ours),
                "telnyx": PlacingAt(at_telnyx, parse_telnyx, None),
            }
            dialler = CarrierDialler(vault, at)
            made = Calling(pool, clinic, twilio, Placing(pool, VaultSealer(vault), dialler, watch), watch)
            await made.by_hand(
                "insert into follow_up_settings (org_id, quiet_from, quiet_to) values ($1, '00:00', '00:00')",
                clinic.claim.org_id,
            )
            yield made
