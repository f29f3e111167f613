"""A clinic's duties over HTTP: reading back, export, erasure, consent, retention, audit log, report."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from booking.audit import page_of_records
from booking.db import org_transaction
from booking.staff import SCOPES, issue_token
from compliance.chain import link_batch
from compliance.records import CallEnds
from gateway.api.roles import ROLE_SCOPES
from gateway.api.surface import OPERATIONS
from gateway.sealing import VaultSealer
from tests.compliance.offices import SAID, Office
from tests.conftest import Clinic, Stack
from tests.gateway.api.client import Client, claims, hs256, kind
from tests.gateway.running import Gateway

PHONE = "+447700900456"
DUTIES = [each for each in OPERATIONS if each.handler.__module__.startswith("gateway.api.compliance_")]


@pytest.fixture
def office(gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic) -> Office:
    """The clinic's side, under the keys of the gateway that serves."""
    return Office(pool, clinic, VaultSealer(gateway.edge.desk.vault).keys)


@pytest.fixture
async def call(office: Office) -> UUID:
    """A call of a contact's, with something sealed of each kind."""
    contact_id = await office.contact(PHONE)
    call_id = await office.call()
    await office.hold_for(contact_id, call_id)
    await office.say(call_id)
    await office.end(call_id)
    await office.settle(call_id)
    return call_id


def as_role(anybody: Client, clinic: Clinic, role: str) -> Client:
    return anybody.with_token(hs256(claims(clinic.claim.org_id, scope="", clinic_role=role)))


async def actions(pool: asyncpg.Pool, clinic: Clinic) -> list[tuple[str, str, UUID | None]]:
    entries = await page_of_records(pool, clinic.claim, limit=100)
    return [(entry.action, entry.subject_kind, entry.subject_id) for entry in entries]


async def contact_of(office: Office, call_id: UUID) -> str:
    (row,) = await office.rows("select contact_id from calls where id = $1", call_id)
    return str(row["contact_id"])


# --- reading back -------------------------------------------------------------------------------------------


async def test_a_clinician_reads_a_note_for_care_and_that_is_on_record(
    anybody: Client, clinic: Clinic, call: UUID, pool: asyncpg.Pool
) -> None:
    clinician = as_role(anybody, clinic, "clinician")
    listed = (await clinician.get("/sealed", call_id=call)).json()["items"]
    assert sorted(each["label"] for each in listed) == ["email", "medical", "person"]
    assert not any(value.value in str(listed) for value in SAID)
    (note,) = [each for each in listed if each["kind"] == "note"]
    answer = await clinician.get(f"/sealed/note/{note['id']}", purpose="care")
    assert answer.json() == {"kind": "note", "id": note["id"], "values": {"medical": "glaucoma"}}
    assert ("read_for_care", "note", UUID(note["id"])) in await actions(pool, clinic)


async def test_from_a_number_to_everything_that_is_kept_of_its_contact(
    anybody: Client, clinic: Clinic, office: Office, other_client: Client, pool: asyncpg.Pool
) -> None:
    contact_id, call_id = await office.contact(PHONE), await office.call()
    await office.say(call_id, ends=CallEnds(PHONE, clinic.number))
    await office.hold_for(contact_id, call_id)
    await office.text(PHONE)
    await office.settle(call_id)
    clinician = as_role(anybody, clinic, "clinician")
    found = await clinician.post("/contact-searches", {"phone": PHONE})
    assert found.json() == {"contact_id": str(contact_id)}
    assert ("contact_found", "contact", contact_id) in await actions(pool, clinic)
    items = (await clinician.get("/sealed", contact_id=contact_id)).json()["items"]
    assert sorted(each["label"] for each in items) == ["email", "ends", "medical", "otp", "person"]
    for each in items:
        read = await clinician.get(f"/sealed/{each['kind']}/{each['id']}", purpose="care")
        assert read.json()["values"], each
    assert (await other_client.post("/contact-searches", {"phone": PHONE})).status_code == 404


