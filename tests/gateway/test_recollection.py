"""What is remembered of a call that is being put through, for whom, for how long."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from gateway.call.recollection import Recollection, Recollections
from gateway.tools import CallBooking
from pipeline.ports import Message
from tests.booking.texting import Post
from tests.gateway.desk import booking_of

SAID = (Message("user", "Put me through."),)


@pytest.fixture
async def booking(post: Post) -> CallBooking:
    return await booking_of(post)


def of(booking: CallBooking, call_id: str) -> Recollection:
    return Recollection(SAID, replace(booking, carrier_call_id=call_id))


async def test_it_is_told_once_to_the_same_orgs_call(booking: CallBooking) -> None:
    kept, org_id = Recollections(), booking.claim.org_id
    kept.keep(of(booking, "CA1"))
    assert kept.take("CA1", uuid4()) is None
    assert kept.take("CA2", org_id) is None
    found = kept.take("CA1", org_id)
    assert found is not None
    assert found.history == SAID
    assert "Put me through" not in repr(found)
    assert kept.take("CA1", org_id) is None


async def test_the_oldest_goes_when_there_are_too_many(booking: CallBooking) -> None:
    kept = Recollections(most=2)
    for call_id in ("CA1", "CA2", "CA2", "CA3"):
        kept.keep(of(booking, call_id))
    assert len(kept) == 2
    assert kept.take("CA1", booking.claim.org_id) is None
    assert kept.take("CA2", booking.claim.org_id) is not None


async def test_words_do_not_stay_when_nobody_comes_back(booking: CallBooking) -> None:
    kept = Recollections(kept_s=0.02)
    kept.keep(of(booking, "CA1"))
    async with asyncio.timeout(20):
        while len(kept):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert kept.take("CA1", booking.claim.org_id) is None
