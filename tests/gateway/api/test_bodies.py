"""Bodies that are no bodies: each a problem of its own, nothing changed, nothing repeated."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx

from tests.gateway.api.client import Client, kind
from tests.gateway.running import Gateway

JSON = "application/json"


def headers(media_type: str = JSON) -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4()), "Content-Type": media_type}


async def test_what_is_no_json(client: Client) -> None:
    for content in [b"", b"{", b"\xff\xfe", b"nul", b"{" * 20_000]:
        response = await client.request("POST", "/holds", content=content, headers=headers())
        assert (response.status_code, kind(response)) == (400, "malformed"), content[:9]


async def test_what_is_no_hold(client: Client) -> None:
    for body in [[], "x", 7, None, {}, {"slot_id": str(uuid4()), "phone": "07700900123"}]:
        response = await client.request("POST", "/holds", content=json.dumps(body), headers=headers())
        found = (response.status_code, kind(response), response.json()["pointer"])
        assert found == (422, "invalid", "$"), body
        assert "phone" not in response.text
        assert "07700900123" not in response.text


async def test_other_media_types(client: Client) -> None:
    content = json.dumps({"slot_id": str(uuid4())})
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "", "json"]:
        response = await client.request("POST", "/holds", content=content, headers=headers(media_type))
        assert (response.status_code, kind(response)) == (415, "media-type"), media_type


async def test_two_megabytes(client: Client) -> None:
    content = json.dumps({"slot_id": "x" * 2_000_000}).encode()
    response = await client.request("POST", "/holds", content=content, headers=headers())
    assert (response.status_code, kind(response)) == (413, "too-large")


async def test_two_megabytes_without_a_length(client: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * 10_000

    response = await client.request("POST", "/holds", content=chunks(), headers=headers())
    assert (response.status_code, kind(response)) == (413, "too-large")


async def test_a_body_that_does_not_come(client: Client, gateway: Gateway) -> None:
    url = httpx.URL(gateway.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = f"POST /api/v1/holds HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n"
    writer.write(f"{head}Content-Type: {JSON}\r\nContent-Length: 100\r\n\r\n{{".encode())
    async with asyncio.timeout(10):
        told = await reader.readuntil(b"\r\n")
        writer.close()
        await writer.wait_closed()
    assert told == b"HTTP/1.1 408 Request Timeout\r\n"


async def test_without_the_database(client: Client, gateway: Gateway) -> None:
    await gateway.edge.desk.pool.close()
    response = await client.post("/holds", {"slot_id": str(uuid4())})
    assert (response.status_code, kind(response), response.headers["retry-after"]) == (
        503,
        "unavailable",
        "1",
    )
