"""A bad line: what is planned is done, the same for the same seed, and each kind without the others."""

import json

import pytest

from bench.carrier.faults import (
    FRAME_MS,
    NO_FAULTS,
    FaultUnreadable,
    Line,
    LineFaults,
    WebhookChance,
    parse_faults,
)
from bench.carrier.wire import Message

FRAMES = 400


def sent(faults: LineFaults, stream: int = 1) -> list[tuple[int, Message]]:
    """When each message goes out, of `FRAMES` frames that are their own numbers."""
    line = Line(faults, stream)
    out = []
    for number in range(FRAMES + 100):
        now_ms = number * FRAME_MS
        if number < FRAMES:
            line.audio(json.dumps({"chunk": number}), now_ms)
        out += [(now_ms, message) for message in line.due(now_ms)]
    return out


def numbers(out: list[tuple[int, Message]]) -> list[int]:
    """Of the frames that are whole."""
    return [json.loads(text)["chunk"] for _, text in out if is_whole(text)]


def is_whole(message: Message) -> bool:
    return isinstance(message, str) and message.startswith('{"chunk"') and message.endswith("}")


def test_a_good_line_sends_each_frame_when_it_is_due() -> None:
    out = sent(NO_FAULTS)
    assert numbers(out) == list(range(FRAMES))
    assert [at_ms for at_ms, _ in out] == [number * FRAME_MS for number in range(FRAMES)]


def test_jitter_is_late_and_in_order() -> None:
    out = sent(LineFaults(jitter=90))
    assert numbers(out) == list(range(FRAMES))
    late_ms = [at_ms - number * FRAME_MS for number, (at_ms, _) in enumerate(out)]
    assert min(late_ms) >= 0
    assert 60 <= max(late_ms) <= 100


def test_a_share_is_lost() -> None:
    out = sent(LineFaults(loss=0.1))
    assert FRAMES * 0.85 < len(out) < FRAMES * 0.95
    assert numbers(out) == sorted(numbers(out))


def test_reordered_frames_change_places_with_the_next() -> None:
    heard = numbers(sent(LineFaults(reorder=0.1)))
    assert sorted(heard) == list(range(FRAMES))
    behind = [at for at, number in enumerate(heard) if number < at]
    assert len(behind) > FRAMES * 0.05
    assert max(abs(number - at) for at, number in enumerate(heard)) <= 2


def test_garbage_comes_between() -> None:
    out = sent(LineFaults(malformed=0.2))
    garbage = [text for _, text in out if not is_whole(text)]
    assert FRAMES * 0.1 < len(garbage) < FRAMES * 0.3
    assert len({str(text) for text in garbage}) > 5


def test_a_half_dead_line_says_nothing_from_then_on() -> None:
    assert numbers(sent(LineFaults(half_dead=1000))) == list(range(50))


def test_acknowledgements_are_late_lost_and_doubled() -> None:
    late, lost = Line(LineFaults(ack_late=300)), Line(LineFaults(ack_lost=1))
    doubled = Line(LineFaults(ack_doubled=1))
    for line in (late, lost, doubled):
        line.acknowledgement("mark", 100)
    assert (late.due(399), late.due(400)) == ([], ["mark"])
    assert lost.due(10_000) == []
    assert doubled.due(100) == ["mark", "mark"]
    assert (lost.struck["ack_lost"], doubled.struck["ack_doubled"], late.struck["ack_late"]) == (1, 1, 1)


def test_what_is_on_its_way_goes_out_in_the_end() -> None:
    line = Line(LineFaults(ack_late=500))
    for name in ("one", "two"):
        line.acknowledgement(name, 0)
    assert (line.due(100), line.rest(), line.rest()) == ([], ["one", "two"], [])


def test_a_seed_strikes_the_same_frames_whatever_else_is_planned() -> None:
    plan = LineFaults(seed=7, jitter=40, loss=0.05, reorder=0.05, malformed=0.05)
    assert sent(plan) == sent(plan)
    lost = set(range(FRAMES)) - set(numbers(sent(plan)))
    assert lost == set(range(FRAMES)) - set(numbers(sent(LineFaults(seed=7, loss=0.05))))
    assert sent(plan) != sent(LineFaults(seed=8, jitter=40, loss=0.05, reorder=0.05, malformed=0.05))
    assert sent(plan) != sent(plan, stream=2)


def test_webhooks_come_twice() -> None:
    always, never = WebhookChance(LineFaults(webhook_doubled=1)), WebhookChance(NO_FAULTS)
    assert always.doubled()
    assert not never.doubled()


def test_faults_are_read() -> None:
    assert parse_faults("", 3) == LineFaults(seed=3)
    assert parse_faults("jitter=40, loss=0.02,ack-late=300,signature=bad,half_dead=5000") == LineFaults(
        jitter=40, loss=0.02, ack_late=300, signature="bad", half_dead=5000
    )


@pytest.mark.parametrize(
    "text",
    [
        "jitter",
        "jitter=",
        "noise=1",
        "seed=2",
        "loss=2",
        "loss=-1",
        "loss=x",
        "jitter=1.5",
        "signature=none",
        "=1",
    ],
)
def test_unreadable_faults(text: str) -> None:
    with pytest.raises(FaultUnreadable):
        parse_faults(text)
