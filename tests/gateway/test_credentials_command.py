"""The command for an org's own secrets: what it seals, the gateway opens; nothing is ever shown."""

import asyncio
import os
import sys
from uuid import uuid4

import asyncpg
import pytest

from booking.orgs import load_credentials
from gateway.tenancy.credentials import OrgKeys, TwilioAccount, open_keys
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway

SECRET = "deepgram-key-of-the-org"
ACCOUNT = f'{{"account_sid": "AC{"6" * 32}", "auth_token": "{SECRET}"}}'


async def run(stack: Stack, *arguments: str, stdin: str = "", **changes: str) -> tuple[int, str]:
    """Exit status and all that was written."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.credentials", *arguments,
        env={**os.environ, **running.environment(stack, **changes)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        told, _ = await process.communicate(stdin.encode())
    assert process.returncode is not None
    assert SECRET not in told.decode()
    return process.returncode, told.decode()


async def test_what_is_set_is_used_at_once_and_gone_once_removed(
    stack: Stack, gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    desk, org = gateway.edge.desk, clinic.claim.org_id
    about = ("--org", str(org), "--provider", "deepgram")

    async def keys() -> OrgKeys:
        desk.credentials.forget(org)  # what this process remembers goes by itself in a few seconds
        return await open_keys(desk.credentials, desk.vault, org)

    assert await keys() == OrgKeys()  # and Redis now says that there are none
    assert await run(stack, "set", *about, stdin=SECRET + "\n") == (0, "deepgram: stored\n")
    assert await keys() == OrgKeys(deepgram=SECRET)
    assert SECRET.encode() not in (await load_credentials(pool, clinic.claim))["deepgram"]
    assert await run(stack, "list", "--org", str(org)) == (0, "deepgram\n")
    assert await run(stack, "remove", *about) == (0, "deepgram: removed\n")
    assert await keys() == OrgKeys()
    assert (await run(stack, "remove", *about))[0] == 1


async def test_a_twilio_account_without_redis(stack: Stack, gateway: Gateway, clinic: Clinic) -> None:
    org = clinic.claim.org_id
    about = ("--org", str(org), "--provider", "twilio")
    status, told = await run(stack, "set", *about, stdin=ACCOUNT, REDIS_URL="redis://127.0.0.1:9")
    assert (status, "Redis does not answer" in told) == (0, True)
    desk = gateway.edge.desk
    keys = await open_keys(desk.credentials, desk.vault, org)
    assert keys.twilio == TwilioAccount("AC" + "6" * 32, SECRET)
    assert SECRET not in repr(keys)


@pytest.mark.parametrize(
    ("provider", "secret"),
    [("llm", ""), ("llm", "two words"), ("llm", "key\nX-Header: 1"), ("twilio", SECRET),
     ("twilio", ACCOUNT.replace(SECRET, "")), ("twilio", ACCOUNT.replace("AC6", "XX6"))],
    ids=["empty", "space", "header", "no JSON", "empty token", "odd account"],
)  # fmt: skip
async def test_what_is_no_secret_is_refused(stack: Stack, clinic: Clinic, provider: str, secret: str) -> None:
    org = str(clinic.claim.org_id)
    assert (await run(stack, "set", "--org", org, "--provider", provider, stdin=secret))[0] == 1
    assert await run(stack, "list", "--org", org) == (0, "")


async def test_unknown_org_and_secret_on_the_command_line_are_refused(stack: Stack, clinic: Clinic) -> None:
    stranger = ("set", "--org", str(uuid4()), "--provider", "llm")
    assert (await run(stack, *stranger, stdin=SECRET))[0] == 1
    known = ("set", "--org", str(clinic.claim.org_id), "--provider", "llm", "--secret", "x")
    assert (await run(stack, *known))[0] == 2
