"""Calls that the clinic has its agent place: asked for, shown, withdrawn; and how they are made."""

from dataclasses import asdict, replace
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from booking.calling_rules import (
    CallBrief,
    CallCarrier,
    CallingRules,
    OnMachine,
    load_calling_rules,
    set_campaign_agent,
    store_calling_rules,
)
from booking.clinic_upkeep import load_clinic
from booking.errors import CampaignUnknown, ClinicInvalid, ContactUnknown
from booking.follow_up_rules import Consent
from booking.orgs import load_profile
from booking.placed_calls import (
    AnsweredBy,
    PlacedCall,
    ask_for_call,
    find_placed_call,
    page_of_placed_calls,
    withdraw_call,
)
from gateway.api.operations import PREFIX, Answer, Asked, Operation
from gateway.api.ownership import not_visible, require_no_foreign
from gateway.api.problems import CALL_LIVE, CALL_REFUSED, CONFLICT, FOREIGN, INVALID, NOT_FOUND, Refused
from gateway.api.reach import ORG_PATH
from gateway.api.views import AwareTime, PageSize

_RULES: Final = ORG_PATH + "/calling"
_ONE: Final = "/calls/{placed_call_id}"

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
AgentName = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class CallForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom to call. `campaign_id`: whose agent, goal and opening; without, the clinic's own."""

    contact_id: UUID
    campaign_id: UUID | None = None


class PlacedCallView(msgspec.Struct, kw_only=True):
    """One call. `outcome`: what it has come to, or its last attempt. `call_id`: the record of what was said,
    once somebody has answered. `next_at`: when it is looked at next.
    """

    id: UUID
    contact_id: UUID | None
    campaign_id: UUID | None
    state: str
    outcome: str | None
    attempt: int
    answered_by: AnsweredBy | None
    requested_at: AwareTime
    placing_at: AwareTime | None
    answered_at: AwareTime | None
    ended_at: AwareTime | None
    next_at: AwareTime | None
    call_id: UUID | None


class PlacedCallList(msgspec.Struct, kw_only=True):
    """Newest first."""

    items: list[PlacedCallView]


class PlacedCallQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`before`: what was asked for before that alone."""

    limit: PageSize = 50
    before: AwareTime | None = None


class CallingForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it was. `goal`, `opening`, `message` null: ours."""

    enabled: bool | UnsetType = UNSET
    carrier: CallCarrier | UnsetType = UNSET
    consent: Consent | UnsetType = UNSET
    goal: Words | UnsetType | None = UNSET
    opening: Words | UnsetType | None = UNSET
    on_machine: OnMachine | UnsetType = UNSET
    message: Words | UnsetType | None = UNSET
    most_attempts: Annotated[int, msgspec.Meta(ge=1, le=6)] | UnsetType = UNSET
    pause_minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)] | UnsetType = UNSET
    ring_s: Annotated[int, msgspec.Meta(ge=5, le=60)] | UnsetType = UNSET


class CallingView(msgspec.Struct, kw_only=True):
    """How the clinic's agent calls."""

    enabled: bool
    carrier: CallCarrier
    consent: Consent
    goal: str | None
    opening: str | None
    on_machine: OnMachine
    message: str | None
    most_attempts: int
    pause_minutes: int
    ring_s: int


class CampaignAgentForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """In whose name and to what end; null: as in the clinic's other calls. The name stays if left out."""

    agent_name: AgentName | None = None
    goal: Words | None = None
    opening: Words | None = None


async def place_call(asked: Asked) -> Answer:
    """Its id follows from the request, so that its repetition places no second call, whenever it comes."""
    form: CallForm = asked.body
    placed_id = UUID(bytes=asked.key[:16], version=4)
    try:
        came = await ask_for_call(
            asked.api.pool,
            asked.claim,
            placed_id=placed_id,
            contact_id=form.contact_id,
            campaign_id=form.campaign_id,
            actor=asked.actor,
        )
    except ContactUnknown:
        raise await not_visible(asked, "contact", form.contact_id) from None
    except CampaignUnknown:
        await require_no_foreign(asked, "campaign", form.campaign_id)
        raise Refused(INVALID, pointer="$.campaign_id", detail="is no running campaign for them") from None
    if came == "live":
        raise Refused(CALL_LIVE)
    if came not in ("placed", "again"):
        raise Refused(CALL_REFUSED, detail=came)
    view = await _view(asked, placed_id)
    return Answer(202, view, {"Location": f"{PREFIX}/calls/{placed_id}"})


async def show_call(asked: Asked) -> Answer:
    return Answer(200, await _view(asked, asked.id("placed_call_id")))


