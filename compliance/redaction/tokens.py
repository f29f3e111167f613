"""Words, digit strings and marks, with their offsets into the original.

Text is cut at white space into units; a unit is tokenised once it is complete, so that its tokens depend on
the text alone and never on how it was chunked. A unit longer than `UNIT_CHARS` is cut at that length.
"""

import re
from collections.abc import Iterator
from itertools import chain
from operator import eq
from typing import Final

from compliance.redaction import kinds
from compliance.redaction.vocabulary import KINDS

UNIT_CHARS: Final = 128
_UNIT: Final = re.compile(rf"\S{{1,{UNIT_CHARS}}}")
_PIECE: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|\S")
_SIGNED: Final = re.compile(r"[^\s@]*@\S*")
_STRAIGHT: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07`\u00b4", "'"))
_LOOK_BACK: Final = 8
FIRST_TOKEN: Final = _LOOK_BACK
"""The index of a turn's first token."""
_PADDING: Final = 16
_TRIM_AT: Final = 256


class Tail:
    """The open end of a turn as parallel lists, one entry per token.

    `words` are lower-case with straight apostrophes; `marks` are their kinds; `starts` and `ends` are places
    in the turn; `glued` says that no white space stands before; `capital` that it begins with an upper-case
    letter.

    Reading past the last token raises `IndexError` as long as the turn goes on: what comes next cannot be
    known yet. Once it has ended, tokens of the kind `kinds.END` stand there. Before the first token stand
    empty ones, so that rules may look back by up to eight tokens.
    """

    __slots__ = (
        "_base",
        "_glue",
        "_read",
        "_text",
        "capital",
        "ended",
        "ends",
        "glued",
        "marks",
        "starts",
        "words",
    )

    def __init__(self) -> None:
        self._text = ""
        self._base = 0
        self._read = 0
        self.ended = False
        self.words: list[str] = [""] * _LOOK_BACK
        self.marks: list[int] = [0] * _LOOK_BACK
        self.starts: list[int] = [0] * _LOOK_BACK
        self.ends: list[int] = [0] * _LOOK_BACK
        self.glued: list[bool] = [False] * _LOOK_BACK
        self.capital: list[bool] = [False] * _LOOK_BACK
        self._glue = False

    @property
    def length(self) -> int:
        """How many characters of the turn have come so far."""
        return self._base + len(self._text)

    def append(self, text: str) -> None:
        """More of the turn; only complete units are tokenised."""
        self._text += text
        ready = _complete_length(self._text, self._read)
        if ready > self._read:
            self._tokenize(ready)

    def finish(self) -> None:
        """The turn has ended: tokenise the rest and put the padding behind it."""
        if self._read < len(self._text):
            self._tokenize(len(self._text))
        self.ended = True
        self.words += [""] * _PADDING
        self.marks += [kinds.END] * _PADDING
        self.starts += [self.length] * _PADDING
        self.ends += [self.length] * _PADDING
        self.glued += [False] * _PADDING
        self.capital += [False] * _PADDING

    def between(self, start: int, end: int) -> str:
        """The raw text between two places of the turn, not long before the last token read."""
        return self._text[start - self._base : end - self._base]

    def trim(self, at: int) -> int:
        """Forget what stands long before token `at`; gives the index at which that token stands now."""
        if at < _TRIM_AT:
            return at
        drop = at - _LOOK_BACK
        for column in (self.words, self.marks, self.starts, self.ends, self.glued, self.capital):
            del column[:drop]
        forget = self.starts[0] - self._base
        self._text = self._text[forget:]
        self._base += forget
        self._read -= forget
        return _LOOK_BACK

    def decided(self, at: int) -> int:
        """How far the turn may be published when all tokens before `at` are decided."""
        return self.starts[at] if at < len(self.starts) else self._base + self._read

    def unit_end(self, at: int) -> int:
        """Where the unit of token `at` ends in the turn."""
        at += 1
        while self.glued[at]:
            at += 1
        return self.ends[at - 1]

    def index_from(self, at: int, place: int) -> int:
        """The first token from `at` on that begins at `place` of the turn or behind."""
        while self.starts[at] < place and not self.marks[at] & kinds.END:
            at += 1
        return at

    def _tokenize(self, ready: int) -> None:
        text = self._text[self._read : ready]
        lower = _lower(text)
        base = self._base + self._read
        pieces = list(_pieces(lower))
        words = [piece.group() for piece in pieces]
        places = [piece.start() for piece in pieces]
        ends = [piece.end() for piece in pieces]
        self.glued += map(eq, places, [0 if self._glue else -1, *ends])
        self.words += words
        self.marks += map(KINDS.__getitem__, words)
        self.starts += [base + place for place in places]
        self.ends += [base + place for place in ends]
        small = lower == text and text.isascii()
        self.capital += [False] * len(words) if small else [text[place].isupper() for place in places]
        if "@" in lower:
            self._mark_addresses(lower, base)
        self._glue = bool(ends) and ends[-1] == len(text)
        self._read = ready

    def _mark_addresses(self, text: str, base: int) -> None:
        """Mark the tokens of units that hold the sign of an e-mail address."""
        for unit in _SIGNED.finditer(text):
            at = len(self.starts) - 1
            while at >= FIRST_TOKEN and self.starts[at] >= base + unit.start():
                if self.starts[at] < base + unit.end():
                    self.marks[at] |= kinds.AT
                at -= 1


def _pieces(text: str) -> Iterator[re.Match[str]]:
    if len(text) <= UNIT_CHARS:
        return _PIECE.finditer(text)
    units = _UNIT.finditer(text)
    return chain.from_iterable(_PIECE.finditer(text, unit.start(), unit.end()) for unit in units)


def tokenize(text: str) -> list[str]:
    """The lower-case tokens of a whole text."""
    return _PIECE.findall(_lower(text))


def _lower(text: str) -> str:
    """Lower case with straight apostrophes, character by character, so that places stay what they are."""
    if text.isascii():
        return text.lower().replace("`", "'")
    lowered = text.translate(_STRAIGHT)
    return "".join([char.lower() if len(char.lower()) == 1 else char for char in lowered])


def _complete_length(text: str, begin: int) -> int:
    """Where the complete units of a text end; `begin` is known to be such a place."""
    unit = len(text)
    while unit > begin and not text[unit - 1].isspace():
        unit -= 1
    return unit + (len(text) - unit) // UNIT_CHARS * UNIT_CHARS
