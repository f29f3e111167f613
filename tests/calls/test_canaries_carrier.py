"""What a carrier passes on of people besides their speech: who calls from where, what is texted, garbage."""

import io
from collections.abc import Mapping
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from gateway.calls import Calls
from tests.calls.conftest import Calling
from tests.calls.rig import Rig
from tests.calls.test_canaries import found_in, logged, shown
from tests.calls.test_canaries_defects import CANARIES as IN_A_DEFECT
from tests.calls.test_canaries_defects import broken
from tests.conftest import Stack
from tests.gateway.routes import test_plivo as plivo
from tests.gateway.running import ACCOUNT, CALL, PUBLIC_URL, STREAM

__all__ = ["logged"]

PHONE = "+447700900871"
SAID = "Marmaduke Featherstonehaugh, about my eczema, ZE4 9TT"
CANARIES = ("marmaduke", "featherstonehaugh", "eczema", "ze4 9tt", "7700900871", *IN_A_DEFECT)
# Twilio docs, "Twilio's request to your application" (read 2026-11): what it knows of who calls.
CALLER = {"From": PHONE, "Caller": PHONE, "CallerName": SAID, "FromCity": SAID, "FromZip": "ZE4 9TT"}
GARBAGE = (
    SAID,
    f'{{"event": "{SAID}", "streamSid": "{STREAM}"}}',
    f'{{"event": "media", "streamSid": "{STREAM}", "media": {{"payload": "{SAID}"}}}}',
    f'{{"event": "mark", "streamSid": "{SAID}", "mark": {{"name": "{SAID}"}}}}',
    SAID.encode(),
)


async def told(made: Rig) -> list[httpx.Response]:
    """All that the gateway answers to a carrier that tells as much as it can, and to a forger of the same."""
    gateway, number = made.gateway, made.clinic.number
    call = {"CallSid": CALL, "AccountSid": ACCOUNT, "To": number, **CALLER}
    text = {"MessageSid": "SM" + "7" * 32, "From": PHONE, "To": number, "Body": SAID}
    posts: list[tuple[str, Mapping[str, str]]] = [
        ("/twilio/voice", call),
        ("/twilio/voice", call | {"CallSid": SAID}),
        ("/twilio/voice", call | {"To": SAID}),
        ("/twilio/after?attempt=" + quote(SAID), call | {"SipResponseCode": SAID}),
        ("/twilio/status", call | {"StreamEvent": "stream-error", "StreamError": SAID}),
        ("/twilio/sms", text),
        ("/twilio/sms-status?" + quote(SAID), text | {"MessageStatus": SAID, "ErrorMessage": SAID}),
        ("/twilio/" + quote(SAID), text),
    ]
    answers = [await gateway.post(path, fields) for path, fields in posts]
    answers += [await gateway.post(path, fields, signature=SAID[:9]) for path, fields in posts]
    return answers + await told_plivo(made)


async def told_plivo(made: Rig) -> list[httpx.Response]:
    """The same of Plivo, whose numbers come without their plus."""
    call = {"CallUUID": str(uuid4()), "From": PHONE[1:], "To": made.clinic.number[1:], "CallerName": SAID}
    posts = [
        ("/plivo/voice", call | {"CallStatus": "ringing"}),
        ("/plivo/voice", call | {"To": SAID}),
        ("/plivo/after?attempt=" + quote(SAID), call | {"CallStatus": "in-progress"}),
        ("/plivo/status", call | {"Event": SAID, "Reason": SAID}),
        ("/plivo/hangup", call | {"CallStatus": "completed", "HangupCauseName": SAID}),
    ]
    tokens = (plivo.TOKEN, "somebody else's")
    return [await plivo.post(made.gateway, path, fields, token) for token in tokens for path, fields in posts]


async def garbage(made: Rig) -> None:
    async with made.call(caller=PHONE, strict=False) as live:
        await live.agent_answers(100)
        for frame in GARBAGE:
            await live.send_raw(frame)
        await live.press("1")


async def test_what_a_carrier_tells_is_found_nowhere(
    calling: Calling, stack: Stack, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {"PLIVO_AUTH_ID": plivo.ACCOUNT, "PLIVO_AUTH_TOKEN": plivo.TOKEN}
    async with calling([], [], LOG_LEVEL="debug", KEYPAD_PAUSE_S="60", **account) as made:
        await garbage(made)
        answers = await told(made)
        stop = {"from_": PHONE, "to": made.clinic.number, "body": "stop"}
        made.twilio.messages.real_url = lambda url: url.replace(PUBLIC_URL, made.gateway.url)
        assert await made.twilio.messages.receive(f"{PUBLIC_URL}/twilio/sms", **stop) == 200
        monkeypatch.setattr(Calls, "expect", broken)
        ringing = {"CallSid": "CA" + uuid4().hex, "To": made.clinic.number}  # others' calls may be over
        answers += [await made.gateway.post("/twilio/voice", ringing)]
        heard = [answer.text + str(answer.headers) for answer in answers]
        places = {"answers": str(heard), **await shown(made, stack, logged)}
    assert {200, 400, 403, 404, 500} <= {answer.status_code for answer in answers}
    assert "webhook_forged" in places["logs"]
    assert "Defect at" in places["logs"]
    assert 'gateway_bad_frames_total{reason="binary"} 1.0' in places["metrics"]
    assert {where: found for where, text in places.items() if (found := found_in(text, CANARIES))} == {}
