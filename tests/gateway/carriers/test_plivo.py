"""What is Plivo's own: the string of extra headers, its start, and the signature of its requests."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plivo.utils.signature_v3 import validate_v3_signature

from gateway.carriers.events import CallStarted, Clear
from gateway.carriers.plivo import MOST_EXTRA_BYTES, PlivoCodec, extra_headers
from gateway.carriers.plivo_signature import plivo_signature, plivo_signed, plivo_signed_upgrade
from gateway.errors import MalformedFrame

TOLD = {"token": "v1.a-b_c.Zz", "ends": "se=aled-"}

# Plivo's own, for this token and nonce.
TOKEN, NONCE = "plivo-test-token", "12345678901234567890"
STREAM = "https://voice.example.com/carriers/plivo/stream"
ANSWER = "https://voice.example.com/carriers/plivo/answer"
FIELDS = [("CallUUID", "abc"), ("From", "15551230001"), ("To", "15551230002")]
STREAM_SIGNED = "XgZw3BuPJqx1jEc7yR5xWSpKw2qjNdPFix9qG66Zncw="
VECTORS = [
    (STREAM, None, STREAM_SIGNED),
    (ANSWER, FIELDS, "gzlhTokVqZUOQ4/MUQcJrqBXoGSa0rIaJ1ersj9fj8o="),
    (ANSWER + "?org=7", FIELDS, "vewCpD7V7VuAU/M4nwzFYS5vUQBTnt1cn1eE8IIpw0A="),
]


def start(extra: Any = None, **changes: Any) -> str:
    part = {"callId": "c-1", "streamId": "s-1", "accountId": "MA1"} | changes
    return json.dumps({"event": "start", "sequenceNumber": 0, "start": part, "extra_headers": extra})


def told(extra: Any) -> dict[str, str]:
    (started,) = PlivoCodec().decode(start(extra))
    assert isinstance(started, CallStarted)
    return dict(started.parameters)


def test_extra_headers_are_letters_and_digits() -> None:
    pairs = dict(pair.split("=") for pair in extra_headers(TOLD).split(","))
    assert pairs.keys() == TOLD.keys()
    assert all(value.isascii() and value.isalnum() for value in pairs.values())


@pytest.mark.parametrize(
    "syntax",
    [
        lambda pairs: ",".join(f"{name}={value}" for name, value in pairs.items()),
        lambda pairs: ";".join(f"{name}: {value}" for name, value in pairs.items()),
        lambda pairs: "{" + "; ".join(f"{name}:{value}" for name, value in pairs.items()) + "}",
        lambda pairs: "{" + ", ".join(f'"{name}"="{value}"' for name, value in pairs.items()) + "}",
        json.dumps,
        dict,
    ],
    ids=["comma", "semicolon", "braces", "quotes", "json", "object"],
)
def test_they_come_back_in_whatever_syntax(syntax: Any) -> None:
    pairs = dict(pair.split("=") for pair in extra_headers(TOLD).split(","))
    assert told(syntax(pairs)) == TOLD


@given(st.dictionaries(st.from_regex("[A-Za-z0-9]{1,8}", fullmatch=True), st.text(max_size=12), max_size=3))
def test_any_value_comes_back(parameters: dict[str, str]) -> None:
    assert told(extra_headers(parameters)) == parameters


def test_more_than_plivo_takes_is_refused_by_us() -> None:
    with pytest.raises(ValueError, match=str(MOST_EXTRA_BYTES)):
        extra_headers({"token": "-" * 200})


@pytest.mark.parametrize("extra", ["", "{}", "nothing", "a=b=c", "{{}}", "\u00e9=1", None])
def test_what_is_no_pair_tells_nothing(extra: Any) -> None:
    assert told(extra) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 8000}},
        {"mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 16000}},
        {"callId": ""},
        {"callId": "c\n1"},
        {"streamId": "x" * 65},
    ],
)
def test_a_start_that_we_cannot_serve_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedFrame):
        PlivoCodec().decode(start(**changes))


def test_a_clear_names_the_stream_and_its_acknowledgement_means_nothing() -> None:
    codec = PlivoCodec()
    codec.decode(start())
    assert json.loads(str(codec.encode(Clear())[0])) == {"event": "clearAudio", "streamId": "s-1"}
    assert codec.decode('{"event":"clearedAudio","sequenceNumber":9,"streamId":"s-1"}') == ()


@pytest.mark.parametrize(("url", "fields", "signature"), VECTORS)
def test_published_vectors(url: str, fields: list[tuple[str, str]] | None, signature: str) -> None:
    assert plivo_signature(TOKEN, url, NONCE, fields) == signature
    assert plivo_signed(TOKEN, url, NONCE, signature, fields)
    assert plivo_signed(TOKEN, url, NONCE, f"bm8=, {signature}", fields)


@pytest.mark.parametrize(("url", "fields", "signature"), VECTORS)
def test_the_vendors_own_check_agrees(url: str, fields: list[tuple[str, str]] | None, signature: str) -> None:
    method = "GET" if fields is None else "POST"
    assert validate_v3_signature(method, url, NONCE, TOKEN, signature, dict(fields or ()))


@pytest.mark.parametrize("scheme", ["wss", "https", "ws", "http"])
def test_an_upgrade_may_be_signed_in_any_scheme_of_its_address(scheme: str) -> None:
    signature = plivo_signature(TOKEN, STREAM.replace("https", scheme), NONCE)
    assert plivo_signed_upgrade(TOKEN, STREAM.replace("https", "wss"), NONCE, signature)
    assert not plivo_signed_upgrade(TOKEN, STREAM.replace("https", "wss") + "/x", NONCE, signature)


@pytest.mark.parametrize(
    "changed",
    [
        {"auth_token": "another"},
        {"url": STREAM + "/"},
        {"nonce": "1"},
        {"nonce": ""},
        {"nonce": "1" * 129},
        {"signatures": ""},
        {"signatures": "\u00e9"},
        {"signatures": STREAM_SIGNED[:-4]},
        {"fields": FIELDS},
    ],
    ids=str,
)
def test_anything_else_is_not_signed(changed: dict[str, Any]) -> None:
    given_: dict[str, Any] = {
        "auth_token": TOKEN,
        "url": STREAM,
        "nonce": NONCE,
        "signatures": STREAM_SIGNED,
        "fields": None,
    }
    assert plivo_signed(**given_)
    assert not plivo_signed(**given_ | changed)
