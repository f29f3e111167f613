"""Pieces of any size into frames of one size, in order, without losing a byte."""

from collections.abc import Iterator


class Framer:
    """Regroups a byte stream. What does not fill a frame waits for the next piece or for `flush`."""

    def __init__(self, frame_bytes: int) -> None:
        if frame_bytes <= 0:
            raise ValueError("frame_bytes must be above 0")
        self._frame_bytes = frame_bytes
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The frames that are whole now. The piece counts as taken once the iterator is used up."""
        buffered = self._rest + piece if self._rest else piece
        whole = len(buffered) - len(buffered) % self._frame_bytes
        self._rest = buffered[whole:]
        for start in range(0, whole, self._frame_bytes):
            yield buffered[start : start + self._frame_bytes]

    def flush(self, pad: int | None = None) -> bytes:
        """What is left; filled up to a whole frame with the byte `pad` if given; empty if nothing is left."""
        rest, self._rest = self._rest, b""
        if pad is None or not rest:
            return rest
        return rest.ljust(self._frame_bytes, bytes([pad]))
