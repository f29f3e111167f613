"""Handing callers over to a person: to which number, at what hours."""

from dataclasses import replace
from datetime import time
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from booking.clinic_upkeep import load_clinic
from booking.errors import ClinicInvalid
from booking.handovers import HandoverRules, load_handover_rules, store_handover_rules
from gateway.api.follow_ups import Hour
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.problems import INVALID, Refused
from gateway.api.reach import ORG_PATH
from gateway.api.views import PhoneNumber

_RULES: Final = ORG_PATH + "/handover"

Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]


class HandoverForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it was. `number` null: nobody is handed over. `days`: Monday is 0."""

    number: PhoneNumber | UnsetType | None = UNSET
    days: Annotated[list[Weekday], msgspec.Meta(max_length=7)] | UnsetType = UNSET
    opens: Hour | UnsetType = UNSET
    closes: Hour | UnsetType = UNSET
    ring_s: Annotated[int, msgspec.Meta(ge=5, le=60)] | UnsetType = UNSET


class HandoverView(msgspec.Struct, kw_only=True):
    """As it stands; hours are the clinic's own."""

    number: str | None
    days: list[int]
    opens: str
    closes: str
    ring_s: int


async def show_rules(asked: Asked) -> Answer:
    await load_clinic(asked.api.pool, asked.claim)
    return Answer(200, _view(await load_handover_rules(asked.api.pool, asked.claim)))


async def patch_rules(asked: Asked) -> Answer:
    await load_clinic(asked.api.pool, asked.claim)
    told: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(asked.body).items() if value is not UNSET
    }
    for hour in ("opens", "closes"):
        if hour in told:
            told[hour] = time.fromisoformat(told[hour])
    rules = replace(await load_handover_rules(asked.api.pool, asked.claim), **told)
    try:
        await store_handover_rules(asked.api.pool, asked.claim, rules, actor=asked.actor)
    except ClinicInvalid as invalid:
        raise Refused(INVALID, pointer=f"$.{invalid.field}", detail=invalid.fault) from None
    return Answer(200, _view(rules))


def _view(rules: HandoverRules) -> HandoverView:
    return HandoverView(
        number=rules.number,
        days=list(rules.days),
        opens=rules.opens.isoformat(timespec="minutes"),
        closes=rules.closes.isoformat(timespec="minutes"),
        ring_s=rules.ring_s,
    )


OPERATIONS = (
    Operation(
        name="getHandoverRules",
        method="GET",
        path=_RULES,
        scope="org:read",
        summary="To whom and when callers are put through",
        handler=show_rules,
        answers={200: HandoverView},
    ),
    Operation(
        name="patchHandoverRules",
        method="PATCH",
        path=_RULES,
        scope="org:write",
        summary="Change to whom and when callers are put through",
        handler=patch_rules,
        body=HandoverForm,
        answers={200: HandoverView},
    ),
)
