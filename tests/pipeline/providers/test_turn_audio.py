"""What audio is kept for a replay."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.providers.turn_audio import TurnAudio


def test_forgotten_audio_is_no_loss() -> None:
    audio = TurnAudio()
    audio.append(b"abcdef")
    audio.forget(4)
    assert (audio.start, audio.end, audio.read(4, 9), audio.front_lost) == (4, 6, b"ef", False)


def test_audio_over_the_bound_goes_first_and_is_missed() -> None:
    audio = TurnAudio()
    audio.append(b"abcdef")
    audio.trim(4)
    assert (audio.start, audio.read(2, 2), audio.front_lost) == (2, b"cd", True)
    audio.forget(3)
    assert not audio.front_lost


@given(st.lists(st.one_of(st.binary(max_size=20), st.integers(0, 300)), max_size=40), st.integers(0, 50))
def test_what_is_kept_is_the_newest_audio_in_place(steps: list[bytes | int], bound: int) -> None:
    audio, everything = TurnAudio(), b""
    for step in steps:
        if isinstance(step, bytes):
            everything += step
            audio.append(step)
            audio.trim(bound)
            assert audio.end - audio.start <= bound
        else:
            audio.forget(step)
        assert audio.end == len(everything)
        assert audio.read(audio.start, 1000) == everything[audio.start :]
