"""Ending calls over REST, through the vendor's SDK, against a strict server of its protocol."""

from collections.abc import AsyncIterator

import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from gateway.control.twilio import TwilioControl
from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.tenancy.credentials import TwilioAccount
from tests.gateway.running import ACCOUNT, AUTH_TOKEN, CALL


@pytest.fixture
async def api() -> AsyncIterator[TwilioApiSimulator]:
    async with TwilioApiSimulator(account_sid=ACCOUNT, auth_token=AUTH_TOKEN) as simulator:
        yield simulator


OURS = TwilioAccount(ACCOUNT, AUTH_TOKEN)


def control(url: str, metrics: Metrics | None = None) -> TwilioControl:
    return TwilioControl(url, metrics or Metrics(), timeout_s=10)


async def test_live_call_is_ended(api: TwilioApiSimulator) -> None:
    api.add_call(CALL)
    async with control(api.url) as twilio:
        await twilio.hang_up(CALL, OURS)
    assert api.calls[CALL].status == "completed"


async def test_call_that_is_over_counts_as_ended(api: TwilioApiSimulator) -> None:
    metrics = Metrics()
    async with control(api.url, metrics=metrics) as twilio:
        await twilio.hang_up(CALL, OURS)
    done = {"carrier": "twilio", "outcome": "done"}
    assert metrics.registry.get_sample_value("gateway_carrier_requests_total", done) == 1


async def test_wrong_credentials_are_refused(api: TwilioApiSimulator) -> None:
    async with control(api.url) as twilio:
        with pytest.raises(CarrierRefused) as refused:
            await twilio.hang_up(CALL, TwilioAccount(ACCOUNT, "wrong"))
    assert refused.value.status == 401


async def test_absent_carrier_is_a_connection_error() -> None:
    async with control("http://127.0.0.1:9") as twilio:
        with pytest.raises(ConnectionError):
            await twilio.hang_up(CALL, OURS)
