"""The gateway's lag counts for the stretch in which it arose."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from bench.harness.gauges import watching


@pytest.fixture
async def metrics_url() -> AsyncIterator[str]:
    """A gateway whose loop was 300 ms late once."""

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text="gateway_event_loop_lag_longest_seconds 0.3\n")

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(("window_s", "known"), [(0.05, True), (600.0, False)])
async def test_what_may_be_of_the_time_before_is_left_out(
    metrics_url: str, window_s: float, known: bool
) -> None:
    async with watching(None, metrics_url, window_s=window_s) as gauges:
        await asyncio.sleep(0.1)
    assert (set(gauges.gateway_lag_ms) == {300.0}) is known
    assert bool(gauges.gateway_lag_ms) is known
