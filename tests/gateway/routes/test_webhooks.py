"""Twilio's webhooks over a real server: who is answered, and with what."""

import asyncio
from uuid import uuid4

import pytest

from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import CALL, PUBLIC_URL, Gateway, closed, document, first_audio, start, verbs


async def test_a_call_is_connected_to_its_media_socket(gateway: Gateway, clinic: Clinic) -> None:
    answer = await gateway.answer(clinic.number)
    connect = answer[0]
    assert (verbs(answer), connect.get("action")) == (["Connect"], f"{PUBLIC_URL}/twilio/after?attempt=0")
    assert connect[0].get("url") == "wss://gw.example.com/twilio/media"
    assert gateway.counted("gateway_calls_expected") == 1


async def test_webhook_asked_twice_is_one_call(gateway: Gateway, clinic: Clinic) -> None:
    first, second = await gateway.token(clinic.number), await gateway.token(clinic.number)
    assert first != second
    assert len(gateway.edge.calls) == 1


@pytest.mark.parametrize("dialled", ["+15005550006", "sip:reception@example.com", ""])
async def test_unknown_number_is_refused_in_words(gateway: Gateway, dialled: str) -> None:
    answer = await gateway.answer(dialled)
    assert verbs(answer) == ["Say", "Hangup"]
    assert "not in service" in (answer[0].text or "")
    await gateway.until_idle()


@pytest.mark.parametrize("path", ["/twilio/voice", "/twilio/after", "/twilio/status"])
async def test_forged_webhook_is_forbidden(gateway: Gateway, clinic: Clinic, path: str) -> None:
    fields = {"CallSid": CALL, "To": clinic.number}
    for forged in ("", "AAAA", gateway.signature(PUBLIC_URL + path, {"CallSid": CALL, "To": "+1"})):
        assert (await gateway.post(path, fields, forged)).status_code == 403
    assert (
        await gateway.post(path, fields, gateway.signature(gateway.url + path, fields))
    ).status_code == 403
    assert gateway.counted("gateway_refused_total", reason="signature") == 4
    assert len(gateway.edge.calls) == 0


async def test_unreasonable_webhooks_are_counted(gateway: Gateway) -> None:
    for fields, status, reason in (
        ({}, 400, "malformed"),
        ({"CallSid": "x"}, 400, "malformed"),
        ({"CallSid": CALL, "Pad": "x" * 70_000}, 413, "oversized"),
    ):
        before = gateway.counted("gateway_refused_total", reason=reason)
        assert (await gateway.post("/twilio/voice", fields)).status_code == status
        assert gateway.counted("gateway_refused_total", reason=reason) == before + 1
    for path in ("/telnyx/voice", "/vonage/voice", "/vonage/event"):
        assert (await gateway.http.post(gateway.url + path, content=b"{")).status_code == 400
    assert gateway.counted("gateway_refused_total", reason="malformed") == 5


async def test_a_form_of_any_bytes_is_no_fault_of_ours(gateway: Gateway) -> None:
    for body in (b"\xff\xfe", b"a=%ff", b"&" * 1000, b"=&=&=", b"a" * 100):
        response = await gateway.http.post(gateway.url + "/twilio/voice", content=body)
        assert response.status_code in (400, 403)


async def test_a_form_that_never_ends_is_not_waited_for(stack: Stack) -> None:
    async with running.gateway(running.environment(stack, WEBHOOK_S="0.2")) as gateway, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
        writer.write(b"POST /twilio/voice HTTP/1.1\r\nHost: gw\r\nContent-Length: 100\r\n\r\nCallSid=CA1")
        assert (await reader.readline()).split()[1] == b"408"
        assert gateway.counted("gateway_refused_total", reason="overdue") == 1
        writer.close()


async def test_lost_stream_is_asked_for_again_a_few_times(gateway: Gateway, clinic: Clinic) -> None:
    fields = {"CallSid": CALL, "To": clinic.number, "CallStatus": "in-progress"}
    for attempt in (0, 1):
        answer = document(await gateway.post(f"/twilio/after?attempt={attempt}", fields))
        assert answer[0].get("action") == f"{PUBLIC_URL}/twilio/after?attempt={attempt + 1}"
    answer = document(await gateway.post("/twilio/after?attempt=2", fields))
    assert verbs(answer) == ["Say", "Hangup"]


@pytest.mark.parametrize("status", ["completed", "failed"])
async def test_after_an_ended_call_there_is_nothing(gateway: Gateway, clinic: Clinic, status: str) -> None:
    fields = {"CallSid": CALL, "To": clinic.number, "CallStatus": status}
    assert verbs(document(await gateway.post("/twilio/after?attempt=0", fields))) == ["Hangup"]


