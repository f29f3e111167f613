"""The Google Calendar adapter against a strict server: what it keeps there, and what each refusal becomes."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.simulators.faults import Refuse, Stall
from bench.simulators.google_calendar import (
    DoneButUnanswered,
    Garble,
    GoogleCalendarSimulator,
    Limit,
    RefuseGrant,
)
from bench.simulators.google_tokens import Account
from booking.calendar import GoogleCalendar, GoogleCalendars, StoredCalendars, event_id
from booking.errors import CalendarError, CalendarNotConfigured, CalendarRefused, CalendarUnavailable
from booking.orgs import store_credentials
from booking.ports import Busy, CalendarEvent, Place
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.booking.calendars import PATEL, service_account
from tests.conftest import Clinic

MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
EVENT = CalendarEvent(event_id(UUID(int=7)), "Appointment", MONDAY, MONDAY + HALF_AN_HOUR)


@pytest.fixture
def account() -> Account:
    return service_account()


@pytest.fixture
async def server(account: Account) -> AsyncIterator[GoogleCalendarSimulator]:
    async with GoogleCalendarSimulator() as simulator:
        simulator.add_account(account)
        simulator.share(PATEL, account.email)
        yield simulator


@pytest.fixture
async def google(server: GoogleCalendarSimulator) -> AsyncIterator[GoogleCalendars]:
    async with GoogleCalendars(api_url=server.url, token_url=server.token_url, timeout_s=2.0) as calendars:
        yield calendars


@pytest.fixture
def calendar(google: GoogleCalendars, account: Account) -> GoogleCalendar:
    return google.calendar(account.key_file())


def test_an_event_id_is_the_appointments_in_letters_that_google_takes() -> None:
    assert event_id(UUID(int=0)) == "0" * 26
    assert event_id(UUID("ffffffff-ffff-ffff-ffff-ffffffffffff")) == "v" * 25 + "s"
    assert len({event_id(uuid4()) for _ in range(100)}) == 100


async def test_an_event_is_put_moved_and_removed(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    await calendar.put(PATEL, EVENT)
    (event,) = server.calendars[PATEL].standing
    assert (event.id, event.starts_at, event.ends_at) == (EVENT.id, EVENT.starts_at, EVENT.ends_at)
    assert event.fields["visibility"] == "private"

    later = replace(EVENT, starts_at=MONDAY + HALF_AN_HOUR, ends_at=MONDAY + 2 * HALF_AN_HOUR)
    await calendar.put(PATEL, later)
    await calendar.put(PATEL, EVENT)
    (event,) = server.calendars[PATEL].standing
    assert (event.starts_at, event.sequence) == (MONDAY, 2)

    await calendar.remove(PATEL, EVENT.id)
    assert server.calendars[PATEL].standing == []


async def test_an_event_put_twice_is_there_once_and_left_as_it_is(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    await calendar.put(PATEL, EVENT)
    await calendar.put(PATEL, EVENT)
    assert len(server.calendars[PATEL].events) == 1
    assert (server.asked("POST"), server.asked("PUT")) == ([200, 409], [])


async def test_a_removed_event_comes_back_under_its_id(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    await calendar.put(PATEL, EVENT)
    await calendar.remove(PATEL, EVENT.id)
    await calendar.put(PATEL, EVENT)
    assert [event.id for event in server.calendars[PATEL].standing] == [EVENT.id]


async def test_what_is_gone_counts_as_removed(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    await calendar.put(PATEL, EVENT)
    for _ in range(2):
        await calendar.remove(PATEL, EVENT.id)
    await calendar.remove(PATEL, event_id(uuid4()))
    assert server.asked("DELETE") == [204, 410, 404]


@pytest.mark.parametrize("fault", [DoneButUnanswered(), Garble()], ids=["cut off", "garbled"])
async def test_a_lost_answer_is_made_good_by_asking_again(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar, fault: object
) -> None:
    server.faults.add(fault, times=2)  # httplib2 itself tries a broken connection twice
    with pytest.raises(CalendarUnavailable) as raised:
        await calendar.put(PATEL, EVENT)
    assert raised.value.retryable
    server.faults.clear()
    await calendar.put(PATEL, EVENT)
    assert len(server.calendars[PATEL].events) == 1


@pytest.mark.parametrize(
    ("fault", "becomes"),
    [
        (Limit(403, "rateLimitExceeded"), CalendarUnavailable),
        (Limit(403, "userRateLimitExceeded"), CalendarUnavailable),
        (Limit(403, "quotaExceeded"), CalendarUnavailable),
        (Limit(429, "rateLimitExceeded"), CalendarUnavailable),
        (Refuse(500), CalendarUnavailable),
        (Refuse(503), CalendarUnavailable),
        (Refuse(403), CalendarRefused),
        (Refuse(400), CalendarRefused),
        (RefuseGrant(400, "invalid_grant"), CalendarRefused),
    ],
    ids=str,
)
async def test_trouble_at_google(
    server: GoogleCalendarSimulator,
    calendar: GoogleCalendar,
    fault: object,
    becomes: type[CalendarError],
) -> None:
    server.faults.add(fault)
    with pytest.raises(becomes) as raised:
        await calendar.put(PATEL, EVENT)
    assert raised.value.retryable is (becomes is CalendarUnavailable)
    assert PATEL not in str(raised.value)
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    await calendar.put(PATEL, EVENT)


async def test_a_token_is_used_until_it_is_refused(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    await asyncio.gather(*(calendar.remove(PATEL, event_id(uuid4())) for _ in range(3)))
    assert [each.path for each in server.requests].count("/token") == 1
    server.tokens.revoke_all()
    await calendar.put(PATEL, EVENT)
    assert server.asked("POST") == [401, 200]


async def test_credentials_that_stay_refused(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    server.faults.add(Refuse(401), times=2)
    with pytest.raises(CalendarRefused) as refused:
        await calendar.put(PATEL, EVENT)
    assert refused.value.reason == "credentials"


async def test_a_key_of_another_account_is_refused(google: GoogleCalendars, account: Account) -> None:
    stolen = replace(account, email="other@clinic.iam.gserviceaccount.com")
    with pytest.raises(CalendarRefused) as refused:
        await google.calendar(stolen.key_file()).put(PATEL, EVENT)
    assert refused.value.reason == "credentials"


@pytest.mark.parametrize(("role", "reason"), [("reader", "access"), (None, "calendar")])
async def test_a_calendar_that_is_not_ours_to_write(
    server: GoogleCalendarSimulator,
    calendar: GoogleCalendar,
    account: Account,
    role: str | None,
    reason: str,
) -> None:
    server.calendars[PATEL].roles.clear()
    if role is not None:
        server.share(PATEL, account.email, role)
    with pytest.raises(CalendarRefused) as refused:
        await calendar.put(PATEL, EVENT)
    assert refused.value.reason == reason


async def test_a_user_may_be_acted_for(
    server: GoogleCalendarSimulator, google: GoogleCalendars, account: Account
) -> None:
    server.calendars[PATEL].roles.clear()
    server.share(PATEL, PATEL, "owner")
    await google.calendar(account.key_file(subject=PATEL)).put(PATEL, EVENT)
    with pytest.raises(CalendarRefused):
        await google.calendar(account.key_file(subject="someone@else.example")).put(PATEL, EVENT)


async def test_busy_times_are_told_over_months(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    late = MONDAY + timedelta(days=75)
    server.calendars[PATEL].times += [(MONDAY, MONDAY + HALF_AN_HOUR), (late, late + HALF_AN_HOUR)]
    await calendar.put(
        PATEL, replace(EVENT, starts_at=MONDAY + HALF_AN_HOUR, ends_at=MONDAY + 2 * HALF_AN_HOUR)
    )
    busy = await calendar.busy(PATEL, after=MONDAY - HALF_AN_HOUR, before=MONDAY + timedelta(days=100))
    assert busy == [Busy(MONDAY, MONDAY + 2 * HALF_AN_HOUR), Busy(late, late + HALF_AN_HOUR)]


async def test_busy_times_of_a_calendar_that_is_not_shared(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    with pytest.raises(CalendarRefused) as refused:
        await calendar.busy("nobody@clinic.example", after=MONDAY, before=MONDAY + HALF_AN_HOUR)
    assert refused.value.reason == "calendar"


@pytest.mark.parametrize(
    "answer",
    [
        "[]",
        "{}",
        '{"calendars": {}}',
        '{"calendars": {"dr.patel@clinic.example": {"errors": [{"reason": "internalError"}]}}}',
        '{"calendars": {"dr.patel@clinic.example": {"busy": [{"start": "2027-03-01T09:00:00"}]}}}',
    ],
)
async def test_busy_times_that_do_not_read(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar, answer: str
) -> None:
    server.faults.add(Garble(answer))
    with pytest.raises(CalendarUnavailable):
        await calendar.busy(PATEL, after=MONDAY, before=MONDAY + HALF_AN_HOUR)


@pytest.mark.parametrize("fault", [Stall(), DoneButUnanswered(hang=True)], ids=["before", "after"])
async def test_a_hang_ends_at_the_deadline(
    server: GoogleCalendarSimulator, account: Account, fault: object
) -> None:
    async with GoogleCalendars(api_url=server.url, token_url=server.token_url, timeout_s=0.3) as impatient:
        server.faults.add(fault)
        with pytest.raises(CalendarUnavailable):
            await impatient.calendar(account.key_file()).put(PATEL, EVENT)


async def test_cancelling_ends_the_request_at_once(
    server: GoogleCalendarSimulator, calendar: GoogleCalendar
) -> None:
    server.faults.add(Stall())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(calendar.put(PATEL, EVENT), 0.2)


async def test_nobody_there(account: Account) -> None:
    async with GoogleCalendars(api_url="http://127.0.0.1:9", token_url="http://127.0.0.1:9/token") as google:
        with pytest.raises(CalendarUnavailable):
            await google.calendar(account.key_file()).remove(PATEL, EVENT.id)


@pytest.mark.parametrize(
    "key_file",
    [
        b"",
        b"{}",
        b'{"type": "authorized_user"}',
        b'{"type": "service_account", "client_email": "a", "private_key_id": "b", "private_key": "c"}',
    ],
)
async def test_a_key_that_does_not_read_is_no_calendar(google: GoogleCalendars, key_file: bytes) -> None:
    with pytest.raises(CalendarNotConfigured) as refused:
        google.calendar(key_file)
    assert refused.value.__suppress_context__


async def test_the_key_files_own_addresses_are_not_called(
    server: GoogleCalendarSimulator, google: GoogleCalendars, account: Account
) -> None:
    elsewhere = account.key_file(token_uri="http://127.0.0.1:9/token", universe_domain="evil.example")
    await google.calendar(elsewhere).put(PATEL, EVENT)
    assert server.calendars[PATEL].standing


async def test_an_org_uses_its_own_sealed_key(
    server: GoogleCalendarSimulator,
    google: GoogleCalendars,
    account: Account,
    pool: asyncpg.Pool,
    clinic: Clinic,
    other_clinic: Clinic,
) -> None:
    sealer = VaultSealer(Vault([MasterKey.generate()]))
    place = Place("org_credentials", "sealed", "google_calendar")
    sealed = sealer.seal(clinic.claim.org_id, account.key_file(), place)
    await store_credentials(pool, clinic.claim, "google_calendar", sealed)
    calendars = StoredCalendars(pool, sealer, google)

    first = await calendars.calendar(clinic.claim)
    await first.put(PATEL, EVENT)
    assert await calendars.calendar(clinic.claim) is first
    with pytest.raises(CalendarNotConfigured):
        await calendars.calendar(other_clinic.claim)

    await store_credentials(pool, other_clinic.claim, "google_calendar", sealed)
    with pytest.raises(CalendarNotConfigured):  # sealed for another org
        await calendars.calendar(other_clinic.claim)

    rotated = json.dumps(json.loads(account.key_file()) | {"subject": PATEL}).encode()
    await store_credentials(
        pool, clinic.claim, "google_calendar", sealer.seal(clinic.claim.org_id, rotated, place)
    )
    assert await calendars.calendar(clinic.claim) is not first
