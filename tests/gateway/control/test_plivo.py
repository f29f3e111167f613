"""Ending and transferring calls at Plivo over REST, against a strict server of its protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.simulators.faults import Refuse, Stall
from bench.simulators.plivo_api import PlivoApiSimulator
from gateway.control.plivo import PlivoControl
from gateway.control.rest import CarrierHttp
from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.tenancy.credentials import PlivoAccount

OURS = PlivoAccount("MA" + "1" * 18, "token")
CALL = "7c1a8ad4-0d5a-4b0b-9b9e-1f2d3c4b5a69"


@pytest.fixture
async def api() -> AsyncIterator[PlivoApiSimulator]:
    async with PlivoApiSimulator(auth_id=OURS.auth_id, auth_token=OURS.auth_token) as simulator:
        yield simulator


@asynccontextmanager
async def control(
    url: str, metrics: Metrics | None = None, timeout_s: float = 10
) -> AsyncIterator[PlivoControl]:
    async with CarrierHttp(metrics or Metrics(), timeout_s=timeout_s) as http:
        yield PlivoControl(http, url)


def told(metrics: Metrics, outcome: str) -> float | None:
    labels = {"carrier": "plivo", "outcome": outcome}
    return metrics.registry.get_sample_value("gateway_carrier_requests_total", labels)


async def test_live_call_is_ended_and_one_that_is_over_counts_as_ended(api: PlivoApiSimulator) -> None:
    api.calls.add(CALL)
    metrics = Metrics()
    async with control(api.url, metrics) as plivo:
        await plivo.hang_up(CALL, OURS)
        assert api.calls == set()
        await plivo.hang_up(CALL, OURS)
    assert [request.status for request in api.requests] == [204, 404]
    assert told(metrics, "done") == 2


async def test_a_call_goes_on_at_another_address_unless_it_is_over(api: PlivoApiSimulator) -> None:
    api.calls.add(CALL)
    async with control(api.url) as plivo:
        await plivo.answer_anew(CALL, OURS, "https://gw.example.com/anew")
        assert (api.transferred, api.calls) == ({CALL: "https://gw.example.com/anew"}, {CALL})
        with pytest.raises(CarrierRefused) as refused:
            await plivo.answer_anew(CALL, OURS, "no address")
        assert refused.value.status == 400
        api.calls.clear()
        await plivo.answer_anew(CALL, OURS, "https://gw.example.com/again")
    assert api.transferred == {CALL: "https://gw.example.com/anew"}


@pytest.mark.parametrize(
    ("account", "fault", "status"),
    [(PlivoAccount(OURS.auth_id, "wrong"), None, 401), (OURS, Refuse(500), 500), (OURS, Refuse(429), 429)],
)
async def test_a_refusal_is_told(
    api: PlivoApiSimulator, account: PlivoAccount, fault: Refuse | None, status: int
) -> None:
    api.calls.add(CALL)
    if fault is not None:
        api.faults.add(fault)
    async with control(api.url) as plivo:
        with pytest.raises(CarrierRefused) as refused:
            await plivo.hang_up(CALL, account)
    assert (refused.value.status, api.calls) == (status, {CALL})


async def test_an_absent_carrier_and_one_that_hangs_are_connection_errors(api: PlivoApiSimulator) -> None:
    metrics = Metrics()
    async with control("http://127.0.0.1:9", metrics) as plivo:
        with pytest.raises(ConnectionError):
            await plivo.hang_up(CALL, OURS)
    api.faults.add(Stall())
    async with control(api.url, metrics, timeout_s=0.2) as plivo:
        with pytest.raises(ConnectionError):
            await plivo.hang_up(CALL, OURS)
    assert told(metrics, "unreachable") == 2
