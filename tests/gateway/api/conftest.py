"""Fixtures: a running gateway with an identity provider, and a clinic's system that may do everything."""

from collections.abc import AsyncIterator

import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.api.client import AUDIENCE, ISSUER, SECRET, Client, IdentityProvider, claims, hs256
from tests.gateway.api.client import identity_provider as serve_identity_provider


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with serve_identity_provider() as served:
        served.add("first")
        yield served


@pytest.fixture
async def twilio(clinic: Clinic) -> AsyncIterator[TwilioApiSimulator]:
    """Sends text messages from the clinic's number."""
    async with TwilioApiSimulator(account_sid=running.ACCOUNT, auth_token=running.AUTH_TOKEN) as simulator:
        simulator.messages.senders.add(clinic.number)
        yield simulator


@pytest.fixture
async def gateway(
    stack: Stack, provider: IdentityProvider, twilio: TwilioApiSimulator
) -> AsyncIterator[running.Gateway]:
    environ = running.environment(
        stack,
        API_JWT_ISSUER=ISSUER,
        API_JWT_AUDIENCE=AUDIENCE,
        API_JWT_SECRET=SECRET,
        API_JWKS_URL=provider.url,
        TWILIO_API_URL=twilio.url,
        JWKS_RETRY_S="0.001",
        JWKS_FETCH_S="2",
        API_BODY_S="1",
    )
    async with running.gateway(environ) as served:
        yield served


@pytest.fixture
async def anybody(gateway: running.Gateway) -> Client:
    """Without a token."""
    document = (await gateway.http.get(gateway.url + "/api/openapi.json")).json()
    return Client(gateway, document, None)


@pytest.fixture
async def client(anybody: Client, clinic: Clinic) -> Client:
    """The clinic's own, with all scopes."""
    return anybody.with_token(hs256(claims(clinic.claim.org_id)))


@pytest.fixture
async def other_client(anybody: Client, other_clinic: Clinic) -> Client:
    return anybody.with_token(hs256(claims(other_clinic.claim.org_id)))
