"""Plivo's answer document: what holds a call with sound both ways is parsed, what would not is refused."""

import pytest

from bench.carrier.errors import AnswerRejected
from bench.carrier.plivo.xml import parse_plivo_xml
from bench.carrier.steps import ConnectStream, Hangup, Pause, Redirect, Reject, Say

BASE = "https://gw.example.com/plivo/voice"
MEDIA = "wss://gw.example.com/plivo/media"
WHOLE = {
    "bidirectional": "true",
    "keepCallAlive": "true",
    "contentType": "audio/x-mulaw;rate=8000",
    "extraHeaders": "org=7,token=abc",
}


def stream(changes: dict[str, str | None] | None = None, url: str = MEDIA) -> bytes:
    attributes = {name: value for name, value in {**WHOLE, **(changes or {})}.items() if value is not None}
    written = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<Response><Stream {written}>{url}</Stream></Response>".encode()


def test_stream_and_what_follows() -> None:
    document = stream({"statusCallbackUrl": "https://gw.example.com/s", "streamTimeout": "60"}).replace(
        b"</Response>", b'<Redirect method="POST">/plivo/after</Redirect></Response>'
    )
    assert parse_plivo_xml(document, BASE) == [
        ConnectStream(
            url="wss://gw.example.com/plivo/media",
            parameters={"org": "7", "token": "abc"},
            status_callback="https://gw.example.com/s",
        ),
        Redirect("https://gw.example.com/plivo/after"),
    ]


def test_other_elements() -> None:
    document = b'<Response><Speak>Sorry.</Speak><Wait length="2"/><Hangup/><Hangup reason="busy"/></Response>'
    assert parse_plivo_xml(document, BASE) == [Say("Sorry."), Pause(2), Hangup(), Reject("busy")]


def test_who_is_dialled_does_not_answer() -> None:
    dial = f'<Dial action="{BASE}/over" timeout="20"><Number>442071838999</Number></Dial>'
    document = f"<Response><Speak>One moment.</Speak>{dial}</Response>"
    assert parse_plivo_xml(document.encode(), BASE) == [Say("One moment."), Redirect(f"{BASE}/over")]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "xml"),
        (b"<response/>", "xml"),
        (b"<!DOCTYPE x><Response/>", "xml"),
        (b"<Response>words</Response>", "schema"),
        (b"<Response><Dance/></Response>", "schema"),
        (b"<Response><Speak/></Response>", "schema"),
        (b"<Response><Dial/></Response>", "schema"),
        (b"<Response><Dial><User>sip:a@b</User></Dial></Response>", "schema"),
        (b"<Response><Dial><Number>desk</Number></Dial></Response>", "schema"),
        (b'<Response><Dial action="/over"><Number>442071838999</Number></Dial></Response>', "schema"),
        (b'<Response><Dial timeout="soon"><Number>442071838999</Number></Dial></Response>', "schema"),
        (b"<Response><Connect><Stream/></Connect></Response>", "schema"),
        (b'<Response><Wait length="long"/></Response>', "schema"),
        (stream({"colour": "red"}), "schema"),
        (stream({"statusCallbackUrl": "/relative"}), "schema"),
        (stream({"bidirectional": None}), "bidirectional"),
        (stream({"audioTrack": "both"}), "bidirectional"),
        (stream({"keepCallAlive": None}), "keep-call-alive"),
        (stream({"contentType": None}), "content-type"),
        (stream({"contentType": "audio/x-mulaw"}), "content-type"),
        (stream({"streamTimeout": "soon"}), "stream-timeout"),
        (stream(url=""), "stream-address"),
        (stream(url="ws://gw.example.com/m"), "stream-address"),
        (stream(url="wss://[gw/m"), "stream-address"),
        (stream({"extraHeaders": "token=a.b"}), "extra-headers"),
        (stream({"extraHeaders": "token"}), "extra-headers"),
        (stream({"extraHeaders": "token=" + "a" * 507}), "extra-headers"),
    ],
)
def test_refused(document: bytes, code: str) -> None:
    with pytest.raises(AnswerRejected) as refusal:
        parse_plivo_xml(document, BASE)
    assert refusal.value.code == code
    assert refusal.value.rule.source
