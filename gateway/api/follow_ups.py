"""What follows calls: how the clinic wants it, the guides, what became of each, what people reply."""

from dataclasses import asdict, replace
from datetime import time
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from booking.clinic_upkeep import load_clinic
from booking.contacts import set_time_zone
from booking.errors import ClinicInvalid, ContactUnknown, GuideInvalid, ServiceUnknown
from booking.follow_up_page import FollowUp, page_of_follow_ups
from booking.follow_up_rules import Consent, FollowUpRules, load_rules, store_rules
from booking.follow_up_text import require_template
from booking.guides import MOST_BYTES, Guide, guide_of, put_guide, remove_guide
from booking.replies import ReplyKind, answer_reply, page_of_replies
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.ownership import not_visible
from gateway.api.problems import INVALID, NOT_FOUND, Refused
from gateway.api.reach import ORG_PATH
from gateway.api.views import ENDS, AwareTime, PageSize

PDF: Final = "application/pdf"
_RULES, _GUIDE = ORG_PATH + "/follow-up", ORG_PATH + "/services/{service_id}/guide"

Hour = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]" + ENDS)]
Days = Annotated[int, msgspec.Meta(ge=1, le=365)]


class FollowUpForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it was. `template` null: ours; `quiet_from` as `quiet_to`: no quiet hours."""

    enabled: bool | UnsetType = UNSET
    agent_name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    template: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | UnsetType | None = UNSET
    names_procedure: bool | UnsetType = UNSET
    consent: Consent | UnsetType = UNSET
    quiet_from: Hour | UnsetType = UNSET
    quiet_to: Hour | UnsetType = UNSET
    window_days: Days | UnsetType = UNSET
    link_days: Annotated[int, msgspec.Meta(ge=1, le=90)] | UnsetType = UNSET
    booking_url: Annotated[str, msgspec.Meta(max_length=2000)] | UnsetType | None = UNSET


class FollowUpRulesView(msgspec.Struct, kw_only=True):
    """As it stands. `words`: the template that counts; at its longest it takes `segments` in `encoding`."""

    enabled: bool
    agent_name: str
    template: str | None
    names_procedure: bool
    consent: Consent
    quiet_from: str
    quiet_to: str
    window_days: int
    link_days: int
    booking_url: str | None
    words: str
    encoding: str
    segments: int


class GuideView(msgspec.Struct, kw_only=True):
    """A service's PDF; `sha256` in hexadecimal."""

    id: UUID
    service_id: UUID
    sha256: str
    pages: int
    bytes: int
    uploaded_at: AwareTime


class FollowUpView(msgspec.Struct, kw_only=True):
    """What followed one call. `contact_id` and the campaign's are null until there is one."""

    call_id: UUID
    state: str
    reason: str | None
    service_id: UUID | None
    contact_id: UUID | None
    campaign_id: UUID | None
    agent_name: str | None
    attempt: int
    message_id: UUID | None
    opened_at: AwareTime
    settled_at: AwareTime | None
    handed_at: AwareTime | None
    link_opens: int | None
    link_expires_at: AwareTime | None


class FollowUpList(msgspec.Struct, kw_only=True):
    """Newest first, by when the call began."""

    items: list[FollowUpView]


class ReplyView(msgspec.Struct, kw_only=True):
    """That somebody replied, or left a message in a call; what they say: `/sealed/reply/{id}`.

    `answered_at` null: it waits. `said`: a message in redacted words, null where no words are kept.
    """

    id: UUID
    kind: ReplyKind
    call_id: UUID
    contact_id: UUID | None
    received_at: AwareTime
    answered_at: AwareTime | None
    said: str | None = None


class ReplyList(msgspec.Struct, kw_only=True):
    """Newest first."""

    items: list[ReplyView]


class AnsweredView(msgspec.Struct, kw_only=True):
    """Since when the reply counts as dealt with."""

    answered_at: AwareTime


class ZoneForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An IANA name, as Europe/London; null: told from the number's country."""

    time_zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None


class PageQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`before`: what is older than that alone."""

    limit: PageSize = 50
    before: AwareTime | None = None


class ReplyQuery(PageQuery, kw_only=True, forbid_unknown_fields=True):
    """`waiting`: those not dealt with alone."""

    waiting: bool = False


# --- how the clinic wants it --------------------------------------------------------------------------------


async def show_rules(asked: Asked) -> Answer:
    clinic = await load_clinic(asked.api.pool, asked.claim)
    return Answer(200, _rules_view(await load_rules(asked.api.pool, asked.claim), clinic.name))


async def patch_rules(asked: Asked) -> Answer:
    clinic = await load_clinic(asked.api.pool, asked.claim)
    form: FollowUpForm = asked.body
    told = {name: value for name, value in msgspec.structs.asdict(form).items() if value is not UNSET}
    for hour in ("quiet_from", "quiet_to"):
        if hour in told:
            told[hour] = time.fromisoformat(told[hour])
    rules = replace(await load_rules(asked.api.pool, asked.claim), **told)
    try:
        await store_rules(asked.api.pool, asked.claim, rules, clinic=clinic.name, actor=asked.actor)
    except ClinicInvalid as invalid:
        raise Refused(INVALID, pointer=f"$.{invalid.field}", detail=invalid.fault) from None
    return Answer(200, _rules_view(rules, clinic.name))


def _rules_view(rules: FollowUpRules, clinic: str) -> FollowUpRulesView:
    size = require_template(
        rules.words, names_procedure=rules.names_procedure, clinic=clinic, agent=rules.agent_name
    )
    told = asdict(rules)
    for hour in ("quiet_from", "quiet_to"):
        told[hour] = told[hour].isoformat(timespec="minutes")
    return FollowUpRulesView(**told, words=rules.words, encoding=size.encoding, segments=size.segments)


# --- guides -------------------------------------------------------------------------------------------------


async def show_guide(asked: Asked) -> Answer:
    service_id = asked.id("service_id")
    guide = await guide_of(asked.api.pool, asked.claim, service_id=service_id)
    if guide is None:
        raise await not_visible(asked, "service", service_id)
    return Answer(200, _guide_view(guide, service_id))


async def upload_guide(asked: Asked) -> Answer:
    service_id = asked.id("service_id")
    try:
        guide = await put_guide(
            asked.api.pool, asked.claim, service_id=service_id, content=asked.body, actor=asked.actor
        )
    except ServiceUnknown:
        raise await not_visible(asked, "service", service_id) from None
    except GuideInvalid as invalid:
        raise Refused(INVALID, detail=str(invalid)) from None
    return Answer(200, _guide_view(guide, service_id))


async def delete_guide(asked: Asked) -> Answer:
    """One that there is not is no fault."""
    service_id = asked.id("service_id")
    if not await remove_guide(asked.api.pool, asked.claim, service_id=service_id, actor=asked.actor):
        refused = await not_visible(asked, "service", service_id)
        if refused.kind != NOT_FOUND:
            raise refused
    return Answer(204)


def _guide_view(guide: Guide, service_id: UUID) -> GuideView:
    return GuideView(
        id=guide.id,
        service_id=service_id,
        sha256=guide.sha256.hex(),
        pages=guide.pages,
        bytes=guide.size_bytes,
        uploaded_at=guide.uploaded_at,
    )


# --- what became of each ------------------------------------------------------------------------------------


async def list_follow_ups(asked: Asked) -> Answer:
    query: PageQuery = asked.query
    found = await page_of_follow_ups(asked.api.pool, asked.claim, limit=query.limit, before=query.before)
    return Answer(200, FollowUpList(items=list(map(_follow_up_view, found))))


def _follow_up_view(each: FollowUp) -> FollowUpView:
    return FollowUpView(**asdict(each))


async def list_replies(asked: Asked) -> Answer:
    query: ReplyQuery = asked.query
    found = await page_of_replies(
        asked.api.pool, asked.claim, limit=query.limit, waiting=query.waiting, before=query.before
    )
    return Answer(200, ReplyList(items=[ReplyView(**asdict(each)) for each in found]))


async def answered(asked: Asked) -> Answer:
    reply_id = asked.id("reply_id")
    at = await answer_reply(asked.api.pool, asked.claim, reply_id=reply_id, actor=asked.actor)
    if at is None:
        raise await not_visible(asked, "reply", reply_id)
    return Answer(200, AnsweredView(answered_at=at))


async def put_zone(asked: Asked) -> Answer:
    contact_id, form = asked.id("contact_id"), asked.body
    try:
        await set_time_zone(
            asked.api.pool, asked.claim, contact_id=contact_id, zone=form.time_zone, actor=asked.actor
        )
    except ContactUnknown:
        raise await not_visible(asked, "contact", contact_id) from None
    except ClinicInvalid as invalid:
        raise Refused(INVALID, pointer=f"$.{invalid.field}", detail=invalid.fault) from None
    return Answer(204)


OPERATIONS = (
    Operation(
        name="putTimeZone",
        method="PUT",
        path="/contacts/{contact_id}/time-zone",
        scope="consents:write",
        summary="Where a contact lives: their quiet hours go by it",
        handler=put_zone,
        body=ZoneForm,
        answers={204: None},
    ),
    Operation(
        name="getFollowUpRules",
        method="GET",
        path=_RULES,
        scope="org:read",
        summary="How calls without a booking are followed up",
        handler=show_rules,
        answers={200: FollowUpRulesView},
    ),
    Operation(
        name="patchFollowUpRules",
        method="PATCH",
        path=_RULES,
        scope="org:write",
        summary="Change whether, when and in which words calls are followed up",
        handler=patch_rules,
        body=FollowUpForm,
        answers={200: FollowUpRulesView},
    ),
    Operation(
        name="getGuide",
        method="GET",
        path=_GUIDE,
        scope="org:read",
        summary="Which guide a service has",
        handler=show_guide,
        answers={200: GuideView},
    ),
    Operation(
        name="putGuide",
        method="PUT",
        path=_GUIDE,
        scope="org:write",
        summary="The PDF that a service's follow-ups lead to, in place of the one before",
        handler=upload_guide,
        file=PDF,
        file_bytes=MOST_BYTES,
        answers={200: GuideView},
    ),
    Operation(
        name="deleteGuide",
        method="DELETE",
        path=_GUIDE,
        scope="org:write",
        summary="The service has no guide any more",
        handler=delete_guide,
        answers={204: None},
    ),
    Operation(
        name="listFollowUps",
        method="GET",
        path="/follow-ups",
        scope="bookings:read",
        summary="What followed each call, and how often its link was opened",
        handler=list_follow_ups,
        query=PageQuery,
        answers={200: FollowUpList},
    ),
    Operation(
        name="listReplies",
        method="GET",
        path="/replies",
        scope="sealed:read",
        summary="The inbox: who replied to a follow-up or left a message; messages in redacted words",
        handler=list_replies,
        query=ReplyQuery,
        answers={200: ReplyList},
    ),
    Operation(
        name="answerReply",
        method="PUT",
        path="/replies/{reply_id}/answered",
        scope="bookings:write",
        summary="A reply is dealt with",
        handler=answered,
        answers={200: AnsweredView},
    ),
)
