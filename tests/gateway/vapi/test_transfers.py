"""A caller at Vapi who wants a person: put through to whom the clinic says, while somebody is there."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time

import asyncpg

from booking.handovers import HandoverRules, store_handover_rules
from booking.types import OPERATOR
from gateway.handover import PUTTING_THROUGH
from gateway.routes.vapi import NO_TRANSFER
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import CallAtVapi, set_up
from tests.gateway.vapi.test_reports import everybody_may_be_texted

RECEPTION = "+442079460123"
ALWAYS = HandoverRules(number=RECEPTION, days=range(7), opens=time(0), closes=time(0))


async def may_transfer(gateway: Gateway, call: CallAtVapi) -> bool:
    """Whether the assistant that takes the call may ask for it."""
    assistant = (await call.tell(gateway, "assistant-request")).json()["assistant"]
    return {"type": "transferCall", "destinations": []} in assistant["model"]["tools"]


async def test_a_call_is_put_through_to_whom_the_clinic_says(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    claim, sentence = call.clinic.claim, {"error": NO_TRANSFER}
    assert not await may_transfer(gateway, call)
    assert (await call.tell(gateway, "transfer-destination-request")).json() == sentence
    await store_handover_rules(pool, claim, ALWAYS, actor=OPERATOR)
    assert await may_transfer(gateway, call)
    await set_up(pool, call.clinic, serves_llm=False)
    assert await may_transfer(gateway, call)
    answer = await call.tell(gateway, "transfer-destination-request")
    destination = {"type": "number", "number": RECEPTION, "message": PUTTING_THROUGH}
    assert (answer.status_code, answer.json()) == (200, {"destination": destination})
    await store_handover_rules(pool, claim, replace(ALWAYS, days=()), actor=OPERATOR)
    assert (await call.tell(gateway, "transfer-destination-request")).json() == sentence


async def test_a_database_that_is_away_puts_nobody_through(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    await store_handover_rules(pool, call.clinic.claim, ALWAYS, actor=OPERATOR)
    assert (await call.tell(gateway, "status-update", status="in-progress")).status_code == 200
    async with owner.transaction():
        await owner.execute("lock table handover_settings in access exclusive mode")
        answer = await call.tell(gateway, "transfer-destination-request")
        assert (answer.status_code, answer.json()) == (200, {"error": NO_TRANSFER})


async def test_what_is_held_stays_held_when_the_caller_is_put_through(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    offered = await call.use(gateway, "find_slots", service="nose job")
    assert (await call.use(gateway, "claim_slot", slot=offered["slots"][0]["slot"]))["held"]
    told = {"role": "bot", "message": "It is held.", "endTime": time_ms() + 1_000}
    ended = call.report(reason="assistant-forwarded-call", artifact={"messages": [told]})
    assert (await call.tell(gateway, "end-of-call-report", **ended)).status_code == 200
    row = await call.row(pool, "select end_reason from calls where id = $1")
    hold = await call.row(pool, "select state from appointment_holds where call_id = $1")
    assert (row["end_reason"], hold["state"]) == ("forwarded", "held")


async def test_whoever_was_put_through_is_not_texted(
    stack: Stack, environ: dict[str, str], call: CallAtVapi, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    """And whoever was to be, but reached nobody, is."""
    await everybody_may_be_texted(pool, clinic)
    reached_nobody = CallAtVapi(clinic)
    working = {"WORKERS": "1", "DATABASE_WORKER_URL": stack.postgres.worker}
    said = (("user", "I'd like a nose job."), ("bot", "One moment."))
    async with running.gateway(environ | working) as gateway:
        await call.end(gateway, *said, reason="assistant-forwarded-call")
        await reached_nobody.end(gateway, *said, reason="call.forwarding.operator-busy")
        assert await settled(call, pool) == ("skipped", "transferred")
        assert (await settled(reached_nobody, pool))[0] == "sent"


async def settled(call: CallAtVapi, pool: asyncpg.Pool) -> tuple[str, str | None]:
    """What has become of its follow-up, and why."""
    async with asyncio.timeout(30):
        while True:
            row = await call.row(pool, "select state, reason from follow_ups where call_id = $1")
            if row["state"] in ("skipped", "sent", "failed"):
                return row["state"], row["reason"]
            await asyncio.sleep(0.05)


def time_ms() -> float:
    return datetime.now(UTC).timestamp() * 1000
