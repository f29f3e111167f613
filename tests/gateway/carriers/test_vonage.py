"""What is Vonage's own: frames of exactly 20 ms, headers in the first frame, and tokens that sign."""

import hashlib
import json
import warnings
from importlib import import_module
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vonage_jwt import verify_signature

from gateway.carriers.events import CallerAudio, CallStarted, Clear, Mark, PlayAudio
from gateway.carriers.pcm import to_mulaw
from gateway.carriers.vonage import FRAME_BYTES, FRAME_SAMPLES, VonageCodec
from gateway.carriers.vonage_answers import (
    Dialling,
    announce,
    connect_stream,
    put_through,
    say_and_hang_up,
)
from gateway.carriers.vonage_signature import TOLERANCE_S, VonageSigner, vonage_signer
from gateway.errors import MalformedFrame

# The sheet's vector.
SECRET, AT_S = "vonage-signature-secret-32-bytes!", 1_700_000_000
BODY = b'{"status":"answered","uuid":"u-1"}'
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJpc3MiOiJWb25hZ2UiLCJpYXQiOjE3MDAwMDAwMDAsImp0aSI6ImotMSIsImFwaV9rZXkiOiJrMSIsInBheWxvYWRfaGFzaCI6Ij"
    "ZjODM5OTkwYzEwYzhmN2ZiNmMzMjUwZjhiNjE1NzJlOGI2MWRlM2IwNDRmZjYwMjcwMzhhZTBhZTQwMTI0ZWIifQ."
    "-DoiDz9S86ahCqQjtDGBIo-4htNXCN5E2xkSbN87Eek"
)
CLAIMS = {"iss": "Vonage", "iat": AT_S, "jti": "j-1", "api_key": "k1", "application_id": "a-1"}


def connected(**fields: Any) -> str:
    return json.dumps({"event": "websocket:connected", "callUuid": "u-1", **fields})


@given(st.lists(st.binary(max_size=400), max_size=12))
def test_every_frame_is_20_ms_and_nothing_is_lost(pieces: list[bytes]) -> None:
    codec = VonageCodec()
    frames = [frame for piece in pieces for frame in codec.encode(PlayAudio(piece))]
    *rest, notify = codec.encode(Mark("end"))
    assert json.loads(notify) == {"action": "notify", "payload": {"mark": "end"}}
    sent = [frame for frame in (*frames, *rest) if isinstance(frame, bytes)]
    assert {len(frame) for frame in sent} <= {FRAME_BYTES}
    meant = b"".join(pieces).replace(b"\x7f", b"\xff")  # the two zeros of mu-law
    heard = b"".join(map(to_mulaw, sent))
    assert heard[: len(meant)] == meant
    assert set(heard[len(meant) :]) <= {0xFF}
    assert len(heard) - len(meant) < FRAME_SAMPLES


def test_a_clear_drops_the_rest_of_a_piece() -> None:
    codec = VonageCodec()
    assert list(codec.encode(PlayAudio(b"\x10" * 50))) == []
    assert [json.loads(frame) for frame in codec.encode(Clear())] == [{"action": "clear"}]
    assert len(codec.encode(Mark("m"))) == 1


def test_headers_come_back_beside_the_frames_own_fields() -> None:
    told = connected(**{"content-type": "audio/l16;rate=8000", "token": "t", "nested": {"a": 1}})
    assert VonageCodec().decode(told) == (CallStarted("u-1", "u-1", "", {"token": "t"}),)


@pytest.mark.parametrize(
    "changes",
    [{"content-type": "audio/l16;rate=16000"}, {"callUuid": ""}, {"callUuid": "u\n"}, {"callUuid": None}],
    ids=str,
)
def test_a_start_that_we_cannot_serve_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedFrame):
        VonageCodec().decode(connected(**changes))


def test_time_goes_on_with_the_frames() -> None:
    codec = VonageCodec()
    events = [event for _ in range(3) for event in codec.decode(b"\x01\x00" * 160)]
    assert [event.timestamp_ms for event in events if isinstance(event, CallerAudio)] == [20, 40, 60]


@pytest.mark.parametrize("audio", [b"\x01", b"\x01\x00" * 8001], ids=["half a sample", "over a second"])
def test_audio_that_cannot_be_is_malformed(audio: bytes) -> None:
    with pytest.raises(MalformedFrame):
        VonageCodec().decode(audio)


