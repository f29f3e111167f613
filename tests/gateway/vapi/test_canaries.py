"""What Vapi's payloads hold besides: carriers' tokens, control addresses, assistants, people. Nowhere."""

import io
import json
from typing import Any
from uuid import uuid4

import asyncpg

from bench.simulators.twilio_api import TwilioApiSimulator
from tests.calls.test_canaries import every_column, every_key, logged, server_logs
from tests.conftest import Clinic, Stack
from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import SECRET, WEBHOOK, CallAtVapi, post, set_up, signed

__all__ = ["logged"]

TOKEN, CONTROL, RECORDING = (
    "tw1lio-auth-t0ken",
    "phone-call-websocket.aws.vapi.example",
    "storage.vapi.example",
)
PERSON = "Marmaduke Featherstonehaugh"
CANARIES = (
    TOKEN,
    CONTROL,
    RECORDING,
    "server-s3cret",
    "marmaduke",
    "featherstonehaugh",
    "7700900871",
    SECRET,
)
PLAIN = (*CANARIES[:-1], "eczema")
SECRETS: dict[str, Any] = {
    "call": {
        "monitor": {"listenUrl": f"wss://{CONTROL}/listen", "controlUrl": f"https://{CONTROL}/control"},
        "assistant": {
            "server": {"url": "https://x.example", "secret": "server-s3cret"},
            "metadata": {"org": PERSON},
        },
        "assistantOverrides": {"variableValues": {"name": PERSON}},
    },
    "phoneNumber": {"twilioAccountSid": "AC" + "9" * 32, "twilioAuthToken": TOKEN},
    "body": {"secret": "server-s3cret", PERSON: PERSON},
}


async def test_no_secret_and_no_person_is_found_anywhere(
    gateway: Gateway, clinic: Clinic, twilio: TwilioApiSimulator, pool: asyncpg.Pool, stack: Stack,
    logged: io.StringIO,
) -> None:  # fmt: skip
    await set_up(pool, clinic)
    call = CallAtVapi(clinic, caller="+447700900871", secrets=SECRETS)
    answers = [await call.tell(gateway, "assistant-request")]
    for kind, parts in (
        ("status-update", {"status": "in-progress", "destination": {"message": PERSON}}),
        ("conversation-update", {"messages": [{"role": "user", "message": PERSON}]}),
        ("hang", {"reason": PERSON}),
        ("transfer-destination-request", {"transcript": PERSON}),
        (PERSON, {"status": PERSON}),
        ("tool-calls", {"toolCallList": [{"id": PERSON, "name": PERSON, "arguments": {PERSON: PERSON}}]}),
        (
            "tool-calls",
            {"toolCallList": [{"id": PERSON, "name": "find_slots", "arguments": {"service": PERSON}}]},
        ),
        ("tool-calls", {"toolCallList": [call.tool_call("send_code", phone=call.caller)]}),
        ("function-call", {"functionCall": {"name": PERSON, "parameters": {PERSON: 1}}}),
    ):
        answers.append(await call.tell(gateway, kind, **parts))
    said = (
        ("bot", "Hello."),
        ("user", f"I am {PERSON}, 07700 900871, about my eczema."),
        ("bot", "Goodbye."),
    )
    report = call.report(*said, reason=PERSON)
    report["artifact"] |= {
        "logUrl": f"https://{RECORDING}/log",
        "stereoRecordingUrl": f"https://{RECORDING}/s",
    }
    report["analysis"] = {"summary": f"{PERSON} called."}
    report["costs"] = [{"type": PERSON}]
    answers.append(await call.tell(gateway, "end-of-call-report", **report))
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    for raw in (
        PERSON.encode(),
        b'{"message": {"type": ["%s"]}}' % PERSON.encode(),
        b'{"message": {"type": "%s"' % PERSON.encode(),
    ):
        assert (await post(gateway, raw, signed(raw))).status_code == 400
        assert (await post(gateway, raw, {"x-signature": TOKEN})).status_code == 401
    for path, told in (
        ("/vapi/llm/chat/completions", {"messages": [{"role": "user", "content": f"I am {PERSON}."}]}),
        (
            "/vapi/voice",
            {"message": {"type": "voice-request", "text": f"Hello {PERSON}.", "sampleRate": 8000}},
        ),
    ):  # nobody answers for either, which is told, too
        beside = {"call": call.call, "phoneNumber": {"number": clinic.number, **SECRETS["phoneNumber"]}}
        within = {"message": told["message"] | beside} if "message" in told else told | beside
        raw = json.dumps({**within, **SECRETS["body"], "metadata": {"key": PERSON}}).encode()
        assert (await post(gateway, raw, path=path)).status_code == 503
    odd = f"{WEBHOOK}/{uuid4()}"
    await post(gateway, call.body("hang"), signed(call.body("hang"), "other"), odd)

    metrics = (await gateway.http.get(gateway.url + "/metrics")).text
    places = {"logs": logged.getvalue(), "metrics": metrics, "redis": str(await every_key(stack.redis))}
    places |= server_logs(stack) | await every_column(stack.admin)
    assert "tool_finished" in places["logs"]
    found = {
        (place, canary)
        for place, text in places.items()
        for canary in PLAIN
        if canary.lower() in text.lower()
    }
    assert found == set()
    row = await call.row(pool, "select ended_reason from vapi_calls where call_id = $1")
    assert row["ended_reason"] is None
