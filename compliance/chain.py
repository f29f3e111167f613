"""The audit log's chain, per org: linking records, and verifying that none was changed, removed or put in.

Hash n is SHA-256 of hash n-1 (32 zero bytes before the first) and `line` of the record. Writers add records
and do nothing else; linking comes after, by one linker per org over all replicas (an advisory lock held by
the transaction that links).

Why no record is skipped: each is queued by a trigger in the transaction that writes it, and what is linked is
what is queued. A linker that took "all behind the last one linked" by instant or sequence would pass over a
record whose transaction drew its number early and committed late; here such a record is merely linked late.
The order of the chain is hence the order in which records came into sight, and within one pass that of their
instants. Taking a record from the queue and linking it is one transaction: both, or neither.

What a chain alone cannot show is that its end was cut off, records and all, or that somebody who may do
everything wrote it anew from some link on. Heads that are kept elsewhere show it: `Anchor`.
"""

import hashlib
import math
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import asyncpg

BEFORE_THE_FIRST: Final = bytes(32)
BATCH: Final = 500
_PAGE: Final = 50  # some 2 ms of work, after which whatever else runs in the process has its turn
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

FaultKind = Literal[
    "altered",  # the record, its link's hash, or what stood before it and is gone with its link
    "removed",  # a record is gone whose link or place in the queue is still there, or a link is gone
    "inserted",  # a record or link that nobody linked or queued
    "reordered",  # the link stands at another record than the one that was linked there
    "cut",  # the chain does not hold a head that was noted elsewhere
]

_LINKS: Final = """
select c.position, c.record_id as linked_id, c.hash, l.id, l.recorded_at, l.actor_kind, l.actor_id, l.action,
    l.subject_kind, l.subject_id, l.org_id
from public.audit_chain c
left join public.audit_log l on l.org_id = c.org_id and l.id = c.record_id
where c.org_id = $1 order by c.position
"""
_TAIL: Final = """
select count(*) as records, min(l.recorded_at) as oldest,
    (array_agg(l.id order by l.recorded_at, l.id) filter (where u.record_id is null))[1] as stranger
from public.audit_log l
left join public.audit_unlinked u on u.org_id = l.org_id and u.record_id = l.id
where l.org_id = $1
  and not exists (select from public.audit_chain c where c.org_id = l.org_id and c.record_id = l.id)
"""
_GONE: Final = """
select u.record_id from public.audit_unlinked u
where u.org_id = $1
  and not exists (select from public.audit_log l where l.org_id = u.org_id and l.id = u.record_id)
order by u.record_id limit 1
"""
_RECORDS: Final = """
select l.id, l.recorded_at, l.actor_kind, l.actor_id, l.action, l.subject_kind, l.subject_id, l.org_id
from public.audit_log l where l.org_id = $1
"""


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A row of the audit log, as its hash takes it."""

    org_id: UUID
    id: UUID
    recorded_at: datetime
    actor_kind: str
    actor_id: UUID | None
    action: str
    subject_kind: str
    subject_id: UUID | None


@dataclass(frozen=True, slots=True)
class Link:
    """`record` is None if the row that was linked is no longer there."""

    position: int
    record_id: UUID
    hash: bytes
    record: AuditRecord | None


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link; position 0 as long as there is none."""

    position: int = 0
    hash: bytes = BEFORE_THE_FIRST


@dataclass(frozen=True, slots=True)
class Anchor:
    """A head that was noted outside the database, as in a log that is kept elsewhere."""

    org_id: UUID
    position: int
    hash: bytes

    @classmethod
    def parse(cls, text: str) -> "Anchor":
        """`org:position:hash`, the hash in hex. Raises `ValueError`."""
        org, position, told = text.split(":")
        anchor = cls(UUID(org), int(position), bytes.fromhex(told))
        if anchor.position < 1 or len(anchor.hash) != len(BEFORE_THE_FIRST):
            raise ValueError("no head looks like this")
        return anchor

    def __str__(self) -> str:
        return f"{self.org_id}:{self.position}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place that is not as it was linked. `position` is None for what stands outside the chain."""

    kind: FaultKind
    position: int | None = None
    record_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What verifying found: `links` that were recomputed, and the tail that is not linked yet.

    `complete` is false if time was up before the last link: then nothing is said of those behind `head`.
    """

    links: int
    head: Head
    unlinked: int
    oldest_unlinked_at: datetime | None
    fault: Fault | None
    complete: bool = True

    @property
    def intact(self) -> bool:
        """Nothing is wrong with what was looked at."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class Linked:
    """What one pass has linked. `oldest_at`: when the first of its records was written."""

    records: int
    head: Head
    oldest_at: datetime | None


def line(record: AuditRecord) -> bytes:
    """The record as bytes, the same that `app.audit_line` makes: each field behind its length."""
    instant_us = (record.recorded_at - _EPOCH) // timedelta(microseconds=1)
    fields = (
        "audit 1",
        str(record.org_id),
        str(record.id),
        str(instant_us),
        record.actor_kind,
        str(record.actor_id or ""),
        record.action,
        record.subject_kind,
        str(record.subject_id or ""),
    )
    encoded = (field.encode() for field in fields)
    return b"".join(b"%d:%b" % (len(field), field) for field in encoded)


