"""Requests that make no sense, over HTTP: a problem of its own each, nothing changed, nothing repeated."""

import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from bench.simulators import twilio_messages as numbers
from bench.simulators.twilio_api import TwilioApiSimulator
from booking.db import claims_json
from tests.conftest import Clinic
from tests.gateway.api.booked import PHONE, free_slots, held, verified
from tests.gateway.api.client import Client, claims, hs256, kind
from tests.gateway.running import PUBLIC_URL, Gateway

SQL = "'; drop table public.slots; --"
CANARY = "Cordelia Vane"
HOLD, BOOKING = f"/holds/{uuid4()}", f"/bookings/{uuid4()}"
SERVICE = str(uuid4())
FIRST = "0001-01-01T00:00:00%2B14:00"

# method, path, body, status, kind, pointer
CASES: Mapping[str, tuple[str, str, Any, int, str, str | None]] = {
    "unknown hold": ("GET", HOLD, None, 404, "not-found", None),
    "unknown booking": ("DELETE", BOOKING, None, 404, "not-found", None),
    "unknown slot": ("POST", "/holds", {"slot_id": str(uuid4())}, 404, "not-found", None),
    "unknown service": ("GET", f"/slots?service_id={SERVICE}", None, 404, "not-found", None),
    "malformed id": ("GET", "/holds/42", None, 422, "invalid", "hold_id"),
    "SQL for an id": ("GET", f"/bookings/{SQL}", None, 422, "invalid", "booking_id"),
    "NUL for an id": ("GET", "/bookings/%00", None, 422, "invalid", "booking_id"),
    "bytes for an id": ("GET", "/bookings/%ff%fe", None, 422, "invalid", "booking_id"),
    "SQL for an id in a body": ("POST", "/holds", {"slot_id": SQL}, 422, "invalid", "$.slot_id"),
    "no id": ("POST", "/holds", {"slot_id": None}, 422, "invalid", "$.slot_id"),
    "naive after": (
        "GET",
        f"/slots?service_id={SERVICE}&after=2031-05-06T10:00:00",
        None,
        422,
        "invalid",
        "$.after",
    ),
    "naive until": ("GET", "/bookings?until=2031-05-06T10:00:00", None, 422, "invalid", "$.until"),
    "an instant before all": (
        "GET",
        f"/bookings?after={FIRST}",
        None,
        422,
        "invalid",
        None,
    ),
    "huge limit": ("GET", f"/bookings?limit={10**400}", None, 422, "invalid", "$.limit"),
    "forged cursor": ("GET", "/bookings?cursor=AAAA", None, 422, "invalid", "$.cursor"),
    "parameter twice": ("GET", "/bookings?limit=1&limit=2", None, 422, "invalid", None),
    "ttl of nothing": ("POST", "/holds", {"slot_id": SERVICE, "ttl_s": 0}, 422, "invalid", "$.ttl_s"),
    "ttl below nothing": ("POST", "/holds", {"slot_id": SERVICE, "ttl_s": -9}, 422, "invalid", "$.ttl_s"),
    "endless ttl": ("POST", "/holds", {"slot_id": SERVICE, "ttl_s": 10**300}, 422, "invalid", "$.ttl_s"),
    "number that is none": ("POST", f"{HOLD}/otp", {"phone": "07700 900123"}, 422, "invalid", "$.phone"),
    "number with SQL": ("POST", f"{HOLD}/otp", {"phone": PHONE + SQL}, 422, "invalid", "$.phone"),
    "code that is none": ("POST", f"{HOLD}/otp/check", {"code": SQL}, 422, "invalid", "$.code"),
    "another's field": ("POST", "/holds", {"slot_id": SERVICE, "name": CANARY}, 422, "invalid", "$"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_each_is_a_problem_of_its_own(
    client: Client,
    clinic: Clinic,
    owner: asyncpg.Connection,
    case: tuple[str, str, Any, int, str, str | None],
) -> None:
    method, path, body, status, expected, pointer = case
    before = await facts(owner, clinic)
    headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
    parts = {} if body is None else {"json": body}
    response = await client.request(method, path, headers=headers, **parts)
    assert (response.status_code, kind(response)) == (status, expected), response.text
    assert pointer is None or response.json()["pointer"] == pointer
    assert not [word for word in (CANARY, "drop table", "900123", "2031", "0001-01") if word in response.text]
    assert await facts(owner, clinic) == before


async def facts(owner: asyncpg.Connection, clinic: Clinic) -> dict[str, str]:
    """Each table's rows of the clinic, as one digest; answers kept for repetition apart."""
    found: dict[str, str] = {}
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        for row in await owner.fetch("select tablename from pg_tables where schemaname = 'public'"):
            if (table := row["tablename"]) != "idempotent_requests":
                found[table] = await owner.fetchval(
                    "select md5(coalesce(string_agg(t::text, '|' order by t::text), ''))"
                    f" from public.{table} t"
                )
    return found


BODIES: Mapping[str, tuple[bytes, int, str]] = {
    "deep": (b'{"slot_id":' + b"[" * 30_000, 422, "invalid"),
    "deep in an unknown member": (b'{"a":' * 10_000, 422, "invalid"),
    "a huge integer": (b'{"slot_id": "%b", "ttl_s": %b}' % (SERVICE.encode(), b"9" * 9000), 422, "invalid"),
    "an infinite number": (b'{"slot_id": "%b", "ttl_s": 1e999}' % SERVICE.encode(), 422, "invalid"),
    "a member twice": (b'{"slot_id": "%b", "ttl_s": 1, "ttl_s": 2}' % SERVICE.encode(), 400, "malformed"),
    "a lone surrogate": (b'{"slot_id": "\\ud800"}', 400, "malformed"),
    "a raw surrogate": (b'{"slot_id": "\xed\xa0\x80"}', 422, "invalid"),
    "a raw NUL": (b'{"slot_id": "\x00"}', 400, "malformed"),
    "a byte order mark": (b'\xef\xbb\xbf{"slot_id": "%b"}' % SERVICE.encode(), 400, "malformed"),
    "UTF-16": (json.dumps({"slot_id": SERVICE}).encode("utf-16"), 400, "malformed"),
    "two documents": (b'{"slot_id": "%b"} {}' % SERVICE.encode(), 400, "malformed"),
}


@pytest.mark.parametrize(("content", "status", "expected"), BODIES.values(), ids=BODIES.keys())
async def test_bodies_that_decoders_stumble_over(
    client: Client, content: bytes, status: int, expected: str
) -> None:
    headers = {"Idempotency-Key": str(uuid4()), "Content-Type": "application/json"}
    response = await client.request("POST", "/holds", content=content, headers=headers)
    assert (response.status_code, kind(response)) == (status, expected), response.text


async def test_a_name_with_a_nul_is_no_name(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    hold = await verified(client, clinic, twilio)
    person = {"phone": PHONE, "name": f"{CANARY}\x00"}
    refused = await client.post("/bookings", {"hold_id": hold["id"], "contact": person})
    assert (refused.status_code, kind(refused)) == (422, "invalid")
    assert CANARY not in refused.text
    made = await client.post("/bookings", {"hold_id": hold["id"], "contact": person | {"name": SQL}})
    assert made.status_code == 201


async def test_a_slot_that_has_begun(client: Client, clinic: Clinic, owner: asyncpg.Connection) -> None:
    slot, *_ = await free_slots(client, clinic)
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        await owner.execute(
            "update slots set (starts_at, ends_at) = (starts_at - $2::interval, ends_at - $2) where id = $1",
            slot["id"],
            timedelta(days=9),
        )
    refused = await client.post("/holds", {"slot_id": slot["id"]})
    assert (refused.status_code, kind(refused)) == (409, "slot-past")
    assert refused.json()["alternatives"]


@pytest.mark.parametrize("number", [numbers.INVALID, numbers.NOT_MOBILE, numbers.LANDLINE])
async def test_a_number_that_cannot_be_texted(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator, number: str
) -> None:
    hold = await held(client, clinic)
    for _ in range(6):  # more often than codes are sent: a refusal costs nothing
        refused = await client.post(f"/holds/{hold['id']}/otp", {"phone": number})
        assert (refused.status_code, kind(refused)) == (422, "number-refused")
        assert refused.json()["detail"] == "receiver"
        assert number[1:] not in refused.text
    assert twilio.messages.all == []
    assert (await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})).status_code == 202


@pytest.mark.parametrize("org", [None, "42", SQL, "\x00"])
async def test_a_token_without_an_org_that_could_be_one(anybody: Client, org: str | None) -> None:
    token = hs256(claims(None, **({} if org is None else {"org_id": org})))
    refused = await anybody.with_token(token).get("/bookings")
    assert (refused.status_code, kind(refused)) == (401, "unauthenticated")


async def test_a_token_of_an_org_that_is_not_here_learns_nothing(
    anybody: Client, client: Client, clinic: Clinic
) -> None:
    stranger = anybody.with_token(hs256(claims(uuid4())))
    (slot, *_) = await free_slots(client, clinic)
    for slot_id in (slot["id"], str(uuid4())):
        for answer in (
            await stranger.post("/holds", {"slot_id": slot_id}),
            await stranger.get("/bookings"),
            await stranger.get("/slots", service_id=clinic.service_ids[0]),
        ):
            assert (answer.status_code, kind(answer)) == (403, "no-such-org")


def unsigned(header: bytes, payload: bytes = b"{}") -> str:
    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return f"{part(header)}.{part(payload)}.AAAA"


@pytest.mark.parametrize(
    "token",
    [
        unsigned(b"[" * 6000),
        unsigned(b'{"alg": "HS256"}', b"[" * 4000),
        unsigned(b'{"alg": 7, "kid": ["x"]}'),
        unsigned(b'{"alg": "none"}'),
        unsigned(b"\xff\xfe"),
        "cvg_" + "\xe9" * 40,
        "." * 100,
    ],
)
async def test_tokens_that_decoders_stumble_over(anybody: Client, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode("latin-1")}
    refused = await anybody.request("GET", "/bookings", headers=headers)
    assert (refused.status_code, kind(refused)) == (401, "unauthenticated")


async def test_a_subject_that_is_no_text(anybody: Client, clinic: Clinic) -> None:
    surrogate = anybody.with_token(hs256(claims(clinic.claim.org_id, sub="\ud800")))
    refused = await surrogate.post("/holds", {"slot_id": str(uuid4())})
    assert (refused.status_code, kind(refused)) == (401, "unauthenticated")


RAW: Mapping[str, tuple[bytes, set[bytes]]] = {
    "a length beyond all": (b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", {b"400", b"413"}),
    "a length that is none": (b"Content-Length: -1\r\n\r\n", {b"400"}),
    "two lengths": (b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", {b"400"}),
    "a chunk of nonsense": (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", {b"400"}),
    "a chunk beyond the limit": (
        b"Transfer-Encoding: chunked\r\n\r\n" + (b"fff0\r\n" + b" " * 0xFFF0 + b"\r\n") * 3,
        {b"413"},
    ),
    "a body that trickles": (b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", {b"408"}),
}


@pytest.mark.parametrize(("rest", "statuses"), RAW.values(), ids=RAW.keys())
async def test_requests_that_are_hardly_http(
    client: Client, gateway: Gateway, rest: bytes, statuses: set[bytes]
) -> None:
    url = httpx.URL(gateway.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST /api/v1/holds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n"
    writer.write(f"{head}Idempotency-Key: {uuid4()}\r\nContent-Type: application/json\r\n".encode() + rest)
    async with asyncio.timeout(10):
        told = await reader.readline()
    writer.close()
    assert told.split()[1] in statuses
    assert (await client.get("/bookings")).status_code == 200


async def test_a_number_that_said_stop(
    client: Client, clinic: Clinic, gateway: Gateway, twilio: TwilioApiSimulator
) -> None:
    twilio.messages.real_url = lambda url: url.replace(PUBLIC_URL, gateway.url)
    words = {"from_": PHONE, "to": clinic.number}
    hold = await held(client, clinic)
    assert await twilio.messages.receive(f"{PUBLIC_URL}/twilio/sms", body="STOP", **words) == 200
    refused = await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})
    assert (refused.status_code, kind(refused)) == (422, "number-refused")
    assert (refused.json()["detail"], PHONE[1:] in refused.text) == ("opted_out", False)
    assert twilio.requests == []
    assert await twilio.messages.receive(f"{PUBLIC_URL}/twilio/sms", body="START", **words) == 200
    assert (await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})).status_code == 202


async def test_a_landline_by_the_carriers_report(
    client: Client, clinic: Clinic, gateway: Gateway, twilio: TwilioApiSimulator
) -> None:
    twilio.messages.real_url = lambda url: url.replace(PUBLIC_URL, gateway.url)
    hold = await held(client, clinic)
    assert (await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})).status_code == 202
    assert await twilio.messages.report(twilio.messages.to(PHONE)[-1], "undelivered", 30006) == 204
    refused = await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})
    assert (refused.status_code, kind(refused)) == (422, "number-refused")
    assert refused.json()["detail"] == "receiver"
    assert len(twilio.messages.all) == 1
