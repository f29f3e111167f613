"""`python -m gateway.worker`: the background jobs alone, beside gateways that run with WORKERS=0."""

import asyncio
import signal
import sys

from booking.db import open_pool
from booking.errors import BookingError
from compliance.vault import Vault
from gateway import logs
from gateway.errors import SettingsInvalid
from gateway.jobs import open_jobs
from gateway.metrics import Metrics
from gateway.sealing import open_vault
from gateway.settings import Settings, load
from gateway.texts import open_texts
from gateway.worker_metrics import served


async def work(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. Raises `BookingError` if the database does not answer at the start,
    `SettingsInvalid` if the port for its metrics is taken.
    """
    stopping = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(logs.loop_fault)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    metrics, vault = Metrics(), open_vault(settings)
    with served(metrics, settings.host, settings.jobs.metrics_port):
        await _working(settings, vault, metrics, stopping)


async def _working(settings: Settings, vault: Vault, metrics: Metrics, stopping: asyncio.Event) -> None:
    async with (
        await open_pool(settings.database_url, statement_timeout_s=settings.waits.database_s) as pool,
        open_texts(settings, pool, vault, metrics) as texts,
        open_jobs(settings, pool, vault, texts.messages, metrics),
    ):
        await stopping.wait()


def main() -> int:
    """Exit status: 0 after an orderly stop, 2 for settings that make no sense, 3 if the start failed."""
    try:
        settings = load()
        if not settings.jobs.url:
            raise SettingsInvalid("DATABASE_WORKER_URL is missing")
    except SettingsInvalid as fault:
        sys.stderr.write(f"worker: {fault}\n")
        return 2
    logs.configure(settings.log_level)
    logs.guard_process()
    try:
        asyncio.run(work(settings))
    except (BookingError, SettingsInvalid) as error:
        sys.stderr.write(f"worker: {error}\n")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
