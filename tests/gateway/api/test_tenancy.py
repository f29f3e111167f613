"""A clinic's token on another clinic's ids: 403 and an audit record, nothing seen, nothing changed."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from booking.audit import page_of_records
from booking.contacts import Person, save_contact
from booking.staff import issue_token
from compliance.vault import MasterKey
from gateway.sealing import VaultSealer
from tests.compliance.offices import Office
from tests.conftest import Clinic
from tests.gateway.api.booked import PERSON, PHONE, booked, free_slots, held
from tests.gateway.api.client import Client, claims, hs256, kind
from tests.gateway.running import Gateway


@pytest.fixture
async def theirs(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator, pool: asyncpg.Pool
) -> dict[str, str]:
    """What the other clinic's token reaches for: ids of this one's rows, by kind."""
    booking = await booked(client, clinic, twilio)
    office = Office.of(pool, clinic, MasterKey(bytes(range(32))))
    call_id, contact_id = await office.call(), UUID(booking["contact_id"])
    reply_id = await office.reply(call_id, contact_id)
    hold = await held(client, clinic)
    slot, *_ = await free_slots(client, clinic)
    return {
        "slot": slot["id"],
        "hold": hold["id"],
        "booking": booking["id"],
        "contact": booking["contact_id"],
        "reply": str(reply_id),
        "placed_call": str(await placed(office, contact_id)),
        "campaign": str(await campaign(office, clinic.service_ids[0])),
        "recording": str(await recorded(office, call_id)),
        "service": str(clinic.service_ids[0]),
        "practitioner": str(clinic.practitioner_ids[0]),
    }


async def placed(office: Office, contact_id: UUID) -> UUID:
    """A call that the clinic is to place."""
    placed_id = uuid4()
    async with office.armed() as connection:
        await connection.execute(
            "insert into placed_calls (id, org_id, contact_id) values ($1, $2, $3)",
            *(placed_id, office.org_id, contact_id),
        )
    return placed_id


async def campaign(office: Office, service_id: UUID) -> UUID:
    """One that runs."""
    campaign_id = uuid4()
    async with office.armed() as connection:
        await connection.execute(
            "insert into outbound_campaigns (id, org_id, service_id, status) values ($1, $2, $3, 'running')",
            *(campaign_id, office.org_id, service_id),
        )
    return campaign_id


async def recorded(office: Office, call_id: UUID) -> UUID:
    """A recording of a call, wherever its sound lies."""
    recording_id, key = uuid4(), await office.key_of(call_id)
    async with office.armed() as connection:
        await connection.execute(
            "insert into recordings (id, org_id, call_id, key_id, place, state)"
            " values ($1, $2, $3, $4, 'here', 'stored')",
            *(recording_id, office.org_id, call_id, key.id),
        )
    return recording_id


REACHES: list[tuple[str, str, str, Any]] = [
    ("service", "GET", "/slots?service_id={service}", None),
    ("slot", "POST", "/holds", {"slot_id": "{slot}"}),
    ("hold", "GET", "/holds/{hold}", None),
    ("hold", "DELETE", "/holds/{hold}", None),
    ("hold", "POST", "/holds/{hold}/otp", {"phone": PHONE}),
    ("hold", "POST", "/holds/{hold}/otp/check", {"code": "123456"}),
    ("hold", "POST", "/bookings", {"hold_id": "{hold}", "contact": PERSON}),
    ("contact", "GET", "/bookings?contact_id={contact}", None),
    ("booking", "GET", "/bookings/{booking}", None),
    ("booking", "PATCH", "/bookings/{booking}", {"slot_id": "{slot}"}),
    ("booking", "DELETE", "/bookings/{booking}", None),
    ("contact", "GET", "/sealed?contact_id={contact}", None),
    ("contact", "GET", "/sealed/contact/{contact}?purpose=booking", None),
    ("contact", "GET", "/contacts/{contact}/export", None),
    ("contact", "DELETE", "/contacts/{contact}", None),
    ("contact", "GET", "/contacts/{contact}/consents", None),
    ("contact", "PUT", "/contacts/{contact}/consents/texts", {"given": True}),
    ("contact", "PUT", "/contacts/{contact}/time-zone", {"time_zone": "Europe/Lisbon"}),
    ("reply", "PUT", "/replies/{reply}/answered", None),
    ("contact", "POST", "/calls", {"contact_id": "{contact}"}),
    ("placed_call", "GET", "/calls/{placed_call}", None),
    ("placed_call", "DELETE", "/calls/{placed_call}", None),
    ("campaign", "PUT", "/campaigns/{campaign}/agent", {"agent_name": "Eve"}),
    ("contact", "GET", "/recordings?contact_id={contact}", None),
    ("recording", "GET", "/recordings/{recording}/audio?purpose=care", None),
]


@pytest.mark.parametrize(("reached", "method", "path", "body"), REACHES, ids=lambda value: str(value)[:30])
async def test_reaching_over_is_forbidden_and_on_record(
    client: Client,
    other_client: Client,
    other_clinic: Clinic,
    twilio: TwilioApiSimulator,
    pool: asyncpg.Pool,
    theirs: dict[str, str],
    reached: str,
    method: str,
    path: str,
    body: Any,
) -> None:
    twilio.messages.senders.add(other_clinic.number)
    before = [(await client.get(f"/{each}s/{theirs[each]}")).json() for each in ("hold", "booking")]
    texts = len(twilio.messages.all)
    answer = await reach(other_client, method, path, body, theirs)
    assert (answer.status_code, kind(answer)) == (403, "foreign")
    assert [(await client.get(f"/{each}s/{theirs[each]}")).json() for each in ("hold", "booking")] == before
    assert len(twilio.messages.all) == texts
    (entry,) = [
        entry
        for entry in await page_of_records(pool, other_clinic.claim, limit=100)
        if entry.action == "foreign_refused"
    ]
    assert (entry.subject_kind, entry.subject_id) == (reached, UUID(theirs[reached]))
    assert entry.actor.kind == "token"


async def reach(client: Client, method: str, path: str, body: Any, theirs: dict[str, str]) -> Any:
    content = None if body is None else filled(body, theirs)
    if method == "POST":
        return await client.post(filled(path, theirs), content)
    parts = {} if content is None else {"json": content}
    return await client.request(method, filled(path, theirs), **parts)


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: filled(part, names) for name, part in value.items()}
    return value.format(**names) if isinstance(value, str) else value


async def test_a_practitioner_of_theirs_beside_a_service_of_ours(
    other_client: Client, other_clinic: Clinic, theirs: dict[str, str]
) -> None:
    answer = await other_client.get(
        "/slots", service_id=other_clinic.service_ids[0], practitioner_id=theirs["practitioner"]
    )
    assert (answer.status_code, kind(answer)) == (403, "foreign")


async def test_a_slot_of_theirs_for_a_booking_of_ours(
    client: Client, clinic: Clinic, other_client: Client, other_clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    booking = await booked(client, clinic, twilio)
    slot, *_ = await free_slots(other_client, other_clinic)
    answer = await client.patch(f"/bookings/{booking['id']}", {"slot_id": slot["id"]})
    assert (answer.status_code, kind(answer)) == (403, "foreign")


async def test_a_campaign_of_theirs_for_a_call_of_ours(
    other_client: Client, other_clinic: Clinic, theirs: dict[str, str], gateway: Gateway, pool: asyncpg.Pool
) -> None:
    sealer = VaultSealer(gateway.edge.desk.vault)
    contact_id = await save_contact(pool, other_clinic.claim, sealer, Person("+447700900142"))
    form = {"contact_id": str(contact_id), "campaign_id": theirs["campaign"]}
    answer = await other_client.post("/calls", form)
    assert (answer.status_code, kind(answer)) == (403, "foreign")
    assert kind(await other_client.post("/calls", form | {"campaign_id": str(uuid4())})) == "invalid"
    entries = await page_of_records(pool, other_clinic.claim, limit=100)
    (entry,) = [entry for entry in entries if entry.action == "foreign_refused"]
    assert (entry.subject_kind, entry.subject_id) == ("campaign", UUID(theirs["campaign"]))


async def test_lists_hold_ones_own_alone(
    client: Client, clinic: Clinic, other_client: Client, twilio: TwilioApiSimulator
) -> None:
    await booked(client, clinic, twilio)
    assert (await other_client.get("/bookings")).json() == {"items": [], "next": None}


async def test_each_attempt_is_on_record_again(
    other_client: Client, other_clinic: Clinic, theirs: dict[str, str], pool: asyncpg.Pool
) -> None:
    """A refusal of this kind is not replayed: who tries twice is seen twice."""
    for _ in range(2):
        answer = await other_client.post("/holds", {"slot_id": theirs["slot"]}, key="again")
        assert answer.status_code == 403
    entries = await page_of_records(pool, other_clinic.claim, limit=100)
    assert len([entry for entry in entries if entry.action == "foreign_refused"]) == 2


async def test_a_staff_token_is_on_record_by_its_id(
    anybody: Client, other_clinic: Clinic, theirs: dict[str, str], pool: asyncpg.Pool
) -> None:
    token = await issue_token(pool, other_clinic.claim, name="kiosk", scopes=["holds:read"])
    assert (await anybody.with_token(token.secret).get(f"/holds/{theirs['hold']}")).status_code == 403
    entries = await page_of_records(pool, other_clinic.claim, limit=100)
    assert token.id in {entry.actor.id for entry in entries}


async def test_without_a_record_there_is_no_answer_either(
    gateway: Gateway, other_client: Client, theirs: dict[str, str], owner: asyncpg.Connection
) -> None:
    await owner.execute("revoke insert on audit_log from gw_app")
    try:
        answer = await other_client.get(f"/holds/{theirs['hold']}")
    finally:
        columns = "org_id, actor_kind, actor_id, action, subject_kind, subject_id"
        await owner.execute(f"grant insert ({columns}) on audit_log to gw_app")
    assert (answer.status_code, kind(answer)) == (500, "failed")


async def test_a_forged_claim_beside_a_good_one(
    anybody: Client, clinic: Clinic, theirs: dict[str, str]
) -> None:
    """Two names for the org that do not agree are no token at all."""
    both = claims(clinic.claim.org_id, clinic_id=str(uuid4()))
    answer = await anybody.with_token(hs256(both)).get(f"/holds/{theirs['hold']}")
    assert answer.status_code == 401
