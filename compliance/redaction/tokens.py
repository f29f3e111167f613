"""Words, digit strings and marks, with their offsets into the original.

Text is cut at white space into units; a unit is tokenised once it is complete, so that its tokens depend on
the text alone and never on how it was chunked. A unit longer than `UNIT_CHARS` is cut at that length.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

UNIT_CHARS: Final = 256
_UNIT: Final = re.compile(rf"\S{{1,{UNIT_CHARS}}}")
_PIECE: Final = re.compile(r"[^\W\d_]+(?:['\u2018\u2019\uff07`\u00b4][^\W\d_]+)*|\d+|\S")
_STRAIGHT: Final = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07`\u00b4", "'"))


class Token(NamedTuple):
    """One word, digit string or mark.

    `lower` has straight apostrophes; `unit_end` is where its unit ends; `before` is the last character of the
    token that it is glued to, empty after white space.
    """

    text: str
    lower: str
    start: int
    end: int
    unit_end: int
    before: str

    @property
    def is_digits(self) -> bool:
        return self.text.isdecimal()

    @property
    def is_word(self) -> bool:
        return self.text[0].isalpha()


def tokenize(text: str, offset: int = 0, *, before: str = "") -> Iterator[Token]:
    """The tokens of complete units. `offset` is where text[0] stands; `before`: what text[0] is glued to."""
    end = 0
    for unit in _UNIT.finditer(text):
        for piece in _PIECE.finditer(text, unit.start(), unit.end()):
            word = piece.group()
            if piece.start() > end:
                before = ""
            start, end = piece.span()
            lower = word.lower().translate(_STRAIGHT)
            yield Token(word, lower, offset + start, offset + end, offset + unit.end(), before)
            before = word[-1]


def complete_length(text: str, *, ended: bool) -> int:
    """How many leading characters are complete units; all of them once the turn has ended."""
    if ended:
        return len(text)
    unit = len(text)
    while unit and not text[unit - 1].isspace():
        unit -= 1
    return unit + (len(text) - unit) // UNIT_CHARS * UNIT_CHARS
