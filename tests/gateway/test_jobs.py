"""Background jobs inside a gateway that serves, and beside it."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx

from booking.db import org_transaction
from booking.jobs import Kind, enqueue
from booking.worker import housekeeping
from gateway.jobs import all_work, open_duties
from gateway.status.thresholds import SWEEPS
from tests.conftest import Clinic, Stack
from tests.gateway.running import environment, gateway

PATIENT_S = 15.0
DOCUMENT = (Path(__file__).parents[2] / "docs" / "jobs.md").read_text(encoding="utf-8")


async def ask(pool: asyncpg.Pool, clinic: Clinic) -> bytes:
    """A job for a message that there is not: done as soon as somebody has looked for it."""
    message_id = uuid4()
    async with org_transaction(pool, clinic.claim) as connection:
        await enqueue(connection, "sms_reconcile", message_id)
    return clinic.claim.org_id.bytes + message_id.bytes


async def done(stack: Stack, payload: bytes) -> None:
    """Until no such job is left."""
    queue = await asyncpg.connect(stack.postgres.worker)
    async with asyncio.timeout(PATIENT_S):
        while True:
            if not await queue.fetchval("select count(*) from jobs.pgqueuer where payload = $1", payload):
                break
            await asyncio.sleep(0.02)
    await queue.close()


def with_workers(stack: Stack) -> dict[str, str]:
    return {"WORKERS": "1", "DATABASE_WORKER_URL": stack.postgres.worker}


async def test_a_gateway_does_jobs(stack: Stack, pool: asyncpg.Pool, clinic: Clinic) -> None:
    async with gateway(environment(stack, **with_workers(stack))) as served:
        await done(stack, await ask(pool, clinic))
        counted = 'gateway_job_seconds_count{kind="sms_reconcile",outcome="done"}'
        async with asyncio.timeout(PATIENT_S):
            while True:
                if counted in served.edge.metrics.exposition().decode():
                    break
                await asyncio.sleep(0.02)


async def test_a_gateway_without_workers_leaves_them(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic, owner: asyncpg.Connection
) -> None:
    async with gateway(environment(stack)):
        payload = await ask(pool, clinic)
    assert await owner.fetchval("select count(*) from jobs.pgqueuer where payload = $1", payload) == 1


async def test_a_worker_alone_does_jobs_until_it_is_told_to_stop(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    changes = with_workers(stack) | {"WORKERS": "0", "WORKER_METRICS_PORT": "0", "LOG_LEVEL": "info"}
    environ = dict(os.environ) | environment(stack, **changes)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.worker"), env=environ, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr
    url = await where_metrics_are(process.stderr)
    await done(stack, await ask(pool, clinic))
    counted = 'gateway_job_seconds_count{kind="sms_reconcile",outcome="done"}'
    async with httpx.AsyncClient() as http, asyncio.timeout(PATIENT_S):
        while True:
            if counted in (await http.get(url)).text:
                break
            await asyncio.sleep(0.02)
    environ["WORKER_METRICS_PORT"] = str(urlsplit(url).port)
    late = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.worker"), env=environ, stderr=asyncio.subprocess.PIPE
    )
    _, said = await late.communicate()
    assert (late.returncode, b"WORKER_METRICS_PORT" in said) == (3, True)
    process.terminate()
    async with asyncio.timeout(PATIENT_S):
        await process.communicate()
    assert process.returncode == 0


async def where_metrics_are(log: asyncio.StreamReader) -> str:
    async with asyncio.timeout(60):
        async for line in log:
            said = json.loads(line)
            if said["event"] == "serving_metrics":
                url: str = said["url"]
                return url
    raise AssertionError("it ended")


async def test_a_worker_alone_needs_to_know_its_queue(stack: Stack) -> None:
    environ = dict(os.environ) | environment(stack)
    process = await asyncio.create_subprocess_exec(
        sys.executable, *("-m", "gateway.worker"), env=environ, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert (process.returncode, said) == (2, b"worker: DATABASE_WORKER_URL is missing\n")


def listed(column: str) -> list[str]:
    """The names in the first column of the document's table with this heading."""
    table = DOCUMENT.partition(f"\n| {column} |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


async def test_the_document_lists_every_job_and_sweep(stack: Stack, pool: asyncpg.Pool) -> None:
    async with gateway(environment(stack)) as served:
        desk = served.edge.desk
        parts = (served.edge.settings, pool, desk.vault, desk.texts.messages, desk.metrics)
        async with open_duties(*parts) as duties:
            work = all_work(pool, pool, duties)
    assert sorted(listed("kind")) == sorted(work.handlers) == sorted(get_args(Kind))
    assert sorted(listed("sweep")) == sorted(each.name for each in work.sweeps)
    assert set(listed("sweep")) == SWEEPS.keys(), "the status has to know how old a sweep may get"


async def test_the_days_to_come_get_their_slots(stack: Stack, pool: asyncpg.Pool, clinic: Clinic) -> None:
    """The clinic was opened for 14 days; the job goes on with the rest of the 60."""
    latest = "select max(starts_at)::date - current_date from slots"
    async with gateway(environment(stack, **with_workers(stack))), asyncio.timeout(PATIENT_S):
        async with org_transaction(pool, clinic.claim) as connection:
            assert await connection.fetchval(latest) < 16
            await enqueue(connection, "slots_ahead", clinic.claim.org_id)
        await done(stack, clinic.claim.org_id.bytes * 2)
    async with org_transaction(pool, clinic.claim) as connection:
        assert await connection.fetchval(latest) >= 58


def test_the_document_says_which_sweeps_need_the_database_alone(pool: asyncpg.Pool) -> None:
    line = next(line for line in DOCUMENT.splitlines() if line.startswith("python -m booking.worker"))
    assert sorted(re.findall(r"\b[a-z]+_[a-z]+\b", line)) == sorted(each.name for each in housekeeping(pool))
