"""The media socket over a real server: who gets in, once, and which frames are borne."""

import asyncio
import base64
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.carriers.tokens import MediaToken, issue, token_key
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.running import CALL, Gateway, closed, first_audio, frame, silence, start

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
HEARD = b"\x20" + b"\xff" * 159
SOUND = base64.b64encode(HEARD).decode()


async def test_a_call_is_greeted_over_its_socket(gateway: Gateway, clinic: Clinic) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        await socket.send(CONNECTED)
        await socket.send(start(token))
        assert len(await first_audio(socket)) in range(160, 801)
    await gateway.until_idle()


async def test_the_recogniser_is_told_the_clinics_words(
    gateway: Gateway, clinic: Clinic, vendors: running.Vendors
) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        await socket.send(start(token))
        await first_audio(socket)
    await gateway.until_idle()
    (told,) = [text for text in vendors.deepgram.sessions[0].texts if text["type"] == "Configure"]
    assert {service.name for service in clinic.spec.services} | set(clinic.spec.practitioners) <= set(
        told["keyterms"]
    )


@pytest.mark.parametrize("signature", ["", "AAAA", "é"])
async def test_unsigned_upgrade_is_forbidden(gateway: Gateway, signature: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with gateway.media(signature):
            pass
    assert refused.value.response.status_code == 403


async def test_signature_of_the_https_address_does_not_admit(gateway: Gateway) -> None:
    signature = gateway.signature(running.MEDIA_URL.replace("wss", "https"))
    with pytest.raises(InvalidStatus):
        async with gateway.media(signature):
            pass


async def test_token_admits_once(gateway: Gateway, clinic: Clinic) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as first, gateway.media() as second:
        await first.send(start(token))
        await first_audio(first)
        await second.send(start(token))
        assert await closed(second) == (1008, "token_replayed")


async def test_token_used_on_another_replica_does_not_admit(
    gateway: Gateway, stack: Stack, clinic: Clinic, vendors: running.Vendors
) -> None:
    token = await gateway.token(clinic.number)
    environ = running.environment(stack, **vendors.environment())
    async with running.gateway(environ) as other, other.media() as first, gateway.media() as second:
        await first.send(start(token))
        await first_audio(first)
        await second.send(start(token))
        assert await closed(second) == (1008, "token_replayed")


async def test_without_redis_a_token_still_admits_once(
    stack: Stack, clinic: Clinic, vendors: running.Vendors
) -> None:
    environ = running.environment(stack, **vendors.environment(), REDIS_URL="redis://127.0.0.1:9")
    async with running.gateway(environ) as gateway:
        token = await gateway.token(clinic.number)
        async with gateway.media() as first, gateway.media() as second:
            await first.send(start(token))
            await first_audio(first)
            await second.send(start(token))
            assert await closed(second) == (1008, "token_replayed")


async def test_token_of_another_call_does_not_admit(gateway: Gateway, clinic: Clinic) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        await socket.send(start(token, call_id="CA" + "8" * 32))
        assert await closed(socket) == (1008, "token_foreign")


async def test_forged_and_expired_tokens_do_not_admit(gateway: Gateway, clinic: Clinic) -> None:
    made_up = MediaToken(bytes(16), clinic.claim.org_id, CALL, int(time.time()) + 60)
    expired = MediaToken(bytes(16), clinic.claim.org_id, CALL, int(time.time()))
    own_key = token_key(gateway.edge.settings.master_key)
    for text, reason in (
        (issue(token_key(bytes(32)), made_up), "token_forged"),
        ("", "token_forged"),
        (issue(own_key, expired), "token_expired"),
    ):
        async with gateway.media() as socket:
            await socket.send(start(text))
            assert await closed(socket) == (1008, reason)
    assert len(gateway.edge.calls) == 0


async def test_start_must_come_in_time(gateway: Gateway) -> None:
    async with gateway.media() as socket:
        await socket.send(CONNECTED)
        await socket.send(silence())
        assert await closed(socket) == (1008, "start_overdue")


async def test_garbage_is_counted_and_borne(gateway: Gateway, clinic: Clinic) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        for nonsense in ("", "{", b"\x00\xff", frame("media"), frame("sentiment")):
            await socket.send(nonsense)
        await socket.send(start(token))
        await first_audio(socket)
        await socket.send(frame("media", media={"payload": "?"}))
        await socket.send(silence())
        await socket.send(frame("stop"))
        assert (await closed(socket))[0] == 1000
    await gateway.until_idle()
    assert gateway.counted("gateway_bad_frames_total", reason="malformed") == 4
    assert gateway.counted("gateway_bad_frames_total", reason="binary") == 1
    assert gateway.counted("gateway_bad_frames_total", reason="unknown") == 1
    assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 1


def audio(timestamp_ms: int, chunk: int, **named: str) -> str:
    part = {"timestamp": str(timestamp_ms), "chunk": str(chunk), "payload": SOUND}
    return frame("media", media=part, **named)


async def heard(vendors: running.Vendors, frames: int) -> None:
    """The recogniser has been sent so many of these frames, and not one more."""
    count = 0
    async with asyncio.timeout(5):
        while count < frames:
            await asyncio.sleep(0.01)
            count = bytes(vendors.deepgram.sessions[0].audio).count(HEARD)
    assert count == frames


async def test_audio_out_of_order_is_counted_and_heard(
    gateway: Gateway, clinic: Clinic, vendors: running.Vendors
) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        await socket.send(start(token))
        await first_audio(socket)
        for at_ms, chunk in zip((0, 20, 60, 40, 60, 80, 100, 120), (1, 2, 4, 5, 3, 6, 7, 8), strict=True):
            await socket.send(audio(at_ms, chunk))
        await heard(vendors, 8)
        await socket.send(frame("stop"))
        assert (await closed(socket))[0] == 1000
    await gateway.until_idle()
    assert gateway.counted("gateway_bad_frames_total", reason="out_of_order") == 2
    assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 1


async def test_frames_before_the_start_are_counted_and_the_call_begins(
    gateway: Gateway, clinic: Clinic, vendors: running.Vendors
) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        for early in (CONNECTED, *[audio(0, 1)] * 60, frame("mark", mark={"name": "a"})):
            await socket.send(early)
        await socket.send(start(token))
        await first_audio(socket)
        await socket.send(frame("stop"))
        assert (await closed(socket))[0] == 1000
    await gateway.until_idle()
    assert gateway.counted("gateway_bad_frames_total", reason="before_start") == 61
    assert HEARD not in bytes(vendors.deepgram.sessions[0].audio)
    assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 1


async def test_frames_of_another_stream_are_counted_and_skipped(
    gateway: Gateway, clinic: Clinic, vendors: running.Vendors
) -> None:
    token = await gateway.token(clinic.number)
    other = "MZ" + "8" * 32
    async with gateway.media() as socket:
        await socket.send(start(token))
        await first_audio(socket)
        for _ in range(60):
            await socket.send(audio(0, 1, streamSid=other))
        await socket.send(frame("stop", streamSid=other))
        for chunk in range(8):
            await socket.send(audio(20 * chunk, chunk))
        await heard(vendors, 8)
        await socket.send(frame("stop"))
        assert (await closed(socket))[0] == 1000
    await gateway.until_idle()
    assert gateway.counted("gateway_bad_frames_total", reason="foreign_stream") == 61
    assert gateway.counted("gateway_calls_total", reason="caller_hung_up") == 1


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (["nonsense"] * 51, "too_much_garbage"),
        ([silence()] * 20_000, "too_many_frames"),
        ([silence(ms=5000)] * 20, "too_many_frames"),
        (["start"], "second_start"),
    ],
    ids=["garbage", "flood", "flood of long frames", "second start"],
)
async def test_a_stream_that_breaks_the_rules_is_closed(
    gateway: Gateway, clinic: Clinic, frames: list[str], reason: str
) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        await socket.send(start(token))
        await first_audio(socket)
        try:
            for each in frames:
                await socket.send(start(token) if each == "start" else each)
        except ConnectionClosed:
            pass
        assert (await closed(socket))[1] == reason
    await gateway.until_idle()
    assert gateway.counted("gateway_calls_total", reason=reason) == 1


