"""A clinic that records sound, over a real store and a real database; time is the test's."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from booking.types import Recording
from compliance.reading import Actor, Reader
from compliance.recordings import Heard, hear_recording, set_sound_recording
from gateway.consent import CallConsent, CallLine
from gateway.metrics import Metrics
from gateway.recording.playing import open_sound
from gateway.recording.recorders import CallRecorder, Recorders
from gateway.recording.store import open_bucket
from gateway.recording.upkeep import RecordingUpkeep
from gateway.recording.writer import Studio
from gateway.settings import Recordings
from tests.compliance.offices import CLINICIAN, Office

PATIENT_S = 15.0
FRAME = 160


@dataclass
class HandClock:
    """Goes on when it is told to. Satisfies `pipeline.ports.Clock`."""

    at_s: float = 5000.0

    def now_s(self) -> float:
        return self.at_s


@dataclass
class Room:
    """One clinic's recordings. `settings` name the store."""

    office: Office
    settings: Recordings
    clock: HandClock = field(default_factory=HandClock)
    metrics: Metrics = field(default_factory=Metrics)

    @property
    def studio(self) -> Studio:
        pool, keys = self.office.pool, self.office.keys
        return Studio(self.settings, open_bucket(self.settings), pool, keys, self.metrics, self.clock)

    def recorders(self, close_s: float = PATIENT_S) -> Recorders:
        return Recorders(self.studio, close_s=close_s)

    async def records_sound(self, on: bool = True) -> None:
        async with self.office.armed() as connection:
            await set_sound_recording(connection, self.office.org_id, Actor("operator"), on=on)

    def consent(self, call_id: UUID, recording: Recording = "announced") -> CallConsent:
        line = CallLine("twilio", "CA1", None)
        office = self.office
        return CallConsent(office.pool, office.claim, call_id, office.keys, recording, line, self.metrics)

    async def talk(self, recorder: CallRecorder, caller: bytes, agent: bytes) -> None:
        """Both sides talk at once, in frames of 20 ms; a writer may work in between."""
        for at in range(0, len(caller), FRAME):
            recorder.agent(agent[at : at + FRAME])
            self.clock.at_s += 0.02
            recorder.caller(caller[at : at + FRAME], 0)
            if at % (50 * FRAME) == 0:
                await asyncio.sleep(0.01)

    async def rows(self) -> list[asyncpg.Record]:
        return await self.office.rows("select * from recordings order by started_at")

    async def until_stored(self, parts: int) -> asyncpg.Record:
        """The first recording, once so many parts of it are on record."""
        async with asyncio.timeout(PATIENT_S):
            while True:
                rows = await self.rows()
                if rows and rows[0]["parts"] >= parts:
                    return rows[0]
                await asyncio.sleep(0.02)

    async def recorded(self, caller: bytes, agent: bytes) -> asyncpg.Record:
        """A call with this sound, in two parts; its only row."""
        call_id = await self.office.call()
        async with self.recorders() as recorders:
            recorder = recorders.recorder(self.office.claim, call_id, self.consent(call_id))
            most = len(caller) - FRAME * 5
            await self.talk(recorder, caller[:most], agent[:most])
            await self.until_stored(1)
            await self.talk(recorder, caller[most:], agent[most:])
            recorder.end()
        (row,) = await self.rows()
        return row

    async def heard(self, recording_id: UUID, reader: Reader = CLINICIAN) -> Heard | None:
        async with self.office.armed() as connection:
            return await hear_recording(connection, self.office.org_id, reader, recording_id)

    async def file(self, recording_id: UUID) -> bytes:
        """As somebody who may hear it gets it."""
        heard = await self.heard(recording_id)
        assert heard is not None
        sound = await open_sound(self.studio.store, self.office.keys, self.office.org_id, heard)
        file = b"".join([part async for part in sound.file()])
        assert len(file) == sound.length_bytes
        return file

    def upkeep(self) -> RecordingUpkeep:
        return RecordingUpkeep(self.office.pool, open_bucket(self.settings), self.settings.put_s)

    def counted(self, outcome: str) -> float:
        found = self.metrics.registry.get_sample_value("gateway_recordings_total", {"outcome": outcome})
        return found or 0.0
