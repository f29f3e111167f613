"""Fixtures: the simulated vendors and a gateway that is connected to them."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.booking.texting import Post, post_office
from tests.conftest import Clinic, Stack
from tests.gateway import running


@pytest.fixture
async def vendors() -> AsyncIterator[running.Vendors]:
    async with running.vendors() as simulated:
        yield simulated


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors) -> AsyncIterator[running.Gateway]:
    environ = running.environment(stack, **vendors.environment(), MEDIA_START_S="0.5")
    async with running.gateway(environ) as served:
        yield served


@pytest.fixture
async def post(pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Post]:
    """The clinic's text messages, through a strict Twilio."""
    async with post_office(pool, clinic) as opened:
        yield opened
