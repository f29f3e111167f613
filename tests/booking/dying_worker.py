"""Takes one job and is killed right after the step named: `dying_worker step worker_dsn app_dsn`."""

import asyncio
import os
import signal
import sys
from uuid import UUID

from booking.db import fetch, open_pool
from booking.jobs import Work
from booking.types import Claim
from booking.worker import working
from tests.booking.working import KIND, QUICK, Ended

LAST_STEP = sys.argv[1]


def reached(step: str) -> None:
    if step == LAST_STEP:
        os.kill(os.getpid(), signal.SIGKILL)


async def main(worker_dsn: str, app_dsn: str) -> None:
    async with await open_pool(app_dsn, max_size=1) as pool, await open_pool(worker_dsn) as queue:

        async def effect(claim: Claim, row_id: UUID) -> None:
            reached("begun")
            await fetch(pool, claim, "record_sms", row_id, "test", row_id, b"d" * 32, b"s", b"s")
            reached("done")

        async with working(queue, worker_dsn, Work({KIND: effect}), Ended(), QUICK):
            await asyncio.Event().wait()


asyncio.run(main(*sys.argv[2:]))