def stream(dialled: str, headers: dict[str, str]) -> str:
    return connect_stream(
        "wss://gw/m",
        event_url="https://gw/e",
        left_url="https://gw/l",
        dialled=dialled,
        headers=headers,
        longest_s=1020,
    )


def test_headers_above_what_vonage_takes_are_refused() -> None:
    def answer(length: int) -> str:
        headers = {"token": "t" * length}
        return connect_stream(
            "wss://gw/m",
            event_url="https://gw/e",
            left_url="https://gw/l",
            dialled="",
            headers=headers,
            longest_s=10_000,
        )

    longest = 512 - len('{"token":""}')
    [action, _] = json.loads(answer(longest))
    assert "from" not in action
    assert action["limit"] == 7200
    with pytest.raises(ValueError, match="512"):
        answer(longest + 1)


def test_that_it_was_cleared_means_nothing() -> None:
    assert VonageCodec().decode('{"event":"websocket:cleared"}') == ()


@pytest.mark.parametrize("after_s", [0, -TOLERANCE_S, TOLERANCE_S])
def test_published_vector_is_good_for_five_minutes(after_s: int) -> None:
    signer = vonage_signer(SECRET, f"Bearer {TOKEN}", BODY, now_s=AT_S + after_s)
    assert signer == VonageSigner("k1", "")


def test_the_vendors_own_check_agrees() -> None:
    assert verify_signature(TOKEN, SECRET)


def bearer(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return "Bearer " + jwt.encode(claims, secret, algorithm=algorithm)


def test_an_upgrade_has_no_body_to_vouch_for() -> None:
    assert vonage_signer(SECRET, bearer(), None, now_s=AT_S) == VonageSigner("k1", "a-1")
    hashed = hashlib.sha256(BODY).hexdigest()
    assert vonage_signer(SECRET, bearer(payload_hash=hashed), BODY, now_s=AT_S) is not None


@pytest.mark.parametrize(
    ("authorization", "body", "now_s"),
    [
        ("", BODY, AT_S),
        (TOKEN, BODY, AT_S),
        ("Bearer ", BODY, AT_S),
        ("Bearer \u00e9", BODY, AT_S),
        ("Bearer " + "a" * 5000, BODY, AT_S),
        (f"Bearer {TOKEN[:-2]}", BODY, AT_S),
        (f"Bearer {TOKEN}", BODY + b" ", AT_S),
        (f"Bearer {TOKEN}", BODY, AT_S + TOLERANCE_S + 1),
        (f"Bearer {TOKEN}", BODY, AT_S - TOLERANCE_S - 1),
        (bearer("another"), None, AT_S),
        (bearer(algorithm="HS512"), None, AT_S),
        (bearer("", algorithm="none"), None, AT_S),
        (bearer(iat=None), None, AT_S),
        (bearer(iat="soon"), None, AT_S),
        (bearer(), BODY, AT_S),
    ],
)
def test_anything_else_is_not_signed(authorization: str, body: bytes | None, now_s: float) -> None:
    assert vonage_signer(SECRET, authorization, body, now_s=now_s) is None


def test_vonages_own_package_writes_the_same_documents() -> None:
    ncco = import_module("vonage_voice.models.ncco")
    [connect, notify] = json.loads(stream("442079460018", {"token": "t"}))
    [endpoint] = connect["endpoint"]
    given = connect | {
        "from_": connect["from"],
        "endpoint": [endpoint | {"contentType": endpoint["content-type"]}],
    }
    [talk] = json.loads(say_and_hang_up("Goodbye."))
    person = Dialling("442071838999", "442079460018", "https://gw/w", "https://gw/o", "https://gw/n", 20, 900)
    said, dialling, over = put_through("One moment.", person)
    announced = json.loads(announce("A caller.", joined_url="https://gw/j"))
    for model, ours in (
        (ncco.Connect(**given), connect),
        (ncco.Connect(**dialling, from_=dialling["from"]), dialling),
        *((ncco.Talk(**each), each) for each in (talk, said, announced[0])),
        *((ncco.Notify(**each), each) for each in (notify, over, announced[1])),
    ):
        assert model.model_dump(mode="json", by_alias=True, exclude_none=True) == ours
