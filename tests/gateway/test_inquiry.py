"""What a call is noted to be about, as its caller goes on talking."""

from uuid import UUID

import asyncpg
import pytest

from booking.types import Service
from gateway.inquiry import Inquiry
from tests.booking.following import Following, following
from tests.conftest import Clinic


async def noted(calls: Following, call_id: UUID) -> UUID | None:
    service_id: UUID | None = (await calls.row(call_id))["service_id"]
    return service_id


@pytest.mark.parametrize("correction", ["No, rhinoplasty please.", "no. Not filler, a nose job"])
async def test_a_correction_takes_the_place_of_what_was_asked_before(
    pool: asyncpg.Pool, clinic: Clinic, correction: str
) -> None:
    filler, nose = clinic.service_ids[1], clinic.service_ids[0]
    services = (
        Service(nose, "Rhinoplasty consultation", ("nose job",), 30),
        Service(filler, "Dermal filler", ("filler",), 30),
    )
    async with following(pool, clinic) as calls:
        call_id = await calls.begun()
        inquiry = Inquiry(pool, clinic.claim, call_id, services)
        inquiry.heard("I'd like to ask about dermal filler")
        await inquiry.flush()
        assert await noted(calls, call_id) == filler
        inquiry.heard(correction)
        await inquiry.flush()
        assert await noted(calls, call_id) == nose
        inquiry.heard("No, not the filler.")
        await inquiry.flush()
        assert await noted(calls, call_id) == nose
