"""A whole call that is recorded: what the carrier sent and played, and nothing of it in the clear."""

import asyncio
import io
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import asyncpg
import numpy as np
import soundfile

from bench.carrier import CallRecord, Carrier
from bench.carrier.record import is_audible
from booking.db import fetch
from compliance.vault import MasterKey
from gateway.placed_address import PlacedAddresses
from pipeline.audio.mulaw import DECODED
from tests.booking.following import mobile
from tests.calls.conftest import Calling
from tests.calls.rig import Rig, say
from tests.calls.test_canaries import dumped, logged, shown
from tests.compliance.offices import Office
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.calls_placed import asked, ruled
from tests.gateway.recording.stores import ObjectStore, object_store
from tests.gateway.recording.studios import Room

__all__ = ["logged", "object_store"]

FRAME = 160
LONG = "Certainly. " + " ".join(f"Sentence number {n} of a long answer." for n in range(1, 11))
LINES = ["Tell me about the clinic.", "Sorry, I have to stop you there."]
UNLIKE_MS = 700
"""Between our clock and the carrier's, at the cut that an interruption makes; machines may be busy."""


async def test_what_the_carrier_sent_and_played_is_recorded_and_nothing_lies_in_the_clear(
    calling: Calling,
    clinic: Clinic,
    pool: asyncpg.Pool,
    stack: Stack,
    object_store: ObjectStore,
    logged: io.StringIO,
) -> None:
    room = Room(Office.of(pool, clinic, MasterKey(bytes(range(32)))), object_store.settings)
    await room.records_sound()
    await room.office.rows("update organizations set recording = 'announced' returning org_id")
    environ = object_store.environment() | {"RECORDINGS_PART_S": "1", "LOG_LEVEL": "debug"}
    async with calling(LINES, [LONG, "Go ahead."], SPECULATION="off", **environ) as made:
        before = object_store.objects()
        record = await interrupted(made)
        row = await over(room)
        stored = [path for path in object_store.objects() if path not in before]
        assert pieces_found(stored, record) == []
        assert {path.parent.name for path in stored} == {str(row["id"])}
        samples, _ = soundfile.read(io.BytesIO(await room.file(row["id"])), dtype="int16")
        alike(samples, record)
        assert row["parts"] > 2
        places = {"dump": await dumped(stack), **await shown(made, stack, logged)}

    secret = object_store.settings.secret_access_key
    assert [where for where, text in places.items() if secret in text] == []


async def test_whoever_is_rung_up_is_recorded_from_their_yes_on(
    calling: Calling, clinic: Clinic, pool: asyncpg.Pool, object_store: ObjectStore
) -> None:
    room = Room(Office.of(pool, clinic, MasterKey(bytes(range(32)))), object_store.settings)
    await room.records_sound()
    await room.office.rows("update organizations set recording = 'asked' returning org_id")
    async with calling(["Yes, that's fine."], ["Thank you."], **object_store.environment()) as made:
        await ruled(pool, clinic, "twilio", "hang_up")
        placed_id, called = await asked(made.gateway, clinic), mobile()
        begun = await fetch(pool, clinic.claim, "begin_placing", placed_id, 0, "twilio", timedelta(minutes=5))
        assert begun[0][0] == "begun"
        addresses = PlacedAddresses(made.gateway.edge.settings.public)
        at = addresses.of("twilio", clinic.claim.org_id, placed_id, 1)
        account, where = made.carrier.account, made.gateway.url
        async with (
            Carrier(running.PUBLIC_URL, account, connect_url=where, voice_url=at.answered) as carrier,
            carrier.call(called, caller=clinic.number) as live,
        ):
            made.twilio.add_call(live.plan.call_id)
            await live.agent_answers(200)
            assert await room.rows() == []
            await say(live)
            await made.events("AgentSaid", 2)
        await made.gateway.until_idle()
        row = await over(room)
        made_ahead = [request.body["transcript"] for request in made.cartesia.requests]
        spoken = [*made_ahead, *("".join(each.texts) for each in made.contexts())]
    assert any(each.endswith("May we record this call?") for each in spoken)
    assert (row["state"], len(await room.rows())) == ("stored", 1)
    samples, _ = soundfile.read(io.BytesIO(await room.file(row["id"])), dtype="int16")
    assert 0 < len(heard(samples[:, 1])) < len(live.record.agent_channel) / 2  # not what was asked before


async def interrupted(made: Rig) -> CallRecord:
    """The caller speaks over a long answer, of which most has been sent by then."""
    async with made.call() as live:
        await live.agent_answers(500)
        await say(live)
        await live.agent_speaks(800)
        await say(live)
        await made.events("BargedIn")
        await live.agent_answers(500)
    return live.record


async def over(room: Room) -> asyncpg.Record:
    """The only row, once nothing is recorded for it."""
    async with asyncio.timeout(10):
        while True:
            rows = await room.rows()
            if rows and rows[0]["state"] != "recording":
                return rows[0]
            await asyncio.sleep(0.05)


def alike(samples: np.ndarray, record: CallRecord) -> None:
    """Left is all that the caller's side sent; right what was played of the agent, cut where it was cut."""
    theirs = [
        DECODED[np.frombuffer(bytes(each), np.uint8)]
        for each in (record.caller_channel, record.agent_channel)
    ]
    caller, agent = (heard(samples[:, side]) for side in (0, 1))
    assert np.array_equal(caller, heard(theirs[0])[: len(caller)])
    assert len(caller) > 0.9 * len(heard(theirs[0]))
    assert np.array_equal(agent[:4000], heard(theirs[1])[:4000])
    assert abs(len(agent) - len(heard(theirs[1]))) < UNLIKE_MS * 8
    order = [int(np.argmax(np.abs(samples[:, side]) > 500)) for side in (0, 1)]
    assert order[1] < order[0], "the agent greets first"


def heard(samples: np.ndarray) -> np.ndarray:
    """Without silence, however long."""
    return samples[samples != 0]


def pieces_found(objects: Sequence[Path], record: CallRecord) -> list[str]:
    """Where 20 ms of either side stand in the clear, alone or interleaved."""
    sides = [bytes(record.caller_channel), bytes(record.agent_channel)]
    frames = [side[at : at + FRAME] for side in sides for at in range(0, len(side), FRAME)]
    audible = {frame for frame in frames if is_audible(frame)}
    assert audible
    contents = {path.name: path.read_bytes() for path in objects}
    return [
        name
        for name, content in contents.items()
        if any(frame in lane for frame in audible for lane in (content, content[::2], content[1::2]))
    ]
