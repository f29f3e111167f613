"""Answer documents, read back as XML."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.answers import connect_stream, hang_up, say_and_hang_up

PRINTABLE = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"]), min_size=1)


def read(document: str) -> ElementTree.Element:
    assert document.startswith('<?xml version="1.0" encoding="UTF-8"?>')
    return ElementTree.fromstring(document.partition("?>")[2])  # noqa: S314  our own document


@given(PRINTABLE)
def test_stream_is_connected_both_ways(value: str) -> None:
    document = connect_stream(
        "wss://gw.example.com/twilio/media",
        action_url="https://gw.example.com/twilio/after?attempt=0&x=1",
        status_url="https://gw.example.com/twilio/status",
        parameters={"token": value},
    )
    connect = read(document)[0]
    assert (connect.tag, connect.get("action")) == (
        "Connect",
        "https://gw.example.com/twilio/after?attempt=0&x=1",
    )
    stream = connect[0]
    assert (stream.tag, stream.get("url")) == ("Stream", "wss://gw.example.com/twilio/media")
    assert stream.get("statusCallback") == "https://gw.example.com/twilio/status"
    assert stream[0].attrib == {"name": "token", "value": value}


def test_a_refusal_is_spoken_then_the_call_ends() -> None:
    response = read(say_and_hang_up("Smith & Sons isn't <here>."))
    assert [verb.tag for verb in response] == ["Say", "Hangup"]
    assert response[0].text == "Smith & Sons isn't <here>."


def test_hang_up_is_all_there_is() -> None:
    assert [verb.tag for verb in read(hang_up())] == ["Hangup"]