async def test_a_call_ended_on_another_replica_is_hung_up(
    gateway: Gateway, stack: Stack, clinic: Clinic
) -> None:
    call_id = "CA" + uuid4().hex
    async with running.gateway(running.environment(stack)) as other:
        await other.edge.endings.mark_over(call_id)
    fields = {"CallSid": call_id, "To": clinic.number, "CallStatus": "in-progress"}
    assert verbs(document(await gateway.post("/twilio/after?attempt=0", fields))) == ["Hangup"]


async def test_a_replayed_webhook_of_an_ended_call_connects_nobody(gateway: Gateway, clinic: Clinic) -> None:
    call_id = "CA" + uuid4().hex
    assert verbs(await gateway.answer(clinic.number, call_id)) == ["Connect"]
    ended = {"CallSid": call_id, "To": clinic.number, "CallStatus": "completed"}
    assert (await gateway.post("/twilio/status", ended)).status_code == 204
    assert verbs(await gateway.answer(clinic.number, call_id)) == ["Hangup"]
    assert gateway.counted("gateway_refused_total", reason="call_over") == 1


async def test_status_of_an_ended_call_ends_what_waits_for_it(gateway: Gateway, clinic: Clinic) -> None:
    call_id = "CA" + uuid4().hex
    await gateway.answer(clinic.number, call_id)
    ended = await gateway.post("/twilio/status", {"CallSid": call_id, "CallStatus": "completed"})
    assert ended.status_code == 204
    await gateway.until_idle()


async def test_media_that_never_come_leave_nothing_open(
    stack: Stack, clinic: Clinic, vendors: running.Vendors
) -> None:
    environ = running.environment(stack, **vendors.environment(), PREWARM_S="0.3")
    async with running.gateway(environ) as gateway:
        await gateway.answer(clinic.number)
        await gateway.until_idle()
        assert gateway.counted("gateway_refused_total", reason="media_never_came") == 1
        assert [session.closed.is_set() for session in vendors.deepgram.sessions] == [True]


async def test_local_bench_checks_nothing_and_has_an_org_for_every_number(
    stack: Stack, clinic: Clinic
) -> None:
    bench = {
        "GATEWAY_LOCAL_BENCH": "1",
        "PUBLIC_URL": "http://127.0.0.1:1",
        "DEFAULT_ORG": str(clinic.claim.org_id),
    }
    async with running.gateway(running.environment(stack, **bench)) as gateway:
        response = await gateway.post("/twilio/voice", {"CallSid": CALL, "To": "+15005550006"}, "")
        assert verbs(document(response)) == ["Connect"]


async def test_a_webhook_that_comes_again_while_its_call_is_heard_leaves_the_call_as_it_is(
    gateway: Gateway, clinic: Clinic
) -> None:
    call_id = "CA" + uuid4().hex
    token = await gateway.token(clinic.number, call_id)
    async with gateway.media() as socket:
        await socket.send(start(token, call_id))
        await first_audio(socket)
        assert verbs(await gateway.answer(clinic.number, call_id)) == ["Connect"]
        assert (len(gateway.edge.calls), gateway.counted("gateway_calls_expected")) == (1, 0)
        ended = {"CallSid": call_id, "To": clinic.number, "CallStatus": "completed"}
        assert (await gateway.post("/twilio/status", ended)).status_code == 204
        assert (await closed(socket))[0] == 1000
    await gateway.until_idle()
    assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 1


async def test_a_stream_that_takes_a_calls_place_ends_the_one_before(
    gateway: Gateway, clinic: Clinic
) -> None:
    """The carrier has noticed that the first is dead, we have not: its socket is still open."""
    call_id = "CA" + uuid4().hex
    fields = {"CallSid": call_id, "To": clinic.number, "CallStatus": "in-progress"}
    async with gateway.media() as first, gateway.media() as second:
        await first.send(start(await gateway.token(clinic.number, call_id), call_id))
        await first_audio(first)
        answer = document(await gateway.post("/twilio/after?attempt=0", fields))
        token = answer.find(".//Parameter[@name='token']")
        assert token is not None
        await second.send(start(token.attrib["value"], call_id))
        assert await closed(first) == (1011, "stream_replaced")
        await first_audio(second)
        ended = await gateway.post("/twilio/status", fields | {"CallStatus": "completed"})
        assert ended.status_code == 204
        assert (await closed(second))[0] == 1000
    await gateway.until_idle()
    assert gateway.counted("gateway_calls_total", reason="stream_replaced") == 1
    assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 1
