"""The answer document: what Twilio plays is parsed, what it refuses is refused."""

import pytest

from bench.carrier.errors import AnswerRejected
from bench.carrier.steps import ConnectStream, Hangup, Redirect, Say
from bench.carrier.twilio.twiml import parse_twiml

BASE = "https://gw.example.com/twilio/voice"
STREAM = '<Stream url="wss://gw.example.com/twilio/media">{}</Stream>'


def connect(stream: str) -> bytes:
    return f"<Response><Connect>{stream}</Connect></Response>".encode()


def test_stream_with_parameters_action_and_callback() -> None:
    document = b"""<?xml version="1.0" encoding="UTF-8"?>
        <Response>
          <Connect action="/twilio/after">
            <Stream url="wss://gw.example.com/twilio/media" statusCallback="https://gw.example.com/twilio/status">
              <Parameter name="token" value="a&amp;b"/>
            </Stream>
          </Connect>
          <Hangup/>
        </Response>"""
    assert parse_twiml(document, BASE) == [
        ConnectStream(
            url="wss://gw.example.com/twilio/media",
            parameters={"token": "a&b"},
            action="https://gw.example.com/twilio/after",
            status_callback="https://gw.example.com/twilio/status",
        ),
        Hangup(),
    ]


def test_relative_addresses_are_taken_from_the_webhook() -> None:
    (stream,) = parse_twiml(connect('<Stream url="/twilio/media"/>'), BASE)
    assert isinstance(stream, ConnectStream)
    assert stream.url == "wss://gw.example.com/twilio/media"
    assert parse_twiml(b"<Response><Redirect>../other</Redirect></Response>", BASE) == [
        Redirect("https://gw.example.com/other")
    ]


def test_plain_websocket_is_for_loopback_only() -> None:
    (stream,) = parse_twiml(connect('<Stream url="ws://127.0.0.1:8080/m"/>'), "http://127.0.0.1:8080/v")
    assert isinstance(stream, ConnectStream)


def test_spoken_refusal() -> None:
    assert parse_twiml(b"<Response><Say>Sorry.</Say><Hangup/></Response>", BASE) == [Say("Sorry."), Hangup()]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", 12100),
        (b"hello", 12100),
        (b"<Response>", 12100),
        (b"<response/>", 12100),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><Response/>", 12100),
        (b"<Response>words</Response>", 12200),
        (b"<Response><Dance/></Response>", 12200),
        (b"<Response><Say/></Response>", 12200),
        (b'<Response><Hangup after="1"/></Response>', 12200),
        (b"<Response><Connect/></Response>", 12200),
        (b'<Response><Stream url="wss://gw.example.com/m"/></Response>', 12200),
        (connect("<Stream/>"), 12200),
        (connect('<Stream url="wss://gw.example.com/m?call=1"/>'), 31920),
        (connect('<Stream url="ws://gw.example.com/m"/>'), 31922),
        (connect('<Stream url="https://gw.example.com/m"/>'), 31922),
        (connect('<Stream url="wss://[gw/m"/>'), 31923),
        (connect('<Stream url="wss://gw.example.com/m" track="both_tracks"/>'), 12200),
        (connect('<Stream url="wss://gw.example.com/m" colour="red"/>'), 12200),
        (connect('<Stream url="wss://gw.example.com/m" statusCallback="/relative"/>'), 12200),
        (connect(STREAM.format('<Parameter name="a"/>')), 12200),
        (connect(STREAM.format('<Parameter name="a" value="1"/><Parameter name="a" value="2"/>')), 12200),
        (connect(STREAM.format(f'<Parameter name="a" value="{"x" * 499}"/>')), 12200),
        (connect(STREAM.format("<Say>no</Say>")), 12200),
    ],
)
def test_refused(document: bytes, code: int) -> None:
    with pytest.raises(AnswerRejected) as refusal:
        parse_twiml(document, BASE)
    assert refusal.value.code == code
