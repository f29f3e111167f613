"""Fixtures: a gateway that Vapi's webhooks come to, and a clinic that is set up there."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.vapi.calling import ENVIRONMENT, CallAtVapi, set_up


@pytest.fixture
async def twilio(clinic: Clinic) -> AsyncIterator[TwilioApiSimulator]:
    """Sends text messages from the clinic's number."""
    async with TwilioApiSimulator(account_sid=running.ACCOUNT, auth_token=running.AUTH_TOKEN) as simulator:
        simulator.messages.senders.add(clinic.number)
        yield simulator


@pytest.fixture
def environ(stack: Stack, twilio: TwilioApiSimulator) -> dict[str, str]:
    return running.environment(stack, TWILIO_API_URL=twilio.url, **ENVIRONMENT)


@pytest.fixture
async def gateway(environ: dict[str, str]) -> AsyncIterator[running.Gateway]:
    async with running.gateway(environ) as served:
        yield served


@pytest.fixture
async def call(pool: asyncpg.Pool, clinic: Clinic) -> CallAtVapi:
    await set_up(pool, clinic)
    return CallAtVapi(clinic)
