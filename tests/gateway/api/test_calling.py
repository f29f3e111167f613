"""How a clinic's agent places calls and to whom it puts callers through, over the API."""

from uuid import uuid4

import httpx

from booking.calling_rules import CallingRules, store_calling_rules
from booking.contacts import Person, save_contact
from booking.db import org_transaction
from booking.types import Actor
from gateway.sealing import VaultSealer
from tests.conftest import Clinic
from tests.gateway.api.client import Client, kind
from tests.gateway.running import Gateway


async def test_a_clinic_says_to_whom_callers_are_put_through(
    client: Client, other_client: Client, clinic: Clinic
) -> None:
    path = f"/orgs/{clinic.claim.org_id}/handover"
    assert (await client.get(path)).json()["number"] is None
    order = {"number": "+442071838999", "days": [0, 5], "opens": "10:00", "closes": "12:30"}
    changed = await client.patch(path, order)
    assert changed.json() == order | {"ring_s": 25}
    assert (await client.get(path)).json() == changed.json()
    for wrong in ({"number": clinic.number}, {"days": [1, 1]}, {"closes": "09:00"}, {"ring_s": 4}, {"x": 1}):
        assert kind(await client.patch(path, wrong)) == "invalid"
    assert (await client.patch(path, {"number": None})).json()["number"] is None
    assert kind(await other_client.get(path)) == "foreign"


async def test_a_campaign_has_an_agent_of_its_own(
    gateway: Gateway, client: Client, other_client: Client, clinic: Clinic
) -> None:
    campaign_id, claim = uuid4(), clinic.claim
    async with org_transaction(gateway.edge.desk.pool, claim) as connection:
        await connection.execute(
            "insert into outbound_campaigns (id, org_id, service_id, status) values ($1, $2, $3, 'running')",
            campaign_id,
            claim.org_id,
            clinic.service_ids[0],
        )
    path = f"/campaigns/{campaign_id}/agent"
    assert (await client.put(path, {"agent_name": "Ada", "opening": "Is it a good time?"})).status_code == 204
    assert kind(await client.put(path, {"opening": "About your nose job."})) == "invalid"
    assert kind(await client.put(f"/campaigns/{uuid4()}/agent", {})) == "not-found"
    assert kind(await other_client.put(path, {"agent_name": "Eve"})) == "foreign"
    async with org_transaction(gateway.edge.desk.pool, claim) as connection:
        kept = await connection.fetchrow("select agent_name, goal, opening from outbound_campaigns")
    assert tuple(kept) == ("Ada", None, "Is it a good time?")


async def test_calls_have_a_shorter_address_for_the_same_requests(
    gateway: Gateway, client: Client, other_client: Client, anybody: Client, clinic: Clinic
) -> None:
    pool, claim = gateway.edge.desk.pool, clinic.claim
    sealer = VaultSealer(gateway.edge.desk.vault)
    contact_id = await save_contact(pool, claim, sealer, Person("+447700900142"))
    await store_calling_rules(
        pool, claim, CallingRules(enabled=True, consent="inquiry"), services=(), actor=Actor("operator")
    )
    short, form = gateway.url + "/api/calls", {"contact_id": str(contact_id)}

    async def shortly(who: Client, method: str, path: str = "", key: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {who.token}"} | ({"Idempotency-Key": key} if key else {})
        parts = {"json": form} if method == "POST" else {}
        return await gateway.http.request(method, short + path, headers=headers, **parts)

    placed = await shortly(client, "POST", key="once")
    assert placed.status_code == 202
    at = placed.headers["location"].removeprefix("/api/v1")
    again = await client.post("/calls", form, key="once")
    assert (again.json(), again.headers["idempotency-replayed"]) == (placed.json(), "true")
    own = "/" + placed.json()["id"]
    assert (await shortly(client, "GET", own)).json() == (await client.get(at)).json()
    assert (await shortly(client, "GET")).json() == (await client.get("/calls")).json()
    assert kind(await shortly(other_client, "GET", own)) == "foreign"
    assert kind(await shortly(client, "POST")) == "idempotency-key-missing"
    assert kind(await shortly(client, "PUT", own)) == "method-not-allowed"
    for below in ("", own, "/", "/%0A", "/x/y"):
        assert (await gateway.http.get(short + below)).status_code == 401, below
    assert "/calls" in (await gateway.http.get(gateway.url + "/api/openapi.json")).json()["paths"]
