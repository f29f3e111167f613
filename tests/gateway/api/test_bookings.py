"""Bookings over HTTP: only from a verified hold, moved whole or not at all, listed by the page."""

from typing import Any
from uuid import uuid4

import asyncpg

from bench.simulators.twilio_api import TwilioApiSimulator
from booking.db import claims_json
from tests.conftest import Clinic
from tests.gateway.api.booked import PERSON, PHONE, booked, free_slots, held, verified
from tests.gateway.api.client import Client, ids, kind


async def test_a_verified_hold_is_booked_once(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    hold = await verified(client, clinic, twilio)
    body = {"hold_id": hold["id"], "contact": PERSON}
    made = await client.post("/bookings", body)
    booking = made.json()
    assert (made.status_code, made.headers["location"]) == (201, f"/api/v1/bookings/{booking['id']}")
    assert (booking["status"], booking["slot"], booking["replaces"]) == ("booked", hold["slot"], None)
    assert (await client.get(f"/bookings/{booking['id']}")).json() == booking
    assert (await client.get(f"/holds/{hold['id']}")).json()["state"] == "booked"
    again = await client.post("/bookings", body)
    assert (again.status_code, again.json()) == (201, booking)


async def test_answers_hold_nothing_personal(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    booking = await booked(client, clinic, twilio)
    listed = await client.get("/bookings")
    shown = await client.get(f"/bookings/{booking['id']}")
    for text in (listed.text, shown.text):
        assert not [value for value in (*PERSON.values(), "Anna", "Rhinoplasty") if value in text]


async def test_without_a_code_nothing_is_booked(client: Client, clinic: Clinic) -> None:
    hold = await held(client, clinic)
    refused = await client.post("/bookings", {"hold_id": hold["id"], "contact": PERSON})
    assert (refused.status_code, kind(refused)) == (409, "hold-unverified")
    assert (await client.get("/bookings")).json()["items"] == []


async def test_a_code_proves_one_number_alone(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    hold = await verified(client, clinic, twilio)
    somebody = {"phone": "+447700900999"}
    refused = await client.post("/bookings", {"hold_id": hold["id"], "contact": somebody})
    assert (refused.status_code, kind(refused)) == (409, "hold-unverified")


async def test_a_refused_booking_leaves_no_person_behind(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator, owner: asyncpg.Connection
) -> None:
    unverified = await held(client, clinic)
    other_number = await verified(client, clinic, twilio)
    await client.post("/bookings", {"hold_id": unverified["id"], "contact": PERSON})
    await client.post("/bookings", {"hold_id": other_number["id"], "contact": {"phone": "+447700900999"}})
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        assert await owner.fetchval("select count(*) from contacts") == 0


async def test_a_hold_that_was_given_back(client: Client, clinic: Clinic, twilio: TwilioApiSimulator) -> None:
    hold = await verified(client, clinic, twilio)
    await client.delete(f"/holds/{hold['id']}")
    refused = await client.post("/bookings", {"hold_id": hold["id"], "contact": PERSON})
    assert (refused.status_code, kind(refused)) == (409, "hold-over")


async def test_a_booked_hold_is_not_given_back(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    booking = await booked(client, clinic, twilio)
    refused = await client.delete(f"/holds/{booking['hold_id']}")
    assert (refused.status_code, kind(refused)) == (409, "conflict")


async def test_moving_takes_the_new_slot_and_frees_the_old(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    booking = await booked(client, clinic, twilio)
    target = (await free_slots(client, clinic))[-1]
    moved = await client.patch(f"/bookings/{booking['id']}", {"slot_id": target["id"]})
    new = moved.json()
    assert (moved.status_code, new["slot"], new["replaces"]) == (200, target, booking["id"])
    assert moved.headers["content-location"] == f"/api/v1/bookings/{new['id']}"
    assert (await client.get(f"/bookings/{booking['id']}")).json()["status"] == "rescheduled"
    free = ids(await free_slots(client, clinic, limit=20))
    assert booking["slot"]["id"] in free
    assert target["id"] not in free
    again = await client.patch(f"/bookings/{booking['id']}", {"slot_id": target["id"]})
    assert (again.status_code, again.json()["id"]) == (200, new["id"])


async def test_a_move_that_fails_changes_nothing(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    booking = await booked(client, clinic, twilio)
    taken = await held(client, clinic)
    refused = await client.patch(f"/bookings/{booking['id']}", {"slot_id": taken["slot"]["id"]})
    assert (refused.status_code, kind(refused)) == (409, "slot-taken")
    assert refused.json()["alternatives"]
    page = await client.get("/slots", service_id=clinic.service_ids[1], limit=100)
    other_service = await client.patch(
        f"/bookings/{booking['id']}", {"slot_id": page.json()["items"][-1]["id"]}
    )
    assert (other_service.status_code, kind(other_service)) == (422, "slot-unsuitable")
    assert (await client.get(f"/bookings/{booking['id']}")).json() == booking


async def test_cancelling_frees_the_slot_and_may_be_repeated(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    booking = await booked(client, clinic, twilio)
    for _ in range(2):
        assert (await client.delete(f"/bookings/{booking['id']}")).status_code == 204
    assert (await client.get(f"/bookings/{booking['id']}")).json()["status"] == "cancelled"
    assert booking["slot"]["id"] in ids(await free_slots(client, clinic))
    target = (await free_slots(client, clinic))[-1]
    moved = await client.patch(f"/bookings/{booking['id']}", {"slot_id": target["id"]})
    assert (moved.status_code, kind(moved)) == (409, "booking-over")


async def test_a_moved_booking_is_not_cancelled(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    booking = await booked(client, clinic, twilio)
    target = (await free_slots(client, clinic))[-1]
    await client.patch(f"/bookings/{booking['id']}", {"slot_id": target["id"]})
    refused = await client.delete(f"/bookings/{booking['id']}")
    assert (refused.status_code, kind(refused)) == (409, "booking-over")


async def test_bookings_are_listed_by_the_page(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    made = [await booked(client, clinic, twilio) for _ in range(3)]
    await client.delete(f"/bookings/{made[1]['id']}")
    found: list[dict[str, Any]] = []
    page = (await client.get("/bookings", limit=1)).json()
    found += page["items"]
    while page["next"] is not None:
        page = (await client.get("/bookings", limit=1, cursor=page["next"])).json()
        found += page["items"]
    assert sorted(ids(found)) == sorted(ids(made))
    assert len({booking["contact_id"] for booking in made}) == 1

    async def listed(**query: Any) -> list[str]:
        return sorted(ids((await client.get("/bookings", **query)).json()["items"]))

    assert await listed(status="cancelled") == [made[1]["id"]]
    assert await listed(contact_id=made[0]["contact_id"]) == sorted(ids(made))
    assert await listed(contact_id=uuid4()) == []
    assert await listed(until=made[0]["slot"]["starts_at"]) == []
    assert await listed(after=made[0]["slot"]["starts_at"]) == sorted(ids(made))


NO_CONTACTS: list[tuple[dict[str, str], str]] = [
    ({}, "$.contact"),
    ({"phone": "07700900123"}, "$.contact.phone"),
    ({"phone": PHONE, "name": ""}, "$.contact.name"),
    ({"phone": PHONE, "name": "x" * 201}, "$.contact.name"),
    ({"phone": PHONE, "email": "no address"}, "$.contact.email"),
    ({"phone": PHONE, "email": "a@b.example\n"}, "$.contact.email"),
    ({"phone": PHONE, "diagnosis": "secret"}, "$.contact"),
]


async def test_contacts_that_make_no_sense(client: Client) -> None:
    for contact, place in NO_CONTACTS:
        refused = await client.post("/bookings", {"hold_id": str(uuid4()), "contact": contact})
        assert (refused.status_code, refused.json()["pointer"]) == (422, place), contact
        assert "secret" not in refused.text


async def test_queries_that_make_no_sense(client: Client) -> None:
    for query in [{"status": "lost"}, {"contact_id": "7"}, {"after": "2030-01-01T00:00:00"}]:
        refused = await client.get("/bookings", **query)
        assert (refused.status_code, refused.json()["pointer"]) == (422, f"$.{next(iter(query))}")


async def test_ids_that_nobody_has(client: Client) -> None:
    slot = {"slot_id": str(uuid4())}
    for answer in [
        await client.post("/bookings", {"hold_id": str(uuid4()), "contact": PERSON}),
        await client.get(f"/bookings/{uuid4()}"),
        await client.patch(f"/bookings/{uuid4()}", slot),
        await client.delete(f"/bookings/{uuid4()}"),
    ]:
        assert (answer.status_code, kind(answer)) == (404, "not-found")
