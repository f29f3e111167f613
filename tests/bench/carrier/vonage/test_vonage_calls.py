"""A number whose answer address is asked by GET, as Vonage does by default: the query tells of the call."""

import jwt
import pytest
from aiohttp import web
from vonage_jwt import verify_signature

from bench.carrier import Carrier, VonageAccount
from bench.simulators.serving import RunningServer

SECRET = "vonage-signature-secret-32-bytes!"


@pytest.mark.parametrize("asked", ["", "?clinic=7"])
async def test_answer_address_by_get(asked: str) -> None:
    queries: list[dict[str, str]] = []
    claims: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        token = request.headers["Authorization"].removeprefix("Bearer ")
        assert verify_signature(token, SECRET)
        claims.append(jwt.decode(token, options={"verify_signature": False}))
        queries.append(dict(request.query))
        return web.json_response([{"action": "talk", "text": "Sorry."}])

    app = web.Application()
    app.router.add_get("/answer", answer)
    server = RunningServer(app, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{await server.start()}"
    account = VonageAccount(signature_secret=SECRET, answer_method="GET")
    async with (
        Carrier(url, account, voice_url=f"{url}/answer{asked}") as vonage,
        vonage.call("+442079460018", caller="+447700900123", wait_for_stream=False) as call,
    ):
        record = await call.ended()
    await server.stop()
    assert record.spoken_by_carrier == ["Sorry."]
    assert record.end_reason == "answer_ended"
    (query,) = queries
    assert query.items() >= {"from": "447700900123", "to": "442079460018", "uuid": record.call_id}.items()
    assert ("clinic" in query) == bool(asked)
    assert "payload_hash" not in claims[0]
