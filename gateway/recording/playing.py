"""A recording as it is handed to somebody who may hear it: fetched, opened and passed on part by part.

No more than one part is in memory, and none on disk.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from compliance.errors import ValueErased
from compliance.keys import SEALED_MORE, Keyring, PersonKey
from compliance.recordings import Heard, Recorded, part_cell
from gateway.recording import wav
from gateway.recording.store import SoundStore
from gateway.recording.writer import part_place


@dataclass(frozen=True, slots=True)
class Sound:
    """One recording whose first part is at hand. `length_bytes`: of the whole file."""

    store: SoundStore
    key: PersonKey
    recording_id: UUID
    place: str
    held: Recorded
    first: bytes

    @property
    def length_bytes(self) -> int:
        return len(wav.header(self.sound_bytes)) + self.sound_bytes

    @property
    def sound_bytes(self) -> int:
        return self.held.sealed_bytes - self.held.parts * SEALED_MORE

    async def file(self) -> AsyncIterator[bytes]:
        """The WAV file. A part that is missing or does not open ends it in the middle, by raising."""
        yield wav.header(self.sound_bytes)
        yield self.first
        for number in range(2, self.held.parts + 1):
            yield await opened_part(self.store, self.key, self.recording_id, self.place, number)


async def open_sound(store: SoundStore, keys: Keyring, org_id: UUID, heard: Heard) -> Sound:
    """Raises `VaultError`, among these `ValueErased`; `RecordingStoreAway`, `RecordingGone`."""
    if heard.key is None:
        raise ValueErased("recordings.part: its key is gone")
    key = await keys.unlocked(org_id, heard.key)
    first = await opened_part(store, key, heard.id, heard.place, 1)
    return Sound(store, key, heard.id, heard.place, heard.held, first)


async def opened_part(
    store: SoundStore, key: PersonKey, recording_id: UUID, place: str, number: int
) -> bytes:
    """Raises as `open_sound` does."""
    sealed = await store.get(part_place(place, number))
    return await asyncio.to_thread(key.open, sealed, part_cell(recording_id, number))
