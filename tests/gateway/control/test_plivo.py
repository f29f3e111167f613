"""Transferring calls at Plivo over REST, against a strict server of its protocol."""

from uuid import uuid4

import pytest

from bench.simulators.plivo_api import PlivoApiSimulator
from gateway.control.plivo import PlivoControl
from gateway.control.rest import CarrierHttp
from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.tenancy.credentials import PlivoAccount

OURS, CALL = PlivoAccount("MA" + "1" * 18, "token"), str(uuid4())


async def test_a_call_goes_on_at_another_address_unless_it_is_over() -> None:
    async with (
        PlivoApiSimulator(auth_id=OURS.auth_id, auth_token=OURS.auth_token) as api,
        CarrierHttp(Metrics(), timeout_s=10) as http,
    ):
        api.calls.add(CALL)
        plivo = PlivoControl(http, api.url)
        await plivo.answer_anew(CALL, OURS, "https://gw.example.com/anew")
        assert (api.transferred, api.calls) == ({CALL: "https://gw.example.com/anew"}, {CALL})
        with pytest.raises(CarrierRefused) as refused:
            await plivo.answer_anew(CALL, OURS, "no address")
        assert refused.value.status == 400
        api.calls.clear()
        await plivo.answer_anew(CALL, OURS, "https://gw.example.com/again")
    assert api.transferred == {CALL: "https://gw.example.com/anew"}
