"""A message for the clinic, left in a call at Vapi: in its inbox once, redacted, sealed, by any model."""

from typing import Any

import asyncpg
import pytest

from booking.db import org_transaction
from booking.replies import Reply, page_of_replies
from compliance.erasure import erase_number
from compliance.reading import Actor
from gateway.sealing import VaultSealer
from tests.conftest import Clinic
from tests.gateway import running
from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import CallAtVapi, set_up

SAID = "This is Mary Smith, please ring me on 07700 900461 about my rhinoplasty."
_FORGET = "update vapi_calls set sealed_state = null where call_id = $1 returning 1"


async def inbox(pool: asyncpg.Pool, clinic: Clinic) -> list[Reply]:
    return list(await page_of_replies(pool, clinic.claim, limit=20, waiting=True))


async def recording(pool: asyncpg.Pool, clinic: Clinic, how: str) -> None:
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute("update organizations set recording = $1", how)


async def test_a_message_is_taken_once_at_whichever_replica_and_goes_with_its_caller(
    environ: dict[str, str], call: CallAtVapi, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    """Also by a replica that knows nothing of the first, which died before it could note that it was kept."""
    asked = call.tool_call("take_message", message=SAID)
    async with running.gateway(environ) as first, running.gateway(environ) as second:
        assert (await call.use(first, "take_message", message=" "))["error"] == "message must be given"
        told = await call.used(first, asked)
        assert (told["taken"], told["say"][-1]) == (True, ".")
        assert await call.used(second, asked) == told
        assert (await call.use(second, "take_message", message=SAID))["taken"]
        await call.rows(pool, _FORGET)
        assert await call.used(second, asked) == told
        (message,) = await inbox(pool, clinic)
        assert message.kind == "voicemail"
        assert message.said is not None
        assert not {"Mary", "Smith", "461", "rhinoplasty"} & set(message.said.replace(".", "").split())
        row = await call.row(pool, "select sealed_body from text_replies where call_id = $1")
        assert SAID.encode() not in row["sealed_body"]
        for number, taken in ((2, True), (3, True), (4, False)):
            more = await call.use(first, "take_message", message=f"It is me again, number {number}.")
            assert (more["taken"], "reason" in more) == (taken, not taken)
        assert len(await inbox(pool, clinic)) == 3
        keys = VaultSealer(first.edge.desk.vault).keys
    async with org_transaction(pool, clinic.claim) as connection:
        await erase_number(connection, keys, clinic.claim.org_id, Actor("operator"), e164=call.caller)
    assert await inbox(pool, clinic) == []


@pytest.mark.parametrize("how", ["asked", "off", "refused"])
async def test_words_that_may_not_be_kept_are_sealed_alone(
    gateway: Gateway, call: CallAtVapi, clinic: Clinic, pool: asyncpg.Pool, how: str
) -> None:
    if how == "refused":
        assert (await call.use(gateway, "stop_recording"))["kept"] is False
    else:
        await recording(pool, clinic, how)
    assert (await call.use(gateway, "take_message", message=SAID))["taken"]
    (message,) = await inbox(pool, clinic)
    assert message.said is None
    assert (await call.end(gateway, ("bot", "Goodbye."))).status_code == 200
    late = await call.use(gateway, "take_message", message=SAID)
    assert late["error"] == "call_over"


async def test_vapis_own_model_is_told_of_it(gateway: Gateway, call: CallAtVapi, clinic: Clinic) -> None:
    await set_up(gateway.edge.desk.pool, clinic, serves_llm=False)
    model: dict[str, Any] = (await call.tell(gateway, "assistant-request")).json()["assistant"]["model"]
    assert "take_message" in [tool.get("function", {}).get("name") for tool in model["tools"]]
    assert "call take_message" in model["messages"][0]["content"]
