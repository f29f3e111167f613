"""What Telnyx tells of the two legs of a handover: after a crash, of one that is none, in another's name."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.telnyx_api import TelnyxApiSimulator, TelnyxCall
from booking.calls import open_call
from booking.handovers import ask_handover, end_handover
from gateway.carriers.telnyx import client_state, told_by_state
from tests.conftest import Clinic
from tests.gateway.routes.test_telnyx import OWN_PRIVATE, actions, event, post
from tests.gateway.routes.test_telnyx import api as api
from tests.gateway.routes.test_telnyx import call_id as call_id
from tests.gateway.routes.test_telnyx import gateway as gateway
from tests.gateway.running import Gateway

PERSON = "v3:person"


@pytest.fixture
async def state(pool: asyncpg.Pool, clinic: Clinic, call_id: str, api: TelnyxApiSimulator) -> dict[str, str]:
    """Of the leg of a person who has picked up; the caller's leg still has a stream, as after a crash."""
    handover_id, ours = uuid4(), uuid4()
    api.calls[call_id] = TelnyxCall("answered", is_streamed=True)
    api.calls[PERSON] = TelnyxCall("answered")
    started = {"call_id": ours, "carrier": "telnyx", "carrier_call_id": call_id}
    await open_call(pool, clinic.claim, **started, started_at=datetime.now(UTC))
    await ask_handover(pool, clinic.claim, handover_id=handover_id, call_id=ours, summary="A bill.")
    return {
        "clinic": clinic.claim.org_id.hex,
        "handover": handover_id.hex,
        "role": "person",
        "leg": call_id,
        "from": "+447700900123",
        "to": clinic.number,
    }


async def tell(gateway: Gateway, kind: str, state: dict[str, str], **more: Any) -> httpx.Response:
    told = event(kind, PERSON, direction="outgoing", client_state=client_state(state))
    return await post(gateway, told, **more)


async def test_a_stream_that_a_crash_left_is_stopped_before_the_legs_are_bridged(
    gateway: Gateway, api: TelnyxApiSimulator, state: dict[str, str], call_id: str
) -> None:
    api.faults.add(Refuse(500))
    assert [(await tell(gateway, "call.answered", state)).status_code for _ in range(2)] == [503, 200]
    assert "A bill." in api.commands[0].fields["payload"]
    assert (await tell(gateway, "call.speak.ended", state)).status_code == 200
    assert actions(api) == ["speak", "streaming_stop", "bridge"]
    stopped, bridged = api.commands[1].fields, api.commands[2].fields
    assert told_by_state(stopped["client_state"])["role"] == "caller"
    assert told_by_state(bridged["client_state"])["talked"] == "1"
    late = event("streaming.stopped", call_id, client_state=stopped["client_state"])
    assert (await post(gateway, late)).status_code == 200
    assert actions(api)[3:] == []  # the stream is not opened again
    talked = dict(told_by_state(bridged["client_state"]))
    for _ in range(2):
        assert (await tell(gateway, "call.hangup", talked)).status_code == 200
    assert actions(api)[3:] == ["hangup"]


async def test_nobody_is_announced_whose_handover_is_given_up_or_unknown(
    gateway: Gateway, api: TelnyxApiSimulator, state: dict[str, str], pool: asyncpg.Pool, clinic: Clinic
) -> None:
    assert (await tell(gateway, "call.answered", state | {"handover": uuid4().hex})).status_code == 200
    assert actions(api) == ["hangup"]
    api.calls[PERSON] = TelnyxCall("answered")
    given_up = state["handover"]
    await end_handover(pool, clinic.claim, handover_id=UUID(hex=given_up), state="failed")
    assert (await tell(gateway, "call.answered", state)).status_code == 200
    assert actions(api) == ["hangup", "hangup"]
    assert (await tell(gateway, "call.hangup", state)).status_code == 200
    assert actions(api) == ["hangup", "hangup"]  # the caller has stayed with the agent


async def test_what_is_unsigned_replayed_or_makes_no_sense_changes_nothing(
    gateway: Gateway, api: TelnyxApiSimulator, state: dict[str, str]
) -> None:
    assert (await tell(gateway, "call.hangup", state, private=OWN_PRIVATE)).status_code == 403
    assert (await tell(gateway, "call.hangup", state, at_s=1_700_000_000)).status_code == 403
    for wrong in ({"role": "nobody"}, {"leg": "../x"}, {"leg": ""}, {"handover": "x"}, {"clinic": "x"}):
        told = await tell(gateway, "call.answered", state | wrong)
        assert told.status_code == 200, wrong
    assert actions(api) == []
