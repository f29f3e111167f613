"""The record of a call."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from booking import calls
from booking.db import org_transaction
from booking.errors import CallUnknown
from booking.types import CallTurn, Said
from tests.conftest import Clinic

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)


async def test_a_call_is_opened_once_and_its_first_end_stands(pool: asyncpg.Pool, clinic: Clinic) -> None:
    call = uuid4()
    for opened in (True, False):
        assert opened is await calls.open_call(
            pool, clinic.claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=NOW
        )
    for reason in ("goodbye", "fault"):
        await calls.close_call(pool, clinic.claim, call_id=call, end_reason=reason, ended_at=NOW)
    async with org_transaction(pool, clinic.claim) as connection:
        row = await connection.fetchrow("select * from calls")
    assert (row["id"], row["carrier_call_id"], row["started_at"]) == (call, "CA1", NOW)
    assert (row["ended_at"], row["end_reason"]) == (NOW, "goodbye")


async def test_a_turn_is_kept_and_replaces_itself(pool: asyncpg.Pool, clinic: Clinic) -> None:
    call = uuid4()
    await calls.open_call(
        pool, clinic.claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=NOW
    )
    for heard in ("I would", "I would like [REDACTED: MEDICAL]"):
        turn = CallTurn(
            turn=1,
            said=(Said("caller", heard), Said("agent", "Of course.", "reply")),
            outcome="answered",
            stages_s={"speech_end": 1.0, "first_audio_sent": 1.25},
            ttfb_ms=250.0,
            overhead_ms=4.5,
            speculated="thrown",
            wasted_tokens=812,
            wasted_characters=19,
        )
        await calls.store_turn(pool, clinic.claim, call_id=call, turn=turn)
    async with org_transaction(pool, clinic.claim) as connection:
        (row,) = await connection.fetch("select * from call_turns")
    assert json.loads(row["said"]) == [
        {"speaker": "caller", "text": "I would like [REDACTED: MEDICAL]", "kind": None},
        {"speaker": "agent", "text": "Of course.", "kind": "reply"},
    ]
    assert json.loads(row["stages_s"]) == {"speech_end": 1.0, "first_audio_sent": 1.25}
    assert (row["ttfb_ms"], row["overhead_ms"], row["outcome"]) == (250.0, 4.5, "answered")
    assert (row["speculated"], row["wasted_tokens"], row["wasted_characters"]) == ("thrown", 812, 19)


async def test_a_turn_of_an_unknown_or_foreign_call_is_refused(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    call = uuid4()
    await calls.open_call(
        pool, other_clinic.claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=NOW
    )
    for unknown in (call, uuid4()):
        with pytest.raises(CallUnknown):
            await calls.store_turn(
                pool, clinic.claim, call_id=unknown, turn=CallTurn(turn=1, said=(), outcome="silent")
            )


async def test_another_org_cannot_end_a_call(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    call = uuid4()
    await calls.open_call(
        pool, clinic.claim, call_id=call, carrier="twilio", carrier_call_id="CA1", started_at=NOW
    )
    await calls.close_call(pool, other_clinic.claim, call_id=call, end_reason="goodbye", ended_at=NOW)
    async with org_transaction(pool, clinic.claim) as connection:
        assert await connection.fetchval("select ended_at from calls") is None
