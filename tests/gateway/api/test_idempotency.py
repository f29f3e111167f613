"""A POST that is sent again: the same answer, the work done once."""

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from booking.db import claims_json, fetch, open_pool
from booking.requests import forget_old_requests, sweep_requests
from booking.staff import issue_token
from tests.conftest import Clinic, Stack
from tests.gateway.api.booked import free_slots
from tests.gateway.api.client import Client, claims, hs256, kind
from tests.gateway.running import Gateway


async def holds_of(owner: asyncpg.Connection, clinic: Clinic) -> int:
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        count: int = await owner.fetchval("select count(*) from appointment_holds")
        return count


async def test_the_same_answer_again(client: Client, clinic: Clinic, owner: asyncpg.Connection) -> None:
    slot, *_ = await free_slots(client, clinic)
    first = await client.post("/holds", {"slot_id": slot["id"]}, key="k-1")
    second = await client.post("/holds", {"slot_id": slot["id"]}, key="k-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert await holds_of(owner, clinic) == 1


async def test_a_refusal_is_an_answer_too(client: Client, clinic: Clinic) -> None:
    slot, *_ = await free_slots(client, clinic)
    held = await client.post("/holds", {"slot_id": slot["id"]})
    refused = await client.post("/holds", {"slot_id": slot["id"]}, key="k-2")
    await client.delete(f"/holds/{held.json()['id']}")
    again = await client.post("/holds", {"slot_id": slot["id"]}, key="k-2")
    assert (again.status_code, again.content) == (409, refused.content)
    assert (await client.post("/holds", {"slot_id": slot["id"]}, key="k-3")).status_code == 201


async def test_another_request_under_the_key(client: Client, clinic: Clinic) -> None:
    slot, other, *_ = await free_slots(client, clinic)
    await client.post("/holds", {"slot_id": slot["id"]}, key="k-4")
    for body in [{"slot_id": other["id"]}, {"slot_id": slot["id"], "ttl_s": 7}]:
        reused = await client.post("/holds", body, key="k-4")
        assert (reused.status_code, kind(reused)) == (422, "idempotency-key-reused")


async def test_spelling_does_not_matter_meaning_does(client: Client, clinic: Clinic) -> None:
    slot, *_ = await free_slots(client, clinic)
    first = await client.post("/holds", {"slot_id": slot["id"], "ttl_s": 60}, key="k-5")
    content = f'{{ "ttl_s":60,  "slot_id":"{slot["id"].upper()}" }}'
    headers = {"Idempotency-Key": '"k-5"', "Content-Type": "application/json; charset=utf-8"}
    again = await client.request("POST", "/holds", content=content, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)


async def test_keys_belong_to_a_subject_and_an_org(
    client: Client, other_client: Client, anybody: Client, clinic: Clinic, other_clinic: Clinic
) -> None:
    slot, *_ = await free_slots(client, clinic)
    theirs, *_ = await free_slots(other_client, other_clinic)
    colleague = anybody.with_token(hs256(claims(clinic.claim.org_id, sub="somebody-else")))
    assert (await client.post("/holds", {"slot_id": slot["id"]}, key="k-6")).status_code == 201
    assert (await other_client.post("/holds", {"slot_id": theirs["id"]}, key="k-6")).status_code == 201
    assert (await colleague.post("/holds", {"slot_id": slot["id"]}, key="k-6")).status_code == 409


async def test_a_renewed_jwt_repeats_a_staff_token_issued_anew_does_not(
    client: Client, anybody: Client, pool: asyncpg.Pool, clinic: Clinic, owner: asyncpg.Connection
) -> None:
    mine, theirs, *_ = await free_slots(client, clinic)
    for exp, replayed in ((300, False), (600, True)):
        token = hs256(claims(clinic.claim.org_id, exp=int(time.time()) + exp))
        made = await anybody.with_token(token).post("/holds", {"slot_id": mine["id"]}, key="k-7")
        assert (made.status_code, "Idempotency-Replayed" in made.headers) == (201, replayed)
    for status in (201, 409):
        issued = await issue_token(pool, clinic.claim, name="desk", scopes=["holds:write"])
        desk = anybody.with_token(issued.secret)
        assert (await desk.post("/holds", {"slot_id": theirs["id"]}, key="k-7")).status_code == status
    assert await holds_of(owner, clinic) == 2


async def test_a_key_is_needed(client: Client) -> None:
    for key in [None, "", '""', "x" * 256, "a\tb", "\u00e9"]:
        headers: dict[str, Any] = {} if key is None else {"Idempotency-Key": key.encode()}
        response = await client.request("POST", "/holds", json={"slot_id": str(uuid4())}, headers=headers)
        assert (response.status_code, kind(response)) == (400, "idempotency-key-missing"), key


async def test_twenty_at_once_are_one(client: Client, clinic: Clinic, owner: asyncpg.Connection) -> None:
    """Whoever comes while the first is under way is told so, or gets its answer: nobody does it again."""
    slot, *_ = await free_slots(client, clinic)
    answers = await asyncio.gather(
        *(client.post("/holds", {"slot_id": slot["id"]}, key="k-7") for _ in range(20))
    )
    made = [answer for answer in answers if answer.status_code == 201]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(waiting) == 20
    assert {answer.content for answer in made} == {made[0].content}
    assert {kind(answer) for answer in waiting} <= {"idempotency-key-pending"}
    assert await holds_of(owner, clinic) == 1


async def test_a_request_whose_worker_died_is_taken_up_and_makes_the_same_hold(
    client: Client, clinic: Clinic, owner: asyncpg.Connection
) -> None:
    slot, *_ = await free_slots(client, clinic)
    first = await client.post("/holds", {"slot_id": slot["id"]}, key="k-8")
    await lose_answer(owner, clinic, "1 minute")
    pending = await client.post("/holds", {"slot_id": slot["id"]}, key="k-8")
    assert (pending.status_code, kind(pending)) == (409, "idempotency-key-pending")
    assert pending.headers["retry-after"] == "1"
    await lose_answer(owner, clinic, "-1 second")
    again = await client.post("/holds", {"slot_id": slot["id"]}, key="k-8")
    assert (again.status_code, again.json()) == (201, first.json())
    assert "idempotency-replayed" not in again.headers


async def lose_answer(owner: asyncpg.Connection, clinic: Clinic, still: str) -> None:
    """As a process leaves it that was killed between work and answer."""
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        await owner.execute(
            "update idempotent_requests set sealed_answer = null, pending_until = now() + $1::text::interval",
            still,
        )


async def test_a_failure_is_not_kept(
    client: Client, clinic: Clinic, gateway: Gateway, owner: asyncpg.Connection
) -> None:
    """The table of holds is away in the middle of a request; when it is back the same request works."""
    slot, *_ = await free_slots(client, clinic)
    await owner.execute("revoke insert on appointment_holds from gw_app")
    try:
        failed = await client.post("/holds", {"slot_id": slot["id"]}, key="k-9")
    finally:
        await owner.execute("grant insert on appointment_holds to gw_app")
    assert (failed.status_code, kind(failed)) == (500, "failed")
    assert (await client.post("/holds", {"slot_id": slot["id"]}, key="k-9")).status_code == 201


async def test_an_attempt_that_was_overtaken_cannot_answer(pool: asyncpg.Pool, clinic: Clinic) -> None:
    key, request, first, second = b"k" * 32, b"r" * 32, uuid4(), uuid4()
    now, minute, day = timedelta(microseconds=1), timedelta(minutes=1), timedelta(days=1)

    async def call(function: str, *arguments: Any) -> Any:
        (row,) = await fetch(pool, clinic.claim, function, *arguments)
        return row[0]

    assert await call("begin_request", key, request, first, now, day) == "begun"
    assert await call("begin_request", key, request, second, minute, day) == "begun"
    assert not await call("settle_request", key, first, b"first")
    assert not await call("abandon_request", key, first)
    assert await call("settle_request", key, second, b"second")
    assert not await call("settle_request", key, second, b"changed")
    assert await call("begin_request", key, request, first, minute, day) == "replay"
    assert await call("begin_request", key, b"s" * 32, first, minute, day) == "mismatch"


async def test_answers_and_keys_are_not_readable_where_they_lie(
    client: Client, clinic: Clinic, owner: asyncpg.Connection
) -> None:
    slot, *_ = await free_slots(client, clinic)
    await client.post("/holds", {"slot_id": slot["id"]}, key="anna.smith@example.com")
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        rows = [dict(row) for row in await owner.fetch("select * from idempotent_requests")]
    lying = str(rows)
    assert rows
    assert "anna" not in lying
    assert slot["id"] not in lying


async def test_old_answers_are_swept_by_the_worker_alone(
    client: Client, clinic: Clinic, owner: asyncpg.Connection, stack: Stack
) -> None:
    slot, *_ = await free_slots(client, clinic)
    await client.post("/holds", {"slot_id": slot["id"]}, key="old")
    await client.post("/holds", {"slot_id": slot["id"]}, key="young")
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        await owner.execute(
            """
            update idempotent_requests set expires_at = now() - interval '1 second'
            where key_digest = (select min(key_digest) from idempotent_requests)
            """
        )
    async with await open_pool(stack.postgres.worker) as worker:
        assert await forget_old_requests(worker) >= 1
        await sweep_requests(worker)
        assert await forget_old_requests(worker) == 0
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        assert await owner.fetchval("select count(*) from idempotent_requests") == 1
