"""The custom voice, over a real socket: the samples themselves, and what becomes of what goes wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest

from bench.simulators.cartesia import DropSpeech, SpeechError, SpeechPace
from bench.simulators.offline.tone import TONE_HZ
from gateway.vapi.speech_request import RATES_HZ
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.at_vapi import HEADERS, SECRET, environment, voice_request

TEXT = "Goodmorning"
TEXT_S = len(TEXT) * 0.06
NOBODY = "+15005550006"


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors) -> AsyncIterator[running.Gateway]:
    changes = {"VAPI_TEXT_CHARACTERS": "2000", "CARTESIA_IDLE_S": "0.5", "MEDIA_SEND_S": "1"}
    environ = environment(stack, vendors, **changes)
    async with running.gateway(environ) as served:
        yield served


async def asked(
    gateway: running.Gateway, body: Any, *, path: str = "/vapi/voice", signed: bool = True
) -> httpx.Response:
    return await gateway.http.post(gateway.url + path, json=body, headers=HEADERS if signed else {})


async def test_speech_is_samples_of_the_asked_rate_in_the_orgs_voice(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic
) -> None:
    for rate_hz in RATES_HZ:
        answer = await asked(gateway, voice_request(TEXT, rate_hz, clinic.number))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        samples = np.frombuffer(answer.content, "<i2").astype(np.float64)
        assert samples.size / rate_hz == pytest.approx(TEXT_S, rel=0.01)
        spectrum = np.abs(np.fft.rfft(samples))
        assert spectrum.argmax() * rate_hz / samples.size == pytest.approx(TONE_HZ, abs=3)
        assert np.abs(samples).max() > 5_000
    assert [context.texts for context in vendors.cartesia.contexts] == [[TEXT]] * len(RATES_HZ)
    assert gateway.counted("gateway_vapi_served_total", service="voice", outcome="done") == len(RATES_HZ)
    assert gateway.counted("gateway_vapi_first_seconds_count", service="voice") == len(RATES_HZ)


async def test_an_orgs_own_address_and_a_misspelt_envelope_are_served(
    gateway: running.Gateway, clinic: Clinic
) -> None:
    body = {"messsage": voice_request(TEXT, 16000.0, NOBODY)["message"]}
    answer = await asked(gateway, body, path=f"/vapi/voice/{clinic.claim.org_id}")
    assert len(answer.content) == pytest.approx(TEXT_S * 16000 * 2, rel=0.01)
    foreign = await asked(gateway, body, path="/vapi/voice/00000000-0000-4000-8000-00000000dead")
    assert foreign.status_code == 404


async def test_what_cannot_be_spoken_is_refused_with_its_reason_and_costs_nothing(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic
) -> None:
    forged = await asked(gateway, voice_request(TEXT, 24000, clinic.number), signed=False)
    assert forged.status_code == 401
    for body, reason in (
        (voice_request(TEXT, 11025, clinic.number), "sampleRate must be one of 8000, 16000, 22050"),
        (voice_request(TEXT, 22050.5, clinic.number), "sampleRate must be one of"),
        (voice_request(TEXT, True, clinic.number), "message must be JSON with"),
        (voice_request("a" * 2001, 24000, clinic.number), "text must have 2000 characters at most"),
        ({"message": {"type": "hang", "text": "x", "sampleRate": 8000}}, "type must be voice-request"),
        ({"message": {"type": "voice-request", "text": 7}}, "message must be JSON with type, text"),
        ({}, "message is missing"),
        ([], "message must be JSON with"),
    ):
        answer = await asked(gateway, body)
        assert (answer.status_code, answer.json()["error"][: len(reason)]) == (400, reason)
    assert vendors.cartesia.contexts == []


async def test_a_text_with_nothing_to_pronounce_is_an_empty_answer_for_a_refusal_would_end_the_call(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic
) -> None:
    for text in ("", " ", "…"):
        silent = await asked(gateway, voice_request(text, 24000, clinic.number))
        assert (silent.status_code, silent.content) == (200, b"")
    assert gateway.counted("gateway_vapi_served_total", service="voice", outcome="done") == 3
    assert vendors.cartesia.contexts == []


async def test_first_samples_leave_while_the_rest_is_made_and_a_reader_that_goes_ends_it(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic
) -> None:
    vendors.cartesia.pace = SpeechPace(audio_s_per_s=3.0)
    body = voice_request("Good morning to you all, and welcome to the clinic.", 24000, clinic.number)
    url = gateway.url + "/vapi/voice"
    async with gateway.http.stream("POST", url, json=body, headers=HEADERS) as answer:
        piece = await anext(answer.aiter_raw())
        [context] = vendors.cartesia.contexts
        assert len(piece) % 2 == 0
        assert not context.over.is_set()
    async with asyncio.timeout(5):
        await context.over.wait()
    assert context.cancelled
    assert gateway.counted("gateway_vapi_served_total", service="voice", outcome="abandoned") == 1


async def test_a_reader_that_does_not_read_is_let_go(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic
) -> None:
    """Two minutes of speech are more than the sockets' buffers hold."""
    body = json.dumps(voice_request("a" * 2000, 44100, clinic.number)).encode()
    host, port = gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**12)
    head = f"POST /vapi/voice HTTP/1.1\r\nHost: gw\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}X-Vapi-Secret: {SECRET}\r\n\r\n".encode() + body)
    assert b" 200 " in await reader.readline()
    async with asyncio.timeout(20):
        told = {"service": "voice", "outcome": "abandoned"}
        while not gateway.counted("gateway_vapi_served_total", **told):  # noqa: ASYNC110  nothing tells a caller
            await asyncio.sleep(0.05)
    writer.close()
    [context] = vendors.cartesia.contexts
    assert context.texts == ["a" * 2000]


async def test_a_fault_before_the_first_sample_is_a_status_and_one_behind_it_a_cut(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic
) -> None:
    body = voice_request(TEXT, 24000, clinic.number)
    vendors.cartesia.faults.add(SpeechError(402, "quota_exceeded"))
    refused = await asked(gateway, body)
    assert (refused.status_code, refused.json()) == (503, {"error": "quota_exceeded"})
    vendors.cartesia.faults.add(DropSpeech())
    assert (await asked(gateway, body)).status_code == 200
    vendors.cartesia.faults.add(DropSpeech(after_chunks=2))
    with pytest.raises(httpx.RemoteProtocolError):
        await asked(gateway, body)
    for fault in ("quota_exceeded", "closed_1006"):
        told = {"provider": "tts", "fault": fault, "action": "gave_up"}
        assert gateway.counted("gateway_provider_faults_total", **told) == 1
    for outcome in ("refused", "done", "cut"):
        assert gateway.counted("gateway_vapi_served_total", service="voice", outcome=outcome) == 1