async def test_oversized_frame_closes_its_call_only(gateway: Gateway, clinic: Clinic) -> None:
    other_call = "CA" + "8" * 32
    token, other_token = await gateway.token(clinic.number), await gateway.token(clinic.number, other_call)
    async with gateway.media() as socket, gateway.media() as other:
        await socket.send(start(token))
        await other.send(start(other_token, other_call))
        await first_audio(other)
        await socket.send("x" * 70_000)
        assert (await closed(socket))[0] == 1009
        assert gateway.counted("gateway_bad_frames_total", reason="oversized") == 1
        await other.send(frame("stop"))
        assert (await closed(other))[0] == 1000


async def test_silent_carrier_is_given_up(stack: Stack, clinic: Clinic, vendors: running.Vendors) -> None:
    environ = running.environment(stack, **vendors.environment(), MEDIA_IDLE_S="0.4")
    async with running.gateway(environ) as gateway:
        token = await gateway.token(clinic.number)
        async with gateway.media() as socket:
            await socket.send(start(token))
            assert (await closed(socket))[1] == "carrier_silent"


async def test_socket_without_webhook_here_starts_its_own_call(
    gateway: Gateway, stack: Stack, clinic: Clinic
) -> None:
    async with running.gateway(running.environment(stack)) as other:
        token = await other.token(clinic.number)
    async with gateway.media() as socket:
        await socket.send(start(token))
        await first_audio(socket)


async def test_lost_socket_is_no_orderly_end(gateway: Gateway, clinic: Clinic) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        await socket.send(start(token))
        await first_audio(socket)
        socket.transport.abort()
    await gateway.until_idle()
    assert gateway.counted("gateway_calls_total", reason="socket_lost") == 1
    answer = await gateway.post("/twilio/after?attempt=0", {"CallSid": CALL, "To": clinic.number})
    assert running.verbs(running.document(answer)) == ["Connect"]


async def test_calls_of_a_stopped_gateway_come_back_to_another(
    gateway: Gateway, stack: Stack, clinic: Clinic, vendors: running.Vendors
) -> None:
    async with running.gateway(running.environment(stack, **vendors.environment())) as stopping:
        token = await stopping.token(clinic.number)
        async with stopping.media() as socket:
            await socket.send(start(token))
            await first_audio(socket)
            stopping.server.should_exit = True
            assert (await closed(socket))[0] == 1012
    answer = await gateway.post("/twilio/after?attempt=0", {"CallSid": CALL, "To": clinic.number})
    assert running.verbs(running.document(answer)) == ["Connect"]


async def test_drain_lets_calls_end_and_takes_no_new_ones(gateway: Gateway, clinic: Clinic) -> None:
    token = await gateway.token(clinic.number)
    async with gateway.media() as socket:
        await socket.send(start(token))
        await first_audio(socket)
        draining = asyncio.create_task(gateway.edge.calls.drained(within_s=10))
        await asyncio.sleep(0)
        refused = await gateway.post("/twilio/voice", {"CallSid": "CA" + "9" * 32, "To": clinic.number})
        assert refused.status_code == 503
        assert (await gateway.http.get(gateway.url + "/readyz")).json()["gateway"] == "draining"
        assert not draining.done()
        await socket.send(frame("stop"))
        await closed(socket)
        assert await draining