def next_hash(before: bytes, record: AuditRecord) -> bytes:
    """The hash of the link that puts `record` behind the link of hash `before`."""
    return hashlib.sha256(before + line(record)).digest()


def blame(before: Sequence[Link], here: Link, after: Link | None) -> Fault:
    """What happened at `here`, the first link whose hash is not what its record makes it.

    `before`: the two links before it, as far as there are; `after`: the next one.
    """
    last = before[-1].hash if before else BEFORE_THE_FIRST
    second_last = before[-2].hash if len(before) > 1 else BEFORE_THE_FIRST
    if after is not None and _fits(last, after):
        return Fault("inserted", here.position, here.record_id)
    if before and _fits(second_last, here):
        return Fault("inserted", before[-1].position, before[-1].record_id)
    return Fault("altered", here.position, here.record_id)


def _fits(before: bytes, link: Link) -> bool:
    return link.record is not None and next_hash(before, link.record) == link.hash


async def link_batch(connection: asyncpg.Connection, org_id: UUID, *, limit: int = BATCH) -> Linked:
    """Link so many records, at most 1000; none if another linker is at it. In the org's transaction."""
    row = await connection.fetchrow("select * from app.link_audit($1, $2)", org_id, limit)
    head = Head() if row["head"] is None else Head(row["head"], row["hash"])
    return Linked(row["linked"], head, row["oldest"])


async def verify(
    connection: asyncpg.Connection,
    org_id: UUID,
    anchors: Iterable[Anchor] = (),
    *,
    within_s: float = math.inf,
) -> Verified:
    """Recompute the org's chain from its first link on, without the database's own functions.

    For inside the org's transaction. Records that come meanwhile count as tail, or not at all. Whatever has
    not been looked at `within_s` is left out.
    """
    tail = await connection.fetchrow(_TAIL, org_id)
    known = {each.position: each.hash for each in anchors if each.org_id == org_id}
    walk = _Walk(known, time.monotonic() + within_s)
    fault = await _first_fault(connection, org_id, walk)
    if fault is None and tail["stranger"] is not None:
        fault = Fault("inserted", None, tail["stranger"])
    if fault is None and (gone := await connection.fetchval(_GONE, org_id)) is not None:
        fault = Fault("removed", None, gone)
    return Verified(walk.links, walk.head, tail["records"], tail["oldest"], fault, walk.complete)


async def _first_fault(connection: asyncpg.Connection, org_id: UUID, walk: "_Walk") -> Fault | None:
    async with aclosing(_links(connection, org_id)) as links:
        async for link in links:
            fault = walk.step(link)
            if fault is None and walk.time_is_up():
                return None
            if fault is None:
                continue
            if fault.kind == "altered":
                fault = blame(walk.before, link, await anext(links, None))
            break
        else:
            return walk.end()
    if fault.kind == "altered" and await _stands_elsewhere(connection, org_id, walk, link):
        return Fault("reordered", link.position, link.record_id)
    return fault


async def _links(connection: asyncpg.Connection, org_id: UUID) -> AsyncGenerator[Link, None]:
    async for row in connection.cursor(_LINKS, org_id, prefetch=_PAGE):
        record = None if row["id"] is None else record_of(row)
        yield Link(row["position"], row["linked_id"], row["hash"], record)


async def _stands_elsewhere(connection: asyncpg.Connection, org_id: UUID, walk: "_Walk", link: Link) -> bool:
    """Whether another of the org's records is the one that was linked here, as far as time allows to look."""
    async for row in connection.cursor(_RECORDS, org_id, prefetch=_PAGE):
        if next_hash(walk.head.hash, record_of(row)) == link.hash:
            return True
        if walk.time_is_up():
            break
    return False


def record_of(row: asyncpg.Record) -> AuditRecord:
    return AuditRecord(
        row["org_id"], row["id"], row["recorded_at"], row["actor_kind"], row["actor_id"], row["action"],
        row["subject_kind"], row["subject_id"],
    )  # fmt: skip


class _Walk:
    """From link to link until `deadline_s` of `time.monotonic`. `before`: the last two that were right."""

    def __init__(self, anchors: dict[int, bytes], deadline_s: float) -> None:
        self._anchors = anchors
        self._deadline_s = deadline_s
        self.before: list[Link] = []
        self.links = 0
        self.complete = True

    @property
    def head(self) -> Head:
        return Head(self.before[-1].position, self.before[-1].hash) if self.before else Head()

    def step(self, link: Link) -> Fault | None:
        last = self.head
        if link.position != last.position + 1:
            return Fault("removed", last.position + 1)
        if link.record is None:
            return Fault("removed", link.position, link.record_id)
        if not _fits(last.hash, link):
            return Fault("altered", link.position, link.record_id)
        if self._anchors.pop(link.position, link.hash) != link.hash:
            return Fault("cut", link.position, link.record_id)
        self.before = [*self.before[-1:], link]
        self.links += 1
        return None

    def time_is_up(self) -> bool:
        """Whether nothing more is to be looked at; then the walk is not complete."""
        self.complete = time.monotonic() < self._deadline_s
        return not self.complete

    def end(self) -> Fault | None:
        """A head that was noted, and that the chain does not reach."""
        return Fault("cut", min(self._anchors)) if self._anchors else None
