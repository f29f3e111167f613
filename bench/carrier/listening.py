"""Whether anybody listens where a call is to go, before it is placed."""

import asyncio
from typing import Final
from urllib.parse import SplitResult, urlsplit

from bench.carrier.errors import NobodyListens
from bench.carrier.webhooks import CONNECT_LIMIT_S

_SECURE: Final = frozenset({"https", "wss"})


def has_port(parts: SplitResult) -> bool:
    """Whether the address names none, or one that there can be."""
    try:
        return parts.port != 0
    except ValueError:
        return False


async def require_listener(url: str) -> None:
    """Raises `NobodyListens` unless a connection to the address's host and port can be opened in time."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme in _SECURE else 80)
    try:
        async with asyncio.timeout(CONNECT_LIMIT_S):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except (OSError, TimeoutError) as error:
        fact = (
            f"no answer within {CONNECT_LIMIT_S:g} s" if isinstance(error, TimeoutError) else "no connection"
        )
        raise NobodyListens(f"nobody listens at {parts.hostname}:{port}: {fact}") from None
    writer.close()
