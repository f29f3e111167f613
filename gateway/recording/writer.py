"""From memory to the store: one stretch of a call, part by part, beside the call and never in its way.

A part is sealed in a thread, put, and put on record, in that order: what is on record lies in the store. What
was put and not put on record, because the process died in between, goes with the rest when its time is over.
A store or database that is away is asked again; the parts wait in memory, within `Stretch.most_s`.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, Protocol, TypeVar
from uuid import UUID

import asyncpg
import structlog

from booking.db import org_transaction
from booking.errors import BookingError
from booking.types import Claim
from compliance.errors import VaultError
from compliance.keys import Keyring, PersonKey
from compliance.recordings import (
    Recorded,
    begin_recording,
    close_recording,
    discard_recording,
    note_recorded,
    part_cell,
)
from gateway.errors import RecordingStoreAway
from gateway.metrics import Metrics
from gateway.recording.store import SoundStore
from gateway.recording.stretch import Stretch
from gateway.recording.wav import BYTES_PER_S, FRAME_BYTES
from gateway.settings import Recordings
from pipeline.ports import Clock

log = structlog.get_logger("gateway.recording")

T = TypeVar("T")

AGAIN_S: Final = 1.0
LATE_S: Final = 2.0
"""The network may hold a piece of the caller's audio back so long; then its place on the tape is taken."""

Outcome = Literal["stored", "incomplete", "discarded", "lost"]


class Consents(Protocol):
    """What a recording asks of its call's consent."""

    @property
    def keeps_sound(self) -> bool:
        """The sound of what is said now may be kept."""

    async def noted(self) -> None:
        """Returns once all that the caller said of it stands in the database. Raises `BookingError`."""


@dataclass(frozen=True, slots=True)
class Studio:
    """What all recordings of the process share."""

    settings: Recordings
    store: SoundStore
    pool: asyncpg.Pool
    keys: Keyring
    metrics: Metrics
    clock: Clock

    @property
    def lease(self) -> timedelta:
        """Nothing heard of a recording for so long: whoever made it is gone. A store may be away for less."""
        chosen = self.settings
        return timedelta(seconds=chosen.buffer_s + chosen.finish_s + 3 * chosen.put_s + 60)

    def place(self, org_id: UUID, recording_id: UUID) -> str:
        return "/".join(part for part in (self.settings.prefix, str(org_id), str(recording_id)) if part)


def part_place(place: str, number: int) -> str:
    return f"{place}/{number:05d}"