async def list_calls(asked: Asked) -> Answer:
    query: PlacedCallQuery = asked.query
    found = await page_of_placed_calls(asked.api.pool, asked.claim, limit=query.limit, before=query.before)
    return Answer(200, PlacedCallList(items=list(map(_call_view, found))))


async def withdraw(asked: Asked) -> Answer:
    placed_id = asked.id("placed_call_id")
    if not await withdraw_call(asked.api.pool, asked.claim, placed_id=placed_id, actor=asked.actor):
        await _view(asked, placed_id)
        raise Refused(CONFLICT, detail="a carrier was asked for it, or it is over")
    return Answer(204)


async def _view(asked: Asked, placed_id: UUID) -> PlacedCallView:
    placed = await find_placed_call(asked.api.pool, asked.claim, placed_id=placed_id)
    if placed is None:
        raise await not_visible(asked, "placed_call", placed_id)
    return _call_view(placed)


def _call_view(placed: PlacedCall) -> PlacedCallView:
    return PlacedCallView(**asdict(placed))


# --- how they are made --------------------------------------------------------------------------------------


async def show_rules(asked: Asked) -> Answer:
    await load_clinic(asked.api.pool, asked.claim)
    return Answer(200, _rules_view(await load_calling_rules(asked.api.pool, asked.claim)))


async def patch_rules(asked: Asked) -> Answer:
    await load_clinic(asked.api.pool, asked.claim)
    told: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(asked.body).items() if value is not UNSET
    }
    rules = replace(await load_calling_rules(asked.api.pool, asked.claim), **told)
    try:
        await store_calling_rules(
            asked.api.pool, asked.claim, rules, services=await _services(asked), actor=asked.actor
        )
    except ClinicInvalid as invalid:
        raise Refused(INVALID, pointer=f"$.{invalid.field}", detail=invalid.fault) from None
    return Answer(200, _rules_view(rules))


async def put_campaign_agent(asked: Asked) -> Answer:
    form: CampaignAgentForm = asked.body
    campaign_id, brief = asked.id("campaign_id"), CallBrief(form.agent_name, form.goal, form.opening)
    try:
        await set_campaign_agent(
            asked.api.pool,
            asked.claim,
            campaign_id=campaign_id,
            brief=brief,
            services=await _services(asked),
            actor=asked.actor,
        )
    except CampaignUnknown:
        raise await not_visible(asked, "campaign", campaign_id) from None
    except ClinicInvalid as invalid:
        raise Refused(INVALID, pointer=f"$.{invalid.field}", detail=invalid.fault) from None
    return Answer(204)


async def _services(asked: Asked) -> list[str]:
    """Names and synonyms of what the clinic offers."""
    profile = await load_profile(asked.api.pool, asked.claim)
    offered = () if profile is None else profile.services
    return [name for service in offered for name in (service.name, *service.synonyms)]


def _rules_view(rules: CallingRules) -> CallingView:
    return CallingView(**asdict(rules))


OPERATIONS = (
    Operation(
        name="placeCall",
        method="POST",
        path="/calls",
        scope="calls:place",
        summary="Have the clinic's agent call a contact",
        handler=place_call,
        body=CallForm,
        answers={202: PlacedCallView},
        problems=(CALL_LIVE, CALL_REFUSED, NOT_FOUND, FOREIGN),
    ),
    Operation(
        name="listCalls",
        method="GET",
        path="/calls",
        scope="calls:place",
        summary="Calls that were to be placed, and what has become of each",
        handler=list_calls,
        query=PlacedCallQuery,
        answers={200: PlacedCallList},
    ),
    Operation(
        name="getCall",
        method="GET",
        path=_ONE,
        scope="calls:place",
        summary="What has become of a call that was to be placed",
        handler=show_call,
        answers={200: PlacedCallView},
    ),
    Operation(
        name="withdrawCall",
        method="DELETE",
        path=_ONE,
        scope="calls:place",
        summary="Do not place a call that waits",
        handler=withdraw,
        answers={204: None},
        problems=(CONFLICT,),
    ),
    Operation(
        name="getCallingRules",
        method="GET",
        path=_RULES,
        scope="org:read",
        summary="How the clinic's agent places calls",
        handler=show_rules,
        answers={200: CallingView},
    ),
    Operation(
        name="patchCallingRules",
        method="PATCH",
        path=_RULES,
        scope="org:write",
        summary="Change whether, by whom and in which words calls are placed",
        handler=patch_rules,
        body=CallingForm,
        answers={200: CallingView},
    ),
    Operation(
        name="putCampaignAgent",
        method="PUT",
        path="/campaigns/{campaign_id}/agent",
        scope="org:write",
        summary="In whose name, to what end and with which opening a campaign's calls are made",
        handler=put_campaign_agent,
        body=CampaignAgentForm,
        answers={204: None},
    ),
)