async def test_what_a_role_may_not_read_is_refused_and_that_is_on_record(
    anybody: Client, client: Client, clinic: Clinic, call: UUID, pool: asyncpg.Pool
) -> None:
    (note,) = [
        each for each in (await client.get("/sealed", call_id=call)).json()["items"] if each["kind"] == "note"
    ]
    place = f"/sealed/note/{note['id']}"
    for role, purpose in (("staff", "booking"), ("staff", "care"), ("clinician", "booking")):
        answer = await as_role(anybody, clinic, role).get(place, purpose=purpose)
        assert (answer.status_code, kind(answer)) == (403, "reading-refused")
    auditor = await as_role(anybody, clinic, "auditor").get(place, purpose="legal")
    assert (auditor.status_code, kind(auditor)) == (403, "scope-missing")
    bare = anybody.with_token(hs256(claims(clinic.claim.org_id, scope="sealed:read")))
    assert kind(await bare.get(place, purpose="care")) == "reading-refused"
    refused = [each for each in await actions(pool, clinic) if each[0] == "read_refused"]
    assert refused == [("read_refused", "note", UUID(note["id"]))] * 4
    assert not [each for each in await actions(pool, clinic) if each[0].startswith("read_for")]


async def test_without_a_purpose_nothing_is_read(client: Client, call: UUID) -> None:
    for query in ({}, {"purpose": "curiosity"}):
        assert (await client.get(f"/sealed/call/{call}", **query)).status_code == 422
    assert (await client.get(f"/sealed/diary/{call}", purpose="care")).status_code == 422


async def test_another_clinic_s_rows_are_refused_and_on_record(
    client: Client, other_client: Client, other_clinic: Clinic, office: Office, call: UUID, pool: asyncpg.Pool
) -> None:
    contact = await contact_of(office, call)
    items = (await client.get("/sealed", call_id=call)).json()["items"]
    places = [(f"/sealed/{each['kind']}/{each['id']}", each["kind"]) for each in items]
    places += [(f"/sealed/contact/{contact}", "contact"), (f"/sealed/call/{call}", "call")]
    for place, reached in places:
        answer = await other_client.get(place, purpose="care")
        assert (answer.status_code, kind(answer)) == (403, "foreign"), place
        assert ("foreign_refused", reached, UUID(place.rpartition("/")[2])) in await actions(
            pool, other_clinic
        )
    for reach in (
        other_client.get("/sealed", call_id=call),
        other_client.get("/sealed", contact_id=contact),
        other_client.get(f"/contacts/{contact}/export"),
        other_client.get(f"/contacts/{contact}/consents"),
        other_client.put(f"/contacts/{contact}/consents/texts", {"given": True}),
        other_client.delete(f"/contacts/{contact}"),
    ):
        answer = await reach
        assert (answer.status_code, kind(answer)) == (403, "foreign")
    assert (await client.get(f"/contacts/{contact}/export")).json()["document"]["contact"]["phone"] == PHONE


async def test_what_there_is_not_is_not_found(client: Client) -> None:
    nobody = uuid4()
    assert (await client.get(f"/sealed/note/{nobody}", purpose="care")).status_code == 404
    for place in (f"/contacts/{nobody}/export", f"/contacts/{nobody}/consents"):
        assert (await client.get(place)).status_code == 404
    assert (await client.delete(f"/contacts/{nobody}")).status_code == 404
    assert (await client.put(f"/contacts/{nobody}/consents/texts", {"given": False})).status_code == 404
    assert (await client.post("/erasures", {"phone": "+447700900999"})).status_code == 404


async def test_one_of_call_and_contact_is_asked_for(client: Client) -> None:
    assert (await client.get("/sealed")).status_code == 422
    assert (await client.get("/sealed", call_id=uuid4(), contact_id=uuid4())).status_code == 422
    assert (await client.get("/sealed", call_id=uuid4())).json() == {"items": []}


# --- a person's rights --------------------------------------------------------------------------------------


