"""`room`: a clinic that records the sound of its calls."""

import asyncpg
import pytest

from tests.compliance.offices import Office
from tests.conftest import Clinic
from tests.gateway.recording.stores import ObjectStore, object_store
from tests.gateway.recording.studios import Room

__all__ = ["object_store"]


@pytest.fixture
async def room(pool: asyncpg.Pool, clinic: Clinic, object_store: ObjectStore) -> Room:
    made = Room(Office.of(pool, clinic), object_store.settings)
    await made.records_sound()
    return made
