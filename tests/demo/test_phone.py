"""The simulated caller's telephone, in front of the strict account."""

from bench.demo.phone import Phone
from bench.simulators.twilio_api import TwilioApiSimulator
from booking.ports import OutgoingSms, SmsAccount
from booking.sms import TwilioSms

ACCOUNT, TOKEN, CLINIC, CALLER = "AC" + "5" * 32, "token", "+442079460018", "+447700900123"


async def text(url: str, to: str, body: str) -> None:
    async with TwilioSms(api_url=url) as sms:
        await sms.send(SmsAccount(ACCOUNT, TOKEN, CLINIC, "Clinic"), OutgoingSms(to, body))


async def test_it_reads_each_code_that_was_texted_to_it_once() -> None:
    async with TwilioApiSimulator(account_sid=ACCOUNT, auth_token=TOKEN) as twilio:
        twilio.messages.senders.add(CLINIC)
        phone = Phone(CALLER, twilio.url, ACCOUNT, TOKEN)
        assert await phone.unread_code() is None
        await text(twilio.url, "+447700900124", "Clinic: 111111 is your code.")
        assert await phone.unread_code() is None
        await text(twilio.url, CALLER, "Clinic: 222222 is your code.")
        await text(twilio.url, CALLER, "Clinic: 333333 is your code.")
        assert await phone.unread_code() == "333333"
        assert await phone.unread_code() is None
        await text(twilio.url, CALLER, "See you on Tuesday.")
        assert await phone.unread_code() is None


async def test_with_a_real_account_there_is_nothing_to_read() -> None:
    assert await Phone(CALLER, None, ACCOUNT, TOKEN).unread_code() is None
