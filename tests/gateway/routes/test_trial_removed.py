"""A trial org that is removed while one of its calls is heard: it comes to its end, the clinics' go on."""

from uuid import uuid4

import asyncpg

from booking.db import org_transaction
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.api.client import AUDIENCE, ISSUER, SECRET, claims, hs256
from tests.gateway.api.test_orgs import declared
from tests.gateway.running import CALL, closed, first_audio, frame, start


async def test_a_trial_that_is_removed_in_a_call_takes_no_clinics_call_with_it(
    stack: Stack, vendors: running.Vendors, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    issuer = {"API_JWT_ISSUER": ISSUER, "API_JWT_AUDIENCE": AUDIENCE, "API_JWT_SECRET": SECRET}
    environ = running.environment(stack, **vendors.environment(), **issuer)
    call_id, body = "CA" + uuid4().hex, declared()
    async with running.gateway(environ) as gateway:
        org = f"{gateway.url}/api/v1/orgs/{uuid4()}"
        platform = {"Authorization": f"Bearer {hs256(claims(None, scope='admin', sub='console'))}"}
        made = await gateway.http.put(f"{org}?trial_minutes=5", json=body, headers=platform)
        assert made.status_code == 200, made.text
        token = await gateway.token(body["numbers"][0], call_id)
        clinics = await gateway.token(clinic.number)
        async with gateway.media() as socket, gateway.media() as other:
            await socket.send(start(token, call_id))
            await other.send(start(clinics))
            await first_audio(socket)
            await first_audio(other)
            assert (await gateway.http.delete(org, headers=platform)).status_code == 204
            await socket.send(frame("stop"))
            assert (await closed(socket))[0] == 1000
            await other.send(frame("stop"))
            assert (await closed(other))[0] == 1000
        await gateway.until_idle()
        assert (await gateway.http.get(org, headers=platform)).status_code == 404
        assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 2
        assert gateway.counted("gateway_calls_total", reason="failed") == 0
    async with org_transaction(pool, clinic.claim) as connection:
        assert await connection.fetchval("select end_reason from calls where carrier_call_id = $1", CALL) == (
            "caller_hung_up"
        )
