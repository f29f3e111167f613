"""What the operators see over HTTP: with the platform's token alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.api.client import AUDIENCE, ISSUER, SECRET, claims, hs256, kind

PAGES = ("/ops/latency", "/ops/status", "/ops/status.html")
JWT = {"API_JWT_ISSUER": ISSUER, "API_JWT_AUDIENCE": AUDIENCE, "API_JWT_SECRET": SECRET}


def platform() -> dict[str, str]:
    """Made when it is used: it lives for minutes."""
    return {"Authorization": f"Bearer {hs256(claims(None, scope='admin', sub='console'))}"}


@pytest.fixture
async def told(stack: Stack) -> AsyncIterator[running.Gateway]:
    """A gateway that knows the worker's role."""
    environ = running.environment(stack, DATABASE_WORKER_URL=stack.postgres.worker, **JWT)
    async with running.gateway(environ) as served:
        yield served


async def test_the_status_is_the_platforms_to_see_as_json_and_as_a_page(
    told: running.Gateway, clinic: Clinic
) -> None:
    status = await told.http.get(told.url + "/ops/status", headers=platform(), timeout=30)
    page = await told.http.get(told.url + "/ops/status.html", headers=platform(), timeout=30)
    latency = await told.http.get(told.url + "/ops/latency", headers=platform())
    assert [each.status_code for each in (status, page, latency)] == [200, 200, 200]
    names = {each["name"]: each["level"] for each in status.json()["promises"]}
    assert names["double_bookings"] == "ok"
    assert status.json()["orgs"] >= 1
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.text.startswith("<!doctype html>")
    assert "Double bookings" in page.text
    assert latency.json() == {"orgs": status.json()["latency"]}
    assert {each.headers["cache-control"] for each in (status, page, latency)} == {"no-store"}


async def test_nobody_else_sees_any_of_it(told: running.Gateway, clinic: Clinic) -> None:
    own = {"Authorization": f"Bearer {hs256(claims(clinic.claim.org_id))}"}
    for path in PAGES:
        without = await told.http.get(told.url + path)
        clinics = await told.http.get(told.url + path, headers=own)
        assert (without.status_code, kind(without)) == (401, "unauthenticated"), path
        assert (clinics.status_code, kind(clinics)) == (403, "scope-missing"), path


async def test_an_org_that_is_no_id_is_refused(told: running.Gateway) -> None:
    answer = await told.http.get(told.url + "/ops/latency?org=../x", headers=platform())
    assert (answer.status_code, kind(answer)) == (422, "invalid")


async def test_a_process_that_knows_no_worker_says_so(stack: Stack) -> None:
    async with running.gateway(running.environment(stack, **JWT)) as served:
        answer = await served.http.get(served.url + "/ops/status", headers=platform())
    assert (answer.status_code, kind(answer)) == (503, "unavailable")
    assert "DATABASE_WORKER_URL" in answer.json()["detail"]


async def test_a_gateway_that_knows_the_workers_role_tells_prometheus(told: running.Gateway) -> None:
    async with asyncio.timeout(60):
        while True:
            if told.counted("gateway_status_asked_timestamp_seconds"):
                break
            await asyncio.sleep(0.05)
    assert told.counted("gateway_double_bookings") == 0
