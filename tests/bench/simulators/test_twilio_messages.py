"""The simulated Messages resource, driven by Twilio's own SDK."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bench.simulators import twilio_messages as numbers
from bench.simulators.serving import RunningServer
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_messages import TakeAndStall

ACCOUNT, TOKEN = "AC" + "1" * 32, "secret"
SENDER, RECEIVER, SERVICE = "+442079460001", "+447700900123", "MG" + "9" * 32


@pytest.fixture
async def simulator() -> AsyncIterator[TwilioApiSimulator]:
    async with TwilioApiSimulator(account_sid=ACCOUNT, auth_token=TOKEN) as server:
        server.messages.senders |= {SENDER, SERVICE}
        yield server


@pytest.fixture
async def client(simulator: TwilioApiSimulator) -> AsyncIterator[Client]:
    async with AsyncTwilioHttpClient() as http:
        made = Client(ACCOUNT, TOKEN, http_client=http)
        made.api.base_url = simulator.url
        yield made


async def send(client: Client, **changes: Any) -> Any:
    fields = {"to": RECEIVER, "from_": SENDER, "body": "hello"} | changes
    return await client.messages.create_async(
        **{name: text for name, text in fields.items() if text is not None}
    )


async def test_a_message_is_taken_and_can_be_fetched(simulator: TwilioApiSimulator, client: Client) -> None:
    taken = await send(client)
    assert (taken.status, taken.error_code, taken.num_segments) == ("queued", None, "1")
    fetched = await client.messages(taken.sid).fetch_async()
    assert (fetched.to, fetched.body) == (RECEIVER, "hello")
    assert [each.sid for each in simulator.messages.to(RECEIVER)] == [taken.sid]


async def test_a_service_chooses_the_sender_later(client: Client) -> None:
    taken = await send(client, from_=None, messaging_service_sid=SERVICE)
    assert (taken.status, taken.messaging_service_sid) == ("accepted", SERVICE)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"to": "07700 900123"}, 21211),
        ({"to": numbers.INVALID}, 21211),
        ({"to": numbers.NO_ROUTE}, 21612),
        ({"to": numbers.REGION_OFF}, 21408),
        ({"to": numbers.OPTED_OUT}, 21610),
        ({"to": numbers.NOT_MOBILE}, 21614),
        ({"to": numbers.LANDLINE}, 21635),
        ({"to": ""}, 21604),
        ({"to": SENDER}, 21266),
        ({"from_": "+15005550006"}, 21606),
        ({"from_": "reception"}, 21212),
        ({"from_": None}, 21603),
        ({"from_": None, "messaging_service_sid": "MG" + "0" * 32}, 21705),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"status_callback": "ftp://a.example"}, 21609),
        ({"status_callback": "https://a_b.example"}, 21609),
        ({"validity_period": 0}, 21624),
        ({"send_as_mms": True}, 20001),
    ],
)
async def test_what_the_vendor_refuses_is_refused(
    simulator: TwilioApiSimulator, client: Client, changes: dict[str, Any], code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await send(client, **changes)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert simulator.messages.all == []


async def test_messages_are_listed_newest_first_page_by_page(client: Client) -> None:
    for n in range(5):
        await send(client, body=f"message {n}")
    await send(client, to="+447700900124")
    listed = await client.messages.list_async(to=RECEIVER, page_size=2)
    assert [each.body for each in listed] == [f"message {n}" for n in (4, 3, 2, 1, 0)]


async def test_a_message_may_go_out_unanswered(simulator: TwilioApiSimulator, client: Client) -> None:
    simulator.faults.add(TakeAndStall())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(send(client), 0.2)
    assert len(await client.messages.list_async(to=RECEIVER)) == 1


async def test_statuses_are_called_back_signed(simulator: TwilioApiSimulator, client: Client) -> None:
    heard: list[tuple[str, bool]] = []
    url = "https://gw.example.com/sms?message=1"

    async def hear(request: web.Request) -> web.Response:
        form = {name: str(text) for name, text in (await request.post()).items()}
        signature = request.headers["X-Twilio-Signature"]
        heard.append((form["MessageStatus"], bool(RequestValidator(TOKEN).validate(url, form, signature))))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/sms", hear)
    listener = RunningServer(app, "127.0.0.1", 0)
    port = await listener.start()
    try:
        simulator.messages.real_url = lambda public: public.replace(
            "https://gw.example.com", f"http://127.0.0.1:{port}"
        )
        message = simulator.messages.fetch((await send(client, status_callback=url)).sid)
        assert await simulator.messages.report(message, "sent") == 204
        assert await simulator.messages.report(message, "undelivered", 30005) == 204
    finally:
        await listener.stop()
    assert heard == [("sent", True), ("undelivered", True)]
