"""Cartesia's messages, both ways, without a socket."""

import msgspec
import pytest

from pipeline.providers.cartesia_wire import (
    CartesiaConfig,
    Chunk,
    Done,
    Failure,
    Malformed,
    Timestamps,
    WordTimes,
    cancel_request,
    decode,
    is_speakable,
    refusal,
    text_request,
)
from tests.wire.read import frames

CONFIG = CartesiaConfig("k", voice="v")


def test_messages_of_a_context_are_decoded_and_the_unneeded_skipped() -> None:
    assert [decode(frame) for frame in frames("cartesia_context")] == [
        Chunk("turn-17", b"\x00\x01\x02\x03"),
        Timestamps("turn-17", WordTimes(["Hello,", "world."], [0.02, 0.41], [0.38, 0.9])),
        Chunk("turn-17", b"\xff\xff"),
        None,
        None,
        Done("turn-17"),
    ]


def test_errors_are_named_by_code_or_status_and_say_whether_to_retry() -> None:
    failures = [decode(frame) for frame in frames("cartesia_errors")]
    named = []
    for failure in failures:
        assert isinstance(failure, Failure)
        error = refusal(failure)
        named.append((failure.context_id, error.fault, error.retryable))
    assert named == [
        ("turn-17", "concurrency_limited", True),
        (None, "model_sunsetted", False),
        ("turn-17", "status_500", True),
        ("turn-17", "status_400", False),
        ("turn-17", "status_400", False),
    ]


def test_damaged_audio_fails_its_context_and_other_garbage_is_skipped() -> None:
    decoded = [decode(frame) for frame in frames("cartesia_oddities")]
    assert decoded == [Malformed("turn-17"), None, None, None, None, None]
    assert decode(b"\xff\x00 no json") is None


def test_text_is_sent_verbatim_without_server_side_buffering() -> None:
    request = msgspec.json.decode(text_request(CONFIG, "c1", 'Say "ä" ', more=True))
    assert request == {
        "model_id": "sonic-3",
        "transcript": 'Say "ä" ',
        "voice": {"mode": "id", "id": "v"},
        "language": "en",
        "context_id": "c1",
        "continue": True,
        "max_buffer_delay_ms": 0,
        "output_format": {"container": "raw", "encoding": "pcm_mulaw", "sample_rate": 8000},
        "add_timestamps": True,
    }


def test_cancel_names_the_context() -> None:
    assert msgspec.json.decode(cancel_request("c1")) == {"context_id": "c1", "cancel": True}


@pytest.mark.parametrize(
    ("text", "speakable"),
    [("", False), (" ", False), ("...", False), (" - ", False), ("7.", True), ("é", True)],
)
def test_speakable_text_has_something_to_pronounce(text: str, speakable: bool) -> None:
    assert is_speakable(text) is speakable


def test_key_is_not_shown() -> None:
    assert "secret" not in repr(CartesiaConfig("secret", voice="v"))
