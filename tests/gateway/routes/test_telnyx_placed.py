"""A call that the clinic places over Telnyx: ordered, answered, left to a machine, told of again."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.telnyx_api import TelnyxApiSimulator
from bench.simulators.twilio_messages import TakeAndStall
from booking.db import fetch, org_transaction
from booking.placing import Placing
from gateway.placed_address import placed_state, read_placed
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.calls_placed import asked, placing_over, stands
from tests.gateway.routes.test_telnyx import (
    API_KEY,
    PRIVATE,
    actions,
    event,
    frame,
    media,
    post,
    public_key,
    start,
    until,
)
from tests.gateway.running import Gateway, Vendors

APPLICATION = "1684641123236054244"


@pytest.fixture
async def api(clinic: Clinic) -> AsyncIterator[TelnyxApiSimulator]:
    async with TelnyxApiSimulator(api_key=API_KEY) as simulator:
        simulator.numbers[clinic.number] = APPLICATION
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, vendors: Vendors, api: TelnyxApiSimulator) -> AsyncIterator[Gateway]:
    environ = running.environment(
        stack,
        **vendors.environment(),
        TELNYX_API_KEY=API_KEY,
        TELNYX_PUBLIC_KEY=public_key(PRIVATE),
        TELNYX_API_URL=api.url,
        HANG_UP_S="2",
    )
    async with running.gateway(environ) as served:
        yield served


@pytest.fixture
async def engine(gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Placing]:
    async with placing_over("telnyx", gateway, pool, clinic) as placing:
        yield placing


def told(api: TelnyxApiSimulator, kind: str, **payload: Any) -> dict[str, Any]:
    """An event of the one call that was placed, with its state."""
    [(call_id, call)] = api.calls.items()
    state = next(
        (each.fields["client_state"] for each in reversed(api.commands) if "client_state" in each.fields),
        call.dialled["client_state"],
    )
    ends = {"from": call.dialled["from"], "to": call.dialled["to"], "direction": "outgoing"}
    return event(kind, call_id, **ends, client_state=state, **payload)


async def test_it_is_ordered_once_and_talks(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, engine: Placing
) -> None:
    placed_id = await asked(gateway, clinic)
    await engine.go_on(clinic.claim, placed_id)
    [(call_id, call)] = api.calls.items()
    assert (call.dialled["from"], call.dialled["connection_id"]) == (clinic.number, APPLICATION)
    assert (call.dialled["time_limit_secs"], call.dialled["timeout_secs"]) == (2040, 25)
    assert (await post(gateway, told(api, "call.initiated"))).status_code == 200
    assert await stands(gateway, clinic, placed_id) == ("ringing", None, None)
    call.state = "answered"
    assert (await post(gateway, told(api, "call.answered"))).status_code == 200
    assert actions(api) == ["streaming_start"]
    async with media(gateway, api.commands[0].fields["stream_url"]) as socket:
        await socket.send(start(call_id, api.commands[0].fields["client_state"]))
        await until(socket, "media")
        socket.transport.abort()
    await gateway.until_idle()
    assert (await post(gateway, told(api, "streaming.failed"))).status_code == 200
    assert actions(api) == ["streaming_start"] * 2
    stream = api.commands[-1].fields
    async with media(gateway, stream["stream_url"]) as socket:
        await socket.send(start(call_id, stream["client_state"]))
        assert base64.b64decode((await until(socket, "media"))["media"]["payload"])
        await socket.send(frame("stop", stop={"call_control_id": call_id}))
        assert (
            await post(gateway, told(api, "call.machine.detection.ended", result="human"))
        ).status_code == 200
    call.state = "ended"
    over = told(api, "call.hangup", hangup_cause="normal_clearing")
    assert (await post(gateway, over)).status_code == 200
    assert await stands(gateway, clinic, placed_id) == ("ended", "talked", "human")
    await gateway.until_idle()


@pytest.mark.parametrize("attempt", [0, -1, 10**20])
def test_a_state_of_no_attempt_is_none(attempt: int) -> None:
    assert read_placed(placed_state(uuid4(), uuid4(), attempt)) is None


async def test_a_machine_gets_the_message_and_then_the_hang_up(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, engine: Placing
) -> None:
    placed_id = await asked(gateway, clinic)
    await engine.go_on(clinic.claim, placed_id)
    [call] = api.calls.values()
    call.state = "answered"
    assert (await post(gateway, told(api, "call.answered"))).status_code == 200
    beep = told(api, "call.machine.greeting.ended", result="beep_detected")
    api.faults.add(Refuse(500))
    assert [(await post(gateway, beep)).status_code for _ in range(3)] == [503, 200, 200]
    for kind in ("streaming.stopped", "call.speak.ended"):
        assert (await post(gateway, told(api, kind))).status_code == 200
    assert actions(api) == ["streaming_start", "streaming_stop", "speak", "hangup"]
    assert "Harley Street Clinic" in api.commands[2].fields["payload"]
    assert (await post(gateway, told(api, "call.hangup", hangup_cause="normal_clearing"))).status_code == 200
    assert await stands(gateway, clinic, placed_id) == ("ended", "message_left", "machine")


async def test_a_request_without_an_answer_is_found_among_the_live_calls(
    gateway: Gateway, clinic: Clinic, api: TelnyxApiSimulator, engine: Placing
) -> None:
    api.faults.add(TakeAndStall())
    placed_id = await asked(gateway, clinic)
    await engine.go_on(clinic.claim, placed_id)
    assert (await stands(gateway, clinic, placed_id))[0] == "placing"
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as connection:
        await connection.execute("update placed_calls set next_at = now()")
    await engine.go_on(clinic.claim, placed_id)
    assert (await stands(gateway, clinic, placed_id))[0] == "ringing"
    assert len(api.calls) == 1
    assert (await post(gateway, told(api, "call.hangup", hangup_cause="user_busy"))).status_code == 200
    assert await stands(gateway, clinic, placed_id) == ("unanswered", "busy", None)
    await engine.go_on(clinic.claim, placed_id)
    (row,) = await fetch(gateway.edge.desk.pool, clinic.claim, "placed_call_facts", placed_id)
    assert (row["state"], row["attempt"]) == ("queued", 1)
    late = told(api, "call.answered")
    api.calls[late["data"]["payload"]["call_control_id"]].state = "answered"
    assert (await post(gateway, late)).status_code == 200
    assert actions(api) == ["hangup"]  # that attempt was given up
    assert timedelta(minutes=4) < row["next_at"] - row["placing_at"]
