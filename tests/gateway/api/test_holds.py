"""Holding a slot over HTTP: one winner, the loser's alternatives, and giving it back."""

import asyncio
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from booking.db import claims_json
from tests.conftest import Clinic
from tests.gateway.api.booked import free_slots
from tests.gateway.api.client import Client, ids, kind


async def test_a_hold_from_beginning_to_end(client: Client, clinic: Clinic) -> None:
    slot, *_ = await free_slots(client, clinic)
    made = await client.post("/holds", {"slot_id": slot["id"], "ttl_s": 120})
    hold = made.json()
    assert (made.status_code, made.headers["location"]) == (201, f"/api/v1/holds/{hold['id']}")
    assert (hold["state"], hold["slot"]) == ("held", slot)
    lives_s = (datetime.fromisoformat(hold["expires_at"]) - datetime.now(UTC)).total_seconds()
    assert 100 < lives_s <= 120

    assert (await client.get(f"/holds/{hold['id']}")).json() == hold
    assert slot["id"] not in ids(await free_slots(client, clinic))
    assert (await client.delete(f"/holds/{hold['id']}")).status_code == 204
    assert (await client.get(f"/holds/{hold['id']}")).json()["state"] == "released"
    assert (await client.delete(f"/holds/{hold['id']}")).status_code == 204
    assert slot["id"] in ids(await free_slots(client, clinic))


async def test_who_comes_too_late_is_told_what_is_free(client: Client, clinic: Clinic) -> None:
    slot, *_ = await free_slots(client, clinic)
    await client.post("/holds", {"slot_id": slot["id"]})
    late = await client.post("/holds", {"slot_id": slot["id"]})
    assert (late.status_code, kind(late)) == (409, "slot-taken")
    offered = late.json()["alternatives"]
    assert ids(offered) == ids(await free_slots(client, clinic, limit=3))
    assert (await client.post("/holds", {"slot_id": offered[0]["id"]})).status_code == 201


async def test_many_at_once_and_one_wins(client: Client, clinic: Clinic) -> None:
    slot, *_ = await free_slots(client, clinic)
    answers = await asyncio.gather(*(client.post("/holds", {"slot_id": slot["id"]}) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11


async def test_a_slot_that_has_begun(client: Client, clinic: Clinic, owner: asyncpg.Connection) -> None:
    slot, *_ = await free_slots(client, clinic)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        await owner.execute(
            "update slots set starts_at = now() - interval '1 hour', ends_at = now() where id = $1",
            slot["id"],
        )
    past = await client.post("/holds", {"slot_id": slot["id"]})
    assert (past.status_code, kind(past)) == (409, "slot-past")
    assert past.json()["alternatives"]


async def test_no_life_of_nothing_or_for_ever(client: Client, clinic: Clinic) -> None:
    slot, *_ = await free_slots(client, clinic)
    for ttl_s in [0, -1, 3601, 10**30, 1.5, "60", True]:
        refused = await client.post("/holds", {"slot_id": slot["id"], "ttl_s": ttl_s})
        assert (refused.status_code, refused.json().get("pointer")) == (422, "$.ttl_s"), ttl_s
    assert slot["id"] in ids(await free_slots(client, clinic))


async def test_a_slot_id_that_is_none(client: Client) -> None:
    for slot_id in ["", "7", "'; drop table slots; --", None, 7, ["x"]]:
        refused = await client.post("/holds", {"slot_id": slot_id})
        assert (refused.status_code, refused.json()["pointer"]) == (422, "$.slot_id"), slot_id


async def test_ids_that_nobody_has(client: Client) -> None:
    for response in [
        await client.post("/holds", {"slot_id": str(uuid4())}),
        await client.get(f"/holds/{uuid4()}"),
        await client.delete(f"/holds/{uuid4()}"),
    ]:
        assert (response.status_code, kind(response)) == (404, "not-found")


async def test_a_hold_id_that_is_none(client: Client) -> None:
    for hold_id in ["7", "x' or 1=1 --", "%00"]:
        for response in [await client.get(f"/holds/{hold_id}"), await client.delete(f"/holds/{hold_id}")]:
            assert (response.status_code, response.json()["pointer"]) == (422, "hold_id"), hold_id
