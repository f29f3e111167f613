"""`python -m gateway.status`: are the promises kept? One page of text, or `--json`.

Asks the database as gw_app and gw_worker (DATABASE_URL, DATABASE_WORKER_URL) and Redis (REDIS_URL), from the
environment or `.env`; no gateway needs to run. Exit status: 0 nothing is the matter; 1 an alarm; 2 it, or a
part of it, cannot be asked.
"""

import argparse
import asyncio
import math
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import msgspec

from booking.db import open_pool
from booking.errors import BookingError
from booking.owner import add_database_url, add_worker_url
from gateway.errors import SettingsInvalid
from gateway.latency_profiles import LatencyProfiles
from gateway.metrics import Metrics
from gateway.settings import latency_rules, redis_url
from gateway.shared_store import SharedStore
from gateway.status.asked import Question, Sources, Turns, ask
from gateway.status.judged import Status
from gateway.status.screen import render

FINE, ALARM, CANNOT = 0, 1, 2
REDIS_S: Final = 2.0
_CODES: Final = {"ok": FINE, "alarm": ALARM, "unknown": CANNOT}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to ask."""

    database_url: str = field(repr=False)
    worker_url: str = field(repr=False)
    redis_url: str = field(repr=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    missing = [
        name for name in ("database_url", "worker_url", "redis_url") if not getattr(chosen, name, None)
    ]
    if missing:
        parser.error(f"not given: {', '.join('--' + name.replace('_', '-') for name in missing)}")
    addresses = Addresses(chosen.database_url, chosen.worker_url, chosen.redis_url)
    question = Question(
        window=timedelta(hours=chosen.hours), chain_s=chosen.chain_s if chosen.chain_s > 0 else math.inf
    )
    return run(addresses, question, as_json=chosen.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.status", description="Are the promises kept?")
    add_database_url(parser)
    add_worker_url(parser)
    parser.add_argument("--redis-url", type=_redis_url, default=redis_url(), help="REDIS_URL")
    parser.add_argument("--json", action="store_true", help="all figures, to be read by program")
    parser.add_argument("--hours", type=_hours, default=24.0, metavar="N", help="looked back (default: 24)")
    parser.add_argument(
        "--chain-s",
        type=float,
        default=5.0,
        metavar="S",
        help="for each org's audit log (default: 5); 0: as long as it takes",
    )
    return parser


def run(addresses: Addresses, question: Question, *, as_json: bool) -> int:
    """Ask and print. The exit status."""
    try:
        status = asyncio.run(_asked(addresses, question))
    except (BookingError, SettingsInvalid, asyncpg.PostgresError, OSError, ValueError) as error:
        # Of what is not ours the words may quote an address, which holds a password.
        told = str(error) if isinstance(error, (BookingError, SettingsInvalid)) else type(error).__name__
        sys.stderr.write(f"status: cannot be asked: {told}\n")
        return CANNOT
    sys.stdout.write(msgspec.json.encode(status).decode() + "\n" if as_json else render(status))
    return _CODES[status.level]


async def _asked(addresses: Addresses, question: Question) -> Status:
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await open_pool(addresses.database_url, max_size=1))
        worker_pool = await stack.enter_async_context(await open_pool(addresses.worker_url, max_size=1))
        store = await stack.enter_async_context(SharedStore(addresses.redis_url, metrics, command_s=REDIS_S))
        profiles = LatencyProfiles(store, pool, metrics, latency_rules())
        return await ask(Sources(pool, worker_pool, Turns(store, profiles)), question)


def _hours(text: str) -> float:
    hours = float(text)
    if not 0 < hours <= 24 * 366:
        raise ValueError
    return hours


def _redis_url(text: str) -> str:
    """Of anything else argparse would repeat it, password and all."""
    if urlsplit(text).scheme not in ("redis", "rediss", "unix"):
        raise argparse.ArgumentTypeError("is no redis, rediss or unix address")
    return text


if __name__ == "__main__":
    sys.exit(main())
