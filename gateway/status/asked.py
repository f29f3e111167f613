"""Asks for everything, one org after the other, each under its own claim, and judges it.

Which orgs there are and how the queue stands is asked as gw_worker; what an org's rows say as gw_app, so that
nothing here reads rows of two orgs in one statement.
"""

import time
from collections.abc import Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from booking import db
from booking.jobs import backlog
from booking.types import Claim
from compliance.chain import Verified, verify
from compliance.protection import Protection, protection_of
from gateway.latency_profiles import LatencyProfiles
from gateway.retention import every_org
from gateway.shared_store import SharedStore
from gateway.status import (
    audit_log,
    codes,
    double_bookings,
    follow_ups,
    queue,
    sweeps,
    tenancy,
    texts,
    ttfb,
)
from gateway.status.judged import Judged, OrgLatency, Status, worst

WINDOW: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Turns:
    """Where the newest turns are."""

    store: SharedStore
    profiles: LatencyProfiles


@dataclass(frozen=True, slots=True)
class Sources:
    """`pool`: role gw_app's; `worker_pool`: role gw_worker's. All outlive what is asked of them."""

    pool: asyncpg.Pool
    worker_pool: asyncpg.Pool
    turns: Turns | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about. `chain_s`: of each org's audit log what can be verified in so long, 0: nothing.

    `within_s`: orgs that it takes longer to come to are left out.
    """

    window: timedelta = WINDOW
    chain_s: float = 5.0
    within_s: float = float("inf")


@dataclass(slots=True)
class _Found:
    """By org, promise by promise."""

    live: dict[UUID, double_bookings.Live] = field(default_factory=dict)
    sent_codes: dict[UUID, codes.Codes] = field(default_factory=dict)
    sent_texts: dict[UUID, texts.Texts] = field(default_factory=dict)
    followed: dict[UUID, follow_ups.FollowUps] = field(default_factory=dict)
    attempts: dict[UUID, tenancy.Attempts] = field(default_factory=dict)
    chains: dict[UUID, Verified] = field(default_factory=dict)

    def judged(self, protection: Protection, *, verified: bool) -> list[Judged]:
        return [
            double_bookings.judged(self.live),
            codes.judged(self.sent_codes),
            texts.judged(self.sent_texts),
            tenancy.judged(self.attempts, protection),
            follow_ups.judged(self.followed),
            *([audit_log.judged(self.chains)] if verified else []),
        ]


async def ask(sources: Sources, question: Question) -> Status:
    """Raises `BookingError` if the database cannot be asked."""
    now = datetime.now(UTC)
    since, deadline_s = now - question.window, time.monotonic() + question.within_s
    claims = [claim for claim, _ in await every_org(sources.worker_pool)]
    found, asked = _Found(), 0
    for claim in claims:
        if time.monotonic() > deadline_s:
            break
        await _ask_org(sources.pool, claim, since, question.chain_s, found)
        asked += 1
    lines, latency = await _latency(sources.turns, {claim.org_id for claim in claims})
    promises = [
        *found.judged(await _protection(sources.pool), verified=question.chain_s > 0),
        *latency,
        queue.judged(await backlog(sources.worker_pool)),
        sweeps.judged(await sweeps.asked(sources.worker_pool), now),
    ]
    return Status(
        made_at=now,
        since=since,
        level=worst([each.level for each in promises]),
        orgs=len(claims),
        orgs_asked=asked,
        promises=promises,
        latency=lines,
    )


async def _ask_org(pool: asyncpg.Pool, claim: Claim, since: datetime, chain_s: float, found: _Found) -> None:
    org_id = claim.org_id
    async with db.org_transaction(pool, claim) as connection:
        found.live[org_id] = await double_bookings.asked(connection, org_id, since)
        found.sent_codes[org_id] = await codes.asked(connection, org_id, since)
        found.sent_texts[org_id] = await texts.asked(connection, org_id, since)
        found.followed[org_id] = await follow_ups.asked(connection, org_id, since)
        found.attempts[org_id] = await tenancy.asked(connection, org_id, since)
        if chain_s > 0:
            found.chains[org_id] = await verify(connection, org_id, within_s=chain_s)


async def _protection(pool: asyncpg.Pool) -> Protection:
    """Of the catalogue, which is the same for every org, and for one that there is not."""
    async with db.org_transaction(pool, Claim(uuid4())) as connection:
        return await protection_of(connection)


async def _latency(turns: Turns | None, orgs: Set[UUID]) -> tuple[list[OrgLatency], list[Judged]]:
    """Of orgs that are there: Redis remembers one that was on trial a little longer."""
    if turns is None:
        return [], []
    known = await turns.store.answers()
    lines = [ttfb.shown(line) for line in await turns.profiles.report() if line.org_id in orgs]
    return lines, [ttfb.judged(lines, known=known)]
