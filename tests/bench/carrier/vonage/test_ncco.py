"""Vonage's answer document: what it plays is parsed, what it refuses is refused."""

import copy
import json
from typing import Any

import pytest

from bench.carrier.errors import AnswerRejected
from bench.carrier.steps import ConnectStream, Pause, Redirect, Say
from bench.carrier.vonage.ncco import parse_ncco

ENDPOINT = {
    "type": "websocket",
    "uri": "wss://gw.example.com/vonage/media",
    "content-type": "audio/l16;rate=16000",
    "headers": {"callUuid": "u-1", "nested": {"a": 1}},
    "authorization": {"type": "vonage"},
}
CONNECT: dict[str, Any] = {
    "action": "connect",
    "from": "15551230000",
    "eventType": "synchronous",
    "eventUrl": ["https://gw.example.com/vonage/after"],
    "endpoint": [ENDPOINT],
}


def ncco(change: dict[str, Any] | None = None, **endpoint: Any) -> bytes:
    action = copy.deepcopy(CONNECT) | (change or {})
    if endpoint:
        action["endpoint"][0] |= endpoint
    return json.dumps([action]).encode()


def test_a_websocket_and_what_follows() -> None:
    document = [
        *json.loads(ncco()),
        {"action": "talk", "text": "Bye."},
        {"action": "wait", "timeout": 1},
        {"action": "notify", "payload": {}, "eventUrl": ["https://gw.example.com/vonage/left"]},
    ]
    assert parse_ncco(json.dumps(document).encode()) == [
        ConnectStream(
            url="wss://gw.example.com/vonage/media",
            parameters={"callUuid": "u-1", "nested": {"a": 1}},
            action="https://gw.example.com/vonage/after",
            status_callback="https://gw.example.com/vonage/after",
            rate_hz=16000,
            signed=True,
        ),
        Say("Bye."),
        Pause(1),
        Redirect("https://gw.example.com/vonage/left"),
    ]


def test_an_event_that_is_not_synchronous_asks_for_nothing() -> None:
    document = json.loads(ncco())
    del document[0]["eventType"], document[0]["endpoint"][0]["authorization"]
    (stream,) = parse_ncco(json.dumps(document).encode())
    assert isinstance(stream, ConnectStream)
    assert (stream.action, stream.signed) == (None, False)


def test_a_header_of_the_gateways_own() -> None:
    (stream,) = parse_ncco(ncco(authorization={"type": "custom", "value": "Bearer x"}))
    assert isinstance(stream, ConnectStream)
    assert stream.headers == {"Authorization": "Bearer x"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "ncco"),
        (b"{}", "ncco"),
        (b"[1]", "ncco-schema"),
        (b'[{"action":"dance"}]', "ncco-schema"),
        (b'[{"action":"talk"}]', "ncco-schema"),
        (b'[{"action":"notify","payload":{}}]', "ncco-schema"),
        (b'[{"action":"notify","payload":"","eventUrl":["https://gw.example.com"]}]', "ncco-schema"),
        (b'[{"action":"talk","text":"a","colour":"red"}]', "ncco-schema"),
        (ncco({"endpoint": []}), "ncco-schema"),
        (ncco({"endpoint": [ENDPOINT, ENDPOINT]}), "ncco-schema"),
        (ncco({"eventUrl": "https://gw.example.com/e"}), "ncco-schema"),
        (ncco({"eventUrl": ["/e"]}), "ncco-schema"),
        (ncco({"eventType": "later"}), "ncco-schema"),
        (ncco({"from": "+15551230000"}), "number"),
        (ncco(type="phone"), "ncco-schema"),
        (ncco(token="t"), "ncco-schema"),
        (ncco(authorization={"type": "basic"}), "ncco-schema"),
        (ncco(uri="ws://gw.example.com/m"), "websocket-uri"),
        (ncco(uri=""), "websocket-uri"),
        (ncco(**{"content-type": "audio/l16;rate=44100"}), "content-type"),
        (ncco(**{"content-type": None}), "content-type"),
        (ncco(headers={"token": "a" * 512}), "headers"),
        (ncco(headers=["a"]), "headers"),
    ],
)
def test_refused(document: bytes, code: str) -> None:
    with pytest.raises(AnswerRejected) as refusal:
        parse_ncco(document)
    assert refusal.value.code == code
