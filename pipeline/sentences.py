"""The model's tokens cut into clauses that can be spoken: the first one short, so that speech starts early.

A clause ends behind its punctuation and one white-space character, so the clauses joined are the text. A
mark of punctuation alone proves nothing: "Dr. Patel", "10 a.m. on", "No. 5", "1, 2, 3" and "um... you" go on.
Where the mark leaves it open, the word behind it decides, and the splitter waits for that word. Each decision
depends on the text alone, never on where the tokens were cut.
"""

import re
from typing import Final

_PAUSES: Final = ",;:\u2014\u2013"
"""Comma and kin, long and short dash."""
_CANDIDATE: Final = re.compile(rf"""[.!?\u2026]+["'\u201d\u2019)\]]*(?=\s)|[{_PAUSES}](?=\s)|\n""")
_NEXT_WORD: Final = re.compile(r"\s+(\S+)(?=\s)")
_NEXT_WORD_AT_END: Final = re.compile(r"\s*(\S*)")
_LAST_WORD: Final = re.compile(r"""[\w.'\u2019-]*$""")
_ELLIPSIS: Final = re.compile(r"\u2026|\.\.")

_DAY_OR_MONTH: Final = re.compile(
    r"(mon|tues?|wed(nes)?|thu(rs?)?|fri|sat(ur)?|sun)(day)?|jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may"
    r"|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?"
)
_NEVER_LAST: Final = re.compile(
    r"dr|mrs?|ms|mx|prof|rev|st|messrs|e\.g|i\.e|vs|approx|appt|ext|tel|dept|incl|fig|nos"
)
"""Words whose full stop never ends a sentence."""
_SELDOM_LAST: Final = re.compile(
    rf"etc|mins?|hrs?|sec|ave|rd|ltd|inc|co|jr|sr|[a-z](\.[a-z])+|{_DAY_OR_MONTH.pattern}"
)
"""Words whose full stop ends a sentence only if another one follows: then a capital comes next."""

FIRST_SOFT_CHARS: Final = 3
FIRST_LONGEST_CHARS: Final = 70
SOFT_CHARS: Final = 60
LONGEST_CHARS: Final = 220


class ClauseSplitter:
    """Text in as it comes, whole clauses out as soon as they are certain. One per reply."""

    def __init__(self) -> None:
        self._open = ""
        self._first = True

    def feed(self, text: str) -> list[str]:
        """The clauses that this piece completes."""
        self._open += text
        return self._cut(at_end=False)

    def flush(self) -> list[str]:
        """The text has ended: what is left, as clauses. The splitter starts anew."""
        clauses = self._cut(at_end=True)
        if self._open:
            clauses.append(self._open)
        self._open, self._first = "", True
        return clauses

    def _cut(self, *, at_end: bool) -> list[str]:
        clauses: list[str] = []
        while (end := _clause_end(self._open, first=self._first, at_end=at_end)) is not None:
            clauses.append(self._open[:end])
            self._open, self._first = self._open[end:], False
        return clauses


def _clause_end(text: str, *, first: bool, at_end: bool) -> int | None:
    """Where the first clause of `text` ends; None if that is not certain yet."""
    longest = FIRST_LONGEST_CHARS if first else LONGEST_CHARS
    for candidate in _CANDIDATE.finditer(text):
        if candidate.end() >= longest:
            break
        verdict = _ends_clause(text, candidate, first=first, at_end=at_end)
        if verdict is None:
            return None
        if verdict:
            return candidate.end() + (candidate.group() != "\n")
    return _forced_end(text, longest)


def _ends_clause(text: str, candidate: re.Match[str], *, first: bool, at_end: bool) -> bool | None:
    """Does the clause end at this mark? None: the next word decides, and it is not there yet."""
    said = text[: candidate.start()]
    mark = candidate.group()
    if not any(map(str.isalnum, said)):
        return False
    if mark == "\n" or "!" in mark or "?" in mark:
        return True
    follower = _word_after(text, candidate.end(), at_end=at_end)
    if mark[0] in _PAUSES:
        return _ends_at_pause(said, mark[0], follower, first=first)
    if _ELLIPSIS.match(mark):
        return None if follower is None else follower[:1].isupper() or _long_enough(said, first=first)
    return _ends_at_full_stop(said, follower)


def _ends_at_pause(said: str, mark: str, follower: str | None, *, first: bool) -> bool | None:
    if not _long_enough(said, first=first):
        return False
    if mark == "," and said[-1].isdigit():
        return None if follower is None else not follower[:1].isdigit()
    return True


def _ends_at_full_stop(said: str, follower: str | None) -> bool | None:
    found = _LAST_WORD.search(said)
    word = found.group() if found else ""
    bare = word.lower()
    if _NEVER_LAST.fullmatch(bare) or (len(word) == 1 and word.isupper() and word != "I"):
        return False
    if bare.isdigit() and said.strip() == word:
        return False
    if bare == "no":
        return None if follower is None else not follower[:1].isdigit()
    if _SELDOM_LAST.fullmatch(bare):
        return None if follower is None else _starts_sentence(follower)
    return True


def _starts_sentence(word: str) -> bool:
    return word[:1].isupper() and not _DAY_OR_MONTH.fullmatch(word.strip(".,;:!?").lower())


def _long_enough(said: str, *, first: bool) -> bool:
    if first:
        return sum(map(str.isalpha, said)) >= FIRST_SOFT_CHARS
    return len(said) >= SOFT_CHARS


def _word_after(text: str, start: int, *, at_end: bool) -> str | None:
    found = _NEXT_WORD.match(text, start)
    if found is None and at_end:
        found = _NEXT_WORD_AT_END.match(text, start)
    return found.group(1) if found else None


def _forced_end(text: str, longest: int) -> int | None:
    """The last gap within `longest` characters, no gap between two digits if another is there."""
    if len(text) < longest:
        return None
    gaps = [gap.end() for gap in re.finditer(r"\s", text[: longest - 1]) if text[: gap.end()].strip()]
    kind = [end for end in gaps if not (text[end - 2].isdigit() and text[end].isdigit())]
    return (kind or gaps or [longest])[-1]
