"""Holding a slot for a while, and giving it back."""

from datetime import timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec

from booking.errors import SlotUnknown
from booking.holds import claim_slot, release_hold
from booking.pages import FoundHold, find_hold
from booking.types import Conflict
from gateway.api.operations import PREFIX, Answer, Asked, Operation
from gateway.api.ownership import not_visible
from gateway.api.problems import CONFLICT, FOREIGN, NOT_FOUND, SLOT_PAST, SLOT_TAKEN, Refused
from gateway.api.views import AwareTime, SlotView, slot_view

MAX_HOLD_S: Final = 3600
_REFUSED: Final = {"taken": SLOT_TAKEN, "past": SLOT_PAST}


class HoldRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`ttl_s`: how long the slot is to be held, in seconds; the gateway's own setting if it is left out."""

    slot_id: UUID
    ttl_s: Annotated[int, msgspec.Meta(ge=1, le=MAX_HOLD_S)] | None = None


class HoldView(msgspec.Struct, kw_only=True):
    """A slot taken for a while. After `expires_at` a held one counts as free.

    `verified`: a code was sent for it and came back, so that it can be booked.
    """

    id: UUID
    state: Literal["held", "booked", "released", "expired"]
    expires_at: AwareTime
    verified: bool
    slot: SlotView


async def create_hold(asked: Asked) -> Answer:
    """The hold's call is the request itself: its repetition gets the same hold."""
    order: HoldRequest = asked.body
    ttl_s = order.ttl_s or min(asked.api.settings.waits.hold_s, MAX_HOLD_S)
    try:
        claimed = await claim_slot(
            asked.api.pool,
            asked.claim,
            slot_id=order.slot_id,
            call_id=UUID(bytes=asked.key[:16]),
            ttl=timedelta(seconds=ttl_s),
        )
    except SlotUnknown:
        raise await not_visible(asked, "slot", order.slot_id) from None
    if isinstance(claimed, Conflict):
        raise Refused(_REFUSED[claimed.reason], alternatives=claimed.slots)
    held = HoldView(
        id=claimed.hold_id,
        state="held",
        expires_at=claimed.expires_at,
        verified=False,
        slot=slot_view(claimed.slot),
    )
    return Answer(201, held, {"Location": f"{PREFIX}/holds/{held.id}"})


async def show_hold(asked: Asked) -> Answer:
    found = await _found(asked)
    view = HoldView(
        id=found.id,
        state=found.state,
        expires_at=found.expires_at,
        verified=found.verified,
        slot=slot_view(found.slot),
    )
    return Answer(200, view)


async def end_hold(asked: Asked) -> Answer:
    """Given back, or over already; a booked one is not ended by this."""
    if not await release_hold(asked.api.pool, asked.claim, hold_id=asked.id("hold_id")):
        found = await _found(asked)
        if found.state == "booked":
            raise Refused(CONFLICT, detail="booked: cancel the booking instead")
    return Answer(204)


async def _found(asked: Asked) -> FoundHold:
    found = await find_hold(asked.api.pool, asked.claim, hold_id=asked.id("hold_id"))
    if found is None:
        raise await not_visible(asked, "hold", asked.id("hold_id"))
    return found


OPERATIONS = (
    Operation(
        name="createHold",
        method="POST",
        path="/holds",
        scope="holds:write",
        summary="Hold a slot; who comes too late is told what is free instead",
        handler=create_hold,
        body=HoldRequest,
        answers={201: HoldView},
        problems=(FOREIGN, NOT_FOUND, SLOT_TAKEN, SLOT_PAST),
    ),
    Operation(
        name="getHold",
        method="GET",
        path="/holds/{hold_id}",
        scope="holds:read",
        summary="How a hold stands",
        handler=show_hold,
        answers={200: HoldView},
    ),
    Operation(
        name="deleteHold",
        method="DELETE",
        path="/holds/{hold_id}",
        scope="holds:write",
        summary="Give a hold back; one that is over already is no fault",
        handler=end_hold,
        answers={204: None},
        problems=(CONFLICT,),
    ),
)
