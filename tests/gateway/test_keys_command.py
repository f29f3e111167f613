"""`python -m gateway.keys`, as an operator runs it."""

import base64

import asyncpg

from compliance.vault import MasterKey
from gateway.keys import main
from tests.commands import run_inside
from tests.compliance.offices import Office
from tests.conftest import Clinic, Stack
from tests.gateway.running import environment

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


async def keys(stack: Stack, *arguments: str, **environ: str) -> tuple[int, str]:
    return await run_inside(main, *arguments, environ=environment(stack) | environ)


def in_base64(*secrets: bytes) -> str:
    return ",".join(base64.b64encode(secret).decode() for secret in secrets)


async def test_an_operator_sees_what_is_left_and_moves_it(
    stack: Stack, pool: asyncpg.Pool, clinic: Clinic
) -> None:
    org, both = str(clinic.claim.org_id), in_base64(NEW, OLD)
    contact_id = await Office.of(pool, clinic, MasterKey(OLD)).contact()
    status, said = await keys(stack, "status", "--org", org, MASTER_KEY=both)
    assert (status, "left 1 keys" in said) == (1, True)
    assert MasterKey(NEW).id.hex() in said.splitlines()[0]
    status, said = await keys(stack, "rotate", "--org", org, MASTER_KEY=both)
    assert (status, f"{org}: left 0 keys, 0 secrets, 0 contacts, 0 texts" in said) == (0, True)
    assert await Office.of(pool, clinic, MasterKey(NEW)).read("contact", contact_id) is not None
    status, _ = await keys(stack, "status", "--org", org, MASTER_KEY=in_base64(NEW))
    assert status == 0


async def test_nonsense_is_told_in_one_line(stack: Stack) -> None:
    status, said = await keys(stack, "status", DATABASE_WORKER_URL="", WORKERS="0")
    assert (status, said) == (2, "gateway.keys: give --org or set DATABASE_WORKER_URL\n")
