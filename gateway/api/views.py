"""What the API shows of booking's facts: ids and times. Names of services stay out, being medical."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from booking.types import Slot

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]


class SlotView(msgspec.Struct, kw_only=True):
    """A bookable interval of one practitioner for one service."""

    id: UUID
    service_id: UUID
    practitioner_id: UUID
    practitioner: str
    starts_at: AwareTime
    ends_at: AwareTime


def slot_view(slot: Slot) -> SlotView:
    return SlotView(
        id=slot.id,
        service_id=slot.service_id,
        practitioner_id=slot.practitioner_id,
        practitioner=slot.practitioner,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
    )
