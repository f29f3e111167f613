"""Follow-ups measured end to end, a few of them: a gateway process, real stores, a simulated carrier."""

import asyncio
import os
import sys
from pathlib import Path

from bench.follow_up import Load, Measured
from bench.simulators.twilio_messages import MessageResource

ROOT = Path(__file__).parents[2]


async def test_every_call_gets_one_text() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench", "follow-up", "--calls", "4", "--per-second", "4"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=dict(os.environ),
    )
    async with asyncio.timeout(100):
        told, _ = await process.communicate()
    header, _, row = told.decode().splitlines()
    assert row.startswith("| 4 | 4 | 4 of 4 |")
    assert row.count("|") == header.count("|")


def test_a_second_text_or_a_late_one_is_no_success() -> None:
    load, to = Load(1, 1), "+447700000001"

    def measured(texts: int, begun_s: float = 0.1, handed_s: float = 0.0) -> Measured:
        made = Measured(1, ended_s={to: -1e9}, begun_s=[begun_s])
        for _ in range(texts):
            made.take(MessageResource("SM1", to, "", "", "queued"))
        if made.taken_s:
            made.ended_s[to] = made.taken_s[to][0] - handed_s
        return made

    assert measured(1).whole(load)
    assert not measured(0).whole(load)
    assert not measured(2).whole(load)
    assert not measured(1, begun_s=2.1).whole(load)
    assert not measured(1, handed_s=5.1).whole(load)
