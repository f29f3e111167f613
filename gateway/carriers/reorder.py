"""Puts numbered audio back into order, within a window of a few frames. Pure."""

from collections.abc import Sequence
from typing import Final

from gateway.carriers.events import CallerAudio
from gateway.errors import LateFrame

WINDOW_FRAMES: Final = 2
"""How many frames may wait for one that is missing: 40 ms of audio."""


class ChunkOrder:
    """Of one stream, numbered by `CallerAudio.chunk` from 0 or 1 on.

    A missing frame is waited for until `WINDOW_FRAMES` later ones are there, then given up. What carries no
    number (0 throughout) passes as it comes.
    """

    def __init__(self) -> None:
        self._next: int | None = None
        self._waiting: dict[int, CallerAudio] = {}

    def put(self, audio: CallerAudio) -> Sequence[CallerAudio]:
        """What may be heard now, in order. Raises `LateFrame` for what is heard or waiting already."""
        if self._next is None:
            self._next = min(audio.chunk, 1)
        if audio.chunk == 0 and self._next <= 1:
            return (audio,)
        if audio.chunk < self._next or audio.chunk in self._waiting:
            raise LateFrame
        self._waiting[audio.chunk] = audio
        heard = self._in_order()
        while len(self._waiting) > WINDOW_FRAMES:
            self._next = min(self._waiting)
            heard += self._in_order()
        return heard

    def rest(self) -> Sequence[CallerAudio]:
        """What still waits, when nothing more will come."""
        rest = [self._waiting[chunk] for chunk in sorted(self._waiting)]
        self._waiting.clear()
        return rest

    def _in_order(self) -> list[CallerAudio]:
        heard = []
        while self._next is not None and (audio := self._waiting.pop(self._next, None)) is not None:
            heard.append(audio)
            self._next += 1
        return heard
