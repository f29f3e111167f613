"""Our booking tools at Vapi: each does what it does once, whoever asks how often, at whichever replica."""

import asyncio
import json
import re
from typing import Any

import asyncpg

from bench.simulators.twilio_api import TwilioApiSimulator
from booking.db import org_transaction
from gateway.caller import Ends
from gateway.vapi.calls import VapiCall, VapiCalls
from gateway.vapi.messages import AskedTool
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import CallAtVapi, post

_APPOINTMENTS = "select count(*) from appointments"


def code_in(twilio: TwilioApiSimulator, call: CallAtVapi) -> str:
    """The code that the caller was texted."""
    (found,) = re.findall(r"\b[0-9]{6}\b", twilio.messages.to(call.caller)[-1].body)
    return str(found)


async def test_a_booking_over_two_replicas_each_step_asked_for_twice(
    environ: dict[str, str],
    call: CallAtVapi, clinic: Clinic, twilio: TwilioApiSimulator, pool: asyncpg.Pool,
) -> None:  # fmt: skip
    async with running.gateway(environ) as first, running.gateway(environ) as second:

        async def step(name: str, **arguments: Any) -> dict[str, Any]:
            asked = call.tool_call(name, **arguments)
            told = await call.used(first, asked)
            assert await call.used(second, asked) == told, name
            return told

        offered = await step("find_slots", service="nose job")
        slot = offered["slots"][1]["slot"]
        held = await call.used(second, call.tool_call("claim_slot", slot=slot))
        assert held["held"], held
        assert (await step("claim_slot", slot="s99"))["error"].startswith("slot must be")
        sent = await step("send_code", phone=None)
        assert sent["sent"], sent
    async with running.gateway(environ) as third:  # all were started anew
        code = code_in(twilio, call)
        assert (await call.use(third, "verify_code", code=code))["verified"]
        asked = call.tool_call("confirm_booking")
        booked = await call.used(third, asked)
        assert booked["booked"], booked
        assert await call.used(third, asked) == booked
        said = [("bot", "Which code?"), ("user", f"It is {' '.join(code)}."), ("bot", "Booked. Goodbye.")]
        assert (await call.end(third, *said)).status_code == 200
    assert len(twilio.messages.to(call.caller)) == 1
    async with org_transaction(pool, clinic.claim) as connection:
        assert await connection.fetchval(_APPOINTMENTS) == 1
    follow_up = await call.row(pool, "select * from follow_ups where call_id = $1")
    assert (follow_up["state"], follow_up["reason"]) == ("skipped", "booked")
    kept = str(await call.rows(pool, "select t::text from call_turns t where call_id = $1"))
    assert code not in kept.replace(" ", "")


async def test_the_same_call_at_once_at_both_replicas_is_one(
    environ: dict[str, str],
    call: CallAtVapi, twilio: TwilioApiSimulator, pool: asyncpg.Pool,
) -> None:  # fmt: skip
    async with running.gateway(environ) as first, running.gateway(environ) as second:
        offered = await call.use(first, "find_slots", service="nose job")
        claims = [call.tool_call("claim_slot", slot=each["slot"]) for each in offered["slots"][:2]]
        both = call.body("tool-calls", toolCallList=claims)
        answers = await asyncio.gather(*(post(each, both) for each in (first, second, first, second)))
        (told,) = {answer.text for answer in answers}
        results = json.loads(told)["results"]
        assert [each["toolCallId"] for each in results] == [each["id"] for each in claims]
        assert all(json.loads(each["result"])["held"] for each in results)
        sending = call.tool_call("send_code", phone=None)
        sent = await asyncio.gather(*(call.used(each, sending) for each in (first, second, second)))
        assert all(each == sent[0] and each["sent"] for each in sent)
    assert len(twilio.messages.to(call.caller)) == 1
    holds = await call.rows(
        pool, "select state from appointment_holds where call_id = $1 order by created_at"
    )
    assert sorted(each["state"] for each in holds) == [
        "held",
        "released",
    ]  # a new choice replaces the earlier


