"""What is masked in a call gets to its sealed rows, once, whatever the database does meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from structlog.testing import capture_logs

from booking.calls import open_call
from compliance.redaction import CallRedactor
from gateway.caller import Ends
from gateway.records import CallRecords
from tests.booking.patients import new_phone
from tests.booking.working import until
from tests.compliance.offices import Office
from tests.compliance.test_erasure import erase
from tests.conftest import Clinic, Stack


@pytest.fixture
def office(pool: asyncpg.Pool, clinic: Clinic) -> Office:
    return Office.of(pool, clinic)


def writer(office: Office, call_id: UUID, ends: Ends | None = None) -> CallRecords:
    return CallRecords(office.pool, office.claim, call_id, office.keys, ends or Ends(), again_s=0.02)


@asynccontextmanager
async def keeping(records: CallRecords) -> AsyncIterator[None]:
    """As during the call; at its end the task is cancelled wherever it is."""
    task = asyncio.create_task(records.keep())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def kept(office: Office) -> list[tuple[str, int | None, str]]:
    """Kind, turn and plain value of all that is kept."""
    found = []
    for kind, table in (("note", "clinical_notes"), ("value", "pii_vault")):
        for row in await office.rows(f"select id, turn from {table}"):
            opened = await office.read(kind, row["id"])  # type: ignore[arg-type]
            assert opened is not None
            ((label, value),) = opened.values.items()
            found.append((label, row["turn"], value))
    return sorted(found, key=str)


async def until_kept(office: Office, count: int) -> None:
    async def all_there() -> bool:
        return await office.count("clinical_notes") + await office.count("pii_vault") >= count

    await until(all_there)


async def test_both_sides_words_are_kept_with_their_turns(office: Office) -> None:
    records = writer(office, await office.call())
    redactor = CallRedactor(on_masked=records.masked)
    async with keeping(records):
        redactor.caller("I have glaucoma, write to jane@example.org.")
        records.caller_heard(1)
        assert "glaucoma" not in redactor.agent("So you have glaucoma.")
        await until_kept(office, 3)
        redactor.caller("And gout.")
        records.caller_heard(2)
        await until_kept(office, 4)
    assert await kept(office) == [
        ("email", 1, "jane@example.org"),
        ("medical", 1, "glaucoma"),
        ("medical", 1, "glaucoma"),
        ("medical", 2, "gout"),
    ]


async def test_both_ends_are_kept(office: Office) -> None:
    call_id, phone = await office.call(), new_phone()
    records = writer(office, call_id, Ends(phone, office.clinic.number))
    await records.flush()
    read = await office.read("call", call_id)
    assert read is not None
    assert read.values == {"caller": phone, "called": office.clinic.number}


async def test_a_call_in_which_nothing_was_masked_leaves_no_key(office: Office) -> None:
    await writer(office, await office.call()).flush()
    assert await office.count("contact_keys") == 0


async def test_values_wait_until_the_call_is_on_record(office: Office) -> None:
    call_id = uuid4()
    records = writer(office, call_id)
    async with keeping(records):
        records.masked("caller", "MEDICAL", "glaucoma")
        records.caller_heard(1)
        await asyncio.sleep(0.1)
        assert await kept(office) == []
        await open_call(
            office.pool, office.claim, call_id=call_id, carrier="twilio", carrier_call_id="CA1",
            started_at=datetime.now(UTC),
        )  # fmt: skip
        await until_kept(office, 1)
    assert records.unkept() == 0


async def test_what_is_left_is_written_at_the_end_also_words_of_no_turn(office: Office) -> None:
    call_id, contact_id = await office.call(), await office.contact()
    records = writer(office, call_id)
    records.masked("caller", "ADDRESS", "12 Quill Street")
    records.masked("caller", "CARD", "4111 1111 1111 1111")
    await office.hold_for(contact_id, call_id)
    await records.flush()
    assert records.unkept() == 0
    assert await kept(office) == [("card", None, "4111 1111 1111 1111")]
    contact = await office.read("contact", contact_id)
    assert contact is not None
    assert contact.values["address"] == "12 Quill Street"


async def test_killed_connections_lose_and_double_nothing(office: Office, stack: Stack) -> None:
    records = writer(office, await office.call())
    admin = await asyncpg.connect(stack.admin)
    try:
        async with keeping(records):
            for turn in range(1, 41):
                records.masked("caller", "MEDICAL", f"gout {turn}")
                records.caller_heard(turn)
                if turn % 4 == 0:
                    await admin.execute(
                        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'gw_app'"
                    )
                await asyncio.sleep(0.005)
            await until_kept(office, 40)
    finally:
        await admin.close()
    await records.flush()
    assert records.unkept() == 0
    assert sorted(await kept(office), key=lambda each: each[1] or 0) == [
        ("medical", turn, f"gout {turn}") for turn in range(1, 41)
    ]


async def test_what_cannot_be_kept_is_counted_and_never_told(office: Office) -> None:
    records = writer(office, uuid4())
    records.masked("caller", "PERSON", "Jane Quillfeather")
    with capture_logs() as logged:
        await records.flush()
        assert records.unkept() == 1
    assert [entry["event"] for entry in logged if entry["log_level"] == "error"] == ["values_unkept"]
    assert "Quillfeather" not in str(logged)


async def test_a_writer_goes_on_past_the_erasure_of_its_caller(office: Office) -> None:
    call_id, contact_id = await office.call(), await office.contact()
    records = writer(office, call_id)
    records.masked("agent", "MEDICAL", "gout")
    await office.hold_for(contact_id, call_id)
    await records.flush()
    await erase(office, contact_id)
    records.masked("agent", "MEDICAL", "glaucoma")
    await records.flush()
    assert records.unkept() == 0
    assert await kept(office) == []
