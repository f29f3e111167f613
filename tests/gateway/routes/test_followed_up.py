"""What a followed-up lead does over HTTP: opens the link, texts back; and what the clinic sees of it."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from booking.db import org_transaction
from booking.follow_up import FollowUps
from booking.replies import asks_to_book
from compliance.erasure import erase_number
from compliance.reading import Actor
from gateway.follow_ups import follow_ups
from gateway.sealing import VaultSealer
from tests.booking.following import Following, a_pdf, following, mobile
from tests.conftest import Clinic
from tests.gateway.api.client import Client, claims, hs256, kind
from tests.gateway.api.conftest import anybody, client, gateway, other_client, provider, twilio
from tests.gateway.running import PUBLIC_URL, Gateway

__all__ = ["anybody", "client", "gateway", "other_client", "provider", "twilio"]
TEXTS = PUBLIC_URL + "/twilio/sms"
BOOK = "https://clinic.example.com/book"


@pytest.fixture
async def calls(gateway: Gateway, clinic: Clinic) -> AsyncIterator[Following]:
    async with following(gateway.edge.desk.pool, clinic) as opened:
        await opened.rules(booking_url=BOOK)
        yield opened


async def followed(gateway: Gateway, calls: Following, caller: str) -> UUID:
    """A call whose follow-up the gateway itself has sent."""
    edge = gateway.edge
    engine: FollowUps = follow_ups(edge.settings, edge.desk.texts.messages, edge.metrics)
    call_id = await calls.call(caller)
    await engine.go_on(calls.clinic.claim, call_id)
    assert await calls.stands(call_id) == ("sent", None)
    return call_id


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("BOOK", True),
        ("Book please!", True),
        ("yes please book me", True),
        ("I'd like to book", True),
        ("send me the booking link", True),
        ("Link?", True),
        ("can I book online, thanks", True),
        ("Do I book with a credit card?", False),
        ("I have booked a flight", False),
        ("facebook", False),
        ("", False),
    ],
)
def test_a_wish_for_a_link_is_told_from_a_question(said: str, asks: bool) -> None:
    assert asks_to_book(said) == asks


async def test_the_link_leads_to_the_guide_and_openings_are_counted(
    gateway: Gateway, calls: Following, twilio: TwilioApiSimulator, client: Client
) -> None:
    caller = mobile()
    call_id = await followed(gateway, calls, caller)
    url = next(word for word in twilio.messages.to(caller)[0].body.split() if "/g/" in word)
    here = url.replace(PUBLIC_URL, gateway.url)
    assert (await gateway.http.head(here)).status_code == 200
    answer = await gateway.http.get(here)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    assert "no-store" in answer.headers["cache-control"]
    (item,) = (await client.get("/follow-ups", limit=10)).json()["items"]
    zone = f"/contacts/{item['contact_id']}/time-zone"
    for told, status in (("Europe/Lisbon", 204), ("Europe/Nowhere", 422), (None, 204)):
        assert (await client.put(zone, {"time_zone": told})).status_code == status
    assert (item["call_id"], item["state"], item["link_opens"]) == (str(call_id), "sent", 1)
    for forged in (here[:-1] + ("A" if here[-1] != "A" else "B"), gateway.url + "/g/x"):
        assert (await gateway.http.get(forged)).status_code == 404
    await calls.by_hand("update guide_links set expires_at = now()")
    assert (await gateway.http.get(here)).status_code == 410
    assert gateway.counted("gateway_guides_total", outcome="opened") == 1
    assert gateway.counted("gateway_guides_total", outcome="looked_at") == 1
    assert gateway.counted("gateway_guides_total", outcome="forged") == 2


async def test_replies_are_taken_sealed_and_go_with_who_sent_them(
    gateway: Gateway,
    calls: Following,
    twilio: TwilioApiSimulator,
    client: Client,
    other_client: Client,
    clinic: Clinic,
) -> None:
    caller, question = mobile(), "How long will my knee hurt?"
    twilio.messages.real_url = lambda url: url.replace(PUBLIC_URL, gateway.url)
    asked = {"to": clinic.number, "from_": caller}
    assert await twilio.messages.receive(TEXTS, body=question, **asked) == 200
    assert (await client.get("/replies")).json() == {"items": []}  # not yet followed up: nothing is kept

    await followed(gateway, calls, caller)
    fields = {"To": clinic.number, "From": caller, "Body": question, "MessageSid": "SM" + "7" * 32}
    for _ in range(2):  # the carrier repeats itself
        assert (await gateway.post("/twilio/sms", fields)).status_code == 200
    assert await twilio.messages.receive(TEXTS, body="Book please", **asked) == 200
    link, told = (await client.get("/replies", limit=10)).json()["items"]
    assert (link["kind"], told["kind"], told["answered_at"]) == ("booking", "question", None)
    assert link["answered_at"] is not None
    assert [message.body.rpartition(" ")[2] for message in twilio.messages.to(caller)[1:]] == [BOOK]

    desk = client.with_token(hs256(claims(clinic.claim.org_id, scope="", clinic_role="staff")))
    read = await desk.get(f"/sealed/reply/{told['id']}", purpose="booking")
    assert read.json()["values"] == {"question": question}
    waiting = (await client.get("/replies", waiting=True)).json()["items"]
    assert [each["id"] for each in waiting] == [told["id"]]
    done = f"/replies/{told['id']}/answered"
    assert kind(await other_client.put(done)) == "foreign"
    foreign = f"/contacts/{told['contact_id']}/time-zone"
    assert kind(await other_client.put(foreign, {"time_zone": None})) == "foreign"
    first = await client.put(done)
    assert (first.status_code, (await client.put(done)).json()) == (200, first.json())
    assert (await client.get("/replies", waiting=True)).json() == {"items": []}

    pool, claim = gateway.edge.desk.pool, clinic.claim
    async with org_transaction(pool, claim) as connection:
        rows = await connection.fetch("select * from text_replies")
        assert len(rows) == 2
        for row in rows:
            assert not {question, caller} & {str(value) for value in row.values()}
            assert question.encode() not in row["sealed_body"]
        keys = VaultSealer(gateway.edge.desk.vault).keys
        await erase_number(connection, keys, claim.org_id, Actor("operator"), e164=caller)
        assert await connection.fetchval("select count(*) from text_replies") == 0
        assert await connection.fetchval("select count(*) from guide_links") == 0
        assert await connection.fetchval("select count(contact_id) from outbound_campaigns") == 0


async def test_a_clinic_sets_its_rules_and_guides(
    client: Client, other_client: Client, clinic: Clinic
) -> None:
    org, service = f"/orgs/{clinic.claim.org_id}", clinic.service_ids[1]
    shown = (await client.get(f"{org}/follow-up")).json()
    assert (shown["agent_name"], shown["quiet_from"], shown["encoding"]) == ("Sarah", "20:00", "GSM-7")
    changed = await client.patch(f"{org}/follow-up", {"agent_name": "Zo\u00eb", "quiet_to": "08:30"})
    assert changed.status_code == 200
    assert (changed.json()["encoding"], changed.json()["quiet_to"]) == ("UCS-2", "08:30")
    for wrong in ({"template": "no link"}, {"window_days": 0}, {"booking_url": "http://x"}, {"agent": "x"}):
        assert kind(await client.patch(f"{org}/follow-up", wrong)) == "invalid"
    path = f"{org}/services/{service}/guide"
    assert kind(await client.get(path)) == "not-found"
    pdf = {"content": b"%PDF-1.7\n...", "headers": {"Content-Type": "application/pdf"}}
    assert kind(await client.request("PUT", path, **pdf)) == "invalid"
    assert kind(await client.put(path, {"file": "x"})) == "media-type"
    put = await client.request("PUT", path, **(pdf | {"content": a_pdf(3)}))
    assert (put.status_code, put.json()["pages"]) == (200, 3)
    assert (await client.get(path)).json() == put.json()
    assert kind(await other_client.get(path)) == "foreign"
    assert [(await client.delete(path)).status_code for _ in range(2)] == [204, 204]
