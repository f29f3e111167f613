"""A call that the clinic places, end to end: asked for over the API, answered by somebody or a machine."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import asyncpg
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_calls import PlacedResource
from booking.contacts import Person, save_contact
from booking.db import org_transaction
from booking.placing import Placing
from gateway.placing import open_placing
from gateway.sealing import VaultSealer
from tests.booking.following import mobile
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.api.client import AUDIENCE, ISSUER, SECRET, Client, claims, hs256, kind
from tests.gateway.running import PUBLIC_URL, Gateway, Vendors, verbs

WHOLE_DAY = "insert into follow_up_settings (org_id, quiet_from, quiet_to) values ($1, '00:00', '00:00')"


@pytest.fixture
async def twilio(clinic: Clinic) -> AsyncIterator[TwilioApiSimulator]:
    async with TwilioApiSimulator(account_sid=running.ACCOUNT, auth_token=running.AUTH_TOKEN) as simulator:
        simulator.placed.numbers.add(clinic.number)
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, vendors: Vendors, twilio: TwilioApiSimulator) -> AsyncIterator[Gateway]:
    environ = running.environment(
        stack,
        **vendors.environment(),
        API_JWT_ISSUER=ISSUER,
        API_JWT_AUDIENCE=AUDIENCE,
        API_JWT_SECRET=SECRET,
        TWILIO_API_URL=twilio.url,
    )
    async with running.gateway(environ) as served:
        twilio.placed.real_url = lambda url: url.replace(PUBLIC_URL, served.url)
        yield served


@pytest.fixture
async def anybody(gateway: Gateway) -> Client:
    document = (await gateway.http.get(gateway.url + "/api/openapi.json")).json()
    return Client(gateway, document, None)


@pytest.fixture
async def client(anybody: Client, clinic: Clinic) -> Client:
    return anybody.with_token(hs256(claims(clinic.claim.org_id)))


@pytest.fixture
async def engine(gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Placing]:
    edge = gateway.edge
    async with org_transaction(pool, clinic.claim) as connection:
        await connection.execute(WHOLE_DAY, clinic.claim.org_id)
    async with open_placing(edge.settings, edge.desk.pool, edge.desk.vault, edge.metrics) as placing:
        yield replace(placing, unsure=timedelta(minutes=5))


async def contact_of(gateway: Gateway, clinic: Clinic) -> UUID:
    sealer = VaultSealer(gateway.edge.desk.vault)
    return await save_contact(gateway.edge.desk.pool, clinic.claim, sealer, Person(mobile()))


async def placed(
    gateway: Gateway, clinic: Clinic, client: Client, engine: Placing, twilio: TwilioApiSimulator
) -> tuple[str, PlacedResource]:
    """The API's id of a call that rings, and the carrier's of it."""
    contact_id = await contact_of(gateway, clinic)
    await client.put(f"/contacts/{contact_id}/consents/calls", {"given": True})
    answer = await client.post("/calls", {"contact_id": str(contact_id)})
    assert answer.status_code == 202
    placed_id: str = answer.json()["id"]
    await engine.go_on(clinic.claim, UUID(placed_id))
    return placed_id, twilio.placed.all[-1]


async def test_a_clinic_calls_a_contact_and_its_agent_opens(
    gateway: Gateway,
    clinic: Clinic,
    client: Client,
    engine: Placing,
    twilio: TwilioApiSimulator,
    vendors: Vendors,
) -> None:
    contact_id = await contact_of(gateway, clinic)
    body = {"contact_id": str(contact_id)}
    assert kind(await client.post("/calls", body)) == "call-refused"  # nobody has asked them
    consents = (await client.put(f"/contacts/{contact_id}/consents/calls", {"given": True})).json()
    assert (consents["calls"]["given"], consents["recording"]) == (True, None)
    first = await client.post("/calls", body, key="one")
    assert (first.status_code, first.json()["state"]) == (202, "queued")
    assert (await client.post("/calls", body, key="one")).json() == first.json()
    assert kind(await client.post("/calls", body)) == "call-live"
    placed_id, where = first.json()["id"], first.headers["location"].removeprefix("/api/v1")
    await engine.go_on(clinic.claim, UUID(placed_id))
    (call,) = twilio.placed.all
    assert await twilio.placed.tell(call, "ringing") == 204
    assert (await client.get(where)).json()["state"] == "ringing"

    document = await twilio.placed.answer(call)
    assert document is not None
    assert verbs(document) == ["Connect"]
    action = document[0].attrib["action"]
    assert action == call.form["Url"] + "/after?attempt=0"
    parameters = {each.attrib["name"]: each.attrib["value"] for each in document.iter("Parameter")}
    async with gateway.media() as socket:
        await socket.send(running.frame("connected"))
        start = json.loads(running.start(parameters["token"], call.sid))
        start["start"]["customParameters"] = parameters
        await socket.send(json.dumps(start))
        assert await running.first_audio(socket)
        assert await twilio.placed.detect(call, "human") == 204
        await socket.send(running.frame("stop", stop={"callSid": call.sid}))
    assert await twilio.placed.tell(call, "completed") == 204
    await gateway.until_idle()
    (turn,) = await rows(gateway, clinic, "select said::text as said from call_turns")
    said = json.loads(turn["said"])[0]["text"]
    assert said.startswith("Hello, this is")
    assert "the automated assistant of Harley Street Clinic." in said
    shown = (await client.get(where)).json()
    assert (shown["state"], shown["outcome"], shown["answered_by"]) == ("ended", "talked", "human")
    (row,) = await rows(gateway, clinic, "select id, contact_id, end_reason from calls")
    assert (str(row["id"]), row["end_reason"]) == (shown["call_id"], "caller_hung_up")
    ended = await twilio.placed.post(call, action, CallStatus="completed")
    assert verbs(ElementTree.fromstring(ended[1])) == ["Hangup"]  # noqa: S314  our own document
    listed = (await client.get("/calls", limit=5)).json()["items"]
    assert [each["id"] for each in listed] == [placed_id]
    assert kind(await client.delete(where)) == "conflict"


@pytest.mark.parametrize("on_machine", ["hang_up", "message"])
async def test_a_machine_is_hung_up_or_left_a_message(
    on_machine: str,
    gateway: Gateway,
    clinic: Clinic,
    client: Client,
    engine: Placing,
    twilio: TwilioApiSimulator,
) -> None:
    rules = f"/orgs/{clinic.claim.org_id}/calling"
    assert kind(await client.patch(rules, {"message": "Your nose job is due."})) == "invalid"
    changed = await client.patch(rules, {"on_machine": on_machine, "message": "{clinic} called."})
    assert (changed.status_code, changed.json()["on_machine"]) == (200, on_machine)
    assert (await client.get(rules)).json() == changed.json()
    placed_id, call = await placed(gateway, clinic, client, engine, twilio)
    assert await twilio.placed.answer(call) is not None
    for _ in range(2):  # the carrier repeats itself
        assert await twilio.placed.detect(call, "machine_end_beep") == 204
    at_carrier = twilio.calls[call.sid]
    if on_machine == "message":
        assert at_carrier.twiml is not None
        assert "Harley Street Clinic called." in at_carrier.twiml
    else:
        assert at_carrier.status == "completed"
    await twilio.placed.tell(call, "completed")
    shown = (await client.get(f"/calls/{placed_id}")).json()
    outcome = "message_left" if on_machine == "message" else "machine"
    assert (shown["state"], shown["outcome"], shown["answered_by"]) == ("ended", outcome, "machine")
    assert gateway.counted("gateway_calls_answered_total", by="machine") == 1


async def test_a_machine_whom_the_carrier_does_not_let_go_loses_its_stream_and_is_hung_up_then(
    gateway: Gateway, clinic: Clinic, client: Client, engine: Placing, twilio: TwilioApiSimulator
) -> None:
    _, call = await placed(gateway, clinic, client, engine, twilio)
    document = await twilio.placed.answer(call)
    assert document is not None
    parameters = {each.attrib["name"]: each.attrib["value"] for each in document.iter("Parameter")}
    async with gateway.media() as socket:
        start = json.loads(running.start(parameters["token"], call.sid))
        start["start"]["customParameters"] = parameters
        await socket.send(json.dumps(start))
        assert await running.first_audio(socket)
        twilio.faults.add(Refuse(500))
        assert await twilio.placed.detect(call, "machine_end_beep") == 204
        assert (await running.closed(socket))[0] == 1000
    ended = await twilio.placed.post(call, document[0].attrib["action"], CallStatus="in-progress")
    assert verbs(ElementTree.fromstring(ended[1])) == ["Hangup"]  # noqa: S314  our own document


async def test_what_is_not_the_attempts_call_is_hung_up_and_the_unsigned_refused(
    gateway: Gateway,
    clinic: Clinic,
    other_clinic: Clinic,
    client: Client,
    engine: Placing,
    twilio: TwilioApiSimulator,
) -> None:
    placed_id, call = await placed(gateway, clinic, client, engine, twilio)
    path = call.form["Url"].removeprefix(PUBLIC_URL)
    fields = {"CallSid": call.sid, "To": call.to, "From": call.from_, "CallStatus": "in-progress"}
    assert (await gateway.post(path, fields, signature="AAAA")).status_code == 403
    assert (await gateway.post(path, {"To": call.to})).status_code == 400
    for attempt in ("0", "9" * 20):
        assert (await gateway.post(path.removesuffix("1") + attempt, fields)).status_code == 404
    stranger = "CA" + "9" * 32
    twilio.add_call(stranger)
    other_org = path.replace(str(clinic.claim.org_id), str(other_clinic.claim.org_id))
    for foreign in (path, path.removesuffix("1") + "2", other_org):
        twilio.calls[stranger].status = "in-progress"
        document = running.document(await gateway.post(foreign, fields | {"CallSid": stranger}))
        assert verbs(document) == ["Hangup"]
        assert twilio.calls[stranger].status == "completed"
    assert (await client.get(f"/calls/{placed_id}")).json()["state"] == "ringing"
    assert await twilio.placed.tell(call, "no-answer") == 204
    assert (await client.get(f"/calls/{placed_id}")).json()["state"] == "unanswered"
    assert kind(await client.get(f"/calls/{stranger[2:]}")) == "not-found"
    other = client.with_token(hs256(claims(other_clinic.claim.org_id)))
    assert kind(await other.get(f"/calls/{placed_id}")) == "foreign"
    assert kind(await client.post("/calls", {"contact_id": "x"})) == "invalid"


async def rows(gateway: Gateway, clinic: Clinic, statement: str) -> list[Any]:
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as connection:
        found: list[Any] = await connection.fetch(statement)
    return found
