"""The daily job: every org, batch by batch, counted."""

from dataclasses import asdict

import asyncpg

from booking.db import open_pool
from compliance.retention import Cleared
from gateway.metrics import Metrics
from gateway.retention import Retention, every_org
from tests.compliance.offices import Office
from tests.compliance.test_retention import age, ended_call
from tests.conftest import Clinic, Stack


async def test_what_is_old_goes_and_the_counts_are_kept(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    office, other, metrics = Office.of(pool, clinic), Office.of(pool, other_clinic), Metrics()
    for each in (office, office, other):
        await ended_call(each)
    for each in (office, other):
        await age(each, stack.admin, 400)
    await Retention(pool, office.keys, metrics, batch=2).enforce(clinic.claim, clinic.claim.org_id)
    assert (await office.count("pii_vault"), await other.count("pii_vault")) == (0, 3)
    runs = await office.rows(
        "select counts::jsonb ->> 'personal' as personal from retention_runs order by ran_at"
    )
    assert [int(run["personal"]) for run in runs] == [2, 2, 2, 0]

    def counted(kind: str) -> float | None:
        return metrics.registry.get_sample_value("gateway_retention_cleared_total", {"kind": kind})

    assert {kind: counted(kind) for kind in asdict(Cleared())} == {
        "turns": 2, "notes": 2, "personal": 6, "texts": 2, "codes": 0, "calls": 2, "keys": 4, "contacts": 0,
        "recordings": 0,
    }  # fmt: skip


async def test_every_org_has_its_turn(stack: Stack, clinic: Clinic, other_clinic: Clinic) -> None:
    async with await open_pool(stack.postgres.worker, max_size=1) as worker_pool:
        orgs = await every_org(worker_pool)
    assert all(claim.org_id == row for claim, row in orgs)
    assert {clinic.claim.org_id, other_clinic.claim.org_id} <= {row for _, row in orgs}
    assert len(orgs) == len({row for _, row in orgs})
