"""Frames: audio in binary of exactly 20 ms at any rate, text for the rest; the tokens that sign."""

import json

import numpy as np
import pytest
from vonage_jwt import verify_signature

from bench.carrier.errors import StreamFault
from bench.carrier.vonage import VonageAccount
from bench.carrier.vonage.frames import VonageWire
from bench.carrier.vonage.signing import signed_token
from bench.carrier.wire import Clear, Mark, Media
from pipeline.audio import mulaw

VOICE = bytes(range(160))


def wire(rate_hz: int = 8000) -> VonageWire:
    return VonageWire("leg-1", rate_hz, {"callUuid": "u-1", "event": "mine"})


def test_frames_as_vonage_sends_them() -> None:
    speaking = wire(16000)
    (opening,) = speaking.opening()
    assert json.loads(opening) == {
        "event": "websocket:connected",
        "content-type": "audio/l16;rate=16000",
        "callUuid": "u-1",
    }
    assert json.loads(speaking.dtmf("5")) == {"event": "websocket:dtmf", "digit": "5", "duration": 260}
    assert [json.loads(each) for each in speaking.cleared()] == [{"event": "websocket:cleared"}]
    order = speaking.order('{"action":"notify","payload":{"mark":"m","n":1}}')
    assert isinstance(order, Mark)
    assert json.loads(speaking.mark(order.name)) == {
        "event": "websocket:notify",
        "payload": {"mark": "m", "n": 1},
    }
    assert speaking.closing() == []


@pytest.mark.parametrize(("rate_hz", "size"), [(8000, 320), (16000, 640), (24000, 960)])
def test_audio_keeps_its_length_and_its_sound(rate_hz: int, size: int) -> None:
    speaking = wire(rate_hz)
    tone = mulaw.encode((8000 * np.sin(np.arange(1600) * 2 * np.pi * 300 / 8000)).astype(np.int16))
    frames = [speaking.audio(tone[at : at + 160], at // 8) for at in range(0, len(tone), 160)]
    assert {len(frame) for frame in frames} == {size}
    orders = [speaking.order(frame) for frame in frames]
    back = b"".join(order.mulaw for order in orders if isinstance(order, Media))
    error = mulaw.decode(back).astype(float) - mulaw.decode(tone)
    assert np.abs(error).max() < (1 if rate_hz == 8000 else 1400)
    assert speaking.order('{"action":"clear"}') == Clear()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x00" * 319, "frame"),
        (b"\x00" * 321, "frame"),
        (b"\x00" * 640, "frame"),
        (b"", "frame"),
        ("not json", "message"),
        ("[]", "message"),
        ('{"action":"dance"}', "message"),
        ('{"action":"notify"}', "message"),
        ('{"action":"notify","payload":"m"}', "message"),
        ('{"event":"clear"}', "message"),
    ],
)
def test_refused(message: str | bytes, code: str) -> None:
    with pytest.raises(StreamFault) as refusal:
        wire().order(message)
    assert refusal.value.code == code


SECRET = "vonage-signature-secret-32-bytes!"
VECTOR = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJWb25hZ2UiLCJpYXQiOjE3MDAwMDAwMDAsImp0aSI6ImotMSIsImFwaV"
    "9rZXkiOiJrMSIsInBheWxvYWRfaGFzaCI6IjZjODM5OTkwYzEwYzhmN2ZiNmMzMjUwZjhiNjE1NzJlOGI2MWRlM2IwNDRmZjYwMjcwM"
    "zhhZTBhZTQwMTI0ZWIifQ.-DoiDz9S86ahCqQjtDGBIo-4htNXCN5E2xkSbN87Eek"
)


def test_tokens_are_those_of_the_vendor() -> None:
    claims = {
        "iss": "Vonage",
        "iat": 1700000000,
        "jti": "j-1",
        "api_key": "k1",
        "payload_hash": "6c839990c10c8f7fb6c3250f8b61572e8b61de3b044ff6027038ae0ae40124eb",
    }
    assert signed_token(claims, SECRET) == VECTOR
    signed = VonageAccount(signature_secret=SECRET).sign(b"{}")
    token = signed.headers["Authorization"].removeprefix("Bearer ")
    assert verify_signature(token, SECRET)
    assert not verify_signature(token, SECRET[::-1])
