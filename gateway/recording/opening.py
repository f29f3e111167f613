"""What records calls and looks after recordings, as the settings have it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from compliance.vault import Vault
from gateway.metrics import Metrics
from gateway.recording.recorders import Recorders
from gateway.recording.store import open_bucket
from gateway.recording.upkeep import RecordingUpkeep
from gateway.recording.writer import Studio
from gateway.sealing import keyring
from gateway.settings import Settings
from pipeline.ports import Clock


@asynccontextmanager
async def open_recorders(
    settings: Settings, pool: asyncpg.Pool, vault: Vault, metrics: Metrics, clock: Clock
) -> AsyncIterator[Recorders | None]:
    """None unless a bucket is named. Calls end before it closes."""
    if settings.recordings is None:
        yield None
        return
    store = open_bucket(settings.recordings)
    studio = Studio(settings.recordings, store, pool, keyring(vault), metrics, clock)
    try:
        async with Recorders(studio, close_s=settings.waits.call_close_s) as recorders:
            yield recorders
    finally:
        store.close()


@asynccontextmanager
async def open_upkeep(settings: Settings, pool: asyncpg.Pool) -> AsyncIterator[RecordingUpkeep]:
    """What the jobs do; without a bucket all but deleting."""
    if settings.recordings is None:
        yield RecordingUpkeep(pool, None, 0.0)
        return
    store = open_bucket(settings.recordings)
    try:
        yield RecordingUpkeep(pool, store, settings.recordings.put_s)
    finally:
        store.close()
