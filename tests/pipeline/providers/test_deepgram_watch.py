"""When a quiet socket needs something; instants are given."""

from pipeline.providers.deepgram_config import DeepgramConfig
from pipeline.providers.deepgram_watch import Chore, Watch

CONFIG = DeepgramConfig("k", idle_after_s=0.5, keep_alive_s=4.0, mute_after_s=4.0, force_wait_s=1.0)


def flux(patience: float = 1.0) -> Watch:
    return Watch(CONFIG, feed_s=0.1, keeps_alive=False, opened_s=10.0, patience=patience)


def nova() -> Watch:
    return Watch(CONFIG, feed_s=0.1, keeps_alive=True, opened_s=10.0)


def chores(watch: Watch, until_s: float, *, turn_open: bool = False) -> list[tuple[float, Chore]]:
    """What comes up if nothing happens and the watch is looked at exactly when it asks."""
    done = []
    while (due_s := watch.due_s(turn_open=turn_open)) <= until_s:
        chore = watch.check(due_s, turn_open=turn_open)
        assert chore is not None
        done.append((round(due_s, 3), chore))
    return done


def test_silence_is_fed_in_real_time_once_the_line_is_quiet() -> None:
    watch = flux()
    assert chores(watch, 10.72) == [
        (10.5, Chore.FEED_SILENCE),
        (10.6, Chore.FEED_SILENCE),
        (10.7, Chore.FEED_SILENCE),
    ]
    watch.audio_came(10.75, 0.02, loud=False)
    assert watch.check(11.2, turn_open=True) is None
    assert chores(watch, 11.3) == [(11.25, Chore.FEED_SILENCE)]


def test_a_long_gap_is_not_filled_afterwards() -> None:
    watch = flux()
    assert watch.check(20.0, turn_open=False) is Chore.FEED_SILENCE
    fed = [watch.check(20.0, turn_open=False) for _ in range(10)]
    assert fed.count(Chore.FEED_SILENCE) == 1


def test_nova_rests_between_turns_on_keep_alive_once_it_has_had_audio() -> None:
    watch = nova()
    assert chores(watch, 14.6) == [(10.5, Chore.FEED_SILENCE), (14.5, Chore.KEEP_ALIVE)]
    watch.audio_came(15.0, 0.02, loud=True)
    assert chores(watch, 19.5) == [(19.0, Chore.KEEP_ALIVE)]


def test_nova_is_fed_while_a_turn_is_open() -> None:
    watch = nova()
    watch.audio_came(11.0, 0.02, loud=True)
    assert chores(watch, 11.65, turn_open=True) == [(11.5, Chore.FEED_SILENCE), (11.6, Chore.FEED_SILENCE)]


def test_recogniser_that_says_nothing_of_an_open_turn_is_mute() -> None:
    watch = flux()
    watch.heard(12.0)
    assert watch.check(15.9, turn_open=True) is not Chore.MUTE
    assert watch.check(16.0, turn_open=True) is Chore.MUTE
    assert watch.check(16.0, turn_open=True) is not Chore.MUTE


def test_recogniser_that_says_nothing_of_speech_is_mute_but_not_of_silence() -> None:
    watch = flux()
    for frame in range(400):
        watch.audio_came(10.0 + frame / 50, 0.02, loud=False)
    assert watch.check(18.0, turn_open=False) is None
    for frame in range(400, 601):
        watch.audio_came(10.0 + frame / 50, 0.02, loud=True)
    assert watch.check(22.02, turn_open=False) is Chore.MUTE


def test_patience_grows_with_mute_sockets() -> None:
    watch = flux(patience=2.0)
    assert watch.check(14.0, turn_open=True) is not Chore.MUTE
    assert watch.check(18.0, turn_open=True) is Chore.MUTE


def test_forced_end_lapses_once_if_nobody_answers() -> None:
    watch = flux()
    watch.forced(11.0)
    watch.forced(11.5)
    assert watch.is_forcing
    assert watch.check(12.0, turn_open=True) is Chore.FORCE_LAPSED
    assert not watch.is_forcing


def test_forced_end_that_was_answered_does_not_lapse() -> None:
    watch = flux()
    watch.forced(11.0)
    watch.turn_ended()
    assert watch.check(12.0, turn_open=False) is not Chore.FORCE_LAPSED
