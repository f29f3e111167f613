"""The carrier's queue: audio in order, marks when played, everything at once on a clear."""

from bench.carrier.playback import BYTES_PER_MS, PlaybackQueue
from bench.carrier.plivo.frames import QUEUE_RULES as PLIVO
from bench.carrier.twilio.frames import QUEUE_RULES as TWILIO
from bench.carrier.vonage.frames import QUEUE_RULES as VONAGE


def test_audio_is_played_in_frames_and_padded_with_silence() -> None:
    queue = PlaybackQueue(TWILIO)
    queue.queue(b"a" * 200)
    assert queue.take_frame() == (b"a" * 160, 160, [])
    assert queue.take_frame() == (b"a" * 40 + b"\xff" * 120, 40, [])
    assert queue.take_frame() == (b"\xff" * 160, 0, [])


def test_mark_returns_when_what_was_before_it_has_been_played() -> None:
    queue = PlaybackQueue(TWILIO)
    queue.queue(b"a" * 320)
    assert queue.mark("one") == []
    queue.queue(b"b" * 160)
    assert queue.mark("two") == []
    assert [queue.take_frame()[2] for _ in range(3)] == [[], ["one"], ["two"]]


def test_mark_on_an_empty_queue_returns_at_once() -> None:
    assert PlaybackQueue(TWILIO).mark("now") == ["now"]


def test_clear_drops_the_audio_and_returns_all_marks() -> None:
    queue = PlaybackQueue(TWILIO)
    queue.queue(b"a" * 1600)
    queue.mark("one")
    queue.mark("two")
    queue.take_frame()
    assert queue.clear() == (["one", "two"], 180.0)
    assert queue.waiting_ms == 0
    assert queue.take_frame() == (b"\xff" * 160, 0, [])


def test_a_clear_takes_marks_with_it_where_the_carrier_never_returns_them() -> None:
    for rules in (PLIVO, VONAGE):
        queue = PlaybackQueue(rules)
        queue.queue(b"a" * 1600)
        queue.mark("one")
        assert queue.clear() == ([], 200.0)
        assert queue.take_frame()[2] == []
        assert queue.mark("two") == ["two"]


def test_more_than_the_carrier_holds_is_not_taken() -> None:
    for rules in (TWILIO, VONAGE):
        queue = PlaybackQueue(rules)
        assert queue.queue(b"a" * rules.most_ms * BYTES_PER_MS)
        assert not queue.queue(b"a")
        queue.take_frame()
        assert queue.queue(b"a" * 160)
    assert VONAGE.most_ms == 20_480
