"""How a simulated recogniser hears: a port with two implementations, the scripted one here, the offline one beside.

The server owns the turn taking; a hearing only says where there is voice and what words a stretch of audio holds.
All instants are seconds of audio from the start of the connection, so that nothing depends on the wall clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Window:
    """One step of voice detection: is there voice in the audio up to `end_s`?"""

    end_s: float
    voiced: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word as written (cased and punctuated); `confidence` 0 to 1."""

    text: str
    start_s: float
    end_s: float
    confidence: float


class Hearing(Protocol):
    """One connection's ears. Calls come from one task, in order."""

    window_s: float

    def listen(self, samples: Samples) -> list[Window]:
        """Take int16 mono samples at 8 kHz; answer the windows they complete. Cheap enough for the event loop."""

    async def words(self, start_s: float, end_s: float, *, settled: bool) -> Sequence[Word]:
        """The words between two instants. `settled`: a pause was heard, so decode with care; otherwise a preview,
        for which an older answer will do."""

    def forget(self, before_s: float) -> None:
        """Audio before this instant will not be asked for again: its turn is over."""
