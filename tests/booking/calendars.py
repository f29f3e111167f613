"""A practitioner's calendar for tests: a strict Google, a service account, and a clinic that uses both."""

from dataclasses import dataclass
from functools import cache

from bench.simulators.google_calendar import GoogleCalendarSimulator
from bench.simulators.google_events import Calendar
from bench.simulators.google_tokens import Account
from booking.calendar import PROVIDER
from booking.calendar_sync import CalendarSync, set_practitioner_calendar
from booking.orgs import store_credentials
from booking.ports import Place
from tests.booking.patients import Desk

PATEL, OKAFOR = "dr.patel@clinic.example", "dr.okafor@clinic.example"


@cache
def service_account() -> Account:
    """One for all tests: making its key takes long."""
    return Account.generate("gateway@clinic.iam.gserviceaccount.com", delegates=frozenset({PATEL}))


@dataclass(frozen=True)
class Office:
    """A clinic's desk whose practitioners keep calendars at Google."""

    desk: Desk
    google: GoogleCalendarSimulator
    sync: CalendarSync

    @property
    def patel(self) -> Calendar:
        return self.google.calendars[PATEL]

    async def open(self) -> None:
        """Dr Patel's calendar is shared and known, and the clinic has the key."""
        await self.store_key()
        await self.assign(PATEL)

    async def store_key(self) -> None:
        org_id = self.desk.clinic.claim.org_id
        place = Place("org_credentials", "sealed", PROVIDER)
        sealed = self.desk.sealer.seal(org_id, service_account().key_file(), place)
        await store_credentials(self.desk.pool, self.desk.clinic.claim, PROVIDER, sealed)

    async def assign(self, calendar_id: str | None, practitioner: int = 0) -> None:
        await set_practitioner_calendar(
            self.desk.pool,
            self.desk.clinic.claim,
            practitioner_id=self.desk.clinic.practitioner_ids[practitioner],
            calendar_id=calendar_id,
        )

    async def sync_busy(self, practitioner: int = 0) -> None:
        await self.sync.sync_busy(self.desk.clinic.claim, self.desk.clinic.practitioner_ids[practitioner])
