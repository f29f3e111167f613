"""The event loop's lag is seen while something blocks it, and forgotten after its window."""

import asyncio
import time

from gateway.loop_lag import watch_loop
from gateway.metrics import Metrics

LONGEST = "gateway_event_loop_lag_longest_seconds"


async def test_a_blocked_loop_is_told_for_as_long_as_the_window_lasts() -> None:
    metrics = Metrics()
    watching = asyncio.create_task(watch_loop(metrics, every_s=0.01, window_s=0.2))
    await asyncio.sleep(0.05)
    time.sleep(0.25)  # noqa: ASYNC251  blocking the loop is the point
    await asyncio.sleep(0.05)
    assert (metrics.registry.get_sample_value(LONGEST) or 0) > 0.2
    assert (metrics.registry.get_sample_value("gateway_event_loop_lag_seconds_sum") or 0) > 0.2
    await asyncio.sleep(0.6)
    assert (metrics.registry.get_sample_value(LONGEST) or 0) < 0.2
    watching.cancel()
    await asyncio.wait([watching])
