"""Placing calls at Telnyx over REST: what is asked for, and what Telnyx's own package knows of that."""

from collections.abc import AsyncIterator
from importlib import import_module
from uuid import UUID

import pytest
from pydantic import TypeAdapter

from bench.simulators.faults import Refuse
from bench.simulators.telnyx_api import TelnyxApiSimulator
from booking.errors import CallingNotConfigured, CallingRefused, CallingUnavailable
from booking.placing import CallOrder
from gateway.control.rest import CarrierHttp
from gateway.control.telnyx_placing import TelnyxPlacing
from gateway.metrics import Metrics
from gateway.tenancy.credentials import TelnyxAccount

OURS = TelnyxAccount("KEY", "public")
ORDER = CallOrder(
    UUID(int=1), UUID(int=2), 1, "+442079460018", "+447700900123", carrier="telnyx", sealed=None, ring_s=25
)


@pytest.fixture
async def api() -> AsyncIterator[TelnyxApiSimulator]:
    async with TelnyxApiSimulator(api_key="KEY") as simulator:
        simulator.numbers[ORDER.from_] = "1684641123236054244"
        yield simulator


@pytest.fixture
async def placing(api: TelnyxApiSimulator) -> AsyncIterator[TelnyxPlacing]:
    async with CarrierHttp(Metrics(), timeout_s=10) as http:
        yield TelnyxPlacing(http, api.url, longest_s=900)


async def test_a_call_is_placed_once_found_and_looked_at(
    placing: TelnyxPlacing, api: TelnyxApiSimulator
) -> None:
    call_id = await placing.place(OURS, ORDER)
    assert await placing.place(OURS, ORDER) == call_id  # the same attempt
    assert [each.carrier_call_id for each in await placing.find(OURS, ORDER)] == [call_id]
    assert await placing.look(OURS, call_id) is not None
    api.calls[call_id].state = "ended"
    assert await placing.find(OURS, ORDER) == []
    assert await placing.look(OURS, call_id) is None
    assert await placing.look(OURS, "v3:never") is None


async def test_what_telnyx_does_not_take_is_told(placing: TelnyxPlacing, api: TelnyxApiSimulator) -> None:
    with pytest.raises(CallingRefused):
        await placing.place(TelnyxAccount("another", "public"), ORDER)
    api.faults.add(Refuse(500))
    with pytest.raises(CallingUnavailable):  # before anything was asked for
        await placing.place(OURS, ORDER)
    api.numbers.clear()
    with pytest.raises(CallingNotConfigured):
        await placing.place(OURS, ORDER)
    assert api.calls == {}


async def test_telnyxs_own_package_knows_all_that_is_asked_for(
    placing: TelnyxPlacing, api: TelnyxApiSimulator
) -> None:
    types = import_module("telnyx.types")
    dialled = api.calls[await placing.place(OURS, ORDER)].dialled
    given = {"from_" if name == "from" else name: value for name, value in dialled.items()}
    assert TypeAdapter(types.CallDialParams).validate_python(given) == given  # drops what it does not know
