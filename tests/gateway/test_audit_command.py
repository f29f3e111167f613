"""`python -m gateway.audit`: an audit log that is intact, one that is not, heads that were kept elsewhere."""

import asyncio

import asyncpg
import pytest

from compliance.chain import Anchor
from gateway import audit
from tests.compliance.test_chain import admin, checked, linked, ten, wrote
from tests.conftest import Clinic, Stack
from tests.gateway import running

__all__ = ["admin"]


@pytest.fixture
def environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in running.environment(stack, DATABASE_WORKER_URL=stack.postgres.worker).items():
        monkeypatch.setenv(name, value)


async def ran(*arguments: str) -> int:
    """The command in a thread of its own, as it makes its own loop."""
    return await asyncio.to_thread(audit.main, list(arguments))


@pytest.mark.usefixtures("environment")
async def test_an_intact_chain_and_its_head(
    pool: asyncpg.Pool, clinic: Clinic, capsys: pytest.CaptureFixture[str]
) -> None:
    await ten(pool, clinic)
    org = str(clinic.claim.org_id)
    assert await ran("verify", "--org", org) == 0
    assert capsys.readouterr().out == f"{org}: intact, 10 links, 0 not linked yet\n"
    assert await ran("heads", "--org", org) == 0
    anchor = capsys.readouterr().out.strip()
    assert Anchor.parse(anchor).position == 10
    assert await ran("verify", "--org", org, "--anchor", anchor) == 0


@pytest.mark.usefixtures("environment")
async def test_the_first_broken_link_is_told(
    pool: asyncpg.Pool,
    clinic: Clinic,
    admin: asyncpg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    written = await ten(pool, clinic)
    await wrote(pool, clinic.claim, 2)
    await admin.execute("update audit_log set action = 'looked' where id = $1", written[6])
    assert await ran("verify", "--org", str(clinic.claim.org_id)) == 1
    told = capsys.readouterr().out
    assert f"BROKEN at link 7: altered, record {written[6]}; 6 links before it are right" in told
    assert "2 not linked yet" in told


@pytest.mark.usefixtures("environment")
async def test_records_that_nobody_links_are_told(
    pool: asyncpg.Pool,
    clinic: Clinic,
    admin: asyncpg.Connection,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (written,) = await wrote(pool, clinic.claim, 1)
    assert await ran("verify", "--org", str(clinic.claim.org_id)) == 0
    await admin.execute(
        "update audit_log set recorded_at = recorded_at - interval '2 minutes' where id = $1", written
    )
    assert await ran("verify", "--org", str(clinic.claim.org_id)) == 1
    assert "1 not linked yet (overdue)" in capsys.readouterr().out
    await linked(pool, clinic.claim)
    assert (await checked(pool, clinic.claim)).intact


def test_what_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for anchor in ("x", "x:1:00", "00000000-0000-0000-0000-000000000001:0:" + "00" * 32):
        with pytest.raises(SystemExit):
            audit.main(["verify", "--anchor", anchor])
    assert "--anchor" in capsys.readouterr().err
