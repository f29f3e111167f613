"""Pieces into frames: no byte lost, none out of order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio.framing import Framer


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_frames_and_rest_are_the_pieces(pieces: list[bytes], size: int) -> None:
    framer = Framer(size)
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    assert all(len(frame) == size for frame in frames)
    rest = framer.flush()
    assert len(rest) < size
    assert b"".join(frames) + rest == b"".join(pieces)


def test_the_last_frame_is_filled_up() -> None:
    framer = Framer(4)
    assert list(framer.feed(b"abcde")) == [b"abcd"]
    assert framer.flush(pad=0xFF) == b"e\xff\xff\xff"
    assert framer.flush(pad=0xFF) == b""


def test_a_frame_has_a_size() -> None:
    with pytest.raises(ValueError, match="frame_bytes"):
        Framer(0)
