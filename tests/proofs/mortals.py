"""Gateways that live until they are killed: what orders them, and has them killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from tests.conftest import Clinic, Stack
from tests.gateway.running import environment

PATIENT_S = 60.0
Named = Sequence[tuple[UUID, str]]
"""Calls by their ids, each with the number at its other end."""


@dataclass
class Mortals:
    """One forking process and the gateway that it has just now."""

    process: asyncio.subprocess.Process
    url: str = ""
    pid: int = 0
    told: asyncio.Condition = field(default_factory=asyncio.Condition)
    over: bool = True

    async def listen(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            said = json.loads(line)
            async with self.told:
                self.url = said.get("url", self.url)
                self.pid = said.get("pid", self.pid)
                self.over = "over" in said or (self.over and "pid" not in said)
                self.told.notify_all()

    async def begin(
        self, turns: int | None, calls: Named = (), *, placed: Named = (), at_report: bool = False
    ) -> None:
        """A life of so many turns (None: for ever), or of so many from the first report of Vapi's on; with
        callers, and with people who are to be called.
        """
        assert self.process.stdin
        named = {"calls": _plain(calls), "placed": _plain(placed)}
        order = {"turns": turns, "at_report": at_report, **named}
        self.over, self.url = False, ""
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.process.stdin.drain()
        async with asyncio.timeout(PATIENT_S), self.told:
            await self.told.wait_for(lambda: self.over or bool(self.url))

    async def died(self, within_s: float) -> None:
        """Wait for that, not too long: a gateway that has nothing to do hardly turns."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s), self.told:
                await self.told.wait_for(lambda: self.over)

    async def end(self) -> None:
        """Kill it, if it has not been."""
        if not self.over:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENT_S), self.told:
            await self.told.wait_for(lambda: self.over)


def _plain(named: Named) -> list[list[str]]:
    return [[str(call_id), number] for call_id, number in named]


@asynccontextmanager
async def mortals(stack: Stack, clinic: Clinic, twilio_url: str, **changes: str) -> AsyncIterator[Mortals]:
    """Whoever lives at the end of the block is killed. `changes`: of their environment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.proofs.dying_gateway"),
        *(stack.postgres.worker, str(clinic.claim.org_id)),
        env=dict(os.environ) | environment(stack, TWILIO_API_URL=twilio_url, LOG_LEVEL="error", **changes),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    made = Mortals(process)
    listening = asyncio.create_task(made.listen())
    try:
        yield made
    finally:
        await made.end()
        assert process.stdin
        process.stdin.close()
        await process.wait()
        await listening
