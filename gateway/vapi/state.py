"""What the requests of one of Vapi's calls share: what was offered, held, sent, answered. Pure.

Our own calls keep this in memory (`gateway.tools.CallBooking`). A request of Vapi's may come to any replica,
so it is packed, to be sealed, after each use of a tool. Older and newer replicas read each other's: what one
does not know it leaves out.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from booking.types import Booking, Held, ReturningCaller, Slot
from gateway.caller import Ends
from gateway.tools.call_booking import CallBooking, SentCode
from gateway.vapi.tool_uses import MOST_USES, ToolUse

MOST_BYTES: Final = 200_000
MOST_ANSWERS: Final = 64


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a tool call was answered: the text, and whether that was a failure."""

    text: str = field(repr=False)
    failed: bool


@dataclass(slots=True, kw_only=True)
class SharedState:
    """As `CallBooking` names it. `held_at`: since when; `used_at`: when a tool was last used.

    `answers`: by tool-call id, oldest first; `uses`: of our own model's, likewise; `messages`: left for the
    clinic; `returning`: who is known by the caller's number, once that `was_looked_up`.
    """

    ends: Ends = field(default_factory=Ends)
    held: Held | None = None
    held_at: datetime | None = None
    used_at: datetime | None = None
    booked: Booking | None = None
    sent: SentCode | None = None
    proved: SentCode | None = None
    texts: int = 0
    offers: dict[str, Slot] = field(default_factory=dict, repr=False)
    appointments: dict[str, Booking] = field(default_factory=dict, repr=False)
    answers: dict[str, GivenAnswer] = field(default_factory=dict, repr=False)
    uses: list[ToolUse] = field(default_factory=list, repr=False)
    messages: list[str] = field(default_factory=list, repr=False)
    was_looked_up: bool = False
    returning: ReturningCaller | None = None

    def meet(self, ends: Ends) -> None:
        """Numbers that were not known yet; what was told first stands."""
        self.ends = Ends(self.ends.caller or ends.caller, self.ends.dialled or ends.dialled)

    def put_into(self, booking: CallBooking) -> None:
        """Let the call's tools find what the ones before have left."""
        booking.ends, booking.held, booking.booked = self.ends, self.held, self.booked
        booking.sent, booking.proved, booking.texts = self.sent, self.proved, self.texts
        booking.offers, booking.appointments = dict(self.offers), dict(self.appointments)

    def take_from(self, booking: CallBooking, now: datetime) -> None:
        """What the call's tools have made of it by now."""
        if booking.held != self.held:
            self.held_at = now
        self.used_at = now
        self.held, self.booked = booking.held, booking.booked
        self.sent, self.proved, self.texts = booking.sent, booking.proved, booking.texts
        self.offers, self.appointments = booking.offers, booking.appointments

    def answer(self, tool_call_id: str, given: GivenAnswer) -> None:
        """Remember it, for when Vapi asks once more."""
        self.answers.pop(tool_call_id, None)
        self.answers[tool_call_id] = given
        while len(self.answers) > MOST_ANSWERS:
            del self.answers[next(iter(self.answers))]

    def used(self, use: ToolUse) -> None:
        """Remember it, for our own model."""
        self.uses = [*self.uses, use][-MOST_USES:]


_decoder: Final = msgspec.json.Decoder(SharedState)


def packed(state: SharedState) -> bytes:
    """Within `MOST_BYTES`: uses and answers go, the oldest first, then offers."""
    while len(plain := msgspec.json.encode(state)) > MOST_BYTES:
        if state.uses:
            del state.uses[0]
            continue
        oldest = state.answers or state.offers
        if not oldest:
            break
        del oldest[next(iter(oldest))]
    return plain


def unpacked(plain: bytes) -> SharedState:
    """Raises ValueError for what is none."""
    try:
        return _decoder.decode(plain)
    except msgspec.MsgspecError:
        raise ValueError("no shared state") from None
