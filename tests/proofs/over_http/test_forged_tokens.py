"""Every operation of the HTTP API x every way to forge a token x another clinic's ids, over real HTTP.

Operations come from the OpenAPI document. A forged token is answered with one and the same 401 whatever it
asks for, be it there or not; a good one with claims that promise more gets what its own org gets: 403 for
what is another's, with an audit record. In no case has the other clinic changed.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from booking.audit import page_of_records
from tests.conftest import Clinic
from tests.gateway.api.client import SECRET, Client, IdentityProvider, claims, fits, hs256, private_key
from tests.gateway.api.test_tenancy import REACHES, filled
from tests.gateway.running import Gateway
from tests.proofs.catalogue import tenant_tables

Forger = Callable[[UUID, IdentityProvider], str]
OF_AN_ORG = "/orgs/{org_id}"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def by_hand(header: Mapping[str, Any], content: Mapping[str, Any], key: bytes | None) -> str:
    """HS256 under any key, also those that a library would refuse to use."""
    signed = f"{part(header)}.{part(content)}"
    mac = b"" if key is None else hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def public_pem(provider: IdentityProvider) -> bytes:
    return provider.keys["first"].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed_by(key: rsa.RSAPrivateKey, org: UUID, headers: Mapping[str, Any]) -> str:
    return jwt.encode(claims(org), key, algorithm="RS256", headers=dict(headers))


def other_org_under_a_good_signature(org: UUID, _provider: IdentityProvider) -> str:
    """The signature of a token of nobody's org, the claims of the victim's."""
    head, _, signature = hs256(claims(uuid4())).split(".")
    return f"{head}.{part(claims(org))}.{signature}"


def key_in_the_header(org: UUID, _provider: IdentityProvider) -> str:
    """RFC 7515 section 4.1.3: a key that the token brings along."""
    stranger = private_key("first", "stranger")
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key(), as_dict=True)
    return signed_by(stranger, org, {"kid": "first", "jwk": jwk})


NOW = int(time.time())
HS = {"alg": "HS256", "typ": "JWT"}
FORGERIES: dict[str, Forger] = {
    "alg none": lambda org, _: by_hand({"alg": "none", "typ": "JWT"}, claims(org), None),
    "alg None, signed": lambda org, _: by_hand({"alg": "nOnE", "typ": "JWT"}, claims(org), SECRET.encode()),
    "no alg": lambda org, _: by_hand({"typ": "JWT"}, claims(org), SECRET.encode()),
    "HS256 under the public key": lambda org, provider: by_hand(
        HS | {"kid": "first"}, claims(org), public_pem(provider)
    ),
    "HS256 under no key": lambda org, _: by_hand(HS, claims(org), b""),
    "HS256 under another key": lambda org, _: hs256(claims(org), "another-secret-of-more-than-32-bytes!"),
    "HS256 without a signature": lambda org, _: hs256(claims(org)).rpartition(".")[0] + ".",
    "RS256 under a stranger's key": lambda org, _: signed_by(
        private_key("first", "stranger"), org, {"kid": "first"}
    ),
    "RS256 under a key that nobody has": lambda org, provider: provider.sign(
        claims(org), "first", named="second"
    ),
    "RS256 under a key named by a path": lambda org, _: signed_by(
        private_key("first", "stranger"), org, {"kid": "../../dev/null"}
    ),
    "a key in the header": key_in_the_header,
    "another org under a good signature": other_org_under_a_good_signature,
    "wrong audience": lambda org, _: hs256(claims(org, aud="somebody-else")),
    "no audience": lambda org, _: hs256(claims(org, aud=None)),
    "wrong issuer": lambda org, _: hs256(claims(org, iss="https://evil.example.com/")),
    "no issuer": lambda org, _: hs256(claims(org, iss=None)),
    "expired": lambda org, _: hs256(claims(org, exp=NOW - 3600)),
    "without an end": lambda org, _: hs256(claims(org, exp=None)),
    "not yet": lambda org, _: hs256(claims(org, nbf=NOW + 3600)),
    "issued tomorrow": lambda org, _: hs256(claims(org, iat=NOW + 86_400)),
    "two orgs": lambda org, _: hs256(claims(org, clinic_id=str(uuid4()))),
    "two orgs, the other way round": lambda org, _: hs256(claims(uuid4(), clinic_id=str(org))),
    "a list of orgs": lambda org, _: hs256(claims(None, org_id=[str(org)])),
    "an org by another name": lambda org, _: hs256(claims(None, ORG_ID=str(org), tenant=str(org))),
    "any org": lambda _org, _: hs256(claims(None, org_id="*")),
    "an org in SQL": lambda org, _: hs256(claims(None, org_id=f"{org}' or true --")),
}


@pytest.fixture
async def operations(anybody: Client, gateway: Gateway) -> list[tuple[str, str]]:
    """Method and path template of every operation that asks for a token."""
    document = (await gateway.http.get(gateway.url + "/api/openapi.json")).json()
    return [
        (method.upper(), template)
        for template, methods in document["paths"].items()
        for method, told in methods.items()
        if told.get("security")
    ]


@pytest.fixture
async def victim(pool: asyncpg.Pool, owner: asyncpg.Connection, clinic: Clinic) -> Callable[[], Any]:
    """What stands in all tables of the clinic whose rows are reached for, as a digest for each."""
    tables = await tenant_tables(owner)

    async def look() -> list[Any]:
        async with owner.transaction():
            await owner.execute("select app.arm($1)", json.dumps({"org_id": str(clinic.claim.org_id)}))
            return [
                await owner.fetchval(f"select md5(string_agg(t::text, '|' order by t::text)) from {name} t")
                for name in tables
            ]

    return look


def paths(template: str, ids: Mapping[str, str]) -> Iterator[str]:
    """The path with an id of the victim's, and with one that nobody has; once, if it holds none."""
    theirs = template.replace("{hold_id}", ids["hold"]).replace("{booking_id}", ids["booking"])
    yield theirs
    if theirs != template:
        yield template.replace("{hold_id}", UNKNOWN).replace("{booking_id}", UNKNOWN)


