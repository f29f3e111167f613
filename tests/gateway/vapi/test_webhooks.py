"""Vapi's messages over HTTP: who takes a call, what becomes of it, and what each bad message is answered."""

import asyncio
import base64
import json
import time
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from booking.db import org_transaction
from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.routes.ringing import CANNOT_CONNECT, NOT_IN_SERVICE
from gateway.routes.vapi import NO_TRANSFER
from gateway.tenancy.credentials import credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import ENVIRONMENT, OWN_SECRET, WEBHOOK, CallAtVapi, post, set_up, signed

_CALLS = "select * from calls where id = $1"
_VAPI_CALLS = "select * from vapi_calls where call_id = $1"


async def own_account(pool: asyncpg.Pool, clinic: Clinic) -> None:
    """The org has an account of its own at Vapi."""
    account = {"api_key": "own-key", "auth": {"kind": "hmac", "secret_key": OWN_SECRET}}
    vault = Vault([MasterKey(bytes(range(32)))]).for_org(clinic.claim.org_id)
    sealed = vault.seal(json.dumps(account).encode(), credentials_cell("vapi"))
    await store_credentials(pool, clinic.claim, "vapi", sealed)


async def test_the_orgs_assistant_takes_its_call(
    gateway: Gateway, call: CallAtVapi, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    answer = await call.tell(gateway, "assistant-request")
    assistant = answer.json()["assistant"]
    assert assistant["metadata"]["org"] == str(clinic.claim.org_id)
    assert assistant["firstMessage"] == clinic.spec.greeting
    assert assistant["server"]["url"] == f"{running.PUBLIC_URL}{WEBHOOK}/{clinic.claim.org_id}"
    assert assistant["server"]["credentialId"] == "c-1"
    row = await call.row(pool, _CALLS)
    assert (row["carrier"], row["carrier_call_id"], row["ended_at"]) == ("vapi", call.vapi_id, None)
    assert row["started_at"] == call.started_at
    await set_up(pool, clinic, serves_llm=False)
    model = (await call.tell(gateway, "assistant-request")).json()["assistant"]["model"]
    assert clinic.spec.name in model["messages"][0]["content"]
    assert "claim_slot" in [tool.get("function", {}).get("name") for tool in model["tools"]]
    assert gateway.counted("gateway_vapi_seconds_count", type="assistant-request", outcome="answered") == 2


async def test_a_number_that_is_nobodys_or_not_set_up_gets_a_sentence(
    gateway: Gateway, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    stranger = CallAtVapi(clinic)
    nobodys = {"number": "+442099990000"}
    assert (await stranger.tell(gateway, "assistant-request", phoneNumber=nobodys)).json() == {
        "error": NOT_IN_SERVICE
    }
    assert (await stranger.tell(gateway, "assistant-request")).json() == {"error": CANNOT_CONNECT}
    for kind in ("status-update", "end-of-call-report"):
        answer = await stranger.tell(gateway, kind, phoneNumber=nobodys)
        assert (answer.status_code, answer.json()) == (200, {})
    answer = await stranger.tell(
        gateway, "tool-calls", phoneNumber=nobodys, toolCallList=[stranger.tool_call("find_slots")]
    )
    (result,) = answer.json()["results"]
    assert json.loads(result["error"])["error"] == "failed"
    assert await stranger.rows(pool, _CALLS) != []  # it was rung, whoever could not take it


async def test_bad_messages_have_their_answers(
    stack: Stack, environ: dict[str, str], call: CallAtVapi, other_clinic: Clinic, pool: asyncpg.Pool
) -> None:
    body = call.body("status-update", status="in-progress")
    stale = signed(body, at_s=time.time() - 400)
    unread: list[tuple[bytes, dict[str, str], int]] = [
        (body, {}, 401),
        (body, {**signed(body), "x-signature": "0" * 64}, 401),
        (body, signed(body, "another"), 401),
        (body, stale, 401),
        (body + b" ", signed(body), 401),
        (b"{" + b"x" * 300_000, signed(body), 413),
        (b"{" + b"x" * 300_000, {}, 401),  # not taken in
        (b"nonsense", {}, 401),
        (body[:-9], signed(body[:-9]), 400),
        (b"[]", signed(b"[]"), 400),
    ]
    async with running.gateway({**environ, "VAPI_BODY_BYTES": "200000"}) as gateway:
        for raw, headers, status in unread:
            for path in (WEBHOOK, f"{WEBHOOK}/call-ended", f"/api{WEBHOOK}/call-ended"):
                answer = await post(gateway, raw, headers, path)
                assert answer.status_code == status, (raw[:20], path)
        assert await call.rows(pool, _CALLS) == []
        assert gateway.counted("gateway_refused_total", reason="signature") == 7 * 3
        assert gateway.counted("gateway_vapi_seconds_count", type="other", outcome="invalid") == 2 * 3
        for kind in ("session.created", "chat.deleted", "a caller named Ann"):
            answer = await call.tell(gateway, kind)
            assert (answer.status_code, answer.json()) == (200, {})
        assert await call.rows(pool, _CALLS) == []
        unanswerable = await call.tell(gateway, "tool-calls", toolCallList=[{"name": "find_slots"}])
        assert (unanswerable.status_code, unanswerable.json()) == (200, {"results": []})
        too_many = await call.tell(gateway, "tool-calls", toolCallList=[{"id": "1", "name": "x"}] * 33)
        assert (too_many.status_code, "32 tools" in too_many.json()["error"]) == (200, True)
        assert (await gateway.http.get(gateway.url + WEBHOOK)).status_code == 405


async def test_an_account_speaks_for_its_own_org_alone(
    gateway: Gateway, call: CallAtVapi, clinic: Clinic, other_clinic: Clinic, pool: asyncpg.Pool
) -> None:
    await own_account(pool, other_clinic)
    await set_up(pool, other_clinic)
    theirs = CallAtVapi(other_clinic)
    body, own = theirs.body("assistant-request"), f"{WEBHOOK}/{other_clinic.claim.org_id}"
    answered = await post(gateway, body, signed(body, OWN_SECRET), own)
    assert answered.json()["assistant"]["metadata"]["org"] == str(other_clinic.claim.org_id)
    ours, nobodys = f"{WEBHOOK}/{clinic.claim.org_id}", f"{WEBHOOK}/{uuid4()}"
    for secret, path in ((None, WEBHOOK), (None, own), (OWN_SECRET, WEBHOOK), (OWN_SECRET, ours)):
        headers = signed(body) if secret is None else signed(body, secret)
        assert (await post(gateway, body, headers, path)).status_code == 401, (secret, path)
    assert (await post(gateway, body, signed(body), nobodys)).json() == {"error": NOT_IN_SERVICE}
    assert await call.rows(
        pool, "select 1 from audit_log where action = 'webhook_refused' and $1 <> gen_random_uuid()"
    )


async def test_a_call_is_on_record_from_its_first_message_to_its_report(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    for kind, parts in (
        ("status-update", {"status": "in-progress"}),
        ("speech-update", {"status": "started", "role": "user"}),
        ("hang", {}),
        ('transcript[transcriptType="final"]', {"role": "user", "transcript": "I am Ann"}),
    ):
        answer = await call.tell(gateway, kind, **parts)
        assert (answer.status_code, answer.json()) == (200, {})
    open_row, state = await call.row(pool, _CALLS), await call.row(pool, _VAPI_CALLS)
    assert (open_row["ended_at"], state["settled_at"]) == (None, None)
    transfer = await call.tell(gateway, "transfer-destination-request")
    assert transfer.json() == {"error": NO_TRANSFER}
    await call.tell(gateway, "status-update", status="ended", endedReason="customer-ended-call")
    sooner = await call.row(pool, _VAPI_CALLS)
    assert sooner["next_at"] < state["next_at"]
    for path in (f"{WEBHOOK}/call-ended", f"/api{WEBHOOK}/call-ended", WEBHOOK):
        assert (await call.tell(gateway, "end-of-call-report", path, **call.report())).status_code == 200
    ended, settled = await call.row(pool, _CALLS), await call.row(pool, _VAPI_CALLS)
    assert ended["end_reason"] == "caller_hung_up"
    assert ended["ended_at"] > ended["started_at"]
    assert (settled["ended_reason"], settled["next_at"]) == ("customer-ended-call", None)
    assert settled["sealed_state"] is None
    assert gateway.counted("gateway_vapi_hangs_total") == 1
    assert gateway.counted("gateway_vapi_reports_total", source="webhook", outcome="settled") == 1
    assert gateway.counted("gateway_vapi_reports_total", source="webhook", outcome="repeated") == 2
    assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 1


async def test_messages_behind_the_report_change_nothing(
    gateway: Gateway, call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    """The report is the first that comes; a tool call and the beginning come after it."""
    assert (await call.end(gateway, ("user", "Goodbye."), reason="silence-timed-out")).status_code == 200
    late = await call.use(gateway, "find_slots")
    assert late["error"] == "call_over"
    assert (await call.tell(gateway, "status-update", status="in-progress")).status_code == 200
    assert (await call.tell(gateway, "status-update", status="ended")).status_code == 200
    row, state = await call.row(pool, _CALLS), await call.row(pool, _VAPI_CALLS)
    assert (row["end_reason"], state["next_at"], state["holder"]) == ("limit", None, None)


async def test_reports_at_once_settle_once(
    environ: dict[str, str], call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    said = [("bot", "Hello."), ("user", "I am Ann Example, about a nose job."), ("bot", "Goodbye.")]
    body = call.body("end-of-call-report", **call.report(*said))
    async with running.gateway(environ) as first, running.gateway(environ) as second:
        answers = await asyncio.gather(*(post(each, body) for each in (first, second, first, second)))
        assert [answer.status_code for answer in answers] == [200] * 4
        settled = [each.counted("gateway_vapi_reports_total", source="webhook", outcome="settled")
                   for each in (first, second)]  # fmt: skip
        assert sum(settled) == 1
    assert len(await call.rows(pool, "select 1 from call_turns where call_id = $1")) == 2
    assert len(await call.rows(pool, "select 1 from pii_vault where call_id = $1")) == 1


async def test_a_report_that_cannot_be_kept_is_sent_again(
    environ: dict[str, str], call: CallAtVapi, pool: asyncpg.Pool
) -> None:
    """Somebody holds the row: the database gives no answer in time. The same goes for the call's end."""
    async with running.gateway({**environ, "VAPI_SETTLE_S": "1", "DATABASE_S": "1"}) as gateway:
        assert (await call.tell(gateway, "status-update", status="in-progress")).status_code == 200
        async with org_transaction(pool, call.clinic.claim) as blocking:
            await blocking.execute("select from vapi_calls for update")
            refused = [await call.end(gateway), await call.tell(gateway, "status-update", status="ended")]
        assert [(each.status_code, each.headers["retry-after"]) for each in refused] == [(503, "1")] * 2
        assert (await call.tell(gateway, "status-update", status="ended")).status_code == 200
    async with running.gateway(environ) as gateway:
        assert (await call.end(gateway)).status_code == 200
    assert (await call.row(pool, _VAPI_CALLS))["settled_at"] is not None


@pytest.fixture
def oauth(stack: Stack) -> dict[str, str]:
    auth = {"kind": "oauth2", "client_id": "vapi", "client_secret": "s3cret"}
    return running.environment(stack, **{**ENVIRONMENT, "VAPI_AUTH": json.dumps(auth)})


async def test_tokens_are_given_to_who_knows_the_secret(oauth: dict[str, str], call: CallAtVapi) -> None:
    asked = {"grant_type": "client_credentials"}
    told = {**asked, "client_id": "vapi", "client_secret": "s3cret"}
    basic = {"Authorization": "Basic " + base64.b64encode(b"vapi:s3cret").decode()}
    async with running.gateway(oauth) as gateway:

        async def ask(form: dict[str, str], **headers: str) -> tuple[int, dict[str, Any]]:
            answer = await gateway.http.post(gateway.url + "/vapi/token", data=form, headers=headers)
            return answer.status_code, answer.json()

        status, given = await ask(told)
        assert (status, given["token_type"], given["expires_in"]) == (200, "Bearer", 3600)
        assert (await ask(asked, **basic))[0] == 200
        assert (await ask({**told, "client_secret": "other"})) == (401, {"error": "invalid_client"})
        assert (await ask({**told, "grant_type": "password"}))[0] == 400
        body = call.body("hang")
        bearer = {"Authorization": f"Bearer {given['access_token']}"}
        assert (await post(gateway, body, bearer)).status_code == 200
        assert (await post(gateway, body, signed(body))).status_code == 401


async def test_a_database_that_is_slow_costs_vapi_no_call(
    environ: dict[str, str], call: CallAtVapi, owner: asyncpg.Connection
) -> None:
    """Vapi is answered before it gives up: with a sentence, and a tool with an error that can be spoken.
    An org that was looked up before has its assistant all the same.
    """
    async with running.gateway({**environ, "VAPI_ASSISTANT_S": "1", "VAPI_TOOLS_S": "0.3"}) as gateway:
        assert (await call.use(gateway, "find_slots", service="nose job"))["slots"]
        async with owner.transaction():
            await owner.execute("lock table vapi_setups, vapi_calls in access exclusive mode")
            assert (await call.tell(gateway, "assistant-request")).json() == {"error": CANNOT_CONNECT}
            late = await call.use(gateway, "find_slots", service="nose job")
            assert (late["error"], late["say"][-1]) == ("timed_out", ".")
            assert (await call.tell(gateway, "speech-update", status="stopped")).json() == {}
        usual = (await call.tell(gateway, "assistant-request")).json()
        assert usual["assistant"]["firstMessage"] == call.clinic.spec.greeting
        async with owner.transaction():
            await owner.execute("lock table vapi_setups, vapi_calls in access exclusive mode")
            assert (await call.tell(gateway, "assistant-request")).json() == usual
            begun = CallAtVapi(call.clinic)
            answer = await begun.tell(gateway, "assistant-request")
            assert "assistant" in answer.json()
        async with asyncio.timeout(20):
            while not await begun.rows(gateway.edge.desk.pool, _CALLS):  # noqa: ASYNC110  it goes on by itself
                await asyncio.sleep(0.02)


async def test_a_call_without_a_number_is_its_assistants_orgs(
    gateway: Gateway, call: CallAtVapi, clinic: Clinic, other_clinic: Clinic, pool: asyncpg.Pool
) -> None:
    await own_account(pool, other_clinic)
    web, theirs, nobodys = (CallAtVapi(clinic, kind="webCall") for _ in range(3))
    for each, org, status, rows in (
        (web, str(clinic.claim.org_id), 200, 1),
        (theirs, str(other_clinic.claim.org_id), 401, 0),  # it has an account of its own
        (nobodys, str(uuid4()), 200, 0),
        (nobodys, "../clinic", 200, 0),
    ):
        told = {"assistant": {"metadata": {"org": org}}, "phoneNumber": None}
        answer = await each.tell(gateway, "status-update", status="in-progress", **told)
        assert answer.status_code == status, org
        assert len(await each.rows(pool, _CALLS)) == rows
