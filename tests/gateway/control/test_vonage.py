"""Ending calls at Vonage over REST, against a strict server of its protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import jwt
import pytest

from bench.simulators.faults import Refuse, Stall
from bench.simulators.vonage_api import VonageApiSimulator
from gateway.control.rest import CarrierHttp
from gateway.control.vonage import VonageControl
from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.tenancy.credentials import VonageAccount
from gateway.vonage_key import application_token, parse_private_key
from tests.gateway.vonage_application import OTHER_PEM, OURS, PUBLIC_KEY

CALL = str(uuid4())


@pytest.fixture
async def api() -> AsyncIterator[VonageApiSimulator]:
    async with VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY) as simulator:
        yield simulator


@asynccontextmanager
async def control(
    url: str, metrics: Metrics | None = None, timeout_s: float = 10
) -> AsyncIterator[VonageControl]:
    async with CarrierHttp(metrics or Metrics(), timeout_s=timeout_s) as http:
        yield VonageControl(http, url)


def told(metrics: Metrics, outcome: str) -> float | None:
    labels = {"carrier": "vonage", "outcome": outcome}
    return metrics.registry.get_sample_value("gateway_carrier_requests_total", labels)


async def test_live_call_is_ended_and_one_that_is_over_counts_as_ended(api: VonageApiSimulator) -> None:
    api.calls.add(CALL)
    metrics = Metrics()
    async with control(api.url, metrics) as vonage:
        await vonage.hang_up(CALL, OURS)
        assert api.calls == set()
        await vonage.hang_up(CALL, OURS)
    assert [request.status for request in api.requests] == [204, 404]
    assert told(metrics, "done") == 2


async def test_a_call_goes_on_with_another_document_unless_it_is_over(api: VonageApiSimulator) -> None:
    api.calls.add(CALL)
    document = [{"action": "talk", "text": "Goodbye."}]
    async with control(api.url) as vonage:
        await vonage.answer_anew(CALL, OURS, document)
        assert (api.documents, api.calls) == ([(CALL, document)], {CALL})
        with pytest.raises(CarrierRefused) as refused:
            await vonage.answer_anew(CALL, OURS, [{"action": "talk", "text": ""}])
        assert refused.value.status == 400
        await vonage.answer_anew(str(uuid4()), OURS, document)
    assert len(api.documents) == 1


@pytest.mark.parametrize(
    ("account", "fault", "status"),
    [
        (replace(OURS, private_key=OTHER_PEM), None, 401),
        (replace(OURS, application_id=str(uuid4())), None, 401),
        (OURS, Refuse(500), 500),
        (OURS, Refuse(429), 429),
    ],
    ids=["another key", "another application", "500", "429"],
)
async def test_a_refusal_is_told(
    api: VonageApiSimulator, account: VonageAccount, fault: Refuse | None, status: int
) -> None:
    api.calls.add(CALL)
    if fault is not None:
        api.faults.add(fault)
    async with control(api.url) as vonage:
        with pytest.raises(CarrierRefused) as refused:
            await vonage.hang_up(CALL, account)
    assert (refused.value.status, api.calls) == (status, {CALL})


async def test_an_absent_carrier_and_one_that_hangs_are_connection_errors(api: VonageApiSimulator) -> None:
    metrics = Metrics()
    async with control("http://127.0.0.1:9", metrics) as vonage:
        with pytest.raises(ConnectionError):
            await vonage.hang_up(CALL, OURS)
    api.faults.add(Stall())
    async with control(api.url, metrics, timeout_s=0.2) as vonage:
        with pytest.raises(ConnectionError):
            await vonage.hang_up(CALL, OURS)
    assert told(metrics, "unreachable") == 2


def test_a_token_says_what_the_vendors_own_package_makes_it_say() -> None:
    from vonage_jwt import JwtClient

    theirs = JwtClient(OURS.application_id, OURS.private_key).generate_application_jwt({"iat": 1_700_000_000})
    ours = application_token(OURS.application_id, OURS.private_key, now_s=1_700_000_000.9)
    read = [
        jwt.decode(token, PUBLIC_KEY, algorithms=["RS256"], options={"verify_exp": False})
        for token in (theirs.decode(), ours)
    ]
    assert [sorted(claims) for claims in read] == [["application_id", "exp", "iat", "jti"]] * 2
    assert [(each["application_id"], each["iat"]) for each in read] == [
        (OURS.application_id, 1_700_000_000)
    ] * 2
    assert jwt.get_unverified_header(ours) == jwt.get_unverified_header(theirs.decode())


@pytest.mark.parametrize(
    "pem", ["", "some-text", OURS.private_key[:-40], OURS.private_key.replace("PRIVATE", "PUBLIC")]
)
def test_what_is_no_private_key_is_refused_unrepeated(pem: str) -> None:
    with pytest.raises(ValueError, match="a private key is") as refused:
        parse_private_key(pem)
    assert refused.value.__cause__ is None
    assert not pem or pem[-30:] not in str(refused.value)
