"""The heard ledger: audio handed to the line, marks that came back, and so what the caller really heard.

The carrier queues what we send and plays it in order; we never see it play. Two facts bound it:

- the wall clock, from above: audio cannot have played faster than real time since it was handed over, less
  the lag of the line, which is the soonest that any mark of this call came back behind its audio;
- a returned mark, from below: everything in front of it has played. It lowers the upper bound too, because
  what follows the mark cannot have played for longer than since the mark came back.

Marks that come back after a `clear` were dropped, not heard; some carriers never return those, some return
none at all. So a mark only ever sharpens the estimate: nothing waits for one beyond `mark_wait_s`.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

Take = tuple[int, int]
"""One piece of speech with a time line of its own: (utterance, number within it)."""


@dataclass(slots=True)
class _Stretch:
    take: Take
    start_s: float
    end_s: float


class Playback:
    """Positions are seconds of audio since the line was last empty; instants are the call's clock."""

    def __init__(self, mark_wait_s: float) -> None:
        self._mark_wait_s = mark_wait_s
        self._heard: dict[Take, float] = {}
        self._lag_s = 0.0
        self._lag_known = False
        self._empty(0.0)

    def _empty(self, now_s: float) -> None:
        self._stretches: list[_Stretch] = []
        self._sent_s = 0.0
        self._ends_at_s = now_s
        self._marks: dict[str, tuple[float, float]] = {}
        self._confirmed_s = 0.0
        self._confirmed_at_s: float | None = None

    def queued(self, take: Take, duration_s: float, now_s: float) -> None:
        """Audio of `take` has been handed to the line."""
        if self.is_over(now_s):
            self._settle(now_s)
        start_s, self._sent_s = self._sent_s, self._sent_s + duration_s
        self._ends_at_s = max(self._ends_at_s, now_s) + duration_s
        last = self._stretches[-1] if self._stretches else None
        if last is not None and last.take == take:
            last.end_s = self._sent_s
        else:
            self._stretches.append(_Stretch(take, start_s, self._sent_s))

    def marked(self, name: str, now_s: float) -> None:
        """A mark has been put behind all audio so far."""
        self._marks[name] = (self._sent_s, max(self._ends_at_s, now_s))

    def mark_reached(self, name: str, now_s: float) -> None:
        """A mark came back. Unknown ones, and those of cleared audio, prove nothing."""
        if name not in self._marks:
            return
        position_s, due_s = self._marks.pop(name)
        lag_s = max(0.0, now_s - due_s)
        self._lag_s = min(self._lag_s, lag_s) if self._lag_known else lag_s
        self._lag_known = True
        if position_s >= self._confirmed_s:
            self._confirmed_s, self._confirmed_at_s = position_s, now_s

    def cleared(self, now_s: float) -> None:
        """The line has been told to drop its queue: what is not heard by now never will be."""
        self._settle(now_s)

    def position_s(self, now_s: float) -> float:
        """How much of the queue has been played. A mark that is earlier than time allows is not believed."""
        likely = self._sent_s - max(0.0, self._ends_at_s + min(self._lag_s, self._mark_wait_s) - now_s)
        if self._confirmed_at_s is not None:
            likely = min(likely, self._confirmed_s + now_s - self._confirmed_at_s)
        possible = self._sent_s - max(0.0, self._ends_at_s - now_s)
        return min(max(self._confirmed_s, likely), possible)

    def heard_s(self, take: Take, now_s: float) -> float:
        """Seconds of this take's own audio that the caller has heard."""
        position_s = self.position_s(now_s)
        parts = (min(position_s, each.end_s) - each.start_s for each in self._stretches if each.take == take)
        return self._heard.get(take, 0.0) + sum(part for part in parts if part > 0)

    def heard(self, utterances: Iterable[int], now_s: float) -> dict[Take, float]:
        """Every take of these utterances that reached the line, and how much of it was heard."""
        wanted = set(utterances)
        takes = {each.take for each in self._stretches} | self._heard.keys()
        return {take: self.heard_s(take, now_s) for take in takes if take[0] in wanted}

    def forget(self, utterance: int) -> None:
        """This utterance is history."""
        self._heard = {take: heard for take, heard in self._heard.items() if take[0] != utterance}

    def over_at_s(self) -> float:
        """When the line falls silent, as far as we know now; the earlier if a mark confirmed the end."""
        return self._ends_at_s + (0.0 if self._confirmed_s >= self._sent_s else self._mark_wait_s)

    def ends_at_s(self) -> float:
        """When the line falls silent at the earliest."""
        return self._ends_at_s

    def unheard_s(self, now_s: float) -> float:
        """Seconds of audio on the line that have not been heard yet."""
        return self._sent_s - self.position_s(now_s)

    def is_over(self, now_s: float) -> bool:
        """Nothing queued can still be sounding."""
        return now_s >= self.over_at_s()

    def _settle(self, now_s: float) -> None:
        for take in {each.take for each in self._stretches}:
            self._heard[take] = self.heard_s(take, now_s)
        self._empty(now_s)


_WORD = re.compile(r"\S+")
_MATCH_WINDOW = 6
_CHARS_PER_S = 15.0
"""Pace of speech where no word times tell: some 180 words a minute."""


def _bare(word: str) -> str:
    return "".join(filter(str.isalnum, word)).casefold()


@dataclass(slots=True)
class SpokenText:
    """The text of one take, its word times as they arrive, and which words sound by when."""

    text: str = ""
    audio_s: float = 0.0
    """Audio handed to the line so far."""
    whole: bool = False
    """All audio of the text has come."""
    _ends_s: list[float] = field(default_factory=list)
    _ends_at: list[int] = field(default_factory=list)
    _tokens: list[tuple[str, int]] = field(default_factory=list)
    _next: int = 0

    def append(self, text: str) -> None:
        start = len(self.text)
        self.text += text
        self._tokens += [(_bare(found.group()), start + found.end()) for found in _WORD.finditer(text)]

    def timed(self, words: Iterable[str], ends_s: Iterable[float]) -> None:
        """Word times of the synthesiser, matched to our words where they agree ("10" may be "ten" there)."""
        for word, end_s in zip(words, ends_s, strict=False):
            for ahead, (token, end_at) in enumerate(self._tokens[self._next : self._next + _MATCH_WINDOW]):
                if token == _bare(word):
                    self._next += ahead + 1
                    self._ends_s.append(max(end_s, self._ends_s[-1] if self._ends_s else 0.0))
                    self._ends_at.append(end_at)
                    break

    @property
    def owed(self) -> bool:
        """Words without a time yet."""
        return self._next < len(self._tokens)

    def end_at(self, length: int) -> None:
        """Only so much of the text will ever sound."""
        self.text = self.text[:length]
        self.whole = True

    def sounded(self, played_s: float) -> int:
        """Length of the text that has sounded after `played_s` of its audio; only whole words count."""
        if self.whole and played_s >= self.audio_s - 1e-6:
            return len(self.text)
        if self._ends_s:
            words = bisect_right(self._ends_s, played_s + 1e-6)
            return self._ends_at[words - 1] if words else 0
        share = played_s / self.audio_s if self.whole and self.audio_s else None
        reached = len(self.text) * share if share is not None else played_s * _CHARS_PER_S
        return max((end for _, end in self._tokens if end <= reached), default=0)
