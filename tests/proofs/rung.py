"""Those who are called over each of the four strict carriers: it rings, they pick up, they hang up.

What they do is told to whichever gateway lives, once, and to none if none does. But over Telnyx: it lists
live calls alone and sends a webhook again that nobody took, so there they stay on the line until it is known
that they have picked up.
"""

import asyncio
import base64
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

import aiohttp
from yarl import URL

from bench.simulators.plivo_api import PlivoApiSimulator
from bench.simulators.plivo_calls import PlivoPlaced
from bench.simulators.telnyx_api import TelnyxApiSimulator
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_calls import PlacedResource
from bench.simulators.vonage_api import VonageApiSimulator
from bench.simulators.vonage_calls import VonagePlaced
from booking.calling_rules import CallCarrier
from tests.gateway.routes import test_plivo as plivo
from tests.gateway.routes import test_telnyx as telnyx
from tests.gateway.routes import test_vonage as vonage
from tests.gateway.running import ACCOUNT, AUTH_TOKEN, PUBLIC_URL
from tests.gateway.vonage_application import OURS, PUBLIC_KEY, bearer

APPLICATION = "1684641123236054244"
_NOWHERE = "http://127.0.0.1:9"
_ANSWER_LIMIT_S = 15.0
_AGAIN_AFTER_S = 0.05

Step = Callable[[], Awaitable[object]]


class Rung(Protocol):
    """One carrier."""

    def to(self, number: str) -> list[str]:
        """The carrier's ids of the calls to this number (E.164), oldest first."""
        ...

    def count(self) -> int:
        """Of all the calls that it took."""
        ...


@dataclass
class People:
    """`lives`: where the gateway serves that lives, "" for none; `over`: nobody waits for one any more."""

    lives: Callable[[], str]
    over: bool = False
    calls: set["asyncio.Task[None]"] = field(default_factory=set)

    def rung(self, steps: Sequence[Step]) -> None:
        task = asyncio.get_running_loop().create_task(_taken(steps))
        self.calls.add(task)
        task.add_done_callback(self.calls.discard)

    def real(self, url: str) -> str:
        return url.replace(PUBLIC_URL, self.lives() or _NOWHERE)

    async def tell(self, url: str, content: Any, headers: Mapping[str, str]) -> int:
        """The answer's status."""
        limit = aiohttp.ClientTimeout(total=_ANSWER_LIMIT_S)
        async with (
            aiohttp.ClientSession(timeout=limit) as http,
            http.post(URL(self.real(url), encoded=True), data=content, headers=headers) as answer,
        ):
            return answer.status

    async def end(self) -> None:
        self.over = True
        await asyncio.gather(*self.calls)


async def _taken(steps: Sequence[Step]) -> None:
    for step in steps:
        await asyncio.sleep(random.uniform(0, 0.02))
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            await step()


@dataclass(frozen=True)
class OverTwilio:
    api: TwilioApiSimulator

    def to(self, number: str) -> list[str]:
        return [call.sid for call in self.api.placed.to(number)]

    def count(self) -> int:
        return len(self.api.placed.all)

    def steps(self, call: PlacedResource) -> list[Step]:
        placed = self.api.placed
        return [
            lambda: placed.tell(call, "ringing"),
            lambda: placed.answer(call),
            lambda: placed.detect(call, "human"),
            lambda: placed.tell(call, "completed"),
        ]


@dataclass(frozen=True)
class OverPlivo:
    api: PlivoApiSimulator
    people: People

    def to(self, number: str) -> list[str]:
        found = [call for call in self.api.placed.all if call.fields["to"] == number.removeprefix("+")]
        return [call.call_uuid for call in found]

    def count(self) -> int:
        return len(self.api.placed.all)

    def steps(self, call: PlivoPlaced) -> list[Step]:
        async def picks_up() -> None:
            call.answer()
            await self._tell(call, "answer_url", CallStatus="in-progress", Event="StartApp")

        async def hangs_up() -> None:
            call.end()
            await self._tell(call, "hangup_url", CallStatus="completed", Event="Hangup")

        return [
            lambda: self._tell(call, "ring_url", CallStatus="ringing", Event="Ring"),
            picks_up,
            lambda: self._tell(call, "machine_detection_url", Machine="false"),
            hangs_up,
        ]

    async def _tell(self, call: PlivoPlaced, at: str, **told: str) -> None:
        url, ids = call.fields[at], {"CallUUID": call.call_uuid, "RequestUUID": call.call_uuid}
        ends = {"From": call.fields["from"], "To": call.fields["to"], "Direction": "outbound"}
        form = ids | ends | told
        await self.people.tell(url, form, plivo.headers(url, form))


