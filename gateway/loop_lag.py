"""How late the event loop comes to what is due: the figure that tells of a blocked or overloaded process."""

import asyncio
from collections import deque
from typing import Final

from gateway.metrics import Metrics

EVERY_S: Final = 0.1
WINDOW_S: Final = 15.0
"""The gauge is the longest lag of so long a time: Prometheus looks only now and then."""


async def watch_loop(metrics: Metrics, *, every_s: float = EVERY_S, window_s: float = WINDOW_S) -> None:
    """Sample until cancelled."""
    loop = asyncio.get_running_loop()
    recent: deque[float] = deque(maxlen=max(1, round(window_s / every_s)))
    while True:
        due_s = loop.time() + every_s
        await asyncio.sleep(every_s)
        lag_s = max(0.0, loop.time() - due_s)
        recent.append(lag_s)
        metrics.loop_lag.observe(lag_s)
        metrics.loop_lag_longest.set(max(recent))
