"""From a call to the store and back: what lies there, when, and for whom it opens."""

import asyncio
import hashlib
from dataclasses import replace
from uuid import uuid4

import asyncpg
import numpy as np
import pytest

from booking.db import open_pool
from compliance.consent import SpokenConsent, note_call_consent
from compliance.erasure import erase_contact
from compliance.errors import ReadingRefused, SealBroken, ValueErased
from compliance.export import export_contact
from compliance.reading import Actor, Reader
from compliance.retention import clear_batch
from gateway.errors import RecordingGone, RecordingStoreAway
from gateway.recording.store import open_bucket
from gateway.recording.upkeep import due_recordings
from gateway.recording.wav import header
from tests.compliance.offices import CLERK, CLINICIAN
from tests.conftest import Stack
from tests.gateway.recording.stores import ObjectStore
from tests.gateway.recording.studios import FRAME, Room

SECONDS = 50 * FRAME
CALLER = np.random.default_rng(1).integers(0, 128, 3 * SECONDS, np.uint8).tobytes()
AGENT = np.random.default_rng(2).integers(128, 255, 3 * SECONDS, np.uint8).tobytes()
STAFF = Reader(Actor("token", uuid4()), "staff", "booking")


def both(caller: bytes, agent: bytes) -> bytes:
    return np.column_stack([np.frombuffer(each, np.uint8) for each in (caller, agent)]).tobytes()


async def test_a_call_is_recorded_sealed_and_heard_again(room: Room, object_store: ObjectStore) -> None:
    row = await room.recorded(CALLER, AGENT)
    assert (row["state"], row["duration_ms"], room.counted("stored")) == ("stored", 3000, 1.0)
    objects = object_store.objects(row["id"])
    contents = [path.read_bytes() for path in objects]
    assert [path.name for path in objects] == [f"{number:05d}" for number in range(1, row["parts"] + 1)]
    assert row["parts"] > 1, "it came in one piece, at the end"
    assert hashlib.sha256(b"".join(contents)).digest() == row["sha256"]
    assert sum(map(len, contents)) == row["bytes"]
    sound = both(CALLER, AGENT)
    clear = {sound[:64], sound[-64:], CALLER[:64], AGENT[-64:]}
    assert not [
        path for path, content in zip(objects, contents, strict=True) if any(x in content for x in clear)
    ]
    assert await room.file(row["id"]) == header(len(sound)) + sound
    assert [action for action, _ in await room.office.audited()] == ["sound_recording_on", "read_for_care"]


async def test_a_part_opens_in_its_own_place_alone(room: Room, object_store: ObjectStore) -> None:
    row = await room.recorded(CALLER, AGENT)
    first, second, *_ = object_store.objects(row["id"])
    was, bucket = first.read_bytes(), room.studio.store
    for wrong in (second.read_bytes(), was[:-1] + bytes([was[-1] ^ 1])):
        await bucket.put(f"{row['place']}/00001", wrong)
        with pytest.raises(SealBroken):
            await room.file(row["id"])
    assert await bucket.remove_all(row["place"]) == row["parts"]
    with pytest.raises(RecordingGone):
        await room.file(row["id"])


async def test_staff_and_auditors_hear_nothing_and_other_clinics_see_nothing(
    room: Room, object_store: ObjectStore, other_clinic: object
) -> None:
    row = await room.recorded(CALLER, AGENT)
    for reader in (STAFF, replace(CLINICIAN, role="auditor"), replace(CLINICIAN, purpose="booking")):
        with pytest.raises(ReadingRefused):
            await room.heard(row["id"], reader)
    foreign = Room(replace(room.office, clinic=other_clinic), room.settings)  # type: ignore[arg-type]
    assert await foreign.heard(row["id"]) is None
    assert await foreign.rows() == []


async def test_a_refusal_in_mid_call_ends_it_and_what_was_stored_is_deleted(
    room: Room, object_store: ObjectStore, stack: Stack
) -> None:
    """The caller agrees once more, later: that is a recording of its own."""
    call_id = await room.office.call()
    consent = room.consent(call_id, "asked")
    async with room.recorders() as recorders:
        recorder = recorders.recorder(room.office.claim, call_id, consent)
        await room.talk(recorder, CALLER, AGENT)
        assert await room.rows() == [], "nobody has agreed yet"
        consent.agent_said("May I record this call?")
        consent.caller_said("Yes, you can record.")
        await room.talk(recorder, CALLER * 2, AGENT * 2)
        row = await room.until_stored(1)
        assert object_store.objects(row["id"])
        consent.caller_said("Please don't record this call.")
        await room.talk(recorder, CALLER, AGENT)
        await consent.noted()
        consent.caller_said("Okay, you can record.")
        await room.talk(recorder, AGENT, CALLER)
        recorder.end()
    first, second = await room.rows()
    assert (first["id"], first["state"], second["state"]) == (row["id"], "deleting", "stored")
    assert (await room.file(second["id"])).endswith(both(AGENT, CALLER))
    await gone(room, row, object_store, stack)
    assert object_store.objects(second["id"])


