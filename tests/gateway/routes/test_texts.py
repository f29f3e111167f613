"""What people text to a clinic's number, over a real server: STOP and START are kept, nothing else is."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from bench.simulators.twilio_api import TwilioApiSimulator
from booking import audit
from booking.db import org_transaction
from booking.errors import SmsRefused
from booking.messages import Text
from booking.types import Claim
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import ACCOUNT, AUTH_TOKEN, PUBLIC_URL, Gateway

PATIENT = "+447700900123"
URL = PUBLIC_URL + "/twilio/sms"


@pytest.fixture
async def twilio(clinic: Clinic) -> AsyncIterator[TwilioApiSimulator]:
    async with TwilioApiSimulator(account_sid=ACCOUNT, auth_token=AUTH_TOKEN) as simulator:
        simulator.messages.senders.add(clinic.number)
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, twilio: TwilioApiSimulator) -> AsyncIterator[Gateway]:
    async with running.gateway(running.environment(stack, TWILIO_API_URL=twilio.url)) as served:
        twilio.messages.real_url = lambda url: url.replace(PUBLIC_URL, served.url)
        yield served


async def send(gateway: Gateway, claim: Claim) -> bool:
    text = Text(kind="otp", subject_id=uuid4(), to=PATIENT, body="123456 is your code")
    messages = gateway.edge.desk.texts.messages
    return await messages.send(claim, await messages.accounts.account(claim), text)


async def actions(gateway: Gateway, claim: Claim) -> list[str]:
    records = await audit.page_of_records(gateway.edge.desk.pool, claim, limit=10)
    return [each.action for each in reversed(records)]


@pytest.mark.parametrize("advanced", [False, True])
async def test_stop_and_start(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic, advanced: bool
) -> None:
    asked = {"from_": PATIENT, "to": clinic.number, "advanced": advanced}
    assert await twilio.messages.receive(URL, body="Stop", **asked) == 200
    with pytest.raises(SmsRefused) as refused:
        await send(gateway, clinic.claim)
    assert (refused.value.reason, twilio.messages.all) == ("opted_out", [])
    assert await twilio.messages.receive(URL, body="start", **asked) == 200
    assert await send(gateway, clinic.claim)
    assert await actions(gateway, clinic.claim) == ["texts_refused", "texts_accepted"]


async def test_a_choice_that_is_handed_on_once_more_changes_nothing_more(
    gateway: Gateway, clinic: Clinic
) -> None:
    said = ("STOP", "START", "STOP", "START")
    forms = [{"To": clinic.number, "From": PATIENT, "Body": word} for word in said]
    told = [form | {"MessageSid": f"SM{number:032x}"} for number, form in enumerate(forms)]
    for form in (*told[:3], told[1], told[2]):  # that START is two words old
        assert (await gateway.post("/twilio/sms", form)).status_code == 200
    with pytest.raises(SmsRefused):
        await send(gateway, clinic.claim)
    for form in (told[3], told[0]):
        assert (await gateway.post("/twilio/sms", form)).status_code == 200
    said_so = ["texts_refused", "texts_accepted"]
    assert await actions(gateway, clinic.claim) == said_so * 2


async def test_other_words_change_and_leave_nothing(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic
) -> None:
    body = "Please stop the pain in my knee"
    assert await twilio.messages.receive(URL, from_=PATIENT, to=clinic.number, body=body) == 200
    assert await send(gateway, clinic.claim)
    assert await actions(gateway, clinic.claim) == []
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as connection:
        assert await connection.fetchval("select count(*) from contacts") == 0


async def test_the_answer_is_an_empty_document(gateway: Gateway, clinic: Clinic) -> None:
    answer = await gateway.post("/twilio/sms", {"To": clinic.number, "From": PATIENT, "Body": "Hello"})
    assert running.verbs(running.document(answer)) == []


async def test_a_short_code_needs_the_orgs_own_address(
    gateway: Gateway, twilio: TwilioApiSimulator, clinic: Clinic
) -> None:
    asked = {"from_": PATIENT, "to": "62345", "body": "STOP"}
    assert await twilio.messages.receive(URL, **asked) == 404
    assert await twilio.messages.receive(f"{URL}/{clinic.claim.org_id}", **asked) == 200
    assert await actions(gateway, clinic.claim) == ["texts_refused"]


@pytest.mark.parametrize("sender", ["", "HARLEY", "62345", "+44 7700 900123", "'; drop table contacts; --"])
async def test_a_sender_whom_nobody_can_text(gateway: Gateway, clinic: Clinic, sender: str) -> None:
    fields = {"To": clinic.number, "From": sender, "Body": "STOP"}
    assert (await gateway.post("/twilio/sms", fields)).status_code == 200
    assert await actions(gateway, clinic.claim) == []


async def test_a_forged_stop_stops_nothing(gateway: Gateway, clinic: Clinic) -> None:
    fields = {"To": clinic.number, "From": PATIENT, "Body": "STOP"}
    assert (await gateway.post("/twilio/sms", fields, "AAAA")).status_code == 403
    assert await send(gateway, clinic.claim)
    assert await actions(gateway, clinic.claim) == ["webhook_refused"]


async def test_without_the_database_the_carrier_asks_again(gateway: Gateway, clinic: Clinic) -> None:
    fields = {"To": clinic.number, "From": PATIENT, "Body": "Hello"}
    assert (await gateway.post("/twilio/sms", fields)).status_code == 200
    await gateway.edge.desk.pool.close()
    assert (await gateway.post("/twilio/sms", fields | {"Body": "STOP"})).status_code == 503
