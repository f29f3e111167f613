"""Twilio's frames: tables of what it sends, and garbage."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carriers.events import (
    CallEnded,
    CallerAudio,
    CallStarted,
    CarrierEvent,
    Clear,
    Dtmf,
    Mark,
    MarkReached,
    PlayAudio,
)
from gateway.carriers.twilio import decode, encode
from gateway.errors import ForeignFrame, MalformedFrame, UnknownFrame

STREAM = "MZ18ad3ab5a668481ce02b83e7395059f0"
CALL = "CA27b34a7b2a4b5f2f1cf1b9f1c4f0a7f1"
ACCOUNT = "AC0123456789abcdef0123456789abcdef"


def frame(event: str, **parts: Any) -> str:
    return json.dumps({"event": event, "sequenceNumber": "4", "streamSid": STREAM, **parts})


def start(**changes: Any) -> str:
    part = {
        "accountSid": ACCOUNT,
        "streamSid": STREAM,
        "callSid": CALL,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": "v1.abc.def"},
    }
    return frame("start", start=part | changes)


def media(payload: str, **changes: Any) -> str:
    return frame(
        "media", media={"track": "inbound", "chunk": "2", "timestamp": "20", "payload": payload, **changes}
    )


VOICE = bytes(range(160))

HEARD: list[tuple[str, str, CarrierEvent | None]] = [
    ("connected", '{"event":"connected","protocol":"Call","version":"1.0.0"}', None),
    ("start", start(), CallStarted(CALL, STREAM, ACCOUNT, {"token": "v1.abc.def"})),
    ("start without parameters", start(customParameters={}), CallStarted(CALL, STREAM, ACCOUNT, {})),
    ("media", media(base64.b64encode(VOICE).decode()), CallerAudio(VOICE, 20, 2)),
    ("media with a number for a time", media("/w==", timestamp=40), CallerAudio(b"\xff", 40, 2)),
    ("media of any length", media(base64.b64encode(VOICE * 20).decode()), CallerAudio(VOICE * 20, 20, 2)),
    ("empty media", media(""), None),
    ("the other track", media("/w==", track="outbound"), None),
    ("dtmf", frame("dtmf", dtmf={"track": "inbound_track", "digit": "5"}), Dtmf("5")),
    ("dtmf star", frame("dtmf", dtmf={"track": "inbound_track", "digit": "*"}), Dtmf("*")),
    ("mark", frame("mark", mark={"name": "t3.c2"}), MarkReached("t3.c2")),
    ("stop", frame("stop", stop={"accountSid": ACCOUNT, "callSid": CALL}), CallEnded()),
    ("stop alone", '{"event":"stop"}', CallEnded()),
    (
        "keys of next year",
        frame("mark", mark={"name": "a", "new": [1, {"b": None}]}, new=True),
        MarkReached("a"),
    ),
]


@pytest.mark.parametrize(("text", "event"), [pytest.param(*case[1:], id=case[0]) for case in HEARD])
def test_frame_is_decoded(text: str, event: CarrierEvent | None) -> None:
    assert decode(text) == event


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"media"',
        "{}",
        '{"event":1}',
        '{"event":"media"}',
        '{"event":"mark","mark":{}}',
        '{"event":"start","start":{}}',
        '{"event":"dtmf"}',
        media("not base64!"),
        media("/w"),
        media("/w==", timestamp="-1"),
        media("/w==", timestamp="1.5"),
        media("/w==", timestamp="9" * 5000),
        media("/w==", timestamp="\u0661"),
        media("/w==", chunk="-1"),
        media("/w==", chunk="one"),
        start(mediaFormat={"encoding": "audio/l16", "sampleRate": 16000, "channels": 1}),
        start(callSid=""),
        start(callSid="C" * 65),
        start(streamSid="MZ\n1"),
        start(customParameters={"token": 7}),
        frame("dtmf", dtmf={"digit": "55"}),
        frame("dtmf", dtmf={"digit": "x"}),
        '{"event":"media","media":' + "[" * 100_000,
        "\ud800",
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_nonsense_is_malformed(text: str) -> None:
    with pytest.raises(MalformedFrame):
        decode(text)


@pytest.mark.parametrize("text", [media("/w=="), frame("mark", mark={"name": "a"}), frame("stop")])
def test_frame_of_another_stream_is_foreign(text: str) -> None:
    assert decode(text, STREAM) == decode(text)
    with pytest.raises(ForeignFrame):
        decode(text, "MZ" + "0" * 32)


@pytest.mark.parametrize("text", [start(), '{"event":"stop"}'], ids=["start", "no stream named"])
def test_start_and_frames_without_a_stream_are_never_foreign(text: str) -> None:
    assert decode(text, "MZ" + "0" * 32) == decode(text)


@pytest.mark.parametrize(
    ("before", "after", "behind"),
    [((20, 2), (40, 3), False), ((20, 2), (20, 2), False), ((20, 2), (0, 3), True), ((20, 2), (40, 1), True)],
)
def test_audio_is_behind_when_time_or_chunk_goes_back(
    before: tuple[int, int], after: tuple[int, int], behind: bool
) -> None:
    assert CallerAudio(b"", *after).is_behind(CallerAudio(b"", *before)) is behind


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
PART = st.dictionaries(
    st.sampled_from(["payload", "track", "timestamp", "digit", "name", "callSid", "streamSid", "accountSid"]),
    JSON,
)


@given(
    st.sampled_from(["media", "start", "mark", "dtmf", "stop", "connected", "?"]),
    st.dictionaries(st.sampled_from(["media", "start", "mark", "dtmf", "streamSid"]), PART | JSON),
)
def test_any_json_is_an_event_or_malformed(event: str, parts: dict[str, Any]) -> None:
    _decode_or_refuse(json.dumps({"event": event, **parts}))


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_an_event_or_malformed(text: str) -> None:
    _decode_or_refuse(text)


@given(st.data())
def test_a_truncated_frame_is_malformed(data: st.DataObject) -> None:
    whole = start()
    with pytest.raises(MalformedFrame):
        decode(whole[: data.draw(st.integers(0, len(whole) - 1))])


def _decode_or_refuse(text: str) -> None:
    try:
        event = decode(text)
    except (MalformedFrame, UnknownFrame):
        return
    assert event is None or isinstance(event, CarrierEvent)


def test_audio_is_encoded() -> None:
    sent = json.loads(encode(PlayAudio(VOICE), STREAM))
    assert sent.pop("media") == {"payload": base64.b64encode(VOICE).decode()}
    assert sent == {"event": "media", "streamSid": STREAM}


def test_mark_and_clear_are_encoded() -> None:
    assert json.loads(encode(Mark('t3."c2"'), STREAM)) == {
        "event": "mark",
        "streamSid": STREAM,
        "mark": {"name": 't3."c2"'},
    }
    assert json.loads(encode(Clear(), STREAM)) == {"event": "clear", "streamSid": STREAM}


@given(st.binary(max_size=2000), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_encoded_is_json_for_any_stream(mulaw: bytes, stream: str) -> None:
    sent = json.loads(encode(PlayAudio(mulaw), stream))
    assert base64.b64decode(sent["media"]["payload"]) == mulaw
    assert sent["streamSid"] == stream
