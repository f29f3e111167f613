"""A front desk over the real server."""

import asyncpg
import pytest

from tests.booking.patients import Desk, make_sealer
from tests.conftest import Clinic


@pytest.fixture
async def desk(pool: asyncpg.Pool, clinic: Clinic) -> Desk:
    return Desk(pool, clinic, make_sealer())


@pytest.fixture
async def other_desk(pool: asyncpg.Pool, other_clinic: Clinic) -> Desk:
    return Desk(pool, other_clinic, make_sealer())