async def gone(room: Room, row: asyncpg.Record, object_store: ObjectStore, stack: Stack) -> None:
    """The job: enqueued in the transaction that said so; it counts as done once nothing can come any more."""
    payload = room.office.org_id.bytes + row["id"].bytes
    admin = await asyncpg.connect(stack.admin)
    try:
        queued = "select count(*) from jobs.pgqueuer where payload = $1 and entrypoint = 'recording'"
        assert await admin.fetchval(queued, payload) == 1
        for aged, state in (("0 s", "deleting"), ("1 day", "deleted")):
            await admin.execute(
                "update recordings set deleting_at = deleting_at - $2::text::interval where id = $1",
                row["id"],
                aged,
            )
            await room.upkeep().go_on(room.office.claim, row["id"])
            assert object_store.objects(row["id"]) == []
            (now,) = [each for each in await room.rows() if each["id"] == row["id"]]
            assert now["state"] == state
        assert (now["sha256"], now["next_at"], now["deleted_at"] is None) == (None, None, False)
    finally:
        await admin.close()


@pytest.mark.parametrize("recording", ["kept", "off"])
async def test_no_sound_is_kept_of_whoever_does_not_know_of_it(room: Room, recording: str) -> None:
    call_id = await room.office.call()
    consent = room.consent(call_id, recording)  # type: ignore[arg-type]
    async with room.recorders() as recorders:
        recorder = recorders.recorder(room.office.claim, call_id, consent)
        await room.talk(recorder, CALLER, AGENT)
        recorder.end()
    assert await room.rows() == []


async def test_no_sound_is_kept_where_the_clinic_records_none(room: Room, object_store: ObjectStore) -> None:
    await room.records_sound(False)
    before = object_store.objects()
    call_id = await room.office.call()
    async with room.recorders() as recorders:
        recorder = recorders.recorder(room.office.claim, call_id, room.consent(call_id))
        await room.talk(recorder, CALLER, AGENT)
        recorder.end()
    assert (await room.rows(), object_store.objects()) == ([], before)


