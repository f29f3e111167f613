"""The caller audio that a fresh socket would have to hear again. Pure.

Positions count bytes since the call's recogniser session began, whatever socket they went to.
"""


class TurnAudio:
    """The newest stretch of the caller's audio, silence that we fed included."""

    def __init__(self) -> None:
        self._audio = bytearray()
        self._needed_from = 0
        self.start = 0

    @property
    def end(self) -> int:
        return self.start + len(self._audio)

    @property
    def front_lost(self) -> bool:
        """Whether audio had to be dropped before it was forgotten: a replay would miss the front of the
        turn.
        """
        return self.start > self._needed_from

    def append(self, mulaw: bytes) -> None:
        self._audio += mulaw

    def trim(self, keep_bytes: int) -> None:
        """What is older than the last `keep_bytes` goes, needed or not."""
        self._drop_before(self.end - keep_bytes)

    def forget(self, position: int) -> None:
        """Nothing before `position` will be needed again."""
        self._needed_from = max(self._needed_from, position)
        self._drop_before(position)

    def read(self, position: int, size: int) -> bytes:
        """Up to `size` bytes from `position`, which must not lie before `start`."""
        offset = position - self.start
        return bytes(self._audio[offset : offset + size])

    def _drop_before(self, position: int) -> None:
        count = min(max(position - self.start, 0), len(self._audio))
        del self._audio[:count]
        self.start += count
