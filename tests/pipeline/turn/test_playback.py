"""The heard ledger: marks below, the clock above, words in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.turn.playback import Playback, SpokenText

TAKE, OTHER = (1, 1), (2, 1)


def ledger() -> Playback:
    return Playback(mark_wait_s=1.0)


@pytest.mark.parametrize(("now_s", "heard_s"), [(10.0, 0.0), (11.5, 1.5), (13.0, 3.0), (99.0, 3.0)])
def test_without_marks_the_clock_tells(now_s: float, heard_s: float) -> None:
    line = ledger()
    line.queued(TAKE, 1.0, 10.0)
    line.queued(TAKE, 2.0, 10.1)
    assert line.heard_s(TAKE, now_s) == pytest.approx(heard_s)


def test_a_gap_in_our_audio_is_not_counted_as_heard() -> None:
    line = ledger()
    line.queued(TAKE, 1.0, 10.0)
    line.queued(TAKE, 1.0, 15.0)
    assert line.heard_s(TAKE, 15.5) == pytest.approx(1.5)


def test_a_mark_shows_that_the_line_lags() -> None:
    line = ledger()
    line.queued(TAKE, 1.0, 10.0)
    line.marked("a", 10.0)
    line.queued(TAKE, 5.0, 10.0)
    line.mark_reached("a", 11.4)
    assert line.heard_s(TAKE, 11.4) == pytest.approx(1.0)
    assert line.heard_s(TAKE, 12.0) == pytest.approx(1.6)


def test_the_lag_is_remembered_for_audio_without_a_mark_yet() -> None:
    line = ledger()
    line.queued(TAKE, 1.0, 10.0)
    line.marked("a", 10.0)
    line.mark_reached("a", 11.2)
    line.queued(OTHER, 5.0, 20.0)
    assert line.heard_s(OTHER, 21.0) == pytest.approx(0.8)


def test_a_mark_that_comes_too_early_is_not_believed() -> None:
    line = ledger()
    line.queued(TAKE, 4.0, 10.0)
    line.marked("a", 10.0)
    line.mark_reached("a", 10.5)
    assert line.heard_s(TAKE, 10.5) == pytest.approx(0.5)
    assert not line.is_over(10.5)


def test_marks_after_a_clear_prove_nothing() -> None:
    line = ledger()
    line.queued(TAKE, 4.0, 10.0)
    line.marked("a", 10.0)
    line.cleared(11.0)
    line.mark_reached("a", 11.1)
    assert line.heard_s(TAKE, 20.0) == pytest.approx(1.0)


def test_each_take_has_its_own_account() -> None:
    line = ledger()
    line.queued(TAKE, 1.0, 10.0)
    line.queued(OTHER, 2.0, 10.0)
    assert line.heard([1, 2], 11.5) == {TAKE: pytest.approx(1.0), OTHER: pytest.approx(0.5)}
    assert line.heard([2], 11.5).keys() == {OTHER}


def test_the_line_is_over_when_marked_so_or_after_a_limited_wait() -> None:
    line = ledger()
    line.queued(TAKE, 2.0, 10.0)
    line.marked("end", 10.0)
    assert line.over_at_s() == pytest.approx(13.0)
    line.mark_reached("end", 12.1)
    assert line.is_over(12.1)


@given(
    st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["queue", "mark", "reach", "clear"])), max_size=30)
)
def test_heard_is_never_more_than_sent_nor_than_time_allows(steps: list[tuple[float, str]]) -> None:
    line, now_s, sent_s, names = ledger(), 0.0, 0.0, iter(range(99))
    queued: list[str] = []
    before_s = 0.0
    for pause_s, step in steps:
        now_s += pause_s
        match step:
            case "queue":
                line.queued(TAKE, 1.0, now_s)
                sent_s += 1.0
            case "mark":
                queued.append(str(next(names)))
                line.marked(queued[-1], now_s)
            case "reach" if queued:
                line.mark_reached(queued.pop(0), now_s)
            case "clear":
                line.cleared(now_s)
        heard_s = line.heard_s(TAKE, now_s)
        assert 0 <= heard_s <= min(sent_s, now_s) + 1e-6
        assert line.unheard_s(now_s) >= 0
        if step != "clear":
            before_s = heard_s
    assert before_s <= sent_s + 1e-6


def spoken(text: str, *words: tuple[str, float]) -> SpokenText:
    made = SpokenText(audio_s=9.0)
    made.append(text)
    made.timed([word for word, _ in words], [end_s for _, end_s in words])
    return made


@pytest.mark.parametrize(
    ("played_s", "text"),
    [(0.0, ""), (0.4, ""), (0.5, "Good"), (1.2, "Good morning,"), (1.6, "Good morning, Dr. Patel.")],
)
def test_whole_words_count_when_they_have_ended(played_s: float, text: str) -> None:
    said = spoken(
        "Good morning, Dr. Patel.", ("good", 0.5), ("morning", 1.0), ("doctor", 1.3), ("Patel", 1.6)
    )
    assert said.text[: said.sounded(played_s)] == text


def test_words_the_voice_reads_otherwise_are_counted_with_the_next_known_one() -> None:
    said = spoken("At 10:30 on Tuesday", ("at", 0.2), ("ten", 0.5), ("thirty", 0.9), ("on", 1.1))
    assert said.text[: said.sounded(0.9)] == "At"
    assert said.text[: said.sounded(1.1)] == "At 10:30 on"


def test_without_word_times_the_share_of_the_audio_tells() -> None:
    said = SpokenText(audio_s=2.0, whole=True)
    said.append("one two three four")
    assert said.text[: said.sounded(1.0)] == "one two"
    assert said.sounded(2.0) == len(said.text)


def test_of_audio_still_to_come_the_usual_pace_tells() -> None:
    said = SpokenText(audio_s=2.0)
    said.append("one two three four five six seven")
    assert said.text[: said.sounded(1.0)] == "one two three"