async def test_a_store_that_refuses_or_is_away_or_does_not_answer_says_so(object_store: ObjectStore) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(deaf, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    try:
        for changed in (
            {"secret_access_key": "another"},
            {"endpoint": "http://127.0.0.1:9"},
            {"endpoint": address, "put_s": 0.3},
            {"bucket": "no-such-bucket"},
        ):
            bucket = open_bucket(object_store.with_(**changed))
            with pytest.raises(RecordingStoreAway) as told:
                await bucket.put("somewhere", b"sound")
            assert "127.0.0.1" not in str(told.value)
    finally:
        silent.close()
        await silent.wait_closed()


async def test_a_store_that_is_away_never_holds_the_call_and_what_there_is_stays(
    room: Room, object_store: ObjectStore
) -> None:
    """It takes the first parts; then it is gone, for longer than memory may hold."""
    room.settings = object_store.with_(buffer_s=4.0, finish_s=0.0)
    call_id = await room.office.call()
    recorders = room.recorders()
    async with recorders:
        recorder = recorders.recorder(room.office.claim, call_id, room.consent(call_id))
        await room.talk(recorder, CALLER, AGENT)
        row = await room.until_stored(1)
        object.__setattr__(
            recorders._studio, "store", open_bucket(object_store.with_(endpoint="http://127.0.0.1:9"))
        )
        await room.talk(recorder, CALLER * 4, AGENT * 4)
        recorder.end()
        room.clock.at_s += 1
    (row,) = await room.rows()
    assert (row["state"], room.counted("incomplete")) == ("incomplete", 1.0)
    assert 0 < row["duration_ms"] < 15_000
    assert both(CALLER, AGENT).startswith((await room.file(row["id"]))[len(header(0)) :][: FRAME * 2])


async def test_what_a_crash_leaves_is_settled_and_stays_to_be_heard(
    room: Room, object_store: ObjectStore, stack: Stack
) -> None:
    call_id = await room.office.call()
    async with room.recorders(close_s=0.0) as recorders:
        recorder = recorders.recorder(room.office.claim, call_id, room.consent(call_id))
        await room.talk(recorder, CALLER, AGENT)
        row = await room.until_stored(1)
    assert (await room.rows())[0]["state"] == "recording"
    async with await open_pool(stack.postgres.worker, max_size=1) as worker_pool:
        await room.upkeep().go_on(room.office.claim, row["id"])
        assert (await room.rows())[0]["state"] == "recording", "somebody records it"
        assert (room.office.claim, row["id"]) not in await due_recordings(worker_pool)
        await room.office.rows("update recordings set next_at = now() - interval '1 s' returning id")
        assert (room.office.claim, row["id"]) in await due_recordings(worker_pool)
    await room.upkeep().go_on(room.office.claim, row["id"])
    (row,) = await room.rows()
    assert (row["state"], row["next_at"]) == ("incomplete", None)
    assert len(await room.file(row["id"])) > len(header(0)) + FRAME


async def test_whoever_is_erased_takes_it_along(room: Room, object_store: ObjectStore, stack: Stack) -> None:
    office = room.office
    row = await room.recorded(CALLER, AGENT)
    contact_id = await office.contact()
    await office.hold_for(contact_id, row["call_id"])
    await office.settle(row["call_id"])
    async with office.armed() as connection:
        exported = await export_contact(connection, office.keys, office.org_id, CLERK, contact_id=contact_id)
        assert exported is not None
        (listed,) = exported.document["recordings"]
        assert (listed["id"], listed["state"], listed["duration_ms"]) == (row["id"], "stored", 3000)
        assert await erase_contact(connection, office.keys, office.org_id, CLERK, contact_id=contact_id)
    with pytest.raises(ValueErased):
        await room.file(row["id"])
    await gone(room, row, object_store, stack)


async def test_its_time_comes_and_its_key_stays_as_long_as_it_lies_there(
    room: Room, object_store: ObjectStore, stack: Stack
) -> None:
    office = room.office
    row = await room.recorded(CALLER, AGENT)
    await office.end(row["call_id"])
    await age(stack, row, "89 days", keys="400 days")
    async with office.armed() as connection:
        assert (await clear_batch(connection, office.keys, office.org_id)).recordings == 0
    assert (await room.file(row["id"])).endswith(both(CALLER, AGENT))
    await age(stack, row, "1 day")
    async with office.armed() as connection:
        assert (await clear_batch(connection, office.keys, office.org_id)).recordings == 1
    await gone(room, row, object_store, stack)
    async with office.armed() as connection:
        assert (await clear_batch(connection, office.keys, office.org_id)).keys == 1


async def age(stack: Stack, row: asyncpg.Record, by: str, keys: str = "0 s") -> None:
    admin = await asyncpg.connect(stack.admin)
    try:
        older = "update recordings set started_at = started_at - $2::text::interval where id = $1"
        await admin.execute(older, row["id"], by)
        older = "update contact_keys set made_at = made_at - $2::text::interval where id = $1"
        await admin.execute(older, row["key_id"], keys)
    finally:
        await admin.close()


async def test_a_refusal_noted_elsewhere_ends_it_too(room: Room, object_store: ObjectStore) -> None:
    """As by a process that has the call no more: the row says so, and the writer sees it."""
    call_id = await room.office.call()
    async with room.recorders() as recorders:
        recorder = recorders.recorder(room.office.claim, call_id, room.consent(call_id))
        await room.talk(recorder, CALLER, AGENT)
        row = await room.until_stored(1)
        async with room.office.armed() as connection:
            await note_call_consent(connection, room.office.org_id, call_id, SpokenConsent(False))
        await room.talk(recorder, CALLER, AGENT)
        recorder.end()
    assert (await room.rows())[0]["state"] == "deleting"
    assert room.counted("discarded") == 1.0
    await room.upkeep().go_on(room.office.claim, row["id"])
    assert object_store.objects(row["id"]) == []


async def test_whoever_was_given_up_too_early_takes_nothing_away(
    room: Room, object_store: ObjectStore
) -> None:
    call_id = await room.office.call()
    async with room.recorders() as recorders:
        recorder = recorders.recorder(room.office.claim, call_id, room.consent(call_id))
        await room.talk(recorder, CALLER, AGENT)
        row = await room.until_stored(1)
        for _ in range(100):  # a part that was under way renews the lease
            late = "update recordings set next_at = now() - interval '1 s' where state = 'recording'"
            if not await room.office.rows(f"{late} returning id"):
                break
            await room.upkeep().go_on(room.office.claim, row["id"])
        await room.talk(recorder, CALLER, AGENT)
        recorder.end()
    (row,) = await room.rows()
    assert row["state"] == "incomplete"
    assert len(object_store.objects(row["id"])) >= row["parts"]
    assert len(await room.file(row["id"])) > len(header(0)) + FRAME
