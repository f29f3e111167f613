"""The strict account that places calls: what it refuses, lists and tells."""

from collections.abc import AsyncIterator

import httpx
import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_calls import INVALID, NO_ROUTE

ACCOUNT, TOKEN = "AC" + "1" * 32, "token"
OURS, THEIRS = "+442079460018", "+447700900461"
GOOD = {"To": THEIRS, "From": OURS, "Url": "https://gw.example.com/a"}


@pytest.fixture
async def account() -> AsyncIterator[tuple[TwilioApiSimulator, httpx.AsyncClient]]:
    async with (
        TwilioApiSimulator(account_sid=ACCOUNT, auth_token=TOKEN) as simulator,
        httpx.AsyncClient(
            base_url=f"{simulator.url}/2010-04-01/Accounts/{ACCOUNT}", auth=(ACCOUNT, TOKEN), trust_env=False
        ) as client,
    ):
        simulator.placed.numbers.add(OURS)
        yield simulator, client


async def test_calls_are_taken_listed_and_changed(
    account: tuple[TwilioApiSimulator, httpx.AsyncClient],
) -> None:
    simulator, client = account
    made = (await client.post("/Calls.json", data=GOOD)).json()
    assert (made["status"], made["direction"], made["to"]) == ("queued", "outbound-api", THEIRS)
    await simulator.placed.tell(simulator.placed.all[0], "ringing")  # it asked for no callback
    listed = (await client.get("/Calls.json", params={"To": THEIRS})).json()
    assert [each["status"] for each in listed["calls"]] == ["ringing"]
    assert (await client.get("/Calls.json", params={"To": OURS})).json()["calls"] == []
    path = f"/Calls/{made['sid']}.json"
    assert (await client.post(path, data={"Status": "completed"})).json()["status"] == "completed"
    assert (await client.get(path)).json()["status"] == "completed"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"To": "0770"}, 21211),
        ({"To": INVALID}, 21211),
        ({"To": NO_ROUTE}, 21214),
        ({"From": "+442079460019"}, 21210),
        ({"Url": "ftp://gw.example.com"}, 21205),
        ({"Twiml": "<Response/>"}, 21205),
        ({"Method": "PUT"}, 21207),
        ({"StatusCallbackEvent": "over"}, 21219),
        ({"AsyncAmd": "true"}, 20001),
        ({"MachineDetection": "Enable", "AsyncAmdStatusCallback": "https://x.example.com"}, 20001),
        ({"Timeout": "0"}, 20001),
        ({"Color": "red"}, 20001),
    ],
)
async def test_what_twilio_refuses_is_refused(
    account: tuple[TwilioApiSimulator, httpx.AsyncClient], wrong: dict[str, str], code: int
) -> None:
    simulator, client = account
    answer = await client.post("/Calls.json", data=GOOD | wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert simulator.placed.all == []
