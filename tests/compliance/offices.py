"""A clinic whose calls and people are kept sealed, over the real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg

from booking.calls import close_call, open_call, store_turn
from booking.contacts import Person, save_contact
from booking.db import fetch, org_transaction
from booking.holds import set_hold_contact
from booking.types import CallTurn, Claim, Said
from compliance.keys import Keyring, PersonKey, WrappedKey
from compliance.reading import Actor, Opened, Reader, SealedKind, read_sealed
from compliance.records import CallEnds, SpokenValue, call_key, keep_ends, keep_values, settle_call
from compliance.vault import Cell, MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.booking.patients import Desk, new_phone
from tests.conftest import Clinic

CLERK = Actor("operator")
CLINICIAN = Reader(Actor("token", uuid4()), "clinician", "care")
SAID = (
    SpokenValue("MEDICAL", "glaucoma", 1),
    SpokenValue("ADDRESS", "12 Quill Street", 1),
    SpokenValue("PERSON", "Jane Quillfeather", 2),
    SpokenValue("EMAIL", "jane@example.org", None),
)


def said() -> list[SpokenValue]:
    """The same words in rows of their own."""
    return [SpokenValue(each.type, each.value, each.turn) for each in SAID]


@dataclass(frozen=True)
class Office:
    """One clinic's side: `keys` are all that opens what it keeps."""

    pool: asyncpg.Pool
    clinic: Clinic
    keys: Keyring

    @classmethod
    def of(cls, pool: asyncpg.Pool, clinic: Clinic, *keys: MasterKey) -> "Office":
        return cls(pool, clinic, Keyring.of(Vault(keys or (MasterKey.generate(),))))

    @property
    def claim(self) -> Claim:
        return self.clinic.claim

    @property
    def org_id(self) -> UUID:
        return self.clinic.claim.org_id

    @property
    def desk(self) -> Desk:
        return Desk(self.pool, self.clinic, VaultSealer(self.keys.vault))

    @asynccontextmanager
    async def armed(self) -> AsyncIterator[asyncpg.Connection]:
        async with org_transaction(self.pool, self.claim) as connection:
            yield connection

    async def contact(self, phone: str | None = None, name: str = "Jane Quillfeather") -> UUID:
        person = Person(phone or new_phone(), name, "jane@example.org")
        return await save_contact(self.pool, self.claim, self.desk.sealer, person)

    async def call(self, carrier_call_id: str = "CA1") -> UUID:
        """One on record, with a turn of redacted words."""
        call_id, now = uuid4(), datetime.now(UTC)
        await open_call(
            self.pool, self.claim, call_id=call_id, carrier="twilio", carrier_call_id=carrier_call_id,
            started_at=now,
        )  # fmt: skip
        turn = CallTurn(turn=1, said=(Said("caller", "I have [REDACTED: MEDICAL]"),), outcome="answered")
        await store_turn(self.pool, self.claim, call_id=call_id, turn=turn)
        return call_id

    async def end(self, call_id: UUID) -> None:
        await close_call(
            self.pool, self.claim, call_id=call_id, end_reason="goodbye", ended_at=datetime.now(UTC)
        )

    async def key_of(self, call_id: UUID) -> PersonKey:
        async with self.armed() as connection:
            key = await call_key(connection, self.keys, self.org_id, call_id)
        assert key is not None
        return key

    async def say(self, call_id: UUID, *values: SpokenValue, ends: CallEnds | None = None) -> None:
        async with self.armed() as connection:
            key = await call_key(connection, self.keys, self.org_id, call_id)
            assert key is not None
            assert await keep_values(connection, key, self.org_id, call_id, values or said())
            if ends is not None:
                assert await keep_ends(connection, self.keys, key, self.org_id, call_id, ends)

    async def settle(self, call_id: UUID) -> None:
        async with self.armed() as connection:
            await settle_call(connection, self.keys, self.org_id, call_id)

    async def hold_for(self, contact_id: UUID, call_id: UUID) -> UUID:
        """A slot held in this call, for this person."""
        held = await self.desk.hold((await self.desk.free())[0], call_id)
        await set_hold_contact(self.pool, self.claim, hold_id=held.hold_id, contact_id=contact_id)
        return held.hold_id

    async def text(self, phone: str, body: str = "Your code is 314159") -> UUID:
        """A message on record, sealed as `Messages` does it."""
        message_id = uuid4()
        digests = list(self.keys.digests(self.org_id, phone))
        new = await self.keys.new_key(self.org_id)
        (row,) = await fetch(self.pool, self.claim, "receiver_key", digests, new.id, new.wrapped)
        key = await self.keys.unlocked(self.org_id, WrappedKey(row["key_id"], row["wrapped"]))
        sealed = [
            key.seal(plain.encode(), Cell("sms_messages", column, str(message_id)))
            for column, plain in (("sealed_receiver", phone), ("sealed_body", body))
        ]
        await fetch(self.pool, self.claim, "record_text", message_id, "otp", uuid4(), digests, *sealed)
        return message_id

    async def reply(self, call_id: UUID, contact_id: UUID, said: str = "When can I come?") -> UUID:
        """What somebody wrote back to a follow-up, sealed as `Replies` does it."""
        reply_id = uuid4()
        new = await self.keys.new_key(self.org_id)
        digests = list(self.keys.digests(self.org_id, new_phone()))
        (row,) = await fetch(self.pool, self.claim, "receiver_key", digests, new.id, new.wrapped)
        key = await self.keys.unlocked(self.org_id, WrappedKey(row["key_id"], row["wrapped"]))
        sealed = key.seal(said.encode(), Cell("text_replies", "sealed_body", str(reply_id)))
        about = (call_id, contact_id, row["key_id"])
        await fetch(self.pool, self.claim, "keep_reply", reply_id, "question", *about, sealed)
        return reply_id

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        return await self.desk.by_hand(statement, *values)

    async def count(self, table: str) -> int:
        return int((await self.rows(f"select count(*) from {table}"))[0][0])

    async def audited(self) -> list[tuple[str, str]]:
        rows = await self.rows("select action, subject_kind from audit_log order by recorded_at, id")
        return [(row["action"], row["subject_kind"]) for row in rows]

    async def read(
        self, kind: SealedKind, row_id: UUID, reader: Reader = CLINICIAN, keys: Keyring | None = None
    ) -> Opened | None:
        async with self.armed() as connection:
            return await read_sealed(
                connection, keys or self.keys, self.org_id, reader, kind=kind, row_id=row_id
            )
