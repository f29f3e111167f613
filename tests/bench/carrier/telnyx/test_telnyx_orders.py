"""Telnyx's commands: what lets a caller hear something becomes a step, what would not is refused."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bench.carrier.errors import AnswerRejected
from bench.carrier.steps import ConnectStream, Hangup, Say
from bench.carrier.telnyx import TelnyxAccount
from bench.carrier.telnyx.orders import Command

STREAM: dict[str, Any] = {
    "stream_url": "wss://gw.example.com/telnyx/media",
    "stream_track": "inbound_track",
    "stream_codec": "PCMU",
    "stream_bidirectional_mode": "rtp",
    "stream_bidirectional_codec": "PCMU",
    "client_state": base64.b64encode(b"{}").decode(),
}


def test_steps() -> None:
    assert Command("answer").steps() == ()
    assert Command("answer", STREAM).steps() == (ConnectStream("wss://gw.example.com/telnyx/media"),)
    later = STREAM | {"custom_parameters": [{"name": "a", "value": "1"}], "stream_auth_token": "t"}
    (stream,) = Command("streaming_start", later).steps()
    assert isinstance(stream, ConnectStream)
    assert stream.parameters == {"a": "1"}
    assert stream.headers == {"x-telnyx-streaming-auth-token": "t"}
    assert Command("speak", {"payload": "Sorry."}).steps() == (Say("Sorry."),)
    assert Command("hangup").steps() == (Hangup(),)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stream_bidirectional_mode": "mp3"}, "stream-mode"),
        ({"stream_bidirectional_mode": None}, "stream-mode"),
        ({"stream_codec": "OPUS"}, "stream-codec"),
        ({"stream_bidirectional_codec": "L16"}, "stream-codec"),
        ({"stream_bidirectional_sampling_rate": 16000}, "stream-codec"),
        ({"stream_track": "both_tracks"}, "stream-codec"),
        ({"stream_url": "https://gw.example.com/m"}, "stream-address"),
        ({"stream_url": "ws://gw.example.com/m"}, "stream-address"),
    ],
)
def test_refused(changes: dict[str, Any], code: str) -> None:
    fields = {name: value for name, value in (STREAM | changes).items() if value is not None}
    with pytest.raises(AnswerRejected) as refusal:
        Command("answer", fields).steps()
    assert refusal.value.code == code


def test_client_state_is_base64() -> None:
    assert Command("answer").client_state is None
    assert Command("answer", STREAM).client_state == STREAM["client_state"]
    with pytest.raises(AnswerRejected):
        _ = Command("answer", {"client_state": "{}"}).client_state


def test_the_published_vector_and_the_portals_key() -> None:
    account = TelnyxAccount(seed=bytes(range(32)))
    assert account.public_key == "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    body = b'{"data":{"event_type":"call.answered"}}'
    signed = account.sign(body, 1700000000)
    assert signed.headers == {
        "telnyx-signature-ed25519": (
            "3L9VOWcPYmzQ/l1eF8vI/uOuMi3LEGgMm10q+Z5wW/KCKLpPGCtK/ZZoG/WGKD+ObLpeXHVpjcEcVoa3lzDSDg=="
        ),
        "telnyx-timestamp": "1700000000",
    }
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(account.public_key))
    public.verify(base64.b64decode(signed.headers["telnyx-signature-ed25519"]), b"1700000000|" + body)
