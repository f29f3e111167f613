"""What a carrier passes on of people besides their speech: who calls from where, what is texted, garbage."""

import io
import json
from collections.abc import Mapping
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from booking.staff import issue_token
from gateway.calls import Calls
from tests.calls.conftest import Calling
from tests.calls.rig import Rig
from tests.calls.test_canaries import found_in, logged, shown
from tests.calls.test_canaries_defects import CANARIES as IN_A_DEFECT
from tests.calls.test_canaries_defects import broken
from tests.conftest import Stack
from tests.gateway.routes import test_plivo as plivo
from tests.gateway.routes import test_raw as raw
from tests.gateway.routes import test_telnyx as telnyx
from tests.gateway.routes import test_vonage as vonage
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
    return [*answers, *await told_plivo(made), *await told_telnyx(made), *await told_vonage(made)]


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


async def told_telnyx(made: Rig) -> list[httpx.Response]:
    """The same of Telnyx, to one address."""
    call_id, more = f"v3:{uuid4().hex}", {"from": PHONE, "caller_id_name": SAID}
    events = [
        telnyx.event("call.initiated", call_id, made.clinic, **more),
        telnyx.event("call.initiated", call_id, made.clinic, **more, client_state=SAID),
        telnyx.event("call.initiated", SAID, made.clinic, **more),
        telnyx.event("call.initiated", call_id, **more | {"to": SAID}),
        telnyx.event("streaming.failed", call_id, made.clinic, **more, failure_reason=SAID),
        telnyx.event(SAID, call_id, made.clinic, **more),
        telnyx.event("call.hangup", call_id, made.clinic, **more, hangup_cause=SAID),
        SAID.encode(),
    ]
    keys = (telnyx.PRIVATE, telnyx.OWN_PRIVATE)
    return [await telnyx.post(made.gateway, told, key) for key in keys for told in events]


async def told_vonage(made: Rig) -> list[httpx.Response]:
    """The same of Vonage, and what its socket is given."""
    call_id, number = str(uuid4()), made.clinic.number
    more = {"from": PHONE[1:], "SipHeader_X-Name": SAID}
    ringing = vonage.ringing(call_id, number, **more)
    action, _left = vonage.ncco(await vonage.post(made.gateway, "/vonage/voice", ringing))
    async with vonage.media(made.gateway, action) as socket:
        await socket.send(vonage.first_frame(action, name=SAID))
        await given_garbage(socket)
    after = vonage.path_of(action["eventUrl"][0])
    posts = [
        ("/vonage/voice", vonage.ringing(call_id, number, **more | {"to": SAID})),
        ("/vonage/voice", vonage.ringing(SAID, number, **more)),
        (after, vonage.leg_event(action, "disconnected", reason=SAID, **{"from": PHONE[1:]})),
        (after, vonage.leg_event(action, SAID)),
        (after + "?" + quote(SAID), vonage.leg_event(action, "failed", headers={"callUuid": SAID})),
        ("/vonage/event", {"reason": SAID, "from": PHONE}),
        ("/vonage/event", vonage.ringing(call_id, number, **more, status="completed", detail=SAID)),
        ("/vonage/event", SAID.encode()),
    ]
    accounts = (vonage.OURS, vonage.ITS_OWN)
    return [await vonage.post(made.gateway, path, told, by) for by in accounts for path, told in posts]


async def told_raw(made: Rig) -> list[httpx.Response]:
    """The same of a clinic's own client."""
    token = (await issue_token(made.pool, made.clinic.claim, name="phone", scopes=["calls:stream"])).secret
    opening = await raw.announced(made.gateway, token, caller=PHONE)
    async with raw.media(made.gateway) as socket:
        await socket.send(json.dumps(opening["start"] | {"name": SAID}))
        await given_garbage(socket)
    return [await raw.post(made.gateway, token, **told) for told in ({"caller": SAID}, {"call_id": SAID})]


async def given_garbage(socket: ClientConnection) -> None:
    await raw.first_audio(socket)
    for frame in (*GARBAGE, SAID.encode() + b"\0"):
        await socket.send(frame)
    await raw.first_audio(socket)


async def garbage(made: Rig) -> None:
    async with made.call(caller=PHONE, strict=False) as live:
        await live.agent_answers(100)
        for frame in GARBAGE:
            await live.send_raw(frame)
        await live.press("1")


async def test_what_a_carrier_tells_is_found_nowhere(
    calling: Calling, stack: Stack, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = {
        "PLIVO_AUTH_ID": plivo.ACCOUNT,
        "PLIVO_AUTH_TOKEN": plivo.TOKEN,
        "TELNYX_API_KEY": telnyx.API_KEY,
        "TELNYX_PUBLIC_KEY": telnyx.public_key(telnyx.PRIVATE),
        "TELNYX_API_URL": "http://127.0.0.1:9",
        **vonage.settings("http://127.0.0.1:9"),
    }
    async with calling([], [], LOG_LEVEL="debug", KEYPAD_PAUSE_S="60", **accounts) as made:
        await garbage(made)
        answers = [*await told(made), *await told_raw(made)]
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
