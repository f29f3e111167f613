"""How often the gateway asks the database for a message of Vapi's: few times, however long the call was."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from openai import AsyncOpenAI

from tests.booking.test_round_trips import SyncCounter
from tests.conftest import Stack
from tests.gateway import running
from tests.gateway.at_vapi import LLM_KEY
from tests.gateway.vapi.calling import CallAtVapi

TURNS = 40


@dataclass
class Counted:
    """A gateway whose connections to the database are counted, and a call there."""

    gateway: running.Gateway
    counter: SyncCounter
    call: CallAtVapi
    calls: list[CallAtVapi] = field(default_factory=list)

    async def trips(self, do: Callable[[], Awaitable[object]]) -> int:
        """Of the best of three: a statement is prepared when it is first sent, and other work goes on."""
        found = []
        for _ in range(3):
            before = self.counter.round_trips
            await do()
            found.append(self.counter.round_trips - before)
        return min(found)

    async def tell(self, kind: str, **parts: Any) -> None:
        assert (await self.call.tell(self.gateway, kind, **parts)).status_code == 200

    async def use(self, name: str, **arguments: Any) -> None:
        assert "error" not in await self.call.use(self.gateway, name, **arguments)

    async def begin(self) -> None:
        """A call more, whose report is then the last one's."""
        self.calls.append(replace(self.call, vapi_id=str(uuid4())))
        answer = await self.calls[-1].tell(self.gateway, "status-update", status="in-progress")
        assert answer.status_code == 200

    async def report(self) -> None:
        said = [("user", "I am Ann, about a nose job."), ("bot", "Yes.")] * TURNS
        assert (await self.calls.pop().end(self.gateway, *said)).status_code == 200

    async def think(self) -> None:
        """One completion, as Vapi's client asks for it."""
        call = {"id": self.call.vapi_id}
        told = {"call": call, "phoneNumber": {"number": self.call.clinic.number}}
        url = self.gateway.url + "/vapi/llm"
        async with AsyncOpenAI(api_key=LLM_KEY, base_url=url, max_retries=0, timeout=30) as client:
            create: Any = client.chat.completions.create
            history = [{"role": "user", "content": "Hello."}]
            extra = told | {"customer": {"number": self.call.caller}}
            stream = await create(model="any", messages=history, stream=True, extra_body=extra)
            assert [chunk async for chunk in stream]


@pytest.fixture
async def counted(
    stack: Stack, environ: dict[str, str], call: CallAtVapi, tmp_path: Path
) -> AsyncIterator[Counted]:
    host = Path(parse_qs(urlsplit(stack.postgres.app).query)["host"][0])
    counter = SyncCounter(host / ".s.PGSQL.5432")
    server = await asyncio.start_unix_server(counter.serve, tmp_path / ".s.PGSQL.5432")
    url = stack.postgres.app.replace(str(host), str(tmp_path))
    changes = {"DATABASE_URL": url, "DATABASE_CONNECTIONS": "1", "VAPI_LLM_KEY": LLM_KEY}
    async with (
        server,
        running.vendors() as vendors,
        running.gateway(environ | vendors.environment() | changes) as gateway,
    ):
        yield Counted(gateway, counter, call)


async def test_a_message_is_few_round_trips(counted: Counted) -> None:
    for _ in range(3):
        await counted.begin()
    found = {
        "chatter": await counted.trips(lambda: counted.tell("speech-update", status="started")),
        "end": await counted.trips(lambda: counted.tell("status-update", status="ended")),
        "find_slots": await counted.trips(lambda: counted.use("find_slots", service="nose job")),
        "take_message": await counted.trips(lambda: counted.use("take_message", message=uuid4().hex)),
        "completion": await counted.trips(counted.think),
        "report": await counted.trips(counted.report),
    }
    most = {"chatter": 0, "end": 1, "find_slots": 3, "take_message": 5, "completion": 1, "report": 16}
    assert {name: trips for name, trips in found.items() if trips > most[name]} == {}, found
