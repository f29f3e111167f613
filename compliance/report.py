"""An org's compliance report over a period: what was masked, who read what, what was tried, erased, exported
and failed, how old things get, whether the audit log is whole and row level security stands.

It holds ids, counts, instants and words of ours, nothing personal, so it may go to whoever has to see it.
Counts of masked words are of turns that are still kept; what retention has cleared is not counted any more.
"""

import math
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from compliance.chain import Verified, verify
from compliance.protection import Protection, protection_of
from compliance.retention import periods_of

ENTRIES_SHOWN: Final = 1_000
# Patterns of LIKE, in which an underscore alone would stand for any character.
_READINGS: Final = (r"read\_for\_%",)
_REFUSALS: Final = (r"foreign\_refused", r"read\_refused")
_EXPORTS: Final = (r"contact\_exported",)
_CONSENTS: Final = tuple(
    rf"{kind}\_{word}" for kind in ("recording", "texts") for word in ("agreed", "refused")
)

_MASKED: Final = r"""
select m.found[1] as name, count(*) as count
from public.call_turns t, regexp_matches(t.said::text, '\[REDACTED: ([A-Z_]+)[^\]]*\]', 'g') m (found)
where t.org_id = $1 and t.stored_at >= $2 and t.stored_at < $3 group by 1 order by 1
"""
_KEPT: Final = """
select k.name, count(*) as count from (
    select 'medical' as name from public.clinical_notes n
    where n.org_id = $1 and n.noted_at >= $2 and n.noted_at < $3
    union all
    select v.kind from public.pii_vault v where v.org_id = $1 and v.kept_at >= $2 and v.kept_at < $3
) k group by 1 order by 1
"""
_CALLS: Final = """
select coalesce(c.end_reason, 'open') as name, count(*) as count from public.calls c
where c.org_id = $1 and c.started_at >= $2 and c.started_at < $3 group by 1 order by 1
"""
_TURNS: Final = """
select t.outcome as name, count(*) as count from public.call_turns t
where t.org_id = $1 and t.stored_at >= $2 and t.stored_at < $3 group by 1 order by 1
"""
_TEXTS: Final = """
select m.kind || ' ' || m.status as name, count(*) as count from public.sms_messages m
where m.org_id = $1 and m.recorded_at >= $2 and m.recorded_at < $3 group by 1 order by 1
"""
_CODES: Final = """
select o.state as name, count(*) as count from public.otp_codes o
where o.org_id = $1 and o.stored_at >= $2 and o.stored_at < $3
group by 1
union all
select 'wrong attempts', sum(o.failures) from public.otp_codes o
where o.org_id = $1 and o.stored_at >= $2 and o.stored_at < $3 having sum(o.failures) > 0
order by 1
"""
_ACTIONS: Final = """
select l.action as name, count(*) as count from public.audit_log l
where l.org_id = $1 and l.recorded_at >= $2 and l.recorded_at < $3 group by 1 order by 1
"""
_ENTRIES: Final = """
select l.recorded_at as at, l.actor_kind, l.actor_id, l.action, l.subject_kind, l.subject_id
from public.audit_log l
where l.org_id = $1 and l.recorded_at >= $2 and l.recorded_at < $3
  and (l.action like any ($4) or ($5 and l.actor_kind = 'stranger'))
order by l.recorded_at desc, l.id limit $6
"""
_ERASURES: Final = """
select e.id, e.contact_id, e.erased_at, e.counts from public.erasures e
where e.org_id = $1 and e.erased_at >= $2 and e.erased_at < $3 order by e.erased_at desc, e.id limit $4
"""
_RUNS: Final = """
select c.key as name, sum(c.value::bigint)::bigint as count
from public.retention_runs r, jsonb_each_text(r.counts) c
where r.org_id = $1 and r.ran_at >= $2 and r.ran_at < $3 group by 1
union all
select 'runs', count(*) from public.retention_runs r
where r.org_id = $1 and r.ran_at >= $2 and r.ran_at < $3 order by 1
"""
_LAST_RUN: Final = "select max(r.ran_at) from public.retention_runs r where r.org_id = $1"

Counts = dict[str, int]


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From `since` on, before `until`."""

    since: datetime
    until: datetime


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what to which row; ids and words of ours."""

    at: datetime
    actor_kind: str
    actor_id: UUID | None
    action: str
    subject_kind: str
    subject_id: UUID | None


class ErasureEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`counts`: rows that were cleared or keys destroyed, by kind."""

    id: UUID
    contact_id: UUID | None
    erased_at: datetime
    counts: Counts


class RetentionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """`days` that each kind is kept; what was cleared in the period, with the number of `runs`."""

    days: Counts
    cleared: Counts
    last_run_at: datetime | None


class ChainStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The audit log as it is now. `fault`: what is wrong with the first broken link, null if nothing is.

    `complete` is false if it is so long that only the first `links` of it were looked at in the time there
    was; `python -m gateway.audit verify` takes its time.
    """

    intact: bool
    complete: bool
    links: int
    head: str
    unlinked: int
    oldest_unlinked_at: datetime | None
    fault: str | None
    fault_position: int | None
    fault_record_id: UUID | None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Of entries the newest 1000 are listed; `actions` counts them all."""

    org_id: UUID
    period: Period
    made_at: datetime
    calls: Counts
    turns: Counts
    masked: Counts
    kept: Counts
    actions: Counts
    readings: list[AuditEntry]
    refusals: list[AuditEntry]
    exports: list[AuditEntry]
    erasures: list[ErasureEntry]
    consents: list[AuditEntry]
    texts: Counts
    codes: Counts
    retention: RetentionStatus
    chain: ChainStatus
    protection: Protection


async def make_report(
    connection: asyncpg.Connection,
    org_id: UUID,
    since: datetime,
    until: datetime,
    *,
    verify_s: float = math.inf,
) -> Report:
    """For inside the org's transaction, as the role that the gateway works under. Aware datetimes.

    The audit log is looked at for `verify_s`, from its first link on.
    """
    reading = _Reading(connection, org_id, since, until)
    return Report(
        org_id=org_id,
        period=Period(since=since, until=until),
        made_at=datetime.now(UTC),
        calls=await reading.counts(_CALLS),
        turns=await reading.counts(_TURNS),
        masked=await reading.counts(_MASKED),
        kept=await reading.counts(_KEPT),
        actions=await reading.counts(_ACTIONS),
        readings=await reading.entries(*_READINGS),
        refusals=await reading.entries(*_REFUSALS, strangers=True),
        exports=await reading.entries(*_EXPORTS),
        erasures=await reading.erasures(),
        consents=await reading.entries(*_CONSENTS),
        texts=await reading.counts(_TEXTS),
        codes=await reading.counts(_CODES),
        retention=await reading.retention(),
        chain=chain_status(await verify(connection, org_id, within_s=verify_s)),
        protection=await protection_of(connection),
    )


def chain_status(found: Verified) -> ChainStatus:
    """What verifying found, as it is told outside."""
    fault = found.fault
    return ChainStatus(
        intact=found.intact,
        complete=found.complete,
        links=found.links,
        head=f"{found.head.position}:{found.head.hash.hex()}",
        unlinked=found.unlinked,
        oldest_unlinked_at=found.oldest_unlinked_at,
        fault=None if fault is None else fault.kind,
        fault_position=None if fault is None else fault.position,
        fault_record_id=None if fault is None else fault.record_id,
    )


class _Reading:
    """The queries of one report."""

    def __init__(
        self, connection: asyncpg.Connection, org_id: UUID, since: datetime, until: datetime
    ) -> None:
        self._connection = connection
        self._bounds = (org_id, since, until)

    async def counts(self, query: str) -> Counts:
        return {row["name"]: row["count"] for row in await self._connection.fetch(query, *self._bounds)}

    async def entries(self, *actions: str, strangers: bool = False) -> list[AuditEntry]:
        """Those whose action is like one of these, and with `strangers` what could not show who sent it."""
        rows = await self._connection.fetch(_ENTRIES, *self._bounds, actions, strangers, ENTRIES_SHOWN)
        return [AuditEntry(**dict(row)) for row in rows]

    async def erasures(self) -> list[ErasureEntry]:
        rows = await self._connection.fetch(_ERASURES, *self._bounds, ENTRIES_SHOWN)
        return [
            ErasureEntry(**dict(row) | {"counts": msgspec.json.decode(row["counts"], type=Counts)})
            for row in rows
        ]

    async def retention(self) -> RetentionStatus:
        periods = await periods_of(self._connection, self._bounds[0])
        return RetentionStatus(
            days=msgspec.to_builtins(periods),
            cleared=await self.counts(_RUNS),
            last_run_at=await self._connection.fetchval(_LAST_RUN, self._bounds[0]),
        )
