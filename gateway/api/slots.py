"""Which slots are free."""

from uuid import UUID

import msgspec

from booking.errors import PractitionerUnknown, ServiceUnknown
from booking.pages import AfterSlot, page_of_free_slots
from gateway.api import cursors
from gateway.api.cursors import Cursor
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.ownership import not_visible
from gateway.api.problems import FOREIGN, NOT_FOUND
from gateway.api.views import AwareTime, PageSize, SlotView, slot_view


class SlotQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`after` and `until` bound the start; `after` counts from now at the earliest. Times have an offset."""

    service_id: UUID
    practitioner_id: UUID | None = None
    after: AwareTime | None = None
    until: AwareTime | None = None
    limit: PageSize = 20
    cursor: str | None = None


class SlotPage(msgspec.Struct, kw_only=True):
    """`next`: the cursor of the page behind this one, null if there is none."""

    items: list[SlotView]
    next: str | None


async def list_slots(asked: Asked) -> Answer:
    query: SlotQuery = asked.query
    cursor = cursors.read(query.cursor)
    try:
        slots = await page_of_free_slots(
            asked.api.pool,
            asked.claim,
            service_id=query.service_id,
            practitioner_id=query.practitioner_id,
            after=query.after or asked.api.now(),
            until=query.until,
            limit=query.limit,
            last=AfterSlot(cursor.at, cursor.id) if cursor else None,
        )
    except ServiceUnknown:
        raise await not_visible(asked, "service", query.service_id) from None
    except PractitionerUnknown:
        assert query.practitioner_id is not None  # noqa: S101  only one that was asked for is unknown
        raise await not_visible(asked, "practitioner", query.practitioner_id) from None
    full = len(slots) == query.limit
    after = Cursor(slots[-1].starts_at, slots[-1].practitioner_id) if full else None
    items = [slot_view(slot) for slot in slots]
    return Answer(200, SlotPage(items=items, next=cursors.write(after) if after else None))


OPERATIONS = (
    Operation(
        name="listSlots",
        method="GET",
        path="/slots",
        scope="slots:read",
        summary="Free slots of a service, soonest first",
        handler=list_slots,
        query=SlotQuery,
        answers={200: SlotPage},
        problems=(FOREIGN, NOT_FOUND),
    ),
)
