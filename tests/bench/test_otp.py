"""Codes measured end to end, a few of them: the gateway as a process, real stores, the simulated carrier."""

import asyncio
import os
import sys
from pathlib import Path

from bench.otp import Latency, Measured
from bench.simulators.twilio_messages import MessageResource

ROOT = Path(__file__).parents[2]


async def test_every_code_is_handed_over() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", "otp", "--codes", "6", "--at-once", "3"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=dict(os.environ),
    )
    async with asyncio.timeout(100):
        told, _ = await process.communicate()
    header, _, row = told.decode().splitlines()
    assert process.returncode == 0
    assert row.startswith("| 6 | 3 | 6 of 6 |")
    assert row.count("|") == header.count("|")


def test_the_instant_that_counts_is_when_the_carrier_has_it() -> None:
    measured = Measured()
    measured.asked_s["+447700000001"] = 0.0
    measured.take(MessageResource("SM1", "+447700000001", "", "", "queued"))
    assert measured.handovers_ms[0] > 0
    assert measured.answers_ms == []


def test_latencies_are_the_same_in_each_run() -> None:
    one, other = Latency(), Latency()
    assert [one() for _ in range(5)] == [other() for _ in range(5)]
    assert all(0 < each < 10_000 for each in one.drawn_ms)
