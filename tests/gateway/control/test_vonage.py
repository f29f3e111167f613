"""Transferring calls at Vonage over REST, against a strict server of its protocol; its tokens and keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import jwt
import pytest

from bench.simulators.vonage_api import VonageApiSimulator
from gateway.control.rest import CarrierHttp
from gateway.control.vonage import VonageControl
from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.vonage_key import application_token, parse_private_key
from tests.gateway.vonage_application import OURS, PUBLIC_KEY

CALL = str(uuid4())


@pytest.fixture
async def api() -> AsyncIterator[VonageApiSimulator]:
    async with VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY) as simulator:
        yield simulator


@asynccontextmanager
async def control(url: str) -> AsyncIterator[VonageControl]:
    async with CarrierHttp(Metrics(), timeout_s=10) as http:
        yield VonageControl(http, url)


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
