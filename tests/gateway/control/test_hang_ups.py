"""Ending calls over REST at carriers that end them by one request, each against its own strict server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest

from bench.simulators.faults import Refuse, Stall
from bench.simulators.plivo_api import PlivoApiSimulator
from bench.simulators.vonage_api import VonageApiSimulator
from gateway.control.plivo import PlivoControl
from gateway.control.rest import CarrierHttp
from gateway.control.vonage import VonageControl
from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.tenancy.credentials import PlivoAccount
from tests.gateway import vonage_application as vonage

CALL = str(uuid4())
AT_PLIVO = PlivoAccount("MA" + "1" * 18, "token")


@dataclass(frozen=True)
class At:
    """One carrier. `strangers`: accounts that it does not take."""

    name: str
    simulator: Callable[[], AbstractAsyncContextManager[Any]]
    control: Callable[[CarrierHttp, str], Any]
    account: Any
    strangers: tuple[Any, ...]


PLIVO = At(
    "plivo",
    lambda: PlivoApiSimulator(auth_id=AT_PLIVO.auth_id, auth_token=AT_PLIVO.auth_token),
    PlivoControl,
    AT_PLIVO,
    (replace(AT_PLIVO, auth_token="wrong"), replace(AT_PLIVO, auth_id="MA" + "2" * 18)),
)
VONAGE = At(
    "vonage",
    lambda: VonageApiSimulator(application_id=vonage.OURS.application_id, public_key=vonage.PUBLIC_KEY),
    VonageControl,
    vonage.OURS,
    (
        replace(vonage.OURS, private_key=vonage.OTHER_PEM),
        replace(vonage.OURS, application_id=str(uuid4())),
    ),
)


@pytest.fixture(params=[PLIVO, VONAGE], ids=lambda at: at.name)
def at(request: pytest.FixtureRequest) -> At:
    carrier: At = request.param
    return carrier


@pytest.fixture
async def api(at: At) -> AsyncIterator[Any]:
    async with at.simulator() as simulator:
        simulator.calls.add(CALL)
        yield simulator


HangUp = Callable[[str, Any], Awaitable[None]]


@asynccontextmanager
async def hanging_up(
    at: At, url: str, metrics: Metrics | None = None, timeout_s: float = 10
) -> AsyncIterator[HangUp]:
    async with CarrierHttp(metrics or Metrics(), timeout_s=timeout_s) as http:
        yield at.control(http, url).hang_up


def told(at: At, metrics: Metrics, outcome: str) -> float | None:
    labels = {"carrier": at.name, "outcome": outcome}
    return metrics.registry.get_sample_value("gateway_carrier_requests_total", labels)


async def test_live_call_is_ended_and_one_that_is_over_counts_as_ended(at: At, api: Any) -> None:
    metrics = Metrics()
    async with hanging_up(at, api.url, metrics) as hang_up:
        await hang_up(CALL, at.account)
        assert api.calls == set()
        await hang_up(CALL, at.account)
    assert [request.status for request in api.requests] == [204, 404]
    assert told(at, metrics, "done") == 2


async def test_a_refusal_is_told(at: At, api: Any) -> None:
    refusals = [(stranger, 401) for stranger in at.strangers] + [(at.account, 500), (at.account, 429)]
    async with hanging_up(at, api.url) as hang_up:
        for account, status in refusals:
            if account is at.account:
                api.faults.add(Refuse(status))
            with pytest.raises(CarrierRefused) as refused:
                await hang_up(CALL, account)
            assert (refused.value.status, api.calls) == (status, {CALL})


async def test_an_absent_carrier_and_one_that_hangs_are_connection_errors(at: At, api: Any) -> None:
    metrics = Metrics()
    async with hanging_up(at, "http://127.0.0.1:9", metrics) as hang_up:
        with pytest.raises(ConnectionError):
            await hang_up(CALL, at.account)
    api.faults.add(Stall())
    async with hanging_up(at, api.url, metrics, timeout_s=0.2) as hang_up:
        with pytest.raises(ConnectionError):
            await hang_up(CALL, at.account)
    assert told(at, metrics, "unreachable") == 2
