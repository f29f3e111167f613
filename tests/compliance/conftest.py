"""Two clinics with master keys of their own."""

import asyncpg
import pytest

from tests.compliance.offices import Office
from tests.conftest import Clinic


@pytest.fixture
def office(pool: asyncpg.Pool, clinic: Clinic) -> Office:
    return Office.of(pool, clinic)


@pytest.fixture
def other_office(pool: asyncpg.Pool, other_clinic: Clinic) -> Office:
    return Office.of(pool, other_clinic)
