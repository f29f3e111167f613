"""People and appointments for tests: holds, codes and bookings as the gateway makes them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from booking.bookings import confirm_booking
from booking.contacts import Person, save_contact
from booking.db import org_transaction
from booking.holds import claim_slot
from booking.otp import code_digests, store_otp, verify_otp
from booking.slots import next_available
from booking.types import Booking, Held, Slot
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.conftest import Clinic

CODE, WRONG = "314159", "271828"
TTL = timedelta(minutes=5)


def make_sealer() -> VaultSealer:
    return VaultSealer(Vault([MasterKey.generate()]))


@dataclass(frozen=True)
class Desk:
    """A clinic's front desk: what it takes to get from a free slot to an appointment."""

    pool: asyncpg.Pool
    clinic: Clinic
    sealer: VaultSealer

    async def free(self, limit: int = 1, service: int = 0, practitioner: int | None = None) -> list[Slot]:
        return await next_available(
            self.pool,
            self.clinic.claim,
            service_id=self.clinic.service_ids[service],
            after=datetime.now(UTC),
            limit=limit,
            practitioner_id=None if practitioner is None else self.clinic.practitioner_ids[practitioner],
        )

    async def hold(self, slot: Slot, call_id: UUID | None = None) -> Held:
        held = await claim_slot(
            self.pool, self.clinic.claim, slot_id=slot.id, call_id=call_id or uuid4(), ttl=TTL
        )
        assert isinstance(held, Held)
        return held

    async def contact(self, phone: str | None = None) -> UUID:
        return await save_contact(self.pool, self.clinic.claim, self.sealer, Person(phone or new_phone()))

    def receiver(self, phone: str) -> bytes:
        return self.sealer.digest(self.clinic.claim.org_id, "phone", phone.encode())

    def digest(self, hold_id: UUID, code: str = CODE) -> bytes:
        return code_digests(self.sealer, self.clinic.claim, hold_id, code)[0]

    async def verify(self, hold_id: UUID, phone: str) -> None:
        """As after a code that was sent to this number and read back."""
        claim, digest = self.clinic.claim, self.digest(hold_id)
        receiver = self.receiver(phone)
        await store_otp(self.pool, claim, hold_id=hold_id, digest=digest, receiver_digest=receiver, ttl=TTL)
        checked = await verify_otp(self.pool, claim, hold_id=hold_id, digests=[digest])
        assert checked.outcome == "verified"

    async def verified(self, slot: Slot, call_id: UUID | None = None) -> tuple[Held, UUID]:
        """A verified hold of the slot and the contact it was verified for."""
        phone = new_phone()
        held, contact_id = await self.hold(slot, call_id), await self.contact(phone)
        await self.verify(held.hold_id, phone)
        return held, contact_id

    async def book(self, slot: Slot, call_id: UUID | None = None) -> Booking:
        held, contact_id = await self.verified(slot, call_id)
        return await self.confirm(held.hold_id, contact_id)

    async def confirm(self, hold_id: UUID, contact_id: UUID) -> Booking:
        return await confirm_booking(self.pool, self.clinic.claim, hold_id=hold_id, contact_id=contact_id)

    async def lapse(self, hold_id: UUID) -> None:
        """Let the hold's time pass."""
        await self.by_hand(
            "update appointment_holds set expires_at = now() - interval '1 second' where id = $1", hold_id
        )

    async def by_hand(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """SQL as the application's role under the clinic's claim."""
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *values)
        return rows

    async def states(self) -> list[str]:
        rows = await self.by_hand("select state from appointment_holds order by created_at")
        return [row["state"] for row in rows]


def new_phone() -> str:
    """One that no other test has; of a length that no network gives out."""
    return f"+44700{uuid4().int % 10**10:010d}"