async def ask(client: Client, method: str, path: str) -> tuple[int, str]:
    headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
    content = {"json": {"slot_id": UNKNOWN}} if method in ("POST", "PATCH") else {}
    response = await client.request(method, path, headers=headers, **content)
    return response.status_code, response.text


async def test_a_forged_token_learns_and_changes_nothing(
    anybody: Client,
    provider: IdentityProvider,
    clinic: Clinic,
    theirs: dict[str, str],
    operations: list[tuple[str, str]],
    victim: Callable[[], Any],
) -> None:
    before, answers = await victim(), {}
    for name, forge in FORGERIES.items():
        forger = anybody.with_token(forge(clinic.claim.org_id, provider))
        for method, template in operations:
            for path in paths(template, theirs):
                answers[await ask(forger, method, path)] = (name, method, path)
    assert {status for status, _ in answers} == {401}, answers
    assert len(answers) == 1, "one answer to all of them, whatever is there"
    assert await victim() == before
    assert len(operations) >= 10


PROMISES: list[dict[str, Any]] = [
    {"role": "service_role"},
    {"role": "gw_owner", "app_metadata": {"org_id": "VICTIM"}},
    {"user_metadata": {"org_id": "VICTIM", "clinic_id": "VICTIM"}, "admin": True},
    {"orgs": ["VICTIM"], "tenant": "VICTIM", "act": {"org_id": "VICTIM"}},
]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: next(iter(promise)))
async def test_a_good_token_that_promises_more_gets_its_own_org(
    anybody: Client,
    clinic: Clinic,
    other_clinic: Clinic,
    theirs: dict[str, str],
    victim: Callable[[], Any],
    pool: asyncpg.Pool,
    promise: dict[str, Any],
) -> None:
    before = await victim()
    told = json.loads(json.dumps(promise).replace("VICTIM", str(clinic.claim.org_id)))
    forger = anybody.with_token(hs256(claims(other_clinic.claim.org_id, **told)))
    for _, method, path, body in REACHES:
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        content = {} if body is None else {"json": filled(body, theirs)}
        response = await forger.request(method, filled(path, theirs), headers=headers, **content)
        assert response.status_code == 403, (method, path)
    assert await victim() == before
    records = await page_of_records(pool, other_clinic.claim, limit=100)
    refused = [record for record in records if record.action == "foreign_refused"]
    assert len(refused) == len(REACHES)


# They take no id of a row: what they show and change is the token's org's, whatever they are told. (The id of
# an audio call begins with its org's: `tests/gateway/routes/test_raw.py`.)
WITHOUT_IDS = {
    "/audio-calls",
    "/calls",
    "/retention",
    "/audit",
    "/audit/verification",
    "/compliance/report",
    "/compliance/report.html",
    "/erasures",
    "/contact-searches",
    "/follow-ups",
    "/replies",
}

# Another clinic's is answered like one that nobody has, as `tests/booking/test_placing.py` holds it.
NOT_TOLD_APART = {"/campaigns/{campaign_id}/agent"}


async def test_every_operation_on_an_id_is_reached_for(operations: list[tuple[str, str]]) -> None:
    """So that a new one is tried with another clinic's ids as well."""
    tried = [(method, path.partition("?")[0]) for _, method, path, _ in REACHES]
    untried = [
        (method, template)
        for method, template in operations
        if not template.startswith(OF_AN_ORG)  # they are named by the org itself: below
        and template not in WITHOUT_IDS | NOT_TOLD_APART
        and not any(method == other and fits(template, path) for other, path in tried)
    ]
    assert untried == []


async def test_an_org_that_is_named_must_be_the_tokens_own(
    other_client: Client,
    clinic: Clinic,
    operations: list[tuple[str, str]],
    victim: Callable[[], Any],
) -> None:
    before, named = await victim(), [each for each in operations if each[1].startswith(OF_AN_ORG)]
    for method, template in named:
        path = re.sub(r"\{\w+\}", UNKNOWN, template.replace("{org_id}", str(clinic.claim.org_id)))
        status, _ = await ask(other_client, method, path)
        allowed = {403} if method in ("GET", "DELETE") else {400, 403, 404, 415, 422}
        assert status in allowed, (method, template)
    assert len(named) > 10
    assert await victim() == before
