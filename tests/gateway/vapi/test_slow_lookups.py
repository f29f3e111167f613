"""Vapi's requests while it takes long to find out whose account must have signed them."""

import asyncio

import asyncpg

from gateway.routes.ringing import CANNOT_CONNECT
from tests.conftest import Clinic
from tests.gateway import running
from tests.gateway.vapi.calling import WEBHOOK, CallAtVapi, post
from tests.gateway.vapi.test_webhooks import own_account

_FOUND_AFTER_S = 1.3  # later than both look-ups of a request are given up, which is after 0.5 s each
_SLOW = {"WEBHOOK_S": "2", "VAPI_ASSISTANT_S": "0.4", "VAPI_TOOLS_S": "0.4"}


async def test_deadlines_run_from_when_a_message_came(
    environ: dict[str, str], call: CallAtVapi, owner: asyncpg.Connection
) -> None:
    """Vapi has been waiting while its signature was checked."""
    path = f"{WEBHOOK}/{call.clinic.claim.org_id}"
    used = {"toolCallList": [call.tool_call("find_slots", service="nose job")]}
    async with running.gateway(environ | _SLOW) as gateway:
        async with owner.transaction():
            await owner.execute("lock table org_credentials in access exclusive mode")
            ringing = asyncio.create_task(call.tell(gateway, "assistant-request", path))
            using = asyncio.create_task(call.tell(gateway, "tool-calls", path, **used))
            await asyncio.sleep(_FOUND_AFTER_S)
        assert (await ringing).json() == {"error": CANNOT_CONNECT}
        (late,) = (await using).json()["results"]
        assert '"unavailable"' in late["error"]


async def test_an_org_with_its_own_account_is_served_for_it_alone_however_late_that_is_known(
    environ: dict[str, str], call: CallAtVapi, other_clinic: Clinic, owner: asyncpg.Connection,
    pool: asyncpg.Pool,
) -> None:  # fmt: skip
    """The process-wide account signs, at the address of an org whose own could not be looked up in time."""
    await own_account(pool, other_clinic)
    body = call.body("voice-request", text="Hello there.", sampleRate=8000)
    async with running.gateway(environ | _SLOW) as gateway:
        async with owner.transaction():
            await owner.execute("lock table org_credentials in access exclusive mode")
            asked = asyncio.create_task(post(gateway, body, path=f"/vapi/voice/{other_clinic.claim.org_id}"))
            await asyncio.sleep(_FOUND_AFTER_S)
        assert (await asked).status_code == 401
