"""What a load costs while it runs: CPU and memory of the gateway's process, and how late both event loops
are.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import psutil

from gateway.loop_lag import WINDOW_S

SAMPLE_S: Final = 0.25
SCRAPE_S: Final = 5.0
"""Asking costs the gateway some 5 ms of CPU."""
PROBE_S: Final = 0.02
MIB: Final = 2**20
LAG_METRIC: Final = re.compile(r"^gateway_event_loop_lag_longest_seconds (\S+)$", re.MULTILINE)
_SCRAPE_LIMIT: Final = aiohttp.ClientTimeout(total=2.0)


@dataclass(slots=True)
class Gauges:
    """Samples of one stretch of time. `gateway_*` stay empty where the gateway is not our child."""

    began_s: float
    lasted_s: float = 0.0
    gateway_cpu_s: float | None = None
    gateway_rss_mib: list[float] = field(default_factory=list)
    gateway_lag_ms: list[float] = field(default_factory=list)
    bench_cpu_s: float = 0.0
    bench_lag_ms: list[float] = field(default_factory=list)

    @property
    def gateway_cores(self) -> float | None:
        """Share of one core, on average."""
        return None if self.gateway_cpu_s is None else self.gateway_cpu_s / self.lasted_s

    @property
    def bench_cores(self) -> float:
        return self.bench_cpu_s / self.lasted_s


@asynccontextmanager
async def watching(
    process: psutil.Process | None, base_url: str | None, *, window_s: float = WINDOW_S
) -> AsyncIterator[Gauges]:
    """Sampled while the body runs; the totals are there when it has ended.

    The gateway tells the longest lag of the last `window_s`: what it tells before so long has passed is of
    what was before, its own start or another step, and is left out. A shorter stretch has none.
    """
    gauges = Gauges(time.monotonic())
    own = psutil.Process()
    gateway_cpu_s, bench_cpu_s = _cpu_s(process), _cpu_s(own) or 0.0
    tasks = [
        asyncio.create_task(_probe_loop(gauges)),
        asyncio.create_task(_sample(gauges, process, base_url, window_s)),
    ]
    try:
        yield gauges
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        gauges.lasted_s = time.monotonic() - gauges.began_s
        gauges.bench_cpu_s = (_cpu_s(own) or 0.0) - bench_cpu_s
        ended_cpu_s = _cpu_s(process)
        if ended_cpu_s is not None and gateway_cpu_s is not None:
            gauges.gateway_cpu_s = ended_cpu_s - gateway_cpu_s
        if gauges.lasted_s >= window_s:
            await _last_lag(gauges, base_url)


async def _probe_loop(gauges: Gauges) -> None:
    """How late a timer of this process rings."""
    clock = asyncio.get_running_loop().time
    while True:
        due_s = clock() + PROBE_S
        await asyncio.sleep(PROBE_S)
        gauges.bench_lag_ms.append(max(0.0, (clock() - due_s) * 1000))


async def _sample(
    gauges: Gauges, process: psutil.Process | None, base_url: str | None, window_s: float
) -> None:
    scraped_s = gauges.began_s + window_s - SCRAPE_S
    async with aiohttp.ClientSession(timeout=_SCRAPE_LIMIT) as http:
        while True:
            if process is not None and process.is_running():
                gauges.gateway_rss_mib.append(process.memory_info().rss / MIB)
            if base_url is not None and time.monotonic() - scraped_s >= SCRAPE_S:
                scraped_s = time.monotonic()
                if (lag_ms := await _lag_ms(http, base_url)) is not None:
                    gauges.gateway_lag_ms.append(lag_ms)
            await asyncio.sleep(SAMPLE_S)


async def _last_lag(gauges: Gauges, base_url: str | None) -> None:
    """Of the end, which no sample has seen."""
    if base_url is not None:
        async with aiohttp.ClientSession(timeout=_SCRAPE_LIMIT) as http:
            if (lag_ms := await _lag_ms(http, base_url)) is not None:
                gauges.gateway_lag_ms.append(lag_ms)


async def _lag_ms(http: aiohttp.ClientSession, base_url: str) -> float | None:
    """The gateway's own gauge, None if it shows none."""
    try:
        async with http.get(f"{base_url}/metrics") as answer:
            found = LAG_METRIC.search(await answer.text())
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
    return float(found[1]) * 1000 if found else None


def _cpu_s(process: psutil.Process | None) -> float | None:
    if process is None or not process.is_running():
        return None
    times = process.cpu_times()
    return float(times.user + times.system)
