"""Words, digit strings and marks, with their offsets into the original.

Text is cut at white space into units; a unit is tokenised once it is complete, so that its tokens depend on
the text alone and never on how it was chunked. A unit of `UNIT_CHARS` and more is cut before the last token
that so many characters hold.

No more is tokenised than a window in front of the token that is being decided: what a rule can wait for, and
what is held back, is bounded whatever the text.
"""

import re
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import accumulate, pairwise
from operator import eq, or_
from typing import Final

from compliance.redaction.text import kinds
from compliance.redaction.text.contractions import CONTRACTIONS, restored
from compliance.redaction.text.lexicon import bare
from compliance.redaction.text.vocabulary import KINDS

UNIT_CHARS: Final = 64
"""Longer than any word, and the most that a unit's end is waited for."""
WINDOW_CHARS: Final = 336
"""How far ahead of its first character a decision may look: over the longest address, number or spelling."""
_LONG_UNIT: Final = re.compile(rf"\S{{{UNIT_CHARS}}}")
_PIECE: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|\S")
_SPACED: Final = re.compile(rf"(?:{_PIECE.pattern})\s*")
_SPACED_ASCII: Final = re.compile(r"(?:[a-z]+(?:'[a-z]+)*|[0-9]+|\S)\s*")
"""Tokens with the white space behind them, in lower case."""
_UNIT: Final = re.compile(r"\S+")
_STRAIGHT: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07`\u00b4", "'"))
_LOOK_BACK: Final = 8
FIRST_TOKEN: Final = _LOOK_BACK
"""The index of a turn's first token."""
_PADDING: Final = 16
_NO_WORDS: Final = ("",) * _PADDING
_ENDS: Final = (kinds.END,) * _PADDING
_NOT_SO: Final = (False,) * _PADDING
_TRIM_AT: Final = 256


class Tail:
    """The open end of a turn as parallel lists, one entry per token.

    `words` are lower-case with straight apostrophes, in contractions even where none was written; `marks` are
    their kinds; `starts` are places in the turn; `glued` says that no white space stands before it; `capital`
    that it begins with an upper-case letter.

    Reading past the last token raises `IndexError` as long as the turn goes on: what comes next cannot be
    known yet, or lies beyond the window. Once it has ended, tokens of the kind `kinds.END` stand there.
    Before the first token stand empty ones, so that rules may look back by up to eight tokens.
    """

    __slots__ = (
        "_base",
        "_finished",
        "_glue",
        "_held",
        "_long_unit",
        "_read",
        "_restored",
        "_text",
        "_vocabulary",
        "capital",
        "ended",
        "glued",
        "marks",
        "starts",
        "words",
    )

    def __init__(self) -> None:
        self._text = ""
        self._base = 0
        self._read = 0
        self._finished = False
        self._long_unit = (-1, -1)
        self.ended = False
        self.words: list[str] = [""] * _LOOK_BACK
        self.marks: list[int] = [0] * _LOOK_BACK
        self.starts: list[int] = [0] * _LOOK_BACK
        self.glued: list[bool] = [False] * _LOOK_BACK
        self.capital: list[bool] = [False] * _LOOK_BACK
        self._glue = False
        self._held = 0
        self._restored: set[int] = set()
        self._vocabulary: set[str] | None = None

    def vocabulary(self) -> set[str]:
        """The words of a turn that has ended, or of the end of it; "it's" as "it" too."""
        if self._vocabulary is None:
            words = set(self.words)
            self._vocabulary = words.union([bare(word) for word in words if word[-2:] == "'s"])
        return self._vocabulary

    @property
    def held(self) -> int:
        """The kinds of all tokens of a turn that has ended; every kind as long as others may come."""
        return self._held if self.ended else kinds.EVERY

    @property
    def stop(self) -> int:
        """The index behind the last token read."""
        return len(self.words) - (_PADDING if self.ended else 0)

    @property
    def length(self) -> int:
        """How many characters of the turn have come so far."""
        return self._base + len(self._text)

    def append(self, text: str) -> None:
        """More of the turn."""
        self._text += text

    def finish(self) -> None:
        """The turn has ended: no more text comes."""
        self._finished = True

    def read(self, at: int) -> bool:
        """Tokenise the complete units in the window of token `at`; says whether there were any.

        Behind the last unit of a turn that has ended the padding counts as one.
        """
        ready = self._ready(self._limit(at))
        if ready > self._read:
            self._tokenize(ready)
            grown = True
        else:
            grown = False
        if self._finished and not self.ended and self._read == len(self._text):
            self.ended = grown = True
            self.close()
        return grown

    def is_full(self, at: int) -> bool:
        """The window of token `at` holds all that it ever will, and the turn goes on behind it."""
        if self.ended or at >= len(self.starts) or self.length - self.starts[at] < WINDOW_CHARS:
            return False
        limit = self._limit(at)
        begin = _after_space(self._text, self._read, limit)
        if begin >= limit:
            return True
        end = self._unit_end(begin)
        return end is not None and end > limit

    def close(self) -> None:
        """Let the turn end, for the rules, behind what has been tokenised."""
        end = self._base + self._read
        self.words += _NO_WORDS
        self.marks += _ENDS
        self.starts += [end] * _PADDING
        self.glued += _NOT_SO
        self.capital += _NOT_SO

    def reopen(self) -> None:
        """Take back `close`."""
        for column in (self.words, self.marks, self.starts, self.glued, self.capital):
            del column[-_PADDING:]

    def between(self, start: int, end: int) -> str:
        """The raw text between two places of the turn, not long before the last token read."""
        return self._text[start - self._base : end - self._base]

    def trim(self, at: int) -> int:
        """Forget what stands long before token `at`; gives the index at which that token stands now."""
        if at < _TRIM_AT:
            return at
        drop = at - _LOOK_BACK
        for column in (self.words, self.marks, self.starts, self.glued, self.capital):
            del column[:drop]
        forget = self.starts[0] - self._base
        self._text = self._text[forget:]
        self._base += forget
        self._read -= forget
        return _LOOK_BACK

    def decided(self, at: int) -> int:
        """How far the turn may be published when all tokens before `at` are decided."""
        return self.starts[at] if at < len(self.starts) else self._base + self._read

    def end(self, at: int) -> int:
        """Where token `at` ends in the turn."""
        place = self.starts[at]
        return place + len(self.words[at]) - (place in self._restored)

    def unit_end(self, at: int) -> int:
        """Where the unit of token `at` ends in the turn."""
        try:
            return self.end(self.glued.index(False, at + 1) - 1)
        except ValueError:
            raise IndexError(at) from None

    def index_from(self, at: int, place: int) -> int:
        """The first token from `at` on that begins at `place` of the turn or behind."""
        while self.starts[at] < place and not self.marks[at] & kinds.END:
            at += 1
        return at

    def _limit(self, at: int) -> int:
        """Where the window of token `at`, or of the next to be read, ends in the text kept."""
        return (self.starts[at] - self._base if at < len(self.starts) else self._read) + WINDOW_CHARS

    def _ready(self, limit: int) -> int:
        """Where the complete units up to `limit` end in the text kept."""
        text = self._text
        if self._read == len(text):
            return self._read
        if self._finished and self._read < len(text) <= limit and self._is_short(text):
            return len(text)
        unit = min(limit, len(text))
        while unit > self._read and not text[unit - 1].isspace():
            unit -= 1
        if len(text) <= limit and len(text) - unit < UNIT_CHARS:
            return len(text) if self._finished else unit
        ready = unit
        while unit < len(text):
            begin = _after_space(text, unit, limit)
            end = self._unit_end(begin) if begin < limit else None
            if end is None or end > limit:
                break
            ready = unit = end
        return ready

    def _is_short(self, text: str) -> bool:
        """Its last unit is plainly not of those that are cut."""
        return len(text) - max(text.rfind(" "), self._read) < UNIT_CHARS

    def _unit_end(self, begin: int) -> int | None:
        """Where the unit that begins here ends, by a white space, a cut or the end; None if unknown yet."""
        text = self._text
        if _LONG_UNIT.match(text, begin) is not None:
            return self._long_unit_end(begin)
        end = begin
        while end < len(text) and not text[end].isspace():
            end += 1
        return end if end < len(text) or self._finished else None

    def _long_unit_end(self, begin: int) -> int:
        """The same for a long one; kept, as it is asked for again while the window moves up to it."""
        place = self._base + begin
        if self._long_unit[0] != place:
            cut = _cut(_lower(self._text[begin : begin + UNIT_CHARS]))
            self._long_unit = (place, place + cut)
        return self._long_unit[1] - self._base

    def _tokenize(self, ready: int) -> None:
        text = self._text[self._read : ready]
        lower = _lower(text)
        base = self._base + self._read
        cuts = _cuts(lower)
        if ready < len(self._text) and not (text[-1].isspace() or self._text[ready].isspace()):
            cuts.append(len(lower))
        pieces = _pieces(lower, cuts)
        words = list(map(str.rstrip, pieces))
        before = len(lower) - len(lower.lstrip())
        places = [*accumulate(map(len, pieces), initial=before)]
        places.pop()
        glued = [self._glue and not before, *map(eq, pieces, words)]
        if not CONTRACTIONS.keys().isdisjoint(words):
            self._restore(words, glued, places, ready)
        self._glue = glued.pop()
        marks = list(map(KINDS.__getitem__, words))
        self.words += words
        self.marks += marks
        self.glued += glued
        self.starts += [base + place for place in places] if base else places
        small = lower == text and text.isascii()
        self.capital += [False] * len(words) if small else map(str.isupper, map(text.__getitem__, places))
        self._held = reduce(or_, marks, self._held)
        if "@" in lower or cuts:
            self._mark_addresses(lower, base, cuts)
        self._read = ready

    def _restore(self, words: list[str], glued: Sequence[bool], places: Sequence[int], ready: int) -> None:
        """Write the contractions of the text up to `ready` with their apostrophes."""
        ends = ready == len(self._text) or self._text[ready].isspace()
        for at, word in restored(words, [*glued[:-1], glued[-1] and not ends]).items():
            if self._text[self._read + places[at]].islower():  # else a name: "Im"
                words[at] = word
                self._restored.add(self._base + self._read + places[at])

    def _mark_addresses(self, text: str, base: int, cuts: Sequence[int]) -> None:
        """Mark the tokens of units that hold, or may hold behind a cut, the sign of an e-mail address."""
        for unit in _address_units(text, cuts):
            at = len(self.starts) - 1
            while at >= FIRST_TOKEN and self.starts[at] >= base + unit.start():
                if self.starts[at] < base + unit.end():
                    self.marks[at] |= kinds.AT
                at -= 1


def _cuts(text: str) -> list[int]:
    """Where the long units of a text are cut."""
    cuts: list[int] = []
    unit = _LONG_UNIT.search(text) if len(text) >= UNIT_CHARS else None
    while unit is not None:
        cuts.append(unit.start() + _cut(unit.group()))
        unit = _LONG_UNIT.search(text, cuts[-1])
    return cuts


def _cut(unit: str) -> int:
    """How much of a unit's first `UNIT_CHARS` stands before the last token in it; all if it is one token."""
    *_, last = _PIECE.finditer(unit)
    return last.start() or UNIT_CHARS


def _pieces(text: str, cuts: Sequence[int]) -> list[str]:
    """The tokens with the white space behind them."""
    pattern = _SPACED_ASCII if text.isascii() else _SPACED
    if not cuts:
        return pattern.findall(text)
    pieces: list[str] = []
    for begin, end in pairwise((0, *cuts, len(text))):
        part = text[begin:end]
        if pieces:  # a cut may be right before a white space
            pieces[-1] += part[: len(part) - len(part.lstrip())]
        pieces += pattern.findall(part)
    return pieces


def _address_units(text: str, cuts: Sequence[int]) -> Iterator[re.Match[str]]:
    """Units with the sign of an e-mail address, and what is cut off before the end of one."""
    for begin, end in pairwise((0, *cuts, len(text))):
        for unit in _UNIT.finditer(text, begin, end):
            if "@" in unit.group() or unit.end() in cuts:
                yield unit


def _after_space(text: str, at: int, limit: int) -> int:
    limit = min(limit, len(text))
    while at < limit and text[at].isspace():
        at += 1
    return at


def tokenize(text: str) -> list[str]:
    """The lower-case tokens of a whole text."""
    return _PIECE.findall(_lower(text))


def _lower(text: str) -> str:
    """Lower case with straight apostrophes, character by character, so that places stay what they are."""
    if text.isascii():
        return text.lower().replace("`", "'")
    lowered = text.translate(_STRAIGHT)
    return "".join([char.lower() if len(char.lower()) == 1 else char for char in lowered])
