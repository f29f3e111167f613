"""`python -m bench validate` told to stop at one instant after the other: nothing of it stays behind.

Against a gateway that serves, whose database tells which orgs there are.
"""

import asyncio
from uuid import UUID

import asyncpg

from bench.carrier import TwilioAccount
from bench.validate.deployment import Api, Deployment, Issuer, reached
from bench.validate.trial import on_trial
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.api.client import AUDIENCE, ISSUER, SECRET

NUMBER = "+442079460777"
STEP_S, STEPS = 0.05, 10


async def begin(api: Api, left: list[UUID], made: asyncio.Event) -> None:
    async with on_trial(api, NUMBER, left):
        made.set()
        await asyncio.Event().wait()


async def stop(api: Api, left: list[UUID], after_s: float | None, *, impatiently: bool = False) -> None:
    """After so long, or once both orgs are there. The impatient press Ctrl-C again and again."""
    made = asyncio.Event()
    working = asyncio.create_task(begin(api, left, made))
    async with asyncio.timeout(60):
        await (made.wait() if after_s is None else asyncio.sleep(after_s))
    while not working.done():
        working.cancel()
        await asyncio.wait({working}, timeout=0.01 if impatiently else None)
    assert working.cancelled()


async def test_whenever_it_is_stopped_nothing_stays_behind(stack: Stack, clinic: Clinic) -> None:
    issuer = {"API_JWT_ISSUER": ISSUER, "API_JWT_AUDIENCE": AUDIENCE, "API_JWT_SECRET": SECRET}
    token = Issuer(ISSUER, AUDIENCE, SECRET).platform_token()
    worker = await asyncpg.connect(stack.postgres.worker)
    left: list[UUID] = []
    try:
        async with running.gateway(running.environment(stack, **issuer)) as gateway:
            account = TwilioAccount(running.ACCOUNT, running.AUTH_TOKEN)
            deployment = Deployment(
                url=gateway.url, platform_token=token, account=account, number=NUMBER, phone=None
            )
            async with reached(deployment) as api:
                orgs = await worker.fetch("select app.org_ids(null, 1000)")
                for step in range(STEPS):
                    await stop(api, left, step * STEP_S, impatiently=step % 2 == 1)
                await stop(api, left, None)
            await gateway.until_idle()
        assert await worker.fetch("select app.org_ids(null, 1000)") == orgs
        assert left == []
    finally:
        await worker.close()