class StretchWriter:
    """Writes one stretch to its end."""

    def __init__(
        self, studio: Studio, claim: Claim, call_id: UUID, consent: Consents, stretch: Stretch
    ) -> None:
        self._studio = studio
        self._claim = claim
        self._call_id = call_id
        self._consent = consent
        self._stretch = stretch
        self._place = studio.place(claim.org_id, stretch.id)
        self._waiting: deque[bytes] = deque()
        self._sealed: bytes | None = None
        self._held = Recorded()
        self._digest = hashlib.sha256()
        self._log = log.bind(call=str(call_id), org=str(claim.org_id))

    async def run(self) -> None:
        """To the end of the stretch, and until what is left is stored or given up. Never raises."""
        try:
            key: PersonKey | Literal[False] | None = await self._again(self._begin)
            if key:
                self._ended(await self._written(key))
                return
            self._stretch.drop(self._studio.clock.now_s())
            if key is None:
                self._ended("lost")
        except Exception as error:  # noqa: BLE001  the edge of a task: told here, and the call goes on
            self._log.error("recording_failed", exc_info=error)
            self._stretch.drop(self._studio.clock.now_s())
            self._ended("lost")

    async def _begin(self) -> PersonKey | Literal[False]:
        """The key, once the recording is on record; False: there is to be none."""
        await self._consent.noted()
        if self._stretch.dropped or not self._consent.keeps_sound:
            return False
        async with self._armed() as connection:
            key = await begin_recording(
                connection,
                self._studio.keys,
                self._claim.org_id,
                self._call_id,
                recording_id=self._stretch.id,
                place=self._place,
                lease=self._studio.lease,
            )
        return key or False

    async def _written(self, key: PersonKey) -> Outcome:
        is_over, is_kept = False, True
        while is_kept and not is_over:
            is_over = await self._part_due()
            is_kept = await self._stored(key)
        if is_kept and self._waiting:
            is_kept = await self._again(lambda: self._stored_all(key)) is not False
        if not is_kept and not self._stretch.dropped:
            return "discarded"  # it was settled elsewhere, and whatever else lies there goes with it
        if self._held.parts and not self._stretch.dropped:
            return await self._closed()
        await self._again(self._discard)
        return "lost" if self._waiting and not self._stretch.dropped else "discarded"

    async def _part_due(self) -> bool:
        """Whether it is the last."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._studio.settings.part_s):
                await self._stretch.over.wait()
        return self._stretch.over.is_set()

    async def _stored(self, key: PersonKey) -> bool:
        """Put what is due; what the store does not take now waits. False: it is recorded no more."""
        self._take()
        try:
            return await self._stored_all(key)
        except (RecordingStoreAway, BookingError) as error:
            self._log.warning("recording_waits", error=type(error).__name__)
            return True

    def _take(self) -> None:
        stretch, clock = self._stretch, self._studio.clock
        until_s = clock.now_s() - LATE_S if stretch.ended_at_s is None else stretch.ended_at_s
        if sound := stretch.tape.take(until_s):
            self._waiting.append(sound)
            self._tell_waiting()

    async def _stored_all(self, key: PersonKey) -> bool:
        while self._waiting and not self._stretch.dropped:
            if not await self._store(key, self._waiting[0]):
                return False
            self._waiting.popleft()
            self._tell_waiting()
        return not self._stretch.dropped

    async def _store(self, key: PersonKey, sound: bytes) -> bool:
        """Seal, put, put on record. Raises `RecordingStoreAway` or `BookingError`, and may be done again."""
        number = self._held.parts + 1
        if self._sealed is None:  # once: a request that was given up may arrive yet, and must bring the same
            self._sealed = await asyncio.to_thread(key.seal, sound, part_cell(self._stretch.id, number))
        sealed = self._sealed
        with self._studio.metrics.recording_put.time():
            await self._studio.store.put(part_place(self._place, number), sealed)
        held = self._held.and_part(len(sealed), len(sound) * 1000 // BYTES_PER_S)
        async with self._armed() as connection:
            noted = await note_recorded(
                connection, self._claim.org_id, self._stretch.id, held, self._studio.lease
            )
        self._held, self._sealed = held, None
        await asyncio.to_thread(self._digest.update, sealed)
        return noted

    async def _closed(self) -> Outcome:
        whole = not self._stretch.cut_off and not self._waiting
        closed = await self._again(lambda: self._close(whole))
        if closed is None:
            return "lost"  # nobody could be told: as after a crash, a sweep settles it
        if not closed:
            return "discarded"
        return "stored" if whole else "incomplete"

    async def _close(self, whole: bool) -> bool:
        async with self._armed() as connection:
            return await close_recording(
                connection, self._claim.org_id, self._stretch.id, whole=whole, sha256=self._digest.digest()
            )

    async def _discard(self) -> bool:
        async with self._armed() as connection:
            await discard_recording(connection, self._claim.org_id, self._stretch.id)
        return True

    async def _again(self, work: Callable[[], Awaitable[T | None]]) -> T | None:
        """Until it is done, or given up so long after the stretch's end: then None."""
        while True:
            try:
                return await work()
            except (RecordingStoreAway, BookingError, VaultError) as error:
                self._log.debug("recording_waits", error=type(error).__name__)
            ended_s = self._stretch.ended_at_s
            if ended_s is not None and self._studio.clock.now_s() - ended_s > self._studio.settings.finish_s:
                return None
            await asyncio.sleep(AGAIN_S)

    @asynccontextmanager
    async def _armed(self) -> AsyncIterator[asyncpg.Connection]:
        async with org_transaction(self._studio.pool, self._claim) as connection:
            yield connection

    def _tell_waiting(self) -> None:
        self._stretch.waiting_samples = sum(map(len, self._waiting)) // FRAME_BYTES

    def _ended(self, outcome: Outcome) -> None:
        self._studio.metrics.recordings.labels(outcome).inc()
        self._log.info("recording_over", outcome=outcome, duration_ms=self._held.duration_ms)
