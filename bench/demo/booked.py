"""What Postgres says came of a call: its row, the slot it holds or booked, read as gw_app under its claim."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from booking.bookings import cancel_booking
from booking.db import org_transaction
from booking.errors import BookingOver
from booking.holds import release_call
from booking.types import Claim

CLOSED_WITHIN_S = 10.0
POLL_S = 0.05

_CALL = """
select id, end_reason from public.calls where carrier_call_id = $1 order by started_at desc limit 1
"""

_HOLD = """
select h.id as hold_id, h.state, h.expires_at, s.starts_at, s.ends_at,
       s.service_id, v.name as service, p.name as practitioner, a.id as appointment_id
from public.appointment_holds h
join public.slots s on s.org_id = h.org_id and s.id = h.slot_id
join public.services v on v.org_id = s.org_id and v.id = s.service_id
join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
left join public.appointments a on a.org_id = h.org_id and a.hold_id = h.id and a.status = 'booked'
where h.call_id = $1 and (h.state = 'booked' or (h.state = 'held' and h.expires_at > now()))
"""

_HOLDING_CALLS = """
select distinct h.call_id from public.appointment_holds h
left join public.calls c on c.org_id = h.org_id and c.id = h.call_id
where h.state = 'held' and ($1 or c.ended_at is not null)
"""


_BOOKED_BY_CALLS = """
select a.id from public.appointments a
join public.appointment_holds h on h.org_id = a.org_id and h.id = a.hold_id
left join public.calls c on c.org_id = h.org_id and c.id = h.call_id
where a.status = 'booked' and a.starts_at > now() and ($1 or c.ended_at is not null)
"""


@dataclass(frozen=True, slots=True)
class BookedSlot:
    """What a call holds or booked, as the rows say. A service's name is not for the terminal.

    `appointment_id` is None for what is only held.
    """

    hold_id: UUID
    state: str
    expires_at: datetime
    starts_at: datetime
    ends_at: datetime
    service_id: UUID
    service: str
    practitioner: str
    appointment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class CallRow:
    """The call's row; `end_reason` is None while the gateway has not closed it."""

    call_id: UUID
    end_reason: str | None
    slot: BookedSlot | None


async def read_call(pool: asyncpg.Pool, claim: Claim, carrier_call_id: str) -> CallRow | None:
    """The call as it stands; None if no such call was ever opened."""
    async with org_transaction(pool, claim) as connection:
        call = await connection.fetchrow(_CALL, carrier_call_id)
        if call is None:
            return None
        hold = await connection.fetchrow(_HOLD, call["id"])
    return CallRow(call["id"], call["end_reason"], BookedSlot(**hold) if hold else None)


async def read_closed_call(pool: asyncpg.Pool, claim: Claim, carrier_call_id: str) -> CallRow | None:
    """The call once the gateway has closed it, or as it stands if that takes too long."""
    row = await read_call(pool, claim, carrier_call_id)
    for _ in range(round(CLOSED_WITHIN_S / POLL_S)):
        if row is not None and row.end_reason is not None:
            break
        await asyncio.sleep(POLL_S)
        row = await read_call(pool, claim, carrier_call_id)
    return row


async def give_back(pool: asyncpg.Pool, claim: Claim, *, of_live_calls: bool = False) -> int:
    """Give back what calls of the demo clinic hold and have booked, so that its slots never run out; how many
    slots that were.
    """
    async with org_transaction(pool, claim) as connection:
        calls = await connection.fetch(_HOLDING_CALLS, of_live_calls)
        bookings = await connection.fetch(_BOOKED_BY_CALLS, of_live_calls)
    for booking in bookings:
        with suppress(BookingOver):  # another call gives back too
            await cancel_booking(pool, claim, booking_id=booking["id"])
    released = [await release_call(pool, claim, call_id=call["call_id"]) for call in calls]
    return sum(released) + len(bookings)
