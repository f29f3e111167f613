"""What a clinic has to show: its audit log and whether it is whole, how long it keeps things, its report."""

import asyncio
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec

from booking.db import org_transaction
from compliance.audit import Entry, Wanted, page_of_entries
from compliance.chain import verify
from compliance.report import ChainStatus, Report, chain_status, make_report
from compliance.report_page import render
from compliance.retention import LONGEST_DAYS, Periods, periods_of, set_periods
from gateway.api import cursors
from gateway.api.compliance_sealed import actor_of
from gateway.api.cursors import Cursor
from gateway.api.operations import HTML, Answer, Asked, Operation
from gateway.api.problems import INVALID, Refused
from gateway.api.views import ENDS, AwareTime, PageSize

VERIFY_S: Final = 15.0
"""Some 300,000 links. What it takes longer to come to is for `python -m gateway.audit verify`."""
ANSWER_S: Final = 2 * VERIFY_S
_PERIOD: Final = timedelta(days=30)
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}

Days = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_DAYS)]
Action = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{1,60}" + ENDS)]


class RetentionForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Days that each kind is kept. `turns`: redacted words; `notes`: what is medical; `personal`: what else
    the vault holds; `texts`: messages and codes; `calls`: who called whom; `contacts`: people of whom nothing
    more is heard; `recordings`: the sound of calls. The last two are left as they are if not given.
    """

    turns: Days
    notes: Days
    personal: Days
    texts: Days
    calls: Days
    contacts: Days | None = None
    recordings: Days | None = None


class AuditQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`subject_id`: about this row; `action`: of this one, as `read_for_care`."""

    subject_id: UUID | None = None
    action: Action | None = None
    limit: PageSize = 50
    cursor: str | None = None


class AuditView(msgspec.Struct, kw_only=True):
    """Who did what to which row. `position`: of its link in the chain, null until it is linked."""

    id: UUID
    recorded_at: AwareTime
    actor_kind: str
    actor_id: UUID | None
    action: str
    subject_kind: str
    subject_id: UUID | None
    position: int | None


class AuditPage(msgspec.Struct, kw_only=True):
    """Newest first."""

    items: list[AuditView]
    next: str | None


class ReportQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From `since` on, before `until`: the last 30 days, unless told. Times have an offset."""

    since: AwareTime | None = None
    until: AwareTime | None = None


async def show_retention(asked: Asked) -> Answer:
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        periods = await periods_of(connection, asked.claim.org_id)
    return Answer(200, _retention_view(periods))


async def put_retention(asked: Asked) -> Answer:
    form: RetentionForm = asked.body
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        before = await periods_of(connection, asked.claim.org_id)
        given = {kind: days for kind, days in msgspec.structs.asdict(form).items() if days is not None}
        periods = replace(before, **given)
        await set_periods(connection, asked.claim.org_id, actor_of(asked), periods)
    return Answer(200, _retention_view(periods))


async def list_audit(asked: Asked) -> Answer:
    query: AuditQuery = asked.query
    cursor = cursors.read(query.cursor)
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        entries = await page_of_entries(
            connection,
            asked.claim.org_id,
            limit=query.limit,
            last=(cursor.at, cursor.id) if cursor else None,
            wanted=Wanted(query.action, query.subject_id),
        )
    last = entries[-1].record if len(entries) == query.limit else None
    following = cursors.write(Cursor(last.recorded_at, last.id)) if last else None
    return Answer(200, AuditPage(items=[_audit_view(each) for each in entries], next=following))


async def show_verification(asked: Asked) -> Answer:
    async with asyncio.timeout(ANSWER_S), org_transaction(asked.api.pool, asked.claim) as connection:
        found = await verify(connection, asked.claim.org_id, within_s=VERIFY_S)
    return Answer(200, chain_status(found))


async def show_report(asked: Asked) -> Answer:
    return Answer(200, await _report(asked))


async def show_report_page(asked: Asked) -> Answer:
    return Answer(200, page=render(await _report(asked)), headers=_PAGE_HEADERS)


async def _report(asked: Asked) -> Report:
    since, until = _period(asked)
    async with asyncio.timeout(ANSWER_S), org_transaction(asked.api.pool, asked.claim) as connection:
        return await make_report(connection, asked.claim.org_id, since, until, verify_s=VERIFY_S)


def _period(asked: Asked) -> tuple[datetime, datetime]:
    query: ReportQuery = asked.query
    until = query.until or asked.api.now()
    try:
        since = query.since or until - _PERIOD
    except OverflowError:
        raise Refused(INVALID, pointer="$.until") from None
    if since >= until:
        raise Refused(INVALID, pointer="$.since", detail="must be before until")
    return since, until


def _retention_view(periods: Periods) -> RetentionForm:
    return RetentionForm(**asdict(periods))


def _audit_view(entry: Entry) -> AuditView:
    record = entry.record
    return AuditView(
        id=record.id,
        recorded_at=record.recorded_at,
        actor_kind=record.actor_kind,
        actor_id=record.actor_id,
        action=record.action,
        subject_kind=record.subject_kind,
        subject_id=record.subject_id,
        position=entry.position,
    )


OPERATIONS = (
    Operation(
        name="getRetention",
        method="GET",
        path="/retention",
        scope="retention:read",
        summary="How many days each kind of what is kept of people is kept",
        handler=show_retention,
        answers={200: RetentionForm},
    ),
    Operation(
        name="putRetention",
        method="PUT",
        path="/retention",
        scope="retention:write",
        summary="Change these days; counts from the next run on, for what is there already too",
        handler=put_retention,
        body=RetentionForm,
        answers={200: RetentionForm},
    ),
    Operation(
        name="listAudit",
        method="GET",
        path="/audit",
        scope="audit:read",
        summary="The clinic's audit log, newest first",
        handler=list_audit,
        query=AuditQuery,
        answers={200: AuditPage},
    ),
    Operation(
        name="verifyAudit",
        method="GET",
        path="/audit/verification",
        scope="audit:read",
        summary="Recompute the audit log's chain; the first broken link, and what is not linked yet",
        handler=show_verification,
        answers={200: ChainStatus},
    ),
    Operation(
        name="getReport",
        method="GET",
        path="/compliance/report",
        scope="audit:read",
        summary="The compliance report of a period",
        handler=show_report,
        query=ReportQuery,
        answers={200: Report},
    ),
    Operation(
        name="getReportPage",
        method="GET",
        path="/compliance/report.html",
        scope="audit:read",
        summary="The same as a page to be printed",
        handler=show_report_page,
        query=ReportQuery,
        answers={200: None},
        media_type=HTML,
    ),
)