@dataclass(frozen=True)
class OverTelnyx:
    api: TelnyxApiSimulator
    people: People

    def to(self, number: str) -> list[str]:
        return [call_id for call_id, call in self.api.calls.items() if call.dialled["to"] == number]

    def count(self) -> int:
        return len(self.api.calls)

    def steps(self, call_id: str) -> list[Step]:
        call = self.api.calls[call_id]

        async def picks_up() -> None:
            call.state = "answered"
            told = self._event(call_id, "call.answered")
            while not self.people.over and not await self._is_taken(told):  # noqa: ASYNC110  others' event
                await asyncio.sleep(_AGAIN_AFTER_S)

        async def hangs_up() -> None:
            call.state = "ended"
            await self._tell(self._event(call_id, "call.hangup", hangup_cause="normal_clearing"))

        return [
            lambda: self._tell(self._event(call_id, "call.initiated")),
            picks_up,
            lambda: self._tell(self._event(call_id, "call.machine.detection.ended", result="human")),
            hangs_up,
        ]

    def _event(self, call_id: str, kind: str, **told: str) -> bytes:
        dialled = self.api.calls[call_id].dialled
        given = (each.fields for each in reversed(self.api.commands) if each.call_id == call_id)
        state = next((each["client_state"] for each in given if "client_state" in each), None)
        ends = {"from": dialled["from"], "to": dialled["to"], "direction": "outgoing"}
        state = state or dialled["client_state"]
        return json.dumps(telnyx.event(kind, call_id, **ends, client_state=state, **told)).encode()

    async def _is_taken(self, told: bytes) -> bool:
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            return await self._tell(told) == 200
        return False

    async def _tell(self, told: bytes) -> int:
        at = str(int(time.time()))
        signature = base64.b64encode(telnyx.PRIVATE.sign(f"{at}|".encode() + told)).decode()
        headers = {"telnyx-timestamp": at, "telnyx-signature-ed25519": signature}
        return await self.people.tell(f"{PUBLIC_URL}/telnyx/voice", told, headers)


@dataclass(frozen=True)
class OverVonage:
    api: VonageApiSimulator
    people: People

    def to(self, number: str) -> list[str]:
        return [call.uuid for call in self.api.placed.all if call.to == number.removeprefix("+")]

    def count(self) -> int:
        return len(self.api.placed.all)

    def steps(self, call: VonagePlaced) -> list[Step]:
        def comes_to(status: str) -> Step:
            async def told() -> None:
                call.status = status
                await self._tell(call, "event_url", uuid=call.uuid, status=status)

            return told

        async def picks_up() -> None:
            call.status = "answered"
            await self._tell(call, "answer_url", uuid=call.uuid)

        return [
            comes_to("ringing"),
            picks_up,
            lambda: self._tell(call, "event_url", call_uuid=call.uuid, status="human"),
            comes_to("completed"),
        ]

    async def _tell(self, call: VonagePlaced, at: str, **told: str) -> None:
        ends = {"from": call.from_, "to": call.to, "conversation_uuid": call.conversation}
        body = json.dumps({**ends, "direction": "outbound", **told, "token": str(uuid4())}).encode()
        headers = {"Authorization": bearer(body), "Content-Type": "application/json"}
        await self.people.tell(call.fields[at][0], body, headers)


@dataclass(frozen=True)
class Carriers:
    """All four, with what gateways are told of them, but for where Twilio is: `twilio_url`."""

    over: Mapping[CallCarrier, Rung]
    people: People
    twilio_url: str
    environment: Mapping[str, str]


@asynccontextmanager
async def carriers(number: str, lives: Callable[[], str]) -> AsyncIterator[Carriers]:
    """They serve a clinic that calls from this number."""
    people = People(lives)
    async with AsyncExitStack() as closing:
        opened = closing.enter_async_context
        by_twilio = await opened(TwilioApiSimulator(account_sid=ACCOUNT, auth_token=AUTH_TOKEN))
        by_plivo = await opened(PlivoApiSimulator(auth_id=plivo.ACCOUNT, auth_token=plivo.TOKEN))
        by_telnyx = await opened(TelnyxApiSimulator(api_key=telnyx.API_KEY))
        by_vonage = await opened(
            VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY)
        )
        twilio, over_plivo = OverTwilio(by_twilio), OverPlivo(by_plivo, people)
        over_telnyx, over_vonage = OverTelnyx(by_telnyx, people), OverVonage(by_vonage, people)
        by_twilio.placed.real_url = people.real
        by_twilio.placed.numbers.add(number)
        by_plivo.placed.numbers.add(number)
        by_telnyx.numbers[number] = APPLICATION
        by_vonage.placed.numbers.add(number.removeprefix("+"))
        by_twilio.placed.taken = lambda call: people.rung(twilio.steps(call))
        by_plivo.placed.taken = lambda call: people.rung(over_plivo.steps(call))
        by_telnyx.taken = lambda call_id: people.rung(over_telnyx.steps(call_id))
        by_vonage.placed.taken = lambda call: people.rung(over_vonage.steps(call))
        environment = {
            "PLIVO_AUTH_ID": plivo.ACCOUNT,
            "PLIVO_AUTH_TOKEN": plivo.TOKEN,
            "PLIVO_API_URL": by_plivo.url,
            "TELNYX_API_KEY": telnyx.API_KEY,
            "TELNYX_PUBLIC_KEY": telnyx.public_key(telnyx.PRIVATE),
            "TELNYX_API_URL": by_telnyx.url,
            **vonage.settings(by_vonage.url),
        }
        over: dict[CallCarrier, Rung] = {
            "twilio": twilio, "plivo": over_plivo, "telnyx": over_telnyx, "vonage": over_vonage
        }  # fmt: skip
        yield Carriers(over, people, by_twilio.url, environment)
