"""The identity provider's keys: rotation, an outage, keys that must not be used."""

import base64
from collections.abc import AsyncIterator

import aiohttp
import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.api.jwks import MAX_BYTES, Jwks, KeyLives, usable_keys
from gateway.errors import KeysUnavailable
from tests.conftest import Clinic
from tests.gateway.api.client import Client, IdentityProvider, claims, kind

LIVES = KeyLives(fetch_s=5.0, fresh_s=600.0, stale_s=3600.0, retry_s=5.0)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def now_s(self) -> float:
        return self.at_s


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(provider: IdentityProvider, clock: Clock) -> AsyncIterator[Jwks]:
    async with aiohttp.ClientSession() as http:
        yield Jwks(provider.url, http, clock, LIVES)


async def test_keys_are_fetched_once_and_anew_when_they_are_old(
    keys: Jwks, provider: IdentityProvider, clock: Clock
) -> None:
    assert await keys.key("first") is not None
    assert await keys.key("first") is not None
    assert provider.asked == 1
    clock.at_s += LIVES.fresh_s + 1
    assert await keys.key("first") is not None
    assert provider.asked == 2


async def test_a_token_without_a_key_id_means_the_only_key(keys: Jwks, provider: IdentityProvider) -> None:
    assert await keys.key(None) is not None
    provider.add("second")


async def test_two_keys_and_no_key_id_mean_none(keys: Jwks, provider: IdentityProvider) -> None:
    provider.add("second")
    assert await keys.key(None) is None


async def test_a_new_key_is_found_at_once_a_forged_id_makes_no_flood(
    keys: Jwks, provider: IdentityProvider, clock: Clock
) -> None:
    await keys.key("first")
    clock.at_s += LIVES.retry_s
    provider.add("second")
    assert await keys.key("second") is not None
    for n in range(20):
        assert await keys.key(f"forged-{n}") is None
    assert provider.asked == 2


async def test_a_key_that_was_withdrawn_ends_with_the_next_look(
    keys: Jwks, provider: IdentityProvider, clock: Clock
) -> None:
    await keys.key("first")
    provider.add("second")
    del provider.keys["first"]
    clock.at_s += LIVES.fresh_s + 1
    assert await keys.key("first") is None


async def test_an_outage_is_bridged_for_a_while(keys: Jwks, provider: IdentityProvider, clock: Clock) -> None:
    await keys.key("first")
    provider.status = 503
    clock.at_s += LIVES.fresh_s + 1
    assert await keys.key("first") is not None
    clock.at_s += LIVES.stale_s
    with pytest.raises(KeysUnavailable):
        await keys.key("first")
    provider.status = 200
    clock.at_s += LIVES.retry_s
    assert await keys.key("first") is not None


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_no_keys_at_all(keys: Jwks, provider: IdentityProvider, status: int) -> None:
    provider.status = status
    with pytest.raises(KeysUnavailable):
        await keys.key("first")


async def test_what_is_too_large_or_no_set_is_no_set(keys: Jwks, provider: IdentityProvider) -> None:
    provider.extra = ["x" * MAX_BYTES]
    with pytest.raises(KeysUnavailable):
        await keys.key("first")


def test_only_rs256_keys_of_2048_bits_are_used() -> None:
    def rsa_key(bits: int = 2048, **more: str) -> dict[str, str]:
        public = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
        return dict(RSAAlgorithm.to_jwk(public, as_dict=True)) | more

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    listed = [
        rsa_key(kid="plain"),
        rsa_key(kid="said", alg="RS256", use="sig"),
        rsa_key(kid="short", bits=1024),
        rsa_key(kid="other algorithm", alg="RS512"),
        rsa_key(kid="for encryption", use="enc"),
        dict(RSAAlgorithm.to_jwk(private, as_dict=True)) | {"kid": "private"},
        dict(ECAlgorithm.to_jwk(curve, as_dict=True)) | {"kid": "curve"},
        {"kty": "oct", "kid": "shared", "k": base64.urlsafe_b64encode(b"s" * 32).decode()},
        {"kty": "RSA", "kid": "broken", "n": "?", "e": "AQAB"},
        {"kty": "RSA", "kid": "empty"},
        7,
        None,
    ]
    assert set(usable_keys(msgspec.json.encode({"keys": listed}))) == {"plain", "said"}


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"keys": []}', b'{"keys": {}}', b'{"keys": [{}]}', b"\xff"]
)
def test_what_is_no_set_raises(text: bytes) -> None:
    with pytest.raises((ValueError, msgspec.DecodeError)):
        usable_keys(text)


async def test_without_keys_a_signed_token_is_told_to_come_again(
    anybody: Client, clinic: Clinic, provider: IdentityProvider
) -> None:
    provider.status = 500
    token = provider.sign(claims(clinic.claim.org_id), "first")
    refused = await anybody.with_token(token).get("/slots", service_id=clinic.service_ids[0])
    assert (refused.status_code, kind(refused), refused.headers["retry-after"]) == (503, "unavailable", "1")
    provider.status = 200
    answered = await anybody.with_token(token).get("/slots", service_id=clinic.service_ids[0])
    assert answered.status_code == 200


async def test_a_key_id_decides_which_key(
    anybody: Client, clinic: Clinic, provider: IdentityProvider
) -> None:
    provider.add("second")
    content = claims(clinic.claim.org_id)
    for named, status in [("second", 200), ("first", 401), ("unheard-of", 401), (None, 401)]:
        token = provider.sign(content, "second", named=named)
        response = await anybody.with_token(token).get("/slots", service_id=clinic.service_ids[0])
        assert response.status_code == status, named
    assert jwt.get_unverified_header(token)["alg"] == "RS256"
