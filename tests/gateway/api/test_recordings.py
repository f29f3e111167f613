"""Recordings over the API: the switch, which there are, hearing one, and who may not."""

import io
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import httpx
import numpy as np
import pytest
import soundfile

from booking.db import org_transaction
from compliance.recordings import discard_recording
from gateway.sealing import VaultSealer
from pipeline.audio.mulaw import DECODED
from tests.compliance.offices import Office
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.api.client import AUDIENCE, ISSUER, SECRET, Client, kind
from tests.gateway.api.test_compliance import actions, as_role
from tests.gateway.recording.stores import ObjectStore, object_store
from tests.gateway.recording.studios import FRAME, Room

__all__ = ["object_store"]

CALLER = np.random.default_rng(3).integers(0, 255, 150 * FRAME, np.uint8).tobytes()
AGENT = np.random.default_rng(4).integers(0, 255, 150 * FRAME, np.uint8).tobytes()


@pytest.fixture
async def gateway(stack: Stack, object_store: ObjectStore) -> AsyncIterator[running.Gateway]:
    """One that has a store."""
    tokens = {"API_JWT_ISSUER": ISSUER, "API_JWT_AUDIENCE": AUDIENCE, "API_JWT_SECRET": SECRET}
    async with running.gateway(running.environment(stack, **tokens | object_store.environment())) as served:
        yield served


@pytest.fixture
async def room(
    gateway: running.Gateway, pool: asyncpg.Pool, clinic: Clinic, object_store: ObjectStore
) -> Room:
    """The clinic's side, under the keys of the gateway that serves."""
    return Room(Office(pool, clinic, VaultSealer(gateway.edge.desk.vault).keys), object_store.settings)


def of_orgs(clinic: Clinic) -> str:
    return f"/orgs/{clinic.claim.org_id}/sound-recording"


async def test_the_clinic_switches_it_on_and_hears_what_is_recorded_on_record(
    client: Client, anybody: Client, clinic: Clinic, room: Room, pool: asyncpg.Pool
) -> None:
    assert (await client.get(of_orgs(clinic))).json() == {"records": False}
    for _ in range(2):
        assert (await client.put(of_orgs(clinic), {"records": True})).json() == {"records": True}
    row = await room.recorded(CALLER, AGENT)
    (listed,) = (await client.get("/recordings", call_id=row["call_id"])).json()["items"]
    assert listed | {"started_at": "", "ended_at": ""} == {
        "id": str(row["id"]),
        "call_id": str(row["call_id"]),
        "state": "stored",
        "started_at": "",
        "ended_at": "",
        "duration_ms": 3000,
        "sealed_bytes": row["bytes"],
        "sha256": row["sha256"].hex(),
        "deleted_at": None,
    }
    clinician = as_role(anybody, clinic, "clinician")
    answer = await clinician.get(f"/recordings/{row['id']}/audio", purpose="care")
    assert answer.headers["content-length"] == str(len(answer.content))
    samples, rate_hz = soundfile.read(io.BytesIO(answer.content), dtype="int16")
    assert rate_hz == 8000
    for side, sound in enumerate((CALLER, AGENT)):
        assert np.array_equal(samples[:, side], DECODED[np.frombuffer(sound, np.uint8)])
    assert [each for each in await actions(pool, clinic) if each[1] in ("org", "recording")] == [
        ("read_for_care", "recording", row["id"]),
        ("sound_recording_on", "org", clinic.claim.org_id),
    ]


async def test_who_may_not_hear_it_is_refused_and_that_is_on_record(
    anybody: Client, client: Client, other_client: Client, clinic: Clinic, room: Room, pool: asyncpg.Pool
) -> None:
    await room.records_sound()
    row = await room.recorded(CALLER, AGENT)
    place = f"/recordings/{row['id']}/audio"
    for role, purpose in (("staff", "booking"), ("staff", "complaint"), ("clinician", "booking")):
        answer = await as_role(anybody, clinic, role).get(place, purpose=purpose)
        assert (answer.status_code, kind(answer)) == (403, "reading-refused")
    auditor = await as_role(anybody, clinic, "auditor").get(place, purpose="legal")
    assert (auditor.status_code, kind(auditor)) == (403, "scope-missing")
    assert kind(await other_client.get(place, purpose="care")) == "foreign"
    assert kind(await other_client.get("/recordings", call_id=row["call_id"])) == "foreign"
    assert (await other_client.get("/recordings")).json() == {"items": []}
    assert kind(await client.get(f"/recordings/{uuid4()}/audio", purpose="care")) == "not-found"
    assert (await client.get(place)).status_code == 422
    told = [each[0] for each in await actions(pool, clinic)]
    assert (told.count("read_refused"), [each for each in told if each.startswith("read_for")]) == (3, [])


async def test_what_cannot_be_heard_says_why(
    client: Client, clinic: Clinic, room: Room, object_store: ObjectStore
) -> None:
    await room.records_sound()
    row = await room.recorded(CALLER, AGENT)
    place = f"/recordings/{row['id']}/audio"
    first, second = object_store.objects(row["id"])
    bucket = room.studio.store
    await bucket.put(f"{row['place']}/{second.name}", first.read_bytes())
    with pytest.raises(
        httpx.RemoteProtocolError
    ):  # it had begun: the length that was announced does not come
        await client.get(place, purpose="care")
    await bucket.remove_all(row["place"])
    gone = await client.get(place, purpose="care")
    assert (gone.status_code, kind(gone)) == (500, "unreadable")
    await room.office.rows(
        "update recordings set state = 'recording', next_at = now() + '1 h'::interval returning id"
    )
    assert kind(await client.get(place, purpose="care")) == "conflict"
    async with org_transaction(room.office.pool, clinic.claim) as connection:
        await discard_recording(connection, clinic.claim.org_id, row["id"])
    erased = await client.get(place, purpose="care")
    assert (erased.status_code, kind(erased)) == (410, "erased")
