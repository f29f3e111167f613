"""Alive, ready, measured; and a process that starts, serves and stops."""

import asyncio
import json
import os
import signal
import sys

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway


async def test_alive_and_ready(gateway: Gateway) -> None:
    assert (await gateway.http.get(gateway.url + "/healthz")).json() == {"status": "alive"}
    ready = await gateway.http.get(gateway.url + "/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


async def test_without_redis_still_ready_and_it_says_so(stack: Stack) -> None:
    async with running.gateway(running.environment(stack, REDIS_URL="redis://127.0.0.1:9")) as gateway:
        ready = await gateway.http.get(gateway.url + "/readyz")
        assert (ready.status_code, ready.json()["redis"]) == (200, "down")


async def test_without_database_not_ready(gateway: Gateway) -> None:
    await gateway.edge.desk.pool.close()
    ready = await gateway.http.get(gateway.url + "/readyz")
    assert (ready.status_code, ready.json()["database"]) == (503, "down")


async def test_draining_not_ready(gateway: Gateway) -> None:
    assert await gateway.edge.calls.drained(1)
    ready = await gateway.http.get(gateway.url + "/readyz")
    assert (ready.status_code, ready.json()["gateway"]) == (503, "draining")


async def test_one_call_too_many_is_refused_in_words_and_readiness_shows_it(
    stack: Stack, clinic: Clinic
) -> None:
    async with running.gateway(running.environment(stack, MAX_CALLS="1")) as gateway:
        assert running.verbs(await gateway.answer(clinic.number)) == ["Connect"]
        full = await gateway.http.get(gateway.url + "/readyz")
        assert (full.status_code, full.json()["gateway"], full.json()["calls"]) == (503, "full", 1)
        refused = await gateway.answer(clinic.number, "CA" + "8" * 32)
        assert running.verbs(refused) == ["Say", "Hangup"]
        assert "busy" in (refused[0].text or "")
        assert running.verbs(await gateway.answer(clinic.number)) == ["Connect"]  # the carrier repeats itself
        assert gateway.counted("gateway_refused_total", reason="max_calls") == 1


async def test_metrics_are_exposed(gateway: Gateway) -> None:
    response = await gateway.http.get(gateway.url + "/metrics")
    names = {family.name for family in text_string_to_metric_families(response.text)}
    assert {"gateway_calls_active", "gateway_turn_ttfb_seconds", "process_cpu_seconds"} <= names


async def test_process_says_when_it_is_ready_and_stops_in_order(stack: Stack) -> None:
    environ = {**os.environ, **running.environment(stack)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        assert process.stdout is not None
        ready = json.loads(await process.stdout.readline())
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(ready["url"] + "/readyz")).status_code == 200
        process.send_signal(signal.SIGTERM)
        _, told = await process.communicate()
    assert process.returncode == 0
    lines = [json.loads(line) for line in told.splitlines()]
    assert {"serving", "draining", "drained"} <= {line["event"] for line in lines}


async def test_process_refuses_nonsense_in_one_line() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env={"PATH": os.environ["PATH"], "PORT": "x"}, cwd="/",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(30):
        _, told = await process.communicate()
    assert process.returncode == 2
    assert told.decode().startswith("gateway: ")
    assert told.count(b"\n") == 1