async def test_export_then_erasure_then_nothing(
    client: Client, clinic: Clinic, office: Office, call: UUID, pool: asyncpg.Pool
) -> None:
    contact = await contact_of(office, call)
    items = (await client.get("/sealed", contact_id=contact)).json()["items"]
    export = (await client.get(f"/contacts/{contact}/export")).json()
    assert export["unreadable"] == 0
    assert "glaucoma" in str(export["document"])
    erased = (await client.delete(f"/contacts/{contact}")).json()
    assert (erased["contact_id"], erased["again"]) == (contact, False)
    assert erased["counts"]["notes"] == 1
    again = (await client.delete(f"/contacts/{contact}")).json()
    assert (again["id"], again["again"]) == (erased["id"], True)
    for each in items:
        gone = await client.get(f"/sealed/{each['kind']}/{each['id']}", purpose="care")
        assert gone.status_code == 404
    assert (await client.get(f"/contacts/{contact}/export")).status_code == 404
    told = [action for action, _, _ in await actions(pool, clinic)]
    assert told.count("contact_exported") == 1
    assert told.count("contact_erased") == 1


async def test_a_destroyed_key_is_told_as_erased(
    client: Client, office: Office, call: UUID, owner: asyncpg.Connection, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    """And that it was asked for is on record all the same."""
    (note,) = [
        each for each in (await client.get("/sealed", call_id=call)).json()["items"] if each["kind"] == "note"
    ]
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute("delete from contact_keys")
    answer = await client.get(f"/sealed/note/{note['id']}", purpose="care")
    assert (answer.status_code, kind(answer)) == (410, "erased")
    assert ("read_for_care", "note", UUID(note["id"])) in await actions(pool, clinic)


async def test_a_flipped_bit_is_told_as_such_and_nothing_of_the_value(
    client: Client, call: UUID, stack: Stack, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    items = (await client.get("/sealed", call_id=call)).json()["items"]
    (note,) = [each["id"] for each in items if each["kind"] == "note"]
    admin = await asyncpg.connect(stack.admin)
    flipped = "set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1)"
    try:
        await admin.execute(f"update clinical_notes set sealed = {flipped} where id = $1", UUID(note))
    finally:
        await admin.close()
    answer = await client.get(f"/sealed/note/{note}", purpose="care")
    assert (answer.status_code, kind(answer), answer.json()["detail"]) == (500, "unreadable", "note")
    assert ("read_for_care", "note", UUID(note)) in await actions(pool, clinic)


async def test_erasure_by_number(client: Client, office: Office, call: UUID) -> None:
    contact = await contact_of(office, call)
    first = await client.post("/erasures", {"phone": PHONE}, key="once")
    assert (first.status_code, first.json()["contact_id"]) == (200, contact)
    again = await client.post("/erasures", {"phone": PHONE}, key="once")
    assert again.headers["idempotency-replayed"] == "true"
    assert PHONE not in first.text


async def test_consent_is_noted_and_the_last_word_counts(client: Client, office: Office) -> None:
    contact = await office.contact(PHONE)
    place = f"/contacts/{contact}/consents"
    asked = (await client.get(place)).json()
    assert (asked["recording"], asked["texts"]["given"]) == (None, False)
    assert (await client.put(f"{place}/texts", {"given": True})).json()["texts"]["given"] is True
    assert (await client.put(f"{place}/texts", {"given": False})).json()["texts"]["given"] is False
    recording = (await client.put(f"{place}/recording", {"given": True, "source": "form"})).json()
    assert (recording["recording"]["given"], recording["recording"]["source"]) == (True, "form")
    assert (await client.put(f"{place}/marketing", {"given": True})).status_code == 422


async def test_a_stop_is_not_taken_back_for_them(client: Client, office: Office, clinic: Clinic) -> None:
    contact = await office.contact(PHONE)
    digests = list(office.keys.digests(office.org_id, PHONE))
    async with office.armed() as connection:
        await connection.fetch("select app.opt_out_of_texts($1, $2)", office.org_id, digests)
    answer = await client.put(f"/contacts/{contact}/consents/texts", {"given": True})
    assert (answer.status_code, kind(answer)) == (409, "stopped")


async def test_retention_is_shown_and_changed(client: Client, clinic: Clinic, pool: asyncpg.Pool) -> None:
    defaults = (await client.get("/retention")).json()
    assert defaults == {
        "turns": 90,
        "notes": 365,
        "personal": 90,
        "texts": 90,
        "calls": 365,
        "contacts": 1095,
        "recordings": 90,
    }
    changed = await client.put("/retention", defaults | {"notes": 30})
    assert changed.json() == (await client.get("/retention")).json() == defaults | {"notes": 30}
    older = {kind: days for kind, days in defaults.items() if kind not in ("contacts", "recordings")}
    chosen = {"contacts": 400, "recordings": 7}
    await client.put("/retention", defaults | chosen)
    assert (await client.put("/retention", older)).json() == defaults | chosen
    for wrong in ({"contacts": 0}, {"notes": 0}, {"notes": 36_501}, {"notes": "30"}, {"diary": 3}):
        assert (await client.put("/retention", defaults | wrong)).status_code == 422
    assert (await client.put("/retention", {"notes": 30})).status_code == 422
    assert ("retention_changed", "org", clinic.claim.org_id) in await actions(pool, clinic)


# --- the log and the report ---------------------------------------------------------------------------------


async def test_the_log_is_paged_and_says_what_is_linked(
    client: Client, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    periods = (await client.get("/retention")).json()
    for _ in range(5):
        await client.put("/retention", periods)
    async with org_transaction(pool, clinic.claim) as connection:
        await link_batch(connection, clinic.claim.org_id, limit=3)
    first = (await client.get("/audit", limit=3)).json()
    second = (await client.get("/audit", limit=3, cursor=first["next"])).json()
    items = first["items"] + second["items"]
    assert [each["position"] for each in items] == [None, None, 3, 2, 1]
    assert second["next"] is None
    assert len({each["id"] for each in items}) == 5
    by_action = await client.get("/audit", action="retention_changed", subject_id=clinic.claim.org_id)
    assert len(by_action.json()["items"]) == 5
    assert (await client.get("/audit", action="token_issued")).json()["items"] == []
    told = (await client.get("/audit/verification")).json()
    assert (told["intact"], told["links"], told["unlinked"]) == (True, 3, 2)


async def test_each_role_may_do_what_it_is_for_and_nothing_else(
    anybody: Client, clinic: Clinic, pool: asyncpg.Pool
) -> None:
    """By JWT and by staff token; asked of every operation here."""
    for role, scopes in ROLE_SCOPES.items():
        token = await issue_token(pool, clinic.claim, name=role, scopes=[f"role:{role}"])
        for holder in (as_role(anybody, clinic, role), anybody.with_token(token.secret)):
            for operation in DUTIES:
                answer = await asked_of(holder, operation.method, operation.path)
                refused = answer.status_code == 403 and kind(answer) == "scope-missing"
                assert refused == (operation.scope not in scopes), (role, operation.name)


async def asked_of(client: Client, method: str, path: str) -> Any:
    place = path.replace("{kind}", "note")
    for name in ("{row_id}", "{contact_id}"):
        place = place.replace(name, str(uuid4()))
    if method == "POST":
        return await client.post(place, {})
    return await client.request(method, place, **({"json": {}} if method == "PUT" else {}))


async def test_a_role_that_there_is_not_is_no_token(anybody: Client, clinic: Clinic) -> None:
    for role in ("surgeon", "", 7, ["clinician"]):
        token = hs256(claims(clinic.claim.org_id, clinic_role=role))
        assert (await anybody.with_token(token).get("/audit")).status_code == 401
    supabase = claims(clinic.claim.org_id, scope="audit:read", role="authenticated")
    assert (await anybody.with_token(hs256(supabase)).get("/audit")).status_code == 200


async def test_nobody_gives_out_a_role_that_they_have_not(anybody: Client, clinic: Clinic) -> None:
    staff = " ".join(["role:staff", "secrets:write"])
    clerk = anybody.with_token(hs256(claims(clinic.claim.org_id, scope=staff)))
    place = f"/orgs/{clinic.claim.org_id}/tokens"
    assert (await clerk.put(f"{place}/desk", {"scopes": ["role:staff"]})).status_code == 200
    refused = await clerk.put(f"{place}/doctor", {"scopes": ["role:clinician"]})
    assert (refused.status_code, kind(refused)) == (403, "scope-missing")


def test_every_role_s_scopes_are_an_org_s() -> None:
    assert all(scopes < set(SCOPES) for scopes in ROLE_SCOPES.values())
    assert not any(scope.startswith("role:") for scopes in ROLE_SCOPES.values() for scope in scopes)
