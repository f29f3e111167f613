"""What is Telnyx's own: parameters in either shape, the call's state, and the signature of its webhooks."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.carriers.events import CallStarted
from gateway.carriers.telnyx import TelnyxCodec, client_state
from gateway.carriers.telnyx_signature import TOLERANCE_S, telnyx_signed
from gateway.ed25519 import parse_public_key
from gateway.errors import MalformedFrame

TOLD = {"token": "v1.abc.def", "ends": "sealed"}

# Made from the seed bytes 0 to 31.
PUBLIC_KEY = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
AT_S, BODY = 1_700_000_000, b'{"data":{"event_type":"call.answered"}}'
SIGNATURE = "3L9VOWcPYmzQ/l1eF8vI/uOuMi3LEGgMm10q+Z5wW/KCKLpPGCtK/ZZoG/WGKD+ObLpeXHVpjcEcVoa3lzDSDg=="


def start(**changes: Any) -> str:
    part = {"call_control_id": "v3:abc", "user_id": "u-1"} | changes
    return json.dumps({"event": "start", "sequence_number": "1", "stream_id": "s-1", "start": part})


@pytest.mark.parametrize(
    "told",
    [
        {"custom_parameters": TOLD},
        {"custom_parameters": [{"name": name, "value": value} for name, value in TOLD.items()]},
        {"client_state": client_state(TOLD)},
        {"client_state": client_state({"token": "an older one"}), "custom_parameters": TOLD},
    ],
    ids=["object", "list", "state", "both"],
)
def test_what_we_put_into_the_call_comes_back(told: dict[str, Any]) -> None:
    (started,) = TelnyxCodec().decode(start(**told))
    assert isinstance(started, CallStarted)
    assert started.parameters["token"] == TOLD["token"]


@pytest.mark.parametrize("state", ["", "?", "aGVsbG8=", "W10=", "eyJhIjoxfQ==", None])
def test_a_state_that_is_not_ours_tells_nothing(state: str | None) -> None:
    (started,) = TelnyxCodec().decode(start(client_state=state))
    assert started == CallStarted("v3:abc", "s-1", "u-1", {})


@pytest.mark.parametrize(
    "changes",
    [
        {"media_format": {"encoding": "L16", "sample_rate": 16000, "channels": 1}},
        {"call_control_id": ""},
        {"call_control_id": "v3:\n"},
        {"call_control_id": "x" * 161},
        {"custom_parameters": [{"name": "token"}]},
    ],
)
def test_a_start_that_we_cannot_serve_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedFrame):
        TelnyxCodec().decode(start(**changes))


@pytest.mark.parametrize("after_s", [0, -TOLERANCE_S, TOLERANCE_S])
def test_published_vector_is_good_for_five_minutes(after_s: int) -> None:
    assert telnyx_signed(PUBLIC_KEY, str(AT_S), BODY, SIGNATURE, now_s=AT_S + after_s)


@pytest.mark.parametrize(
    "changed",
    [
        {"timestamp": str(AT_S + 1)},
        {"timestamp": ""},
        {"timestamp": "9" * 400},
        {"timestamp": "\u0661" * 10},
        {"body": BODY + b" "},
        {"body": b""},
        {"signature": ""},
        {"signature": "\u00e9"},
        {"signature": SIGNATURE[:-4]},
        {"signature": SIGNATURE.replace("3L", "3M")},
        {"public_key": ""},
        {"public_key": "A" * 44},
        {"now_s": AT_S + TOLERANCE_S + 1},
        {"now_s": AT_S - TOLERANCE_S - 1},
    ],
    ids=str,
)
def test_anything_else_is_not_signed(changed: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        "public_key": PUBLIC_KEY,
        "timestamp": str(AT_S),
        "body": BODY,
        "signature": SIGNATURE,
        "now_s": AT_S,
    }
    assert not telnyx_signed(**given | changed)


def test_vector_is_what_its_private_key_makes() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    parse_public_key(PUBLIC_KEY).verify(private.sign(f"{AT_S}|".encode() + BODY), f"{AT_S}|".encode() + BODY)