async def test_what_comes_to_no_answer_of_the_tools_own_has_a_sentence(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    wanted = {"service": "nose job"}
    asked = [
        {"id": "1", "function": {"name": "find_slots", "arguments": "[1"}},
        {"id": "2", "name": "drop_tables", "parameters": {}},
        {"id": "3", "function": {"name": "claim_slot", "arguments": {}}},
        {"name": "find_slots", "arguments": wanted},
        {"id": "4", "function": {"name": "find_slots", "arguments": wanted}},
    ]
    answer = await call.tell(gateway, "tool-calls", toolCallList=asked)
    results = answer.json()["results"]
    assert [each["toolCallId"] for each in results] == ["1", "2", "3", "4"]
    for each in results[:3]:
        told = json.loads(each["error"])
        assert told["say"].endswith((".", "?"))
        assert "result" not in each
    assert "error" not in results[3]
    assert gateway.counted("gateway_tool_seconds_count", tool="unknown", outcome="unknown_tool") == 1
    legacy = [
        await call.tell(
            gateway, "function-call", timestamp=None, functionCall={"name": "find_slots", "parameters": given}
        )
        for given in (wanted, {"service": "a haircut"})
    ]
    first, second = (json.loads(each.json()["result"]) for each in legacy)
    assert first["slots"]
    assert second["slots"] == []
    assert "Dermal filler" in second["services"]
    stored = (await call.row(pool, "select sealed_state from vapi_calls where call_id = $1"))["sealed_state"]
    for plain in (call.caller.encode(), b"Patel", b"offers"):
        assert plain not in stored


async def test_a_tool_that_takes_too_long_goes_on_and_answers_later(
    stack: Stack,
    environ: dict[str, str],
    call: CallAtVapi, twilio: TwilioApiSimulator,
) -> None:  # fmt: skip
    """Somebody else works on the call, and leaves it only when Vapi has been answered."""
    async with running.gateway({**environ, "VAPI_TOOLS_S": "0.3"}) as gateway:
        assert (await call.tell(gateway, "status-update", status="in-progress")).status_code == 200
        sharing, claim = gateway.edge.vapi_calls.sharing, call.clinic.claim
        (row,) = await call.rows(gateway.edge.desk.pool, "select call_id from vapi_calls where call_id = $1")
        asked = call.tool_call("find_slots", service="nose job")
        async with sharing.taken(claim, row["call_id"], within_s=5):
            late = await call.used(gateway, asked)
        assert late["error"] == "timed_out"
        async with asyncio.timeout(20):
            while (told := await call.used(gateway, asked)).get("error") == "timed_out":
                pass
        assert told["slots"]


async def test_whoever_wants_nothing_kept_is_obeyed_at_once(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    assert (await call.use(gateway, "stop_recording"))["kept"] is False
    said = [("bot", "Hello."), ("user", "I am Ann Example about a nose job."), ("bot", "Very well.")]
    assert (await call.end(gateway, *said)).status_code == 200
    turns = await call.rows(pool, "select said from call_turns where call_id = $1")
    assert [each["said"] for each in turns] == ["[]", "[]"]
    assert await call.rows(pool, "select 1 from pii_vault where call_id = $1") == []
    consents = await call.rows(pool, "select given from consents where call_id = $1")
    assert [each["given"] for each in consents] == [False]


async def test_a_process_that_ends_at_any_step_of_a_tool_books_once(
    gateway: Gateway, call: CallAtVapi, clinic: Clinic, twilio: TwilioApiSimulator, pool: asyncpg.Pool
) -> None:
    """Vapi asks once more, of a process that knows what the database knows."""
    offered = await call.use(gateway, "find_slots", service="nose job")
    assert (await call.use(gateway, "claim_slot", slot=offered["slots"][0]["slot"]))["held"]
    assert (await call.use(gateway, "send_code", phone=None))["sent"]
    assert (await call.use(gateway, "verify_code", code=code_in(twilio, call)))["verified"]
    desk = gateway.edge.desk
    profile = await desk.profiles.get(clinic.claim.org_id)
    assert profile is not None
    known = VapiCall(clinic.claim.org_id, call.vapi_id, Ends(call.caller, clinic.number), call.started_at)
    asked = [AskedTool("booking", "confirm_booking", {"name": "Ann Example"})]
    cut = 0
    for steps in range(0, 400, 2):
        async with VapiCalls(desk) as calls:
            using = asyncio.create_task(calls.use(profile, known, asked, within_s=30))
            for _ in range(steps):
                await asyncio.sleep(0)
            if using.done():
                break
        using.cancel()
        cut += 1
        await call.rows(pool, "update vapi_calls set holder = null where call_id = $1 returning 1")
    async with VapiCalls(desk) as calls:
        (answer,) = await calls.use(profile, known, asked, within_s=30)
    assert cut > 10
    assert json.loads(answer.text)["booked"]
    async with org_transaction(pool, clinic.claim) as connection:
        assert await connection.fetchval(_APPOINTMENTS) == 1
