"""Webhooks' bodies and forms, read within limits. What they say is nobody's word yet."""

import asyncio
from typing import Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from booking.values import E164
from gateway.routes.edge import Edge

MAX_BYTES: Final = 64 * 1024
MAX_FIELDS: Final = 200

Pairs = list[tuple[str, str]]


async def form_fields(request: Request, edge: Edge) -> Pairs:
    """In their order, with those that come twice. Raises 400, 408 or 413 for what is no reasonable form."""
    body = await body_of(request, edge)
    try:
        text = body.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(400) from None


def public_url(request: Request, edge: Edge) -> str:
    """The address that the carrier signed: from `PUBLIC_URL`, never from `Host` or forwarding headers."""
    query = request.url.query
    return edge.settings.public(request.url.path) + (f"?{query}" if query else "")


def with_plus(number: str) -> str:
    """A number of a carrier that leaves its plus out; what is no number as it is."""
    shown = f"+{number}"
    return shown if E164.fullmatch(shown) else number


async def body_of(request: Request, edge: Edge, most_bytes: int = MAX_BYTES) -> bytes:
    """Raises 408 for one that does not come in time, 413 for one that is too long, 400 for one that breaks
    off: nobody reads that, but it is counted.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(edge.settings.waits.webhook_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    except ClientDisconnect:
        raise HTTPException(400) from None
    return bytes(body)
