"""Whose token is good, over real HTTP: everything else is a 401 that says nothing."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from booking import staff
from booking.db import claims_json
from tests.conftest import Clinic
from tests.gateway.api.client import SECRET, Client, IdentityProvider, claims, hs256, kind
from tests.gateway.running import Gateway


async def status(client: Client, token: str | None, clinic: Clinic) -> int:
    response = await client.with_token(token).get("/slots", service_id=clinic.service_ids[0])
    if response.status_code == 401:
        assert response.headers["www-authenticate"].startswith("Bearer ")
        assert set(response.json()) == {"type", "title", "status"}
    return response.status_code


async def test_hs256_and_rs256_are_good(anybody: Client, clinic: Clinic, provider: IdentityProvider) -> None:
    content = claims(clinic.claim.org_id)
    assert await status(anybody, hs256(content), clinic) == 200
    assert await status(anybody, provider.sign(content, "first"), clinic) == 200


async def test_older_tokens_name_the_org_clinic_id(anybody: Client, clinic: Clinic) -> None:
    content = claims(None, clinic_id=str(clinic.claim.org_id))
    assert await status(anybody, hs256(content), clinic) == 200


@pytest.mark.parametrize("scope", ["slots:read other", ["slots:read"]])
async def test_scopes_are_words_or_a_list(anybody: Client, clinic: Clinic, scope: Any) -> None:
    assert await status(anybody, hs256(claims(clinic.claim.org_id, scope=scope)), clinic) == 200
    listed = claims(clinic.claim.org_id, scope=None, scp=scope)
    assert await status(anybody, hs256(listed), clinic) == 200


NOW = int(time.time())


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"exp": NOW - 3600},
    {"exp": None},
    {"exp": "soon"},
    {"nbf": NOW + 3600},
    {"iat": NOW + 3600},
    {"aud": None},
    {"aud": "somebody-else"},
    {"aud": []},
    {"iss": None},
    {"iss": "https://evil.example.com/"},
    {"org_id": None},
    {"org_id": ""},
    {"org_id": "not a UUID"},
    {"org_id": 7},
    {"org_id": ["x"]},
    {"clinic_id": str(uuid4())},
    {"sub": 7},
]


async def test_a_claim_that_is_wrong_or_missing(anybody: Client, clinic: Clinic) -> None:
    for changes in WRONG_CLAIMS:
        token = hs256(claims(clinic.claim.org_id, **changes))
        assert await status(anybody, token, clinic) == 401, changes


async def test_an_org_that_is_no_text_is_not_made_good_by_the_older_name(
    anybody: Client, clinic: Clinic
) -> None:
    token = hs256(claims(None, org_id=7, clinic_id=str(clinic.claim.org_id)))
    assert await status(anybody, token, clinic) == 401


async def test_a_signature_that_is_not_ours(
    anybody: Client, clinic: Clinic, provider: IdentityProvider
) -> None:
    content = claims(clinic.claim.org_id)
    good = hs256(content)
    assert await status(anybody, hs256(content, "another-secret-of-more-than-32-bytes!"), clinic) == 401
    assert await status(anybody, good[:-4] + "AAAA", clinic) == 401
    assert await status(anybody, good.rpartition(".")[0] + ".", clinic) == 401
    head, _, signature = good.split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims(uuid4())).encode()).decode().rstrip("=")
    assert await status(anybody, f"{head}.{forged}.{signature}", clinic) == 401
    strange = IdentityProvider()
    strange.add("first", of="stranger")
    assert await status(anybody, strange.sign(content, "first"), clinic) == 401


async def test_other_algorithms_are_refused(
    anybody: Client, clinic: Clinic, provider: IdentityProvider
) -> None:
    content = claims(clinic.claim.org_id)
    longer = SECRET + SECRET
    assert await status(anybody, jwt.encode(content, None, algorithm="none"), clinic) == 401
    assert await status(anybody, hs256(content, longer, "HS512"), clinic) == 401
    key = provider.keys["first"]
    assert await status(anybody, jwt.encode(content, key, "RS512", headers={"kid": "first"}), clinic) == 401
    assert await status(anybody, jwt.encode(content, key, "PS256", headers={"kid": "first"}), clinic) == 401


async def test_a_public_key_is_no_shared_secret(
    anybody: Client, clinic: Clinic, provider: IdentityProvider
) -> None:
    """RFC 8725 section 2.1: HS256 under the PEM that everybody can have."""
    public = provider.keys["first"].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = _part({"alg": "HS256", "typ": "JWT", "kid": "first"})
    body = _part(claims(clinic.claim.org_id))
    mac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = base64.urlsafe_b64encode(_hmac(mac, f"{head}.{body}".encode(), pem)).decode().rstrip("=")
    assert await status(anybody, f"{head}.{body}.{signature}", clinic) == 401


def _part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _hmac(mac: jwt.algorithms.HMACAlgorithm, message: bytes, key: bytes) -> bytes:
    return mac.sign(message, key)


NO_TOKENS = [
    "",
    "Bearer",
    "Basic dTpw",
    "Bearer a b",
    "Bearer x.y.z",
    "Bearer ..",
    "Bearer " + "a" * 9000,
]


async def test_headers_that_hold_no_token(anybody: Client) -> None:
    for header in NO_TOKENS:
        response = await anybody.request("GET", "/slots", headers={"Authorization": header})
        assert response.status_code == 401, header


async def test_two_headers_are_none(
    anybody: Client, gateway: Gateway, client: Client, clinic: Clinic
) -> None:
    token = hs256(claims(clinic.claim.org_id))
    both = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    response = await gateway.http.get(gateway.url + "/api/v1/slots", headers=both)
    assert response.status_code == 401


async def test_nobody_without_a_token_can_tell_what_is_there(anybody: Client) -> None:
    for path in ["/slots", "/holds", f"/holds/{uuid4()}", "/nothing", "/holds/x/y/z", ""]:
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"]:
            response = await anybody.request(method, path)
            assert (response.status_code, kind(response)) == (401, "unauthenticated"), (method, path)


async def test_with_a_token_paths_and_methods_are_told(client: Client) -> None:
    missing = await client.get("/nothing")
    assert (missing.status_code, kind(missing)) == (404, "not-found")
    wrong = await client.request("PUT", "/holds")
    assert (wrong.status_code, kind(wrong), wrong.headers["allow"]) == (405, "method-not-allowed", "POST")


async def test_a_scope_is_needed_for_each_thing(anybody: Client, clinic: Clinic) -> None:
    reader = anybody.with_token(hs256(claims(clinic.claim.org_id, scope="slots:read")))
    refused = await reader.post("/holds", {"slot_id": str(uuid4())})
    assert (refused.status_code, kind(refused)) == (403, "scope-missing")
    assert 'error="insufficient_scope", scope="holds:write"' in refused.headers["www-authenticate"]
    nothing = anybody.with_token(hs256(claims(clinic.claim.org_id, scope=None)))
    assert (await nothing.get("/slots", service_id=clinic.service_ids[0])).status_code == 403


async def test_staff_tokens_live_until_they_are_revoked_replaced_or_expire(
    anybody: Client, clinic: Clinic, pool: asyncpg.Pool, owner: asyncpg.Connection
) -> None:
    async def issued(name: str, **more: Any) -> str:
        token = await staff.issue_token(pool, clinic.claim, name=name, scopes=["slots:read"], **more)
        return token.secret

    first = await issued("front desk")
    assert await status(anybody, first, clinic) == 200
    second = await issued("front desk")
    assert await status(anybody, first, clinic) == 401
    assert await status(anybody, second, clinic) == 200
    assert await staff.revoke_token(pool, clinic.claim, name="front desk")
    assert not await staff.revoke_token(pool, clinic.claim, name="front desk")
    assert await status(anybody, second, clinic) == 401
    assert await status(anybody, staff.PREFIX + "x" * 43, clinic) == 401

    lasting = await issued("kiosk", expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert await status(anybody, lasting, clinic) == 200
    (live,) = await staff.live_tokens(pool, clinic.claim)
    assert (live.name, live.scopes) == ("kiosk", ("slots:read",))
    await pass_by(owner, clinic, live)
    assert await status(anybody, lasting, clinic) == 401


async def pass_by(owner: asyncpg.Connection, clinic: Clinic, token: staff.StaffToken) -> None:
    """An hour more than the token's life goes by."""
    async with owner.transaction():
        await owner.execute("select app.arm($1)", claims_json(clinic.claim))
        await owner.execute(
            """
            update public.staff_tokens
            set created_at = created_at - interval '2 hours', expires_at = expires_at - interval '2 hours'
            where id = $1
            """,
            token.id,
        )
