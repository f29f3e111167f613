"""A gateway as a process of its own that sends texts by a simulated Twilio; nobody speaks to it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bench.demo.child import Child
from bench.demo.plan import OFFLINE_KEY
from bench.stack.postgres import PostgresUrls

ACCOUNT, TOKEN = "AC" + "5" * 32, "bench-token"


@asynccontextmanager
async def texting_gateway(
    root: Path, urls: PostgresUrls, redis_url: str, twilio_url: str, master_key: str, **settings: str
) -> AsyncIterator[str]:
    """Its address. Providers of speech are where nobody answers: no call is placed. `settings`: more of its
    environment.
    """
    nowhere = "http://127.0.0.1:9"
    environ = {
        "PUBLIC_URL": "https://gw.example.com",
        "HOST": "127.0.0.1",
        "PORT": "0",
        "DATABASE_URL": urls.app,
        "DATABASE_WORKER_URL": urls.worker,
        "REDIS_URL": redis_url,
        "MASTER_KEY": master_key,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": twilio_url,
        **{f"{name}_API_KEY": OFFLINE_KEY for name in ("DEEPGRAM", "LLM", "CARTESIA")},
        **dict.fromkeys(("DEEPGRAM_URL", "LLM_BASE_URL", "CARTESIA_URL"), nowhere),
        **settings,
    }
    child = Child("gateway", root)

    async def ready() -> bool:
        return child.has_spoken

    await child.start([sys.executable, "-m", "gateway"], environ, root, ready)
    try:
        told = msgspec.json.decode(child.output.read_bytes().splitlines()[0])
        yield str(told["url"])
    finally:
        await child.stop()
