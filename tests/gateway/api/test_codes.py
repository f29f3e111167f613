"""Codes over HTTP: sent, checked, used up; each way in which they fail has an answer of its own."""

from bench.simulators import twilio_messages as numbers
from bench.simulators.faults import Refuse
from bench.simulators.twilio_api import TwilioApiSimulator
from tests.conftest import Clinic
from tests.gateway.api.booked import PHONE, code_sent, held, other_than
from tests.gateway.api.client import Client, kind


async def test_a_code_is_sent_and_verifies_the_hold(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    hold = await held(client, clinic)
    sent = await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})
    assert (sent.status_code, set(sent.json())) == (202, {"expires_at", "codes_left"})
    code = code_sent(twilio)
    assert code not in sent.text
    checked = await client.post(f"/holds/{hold['id']}/otp/check", {"code": f"{code[:3]}-{code[3:]}"})
    assert (checked.status_code, checked.json()) == (200, {"hold_id": hold["id"], "verified": True})


async def test_a_request_sent_again_sends_no_second_message(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    hold = await held(client, clinic)
    first = await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE}, key="send")
    again = await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE}, key="send")
    assert (again.status_code, again.content) == (202, first.content)
    assert len(twilio.messages.to(PHONE)) == 1


async def test_wrong_codes_are_counted_and_then_locked(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    hold = await held(client, clinic)
    await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})
    wrong = other_than(code_sent(twilio))
    path, left = f"/holds/{hold['id']}/otp/check", list[int]()
    while kind(answer := await client.post(path, {"code": wrong})) == "code-wrong":
        assert answer.status_code == 422
        left.append(answer.json()["attempts_left"])
    assert left == list(range(left[0], 0, -1))
    assert (answer.status_code, kind(answer)) == (409, "code-locked")
    right = await client.post(f"/holds/{hold['id']}/otp/check", {"code": code_sent(twilio)})
    assert kind(right) == "code-locked"
    assert kind(await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})) == "code-locked"


async def test_a_wrong_answer_sent_again_counts_once(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    hold = await held(client, clinic)
    await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})
    body = {"code": other_than(code_sent(twilio))}
    first = await client.post(f"/holds/{hold['id']}/otp/check", body, key="check")
    again = await client.post(f"/holds/{hold['id']}/otp/check", body, key="check")
    assert first.content == again.content


async def test_codes_are_not_sent_for_ever(client: Client, clinic: Clinic) -> None:
    hold = await held(client, clinic)
    sent = 0
    while (answer := await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE})).status_code == 202:
        sent += 1
        assert sent < 20
    assert (answer.status_code, kind(answer)) == (429, "codes-limited")


async def test_a_code_that_was_never_sent(client: Client, clinic: Clinic) -> None:
    hold = await held(client, clinic)
    answer = await client.post(f"/holds/{hold['id']}/otp/check", {"code": "123456"})
    assert (answer.status_code, kind(answer)) == (410, "code-expired")


async def test_a_hold_that_was_given_back(client: Client, clinic: Clinic) -> None:
    hold = await held(client, clinic)
    await client.delete(f"/holds/{hold['id']}")
    for answer in [
        await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE}),
        await client.post(f"/holds/{hold['id']}/otp/check", {"code": "123456"}),
    ]:
        assert (answer.status_code, kind(answer)) == (409, "hold-over")


async def test_what_is_no_number(client: Client, clinic: Clinic, twilio: TwilioApiSimulator) -> None:
    hold = await held(client, clinic)
    for phone in ["", "07700900123", "+0123456789", "+44770090012x", PHONE + "\n"]:
        answer = await client.post(f"/holds/{hold['id']}/otp", {"phone": phone})
        assert (answer.status_code, answer.json()["pointer"]) == (422, "$.phone"), phone
        assert "7700900" not in answer.text
    assert twilio.messages.all == []


async def test_what_is_no_code(client: Client, clinic: Clinic) -> None:
    hold = await held(client, clinic)
    arabic_digits = "\u0661\u0662\u0663\u0664\u0665\u0666"
    for code in [
        "",
        "12345",
        "1234567",
        "abcdef",
        arabic_digits,
        "1" * 33,
        "' or 1=1",
    ]:
        answer = await client.post(f"/holds/{hold['id']}/otp/check", {"code": code})
        assert (answer.status_code, answer.json()["pointer"]) == (422, "$.code"), code


async def test_a_landline(client: Client, clinic: Clinic) -> None:
    hold = await held(client, clinic)
    answer = await client.post(f"/holds/{hold['id']}/otp", {"phone": numbers.LANDLINE})
    assert (answer.status_code, kind(answer), answer.json()["detail"]) == (422, "number-refused", "receiver")
    assert numbers.LANDLINE not in answer.text


async def test_while_the_provider_is_away_the_same_request_may_work_later(
    client: Client, clinic: Clinic, twilio: TwilioApiSimulator
) -> None:
    hold = await held(client, clinic)
    twilio.faults.add(Refuse(503))
    away = await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE}, key="away")
    assert (away.status_code, kind(away)) == (503, "unavailable")
    back = await client.post(f"/holds/{hold['id']}/otp", {"phone": PHONE}, key="away")
    assert back.status_code == 202
