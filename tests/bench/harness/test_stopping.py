"""A run that is told to end cleans up behind it."""

import asyncio
import os
import signal

from bench.harness.running import run
from bench.harness.stopping import INTERRUPTED, at_termination, interrupt


def test_a_run_that_is_told_to_end_leaves_as_by_ctrl_c() -> None:
    left: list[str] = []

    async def work() -> int:
        try:
            asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
            await asyncio.sleep(60)
            return 0
        finally:
            await asyncio.sleep(0)
            left.append("servers")

    before = signal.getsignal(signal.SIGTERM)
    with at_termination(interrupt):
        assert run(work()) == INTERRUPTED
    assert left == ["servers"]
    assert signal.getsignal(signal.SIGTERM) is before


async def test_another_thread_may_run_a_command() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def elsewhere() -> object:
        with at_termination(interrupt):
            return signal.getsignal(signal.SIGTERM)

    assert await asyncio.to_thread(elsewhere) is before
