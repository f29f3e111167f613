"""A gateway on Telnyx's own package: it verifies and reads our webhooks, and its orders are obeyed."""

import json
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from aiohttp import web
from pydantic import BaseModel

from bench.carrier import TelnyxAccount
from bench.carrier.rest import Place, exchange
from bench.simulators.serving import RunningServer

OURS = TelnyxAccount()


@pytest.fixture(scope="module")
def telnyx() -> Any:
    """Imported when it is used: it takes seconds."""
    return import_module("telnyx")


def unknown(model: Any) -> Iterator[str]:
    """Fields that the package's models do not know, however deep."""
    if isinstance(model, BaseModel):
        yield from model.model_extra or {}
        for name in type(model).model_fields:
            yield from unknown(getattr(model, name))


class TheirGateway:
    """Answers, says a sentence, hangs up."""

    def __init__(self) -> None:
        self.client: Any = None
        self.events: list[str] = []

    async def webhook(self, request: web.Request) -> web.Response:
        body = await request.text()
        event = self.client.webhooks.unwrap(body, headers=request.headers)
        assert list(unknown(event.data)) == []
        self.events.append(event.data.event_type)
        await self._order(event.data.event_type, event.data.payload)
        return web.Response()

    async def _order(self, kind: str, payload: Any) -> None:
        orders, call_id = self.client.calls.actions, payload.call_control_id
        match kind:
            case "call.initiated":
                assert (payload.direction, payload.from_, payload.state) == (
                    "incoming",
                    "+447700900123",
                    "parked",
                )
                await orders.answer(call_id, client_state="aGVsbG8=", command_id="1")
            case "call.answered":
                assert payload.client_state == "aGVsbG8="
                await orders.speak(call_id, payload="Good morning.", voice="Telnyx.KokoroTTS.af")
            case "call.speak.ended":
                assert payload.status == "completed"
                await orders.hangup(call_id)


async def test_a_gateway_on_telnyxs_own_package_takes_a_call(telnyx: Any) -> None:
    theirs, app = TheirGateway(), web.Application()
    app.router.add_post("/voice", theirs.webhook)
    server = RunningServer(app, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{await server.start()}"
    async with (
        exchange(OURS, Place(url, voice_url=f"{url}/voice")) as made,
        telnyx.AsyncTelnyx(
            api_key=OURS.api_key, public_key=OURS.public_key, base_url=f"{made.api_url}/v2", max_retries=0
        ) as theirs.client,
        made.carrier.call("+442079460018", caller="+447700900123", wait_for_stream=False) as call,
    ):
        record = await call.ended()
        with pytest.raises(telnyx.UnprocessableEntityError) as over:
            await theirs.client.calls.actions.hangup(record.call_id)
    await server.stop()
    assert theirs.events == ["call.initiated", "call.answered", "call.speak.ended", "call.hangup"]
    assert record.spoken_by_carrier == ["Good morning."]
    assert json.loads(over.value.response.text)["errors"][0]["code"] == "90018"


def test_the_package_refuses_what_is_forged(telnyx: Any) -> None:
    client: Any = telnyx.Telnyx(api_key=OURS.api_key, public_key=OURS.public_key)
    with pytest.raises(ValueError, match="Signature verification failed"):
        client.webhooks.unwrap("{}", headers=OURS.sign(b"[]", int(time.time())).headers)
