"""The Twilio adapter against a strict server: what it sends, and what each refusal becomes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bench.simulators import twilio_messages as numbers
from bench.simulators.faults import Refuse, Stall
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.twilio_messages import TakeAndStall
from booking.errors import SmsError, SmsRefused, SmsUnavailable, SmsUnconfirmed
from booking.ports import OutgoingSms, SmsAccount
from booking.sms import TwilioSms, status_of

RECEIVER, SENDER, SERVICE = "+447700900123", "+442079460001", "MG" + "9" * 32
ACCOUNT = SmsAccount("AC" + "5" * 32, "token", SENDER, "Harley Street Clinic")
HELLO = OutgoingSms(RECEIVER, "hello", "https://gw.example.com/sms", 600)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioApiSimulator]:
    async with TwilioApiSimulator(account_sid=ACCOUNT.account_sid, auth_token="token") as simulator:
        simulator.messages.senders |= {SENDER, SERVICE}
        yield simulator


@pytest.fixture
async def sms(twilio: TwilioApiSimulator) -> AsyncIterator[TwilioSms]:
    async with TwilioSms(api_url=twilio.url) as adapter:
        yield adapter


@pytest.fixture
async def impatient(twilio: TwilioApiSimulator) -> AsyncIterator[TwilioSms]:
    async with TwilioSms(api_url=twilio.url, timeout_s=0.3) as adapter:
        yield adapter


async def test_a_message_is_sent_with_all_it_needs(twilio: TwilioApiSimulator, sms: TwilioSms) -> None:
    taken = await sms.send(ACCOUNT, HELLO)
    (message,) = twilio.messages.all
    assert (taken.provider_id, taken.status) == (message.sid, "queued")
    assert twilio.requests[0].form == {
        "To": RECEIVER,
        "From": SENDER,
        "Body": "hello",
        "StatusCallback": "https://gw.example.com/sms",
        "ValidityPeriod": "600",
    }


async def test_a_messaging_service_may_be_the_sender(twilio: TwilioApiSimulator, sms: TwilioSms) -> None:
    taken = await sms.send(replace(ACCOUNT, sender=SERVICE), OutgoingSms(RECEIVER, "hello"))
    assert taken.status == "queued"
    assert twilio.requests[0].form == {"To": RECEIVER, "MessagingServiceSid": SERVICE, "Body": "hello"}


@pytest.mark.parametrize(
    ("account", "message", "reason", "code"),
    [
        (replace(ACCOUNT, auth_token="wrong"), HELLO, "credentials", 20003),
        (ACCOUNT, replace(HELLO, to=numbers.INVALID), "receiver", 21211),
        (ACCOUNT, replace(HELLO, to=numbers.NOT_MOBILE), "receiver", 21614),
        (ACCOUNT, replace(HELLO, to=numbers.LANDLINE), "receiver", 21635),
        (ACCOUNT, replace(HELLO, to=numbers.OPTED_OUT), "opted_out", 21610),
        (ACCOUNT, replace(HELLO, to=numbers.NO_ROUTE), "configuration", 21612),
        (ACCOUNT, replace(HELLO, to=numbers.REGION_OFF), "configuration", 21408),
        (replace(ACCOUNT, sender="+15005550006"), HELLO, "configuration", 21606),
        (ACCOUNT, replace(HELLO, body="x" * 1601), "content", 21617),
    ],
)
async def test_a_refusal_says_whose_fault_it_is(
    sms: TwilioSms, account: SmsAccount, message: OutgoingSms, reason: str, code: int
) -> None:
    with pytest.raises(SmsRefused) as refused:
        await sms.send(account, message)
    assert (refused.value.reason, refused.value.code) == (reason, code)
    assert not refused.value.retryable
    assert message.to not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("fault", "becomes"),
    [
        (Refuse(429), SmsUnavailable),
        (Refuse(500), SmsUnconfirmed),
        (Refuse(503), SmsUnconfirmed),
    ],
    ids=["429", "500", "503"],
)
async def test_trouble_at_the_vendor(
    twilio: TwilioApiSimulator, sms: TwilioSms, fault: object, becomes: type[SmsError]
) -> None:
    twilio.faults.add(fault)
    with pytest.raises(becomes) as raised:
        await sms.send(ACCOUNT, HELLO)
    assert raised.value.retryable is (becomes is SmsUnavailable)


@pytest.mark.parametrize("fault", [Stall(), TakeAndStall()], ids=["before taking", "after taking"])
async def test_a_hang_ends_at_the_deadline(
    twilio: TwilioApiSimulator, impatient: TwilioSms, fault: object
) -> None:
    twilio.faults.add(fault)
    with pytest.raises(SmsUnconfirmed):
        await impatient.send(ACCOUNT, HELLO)


async def test_nobody_there_is_known_not_to_have_sent() -> None:
    async with TwilioSms(api_url="http://127.0.0.1:9") as sms:
        with pytest.raises(SmsUnavailable):
            await sms.send(ACCOUNT, HELLO)
        with pytest.raises(SmsUnavailable):
            await sms.find(ACCOUNT, HELLO, since=LONG_AGO)


async def test_cancelling_a_send_leaves_nothing_open(twilio: TwilioApiSimulator, sms: TwilioSms) -> None:
    twilio.faults.add(Stall())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sms.send(ACCOUNT, HELLO), 0.05)
    assert twilio.messages.all == []


async def test_what_went_out_is_found_by_receiver_and_text(sms: TwilioSms) -> None:
    first = await sms.send(ACCOUNT, HELLO)
    await sms.send(ACCOUNT, replace(HELLO, body="other"))
    await sms.send(ACCOUNT, replace(HELLO, to="+447700900124"))
    assert await sms.find(ACCOUNT, HELLO, since=LONG_AGO) == [first]
    assert await sms.find(ACCOUNT, HELLO, since=datetime.now(UTC) + timedelta(minutes=1)) == []


@pytest.mark.parametrize("fault", [Refuse(500), Refuse(401), Refuse(429)])
async def test_a_list_that_cannot_be_had(twilio: TwilioApiSimulator, sms: TwilioSms, fault: object) -> None:
    twilio.faults.add(fault)
    with pytest.raises(SmsUnavailable):
        await sms.find(ACCOUNT, HELLO, since=LONG_AGO)


async def test_a_list_that_never_comes(twilio: TwilioApiSimulator, impatient: TwilioSms) -> None:
    twilio.faults.add(Stall())
    with pytest.raises(SmsUnavailable):
        await impatient.find(ACCOUNT, HELLO, since=LONG_AGO)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("accepted", "queued"),
        ("sending", "queued"),
        ("sent", "sent"),
        ("read", "delivered"),
        ("canceled", "failed"),
    ],
)
def test_statuses_in_our_words(theirs: str, ours: str) -> None:
    assert status_of(theirs) == ours


def test_an_unknown_status_is_none_of_ours() -> None:
    assert status_of("receiving") is None
