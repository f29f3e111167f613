"""What the tools of one call share: whose it is, what was offered, what is held, who proved to be calling."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from booking.calls import open_call
from booking.holds import release_call
from booking.ports import Sealer
from booking.types import Booking, Claim, Held, OrgProfile, Slot
from booking.verification import Verification
from gateway.caller import Ends
from gateway.handover import CallHandover
from gateway.spoken import spoken


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code that went out, for what is held or (`hold_id` None) for the call."""

    to: str = field(repr=False)
    hold_id: UUID | None
    at: datetime


@dataclass(slots=True, kw_only=True)
class CallBooking:
    """One call's side of booking. `now` is aware.

    `accepted`: the caller has heard a whole turn of ours since the slot was held. `changing` lets effects
    happen one after the other, so that a repeated call finds what the first one did. `sent`: the last code
    that went out; `proved`: the one that came back. `placed_id`: of a call that the clinic has placed.
    `handover`: where the caller can be put through to a person; `held_by`: the record that what is held
    belongs to, if it is not this conversation's own but the one's before it in the same call.
    """

    pool: asyncpg.Pool
    claim: Claim
    call_id: UUID
    carrier: str
    carrier_call_id: str
    profile: OrgProfile
    verification: Verification
    hold_s: float
    resend_s: float
    started_at: datetime
    now: Callable[[], datetime]
    ends: Ends = field(default_factory=Ends)
    placed_id: UUID | None = None
    handover: CallHandover | None = None
    held: Held | None = None
    held_by: UUID | None = None
    accepted: bool = False
    booked: Booking | None = None
    sent: SentCode | None = None
    proved: SentCode | None = None
    texts: int = 0
    offers: dict[str, Slot] = field(default_factory=dict)
    appointments: dict[str, Booking] = field(default_factory=dict)
    is_open: bool = False
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def open(self) -> None:
        """Put the call on record, if it is not yet: holds and codes belong to a recorded call."""
        if self.is_open:
            return
        await open_call(
            self.pool,
            self.claim,
            call_id=self.call_id,
            carrier=self.carrier,
            carrier_call_id=self.carrier_call_id,
            started_at=self.started_at,
        )
        self.is_open = True

    def go_on(self, before: "CallBooking") -> None:
        """With what was offered, held, booked and proved in the same call's conversation before this one. A
        code for that call itself counts in it alone.
        """
        self.offers, self.appointments = dict(before.offers), dict(before.appointments)
        self.held, self.accepted, self.booked = before.held, before.accepted, before.booked
        self.held_by = None if before.held is None else before.held_by or before.call_id
        self.texts = before.texts
        if before.sent is not None and before.sent.hold_id is not None:
            self.sent, self.proved = before.sent, before.proved

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.profile.time_zone)

    @property
    def sealer(self) -> Sealer:
        return self.verification.messages.sealer

    @property
    def awaits_code(self) -> bool:
        """A code is out that has not come back: whatever digits are said now may be it."""
        return self.sent is not None and self.sent != self.proved

    @property
    def outcome(self) -> str:
        """For the record: what the call has come to."""
        if self.booked is not None and self.booked.status == "booked":
            return "booked"
        return "held" if self.held is not None else "none"

    def turn_answered(self) -> None:
        """A turn was spoken to its end: what is held by now, the caller has been told of."""
        self.accepted = self.held is not None

    def hold(self, held: Held) -> None:
        """The slot is the call's; what was held before is not any more."""
        self.held, self.held_by, self.accepted = held, None, False

    async def release_earlier(self) -> int:
        """What the conversation before this one held is given back; how many slots. Raises `BookingError`."""
        if self.held_by is None:
            return 0
        released = await release_call(self.pool, self.claim, call_id=self.held_by)
        self.held_by = None
        return released

    def let_go(self, hold_id: UUID) -> None:
        """This hold is over, if it is the one that we think of."""
        if self.held is not None and self.held.hold_id == hold_id:
            self.held = None

    def held_now(self) -> Held | None:
        """What is held and not booked, as far as we know without asking."""
        held = self.held
        if held is None or held.expires_at <= self.now():
            return None
        return None if self.booked is not None and self.booked.hold_id == held.hold_id else held

    def offer(self, slots: Sequence[Slot]) -> list[dict[str, str]]:
        """Tokens for these slots; one that was offered before keeps its token."""
        return [{"slot": self._slot_token(slot), **self.described(slot)} for slot in slots]

    def keep(self, booking: Booking) -> str:
        """The token of this appointment, which goes over from the one that it replaces."""
        same = (booking.id, booking.replaces)
        known = (token for token, each in self.appointments.items() if each.id in same)
        token = next(known, f"a{len(self.appointments) + 1}")
        self.appointments[token] = booking
        if self.booked is not None and self.booked.id in same:
            self.booked = booking
        return token

    def memory(self) -> Callable[[], None]:
        """What takes back the tokens given out from now on."""
        offers, appointments = dict(self.offers), dict(self.appointments)

        def put_back() -> None:
            self.offers, self.appointments = offers, appointments

        return put_back

    def described(self, slot: Slot) -> dict[str, str]:
        starts = slot.starts_at.astimezone(self.zone).isoformat()
        return {"starts": starts, "spoken": self.spoken(slot), "practitioner": slot.practitioner}

    def spoken(self, slot: Slot) -> str:
        return spoken(slot.starts_at.astimezone(self.zone))

    def service_name(self, service_id: UUID) -> str:
        """ "" for one that is offered no more."""
        return next((each.name for each in self.profile.services if each.id == service_id), "")

    def _slot_token(self, slot: Slot) -> str:
        for token, offered in self.offers.items():
            if offered.id == slot.id:
                return token
        token = f"s{len(self.offers) + 1}"
        self.offers[token] = slot
        return token
