"""Media tokens while the master key changes: replicas sign under either."""

import time
from uuid import uuid4

import pytest

from gateway.admission import Admission
from gateway.errors import TokenRefused
from tests.conftest import Stack
from tests.gateway.running import shared_store

OLD, NEW = bytes(32), bytes(range(32))


async def test_a_token_under_either_key_is_taken_once_by_who_has_both(stack: Stack) -> None:
    async with shared_store(stack) as store:

        def replica(key: bytes, *older: bytes) -> Admission:
            return Admission(key, store, life_s=60, now_s=time.time, older=older)

        for issuer in (replica(OLD, NEW), replica(NEW, OLD)):
            token = issuer.issue("CA1", uuid4())
            taker = replica(NEW, OLD)
            assert (await taker.take(token, "CA1")).call_id == "CA1"
            with pytest.raises(TokenRefused):
                await taker.take(token, "CA1")


async def test_a_token_under_a_key_that_was_taken_away_is_forged(stack: Stack) -> None:
    async with shared_store(stack) as store:
        token = Admission(OLD, store, life_s=60, now_s=time.time).issue("CA1", uuid4())
        with pytest.raises(TokenRefused, match="forged"):
            await Admission(NEW, store, life_s=60, now_s=time.time).take(token, "CA1")
