"""Follow-ups as tests drive them: calls of one clinic, its follow-ups through a strict Twilio."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from pypdf import PdfWriter

from booking.calls import close_call, open_call
from booking.db import fetch, org_transaction
from booking.follow_up import FollowUps, Outcome, note_asked, note_texts_wanted
from booking.follow_up_links import GuideLinks
from booking.follow_up_rules import FollowUpRules, store_rules
from booking.guides import put_guide
from booking.types import Actor
from compliance.keys import Keyring
from compliance.records import CallEnds, call_key, keep_ends
from compliance.vault import MasterKey, Vault
from tests.booking.patients import new_phone
from tests.booking.texting import Post, post_office
from tests.conftest import Clinic

ALL_DAY = FollowUpRules(quiet_from=time(0), quiet_to=time(0))
NOON = datetime(2031, 5, 6, 11, tzinfo=UTC)  # a Tuesday, noon in London
KEY = bytes(range(32))
LINKS = GuideLinks([KEY], "https://gateway.example.com")


@dataclass
class Noted:
    """A watch that keeps what it is told. Satisfies `FollowUpWatch`."""

    triggers: list[float] = field(default_factory=list)
    handovers: list[float] = field(default_factory=list)
    ends: list[tuple[Outcome, str]] = field(default_factory=list)

    def triggered(self, seconds: float) -> None:
        self.triggers.append(seconds)

    def handed_over(self, seconds: float) -> None:
        self.handovers.append(seconds)

    def ended(self, outcome: Outcome, reason: str) -> None:
        self.ends.append((outcome, reason))


@dataclass
class Following:
    """One clinic's calls and what follows them. `then`: what time it is for the engine, if not now."""

    post: Post
    pool: asyncpg.Pool
    clinic: Clinic
    watch: Noted = field(default_factory=Noted)
    then: datetime | None = None
    unsure: timedelta = timedelta(0)

    @property
    def now(self) -> datetime:
        return self.then or datetime.now(UTC)

    @property
    def engine(self) -> FollowUps:
        return FollowUps(self.post.messages, LINKS, self.watch, unsure=self.unsure, now=lambda: self.now)

    @property
    def sent(self) -> list[str]:
        """Texts that Twilio took, oldest first."""
        return [message.body for message in self.post.twilio.messages.all]

    async def call(
        self,
        caller: str | None = None,
        *,
        service: int | None = 0,
        wanted: bool | None = True,
        reason: str = "caller_hung_up",
        carrier_call_id: str | None = None,
    ) -> UUID:
        """A call that has ended, from a number that was shown."""
        call_id = await self.begun(caller, carrier_call_id)
        if service is not None:
            service_id = self.clinic.service_ids[service]
            await note_asked(self.pool, self.clinic.claim, call_id=call_id, service_id=service_id)
        if wanted is not None:
            await note_texts_wanted(self.pool, self.clinic.claim, call_id=call_id, wanted=wanted)
        await self.ended(call_id, reason)
        return call_id

    async def begun(self, caller: str | None = None, carrier_call_id: str | None = None) -> UUID:
        claim, call_id = self.clinic.claim, uuid4()
        await open_call(
            self.pool,
            claim,
            call_id=call_id,
            carrier="twilio",
            carrier_call_id=carrier_call_id or f"CA{call_id.hex}",
            started_at=self.now - timedelta(minutes=3),
        )
        keys = Keyring.of(Vault([MasterKey(KEY)]))
        async with org_transaction(self.pool, claim) as connection:
            key = await call_key(connection, keys, claim.org_id, call_id)
            assert key is not None
            ends = CallEnds(caller or mobile(), self.clinic.number)
            await keep_ends(connection, keys, key, claim.org_id, call_id, ends)
        return call_id

    async def ended(self, call_id: UUID, reason: str = "caller_hung_up") -> None:
        claim = self.clinic.claim
        await close_call(
            self.pool, claim, call_id=call_id, end_reason=reason, ended_at=self.now, keep_hold=False
        )

    async def go_on(self, call_id: UUID) -> None:
        await self.engine.go_on(self.clinic.claim, call_id)

    async def row(self, call_id: UUID) -> dict[str, Any]:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            found = await connection.fetchrow("select * from follow_ups where call_id = $1", call_id)
        return dict(found)

    async def stands(self, call_id: UUID) -> tuple[str, str | None]:
        row = await self.row(call_id)
        return row["state"], row["reason"]

    async def campaigns(self) -> list[asyncpg.Record]:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(
                "select * from outbound_campaigns order by created_at"
            )
        return rows

    async def rules(self, **changes: Any) -> None:
        rules = replace(ALL_DAY, **changes)
        actor = Actor("operator")
        await store_rules(self.pool, self.clinic.claim, rules, clinic=self.clinic.spec.name, actor=actor)

    async def by_hand(self, statement: str, *values: object) -> None:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            await connection.execute(statement, *values)

    async def ask(self, function: str, *values: object) -> list[asyncpg.Record]:
        return await fetch(self.pool, self.clinic.claim, function, *values)


def mobile() -> str:
    """A British one that no other test has."""
    return f"+4477{new_phone()[-8:]}"


@asynccontextmanager
async def following(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Following]:
    """The clinic's first service has a guide, the second has none; it texts at any hour."""
    async with post_office(pool, clinic) as post:
        service_id = clinic.service_ids[0]
        await put_guide(pool, clinic.claim, service_id=service_id, content=a_pdf(), actor=Actor("operator"))
        made = Following(post, pool, clinic)
        await made.rules()
        yield made


def a_pdf(pages: int = 1) -> bytes:
    """A file of blank pages."""
    writer, content = PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    writer.write(content)
    return content.getvalue()
