"""Feeds a call to the redactor turn by turn, cut as transcripts arrive, and reads off what was published.

Nothing of the redactor's own word about its spans is used: the published text is laid over what was said,
and what a placeholder hides is what lies between the words around it.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from bench.redaction.corpus import Case, Turn
from bench.redaction.quality import Masked

CHUNK_MS: Final = 300.0
_WORD_MS, _LETTER_MS = 90.0, 45.0
"""A word takes so long to say: about 170 words a minute of ordinary talk."""
_LONGEST_CUT: Final = 12
_PLACEHOLDER: Final = re.compile(r"\[REDACTED: ([A-Z_]+)(?: \d+)?\]")
_WORD: Final = re.compile(r"\s*\S+\s*")

Cutter = Callable[[str], list[str]]


class PublishedDiffers(Exception):
    """Published text is not what was said with parts of it replaced by placeholders."""


class CallRedactor(Protocol):
    """What is fed: `compliance.redaction.Redactor` or a rival."""

    def feed(self, text: str) -> str: ...

    def flush(self) -> str: ...

    def hear_agent(self, text: str) -> str: ...


@dataclass(slots=True)
class Streamed:
    """What was hidden of a case, and after each feed the characters that were fed and not yet published."""

    masked: list[Masked] = field(default_factory=list)
    held_back: list[int] = field(default_factory=list)


def whole_turns(text: str) -> list[str]:
    """A turn at once."""
    return [text]


def word_by_word(text: str) -> list[str]:
    """Each word with the blanks around it."""
    return _WORD.findall(text) or [text]


def at_random(seed: int) -> Cutter:
    """Pieces of 1 to 12 characters, inside words too; the same for the same seed and text."""

    def cut(text: str) -> list[str]:
        source, pieces, at = random.Random(f"{seed} {text}"), [], 0
        while at < len(text):
            size = source.randint(1, _LONGEST_CUT)
            pieces.append(text[at : at + size])
            at += size
        return pieces

    return cut


def as_transcribed(text: str) -> list[str]:
    """The words that end within each 300 ms of speech."""
    pieces, window, said_ms = [""], 1, 0.0
    for word in word_by_word(text):
        said_ms += _WORD_MS + _LETTER_MS * len(word.strip())
        while said_ms > window * CHUNK_MS:
            window += 1
            if pieces[-1]:
                pieces.append("")
        pieces[-1] += word
    return pieces


CUTS: Final[dict[str, Cutter]] = {
    "turn at once": whole_turns,
    "word by word": word_by_word,
    "random cuts": at_random(4),
    "300 ms chunks": as_transcribed,
}


def stream(case: Case, redactor: CallRedactor, cut: Cutter) -> Streamed:
    """Run a case through a new call's redactor. Raises `PublishedDiffers`."""
    streamed = Streamed()
    for turn in case.turns:
        if turn.speaker == "agent":
            parts = align(turn.text, redactor.hear_agent(turn.text))
        else:
            parts = _caller(turn, redactor, cut(turn.text), streamed.held_back)
        streamed.masked += _masked(turn, parts)
    return streamed


def _caller(turn: Turn, redactor: CallRedactor, pieces: Sequence[str], held_back: list[int]) -> list["Part"]:
    published, fed = "", 0
    lengths: list[tuple[int, int]] = []
    for piece in pieces:
        published += redactor.feed(piece)
        fed += len(piece)
        lengths.append((fed, len(published)))
    parts = align(turn.text, published + redactor.flush())
    held_back += [fed - said_until(parts, length) for fed, length in lengths]
    return parts


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of what was said and of what was published: the same words, or hidden as `type`."""

    said: int
    published: int
    type: str | None


def align(said: str, published: str) -> list[Part]:
    """Lay published text over what was said. Raises `PublishedDiffers`."""
    pieces = _PLACEHOLDER.split(published)
    pattern = "(.+?)".join(re.escape(literal) for literal in pieces[::2])
    match = re.fullmatch(pattern, said, re.DOTALL)
    if match is None:
        raise PublishedDiffers("the published text is not what was said with parts replaced")
    parts = []
    for index, literal in enumerate(pieces[::2]):
        parts.append(Part(len(literal), len(literal), None))
        if 2 * index + 1 < len(pieces):
            parts.append(Part(len(match[index + 1]), 0, pieces[2 * index + 1]))
    lengths = iter(_lengths(published))
    return [part if part.type is None else Part(part.said, next(lengths), part.type) for part in parts]


def _lengths(published: str) -> Iterator[int]:
    return (len(match[0]) for match in _PLACEHOLDER.finditer(published))


def said_until(parts: Sequence[Part], published: int) -> int:
    """How far into what was said the first so many published characters reach."""
    said = 0
    for part in parts:
        if published < part.published:
            return said + (published if part.type is None else 0)
        said += part.said
        published -= part.published
        if not published:
            break
    return said


def _masked(turn: Turn, parts: Sequence[Part]) -> Iterator[Masked]:
    at = turn.start
    for part in parts:
        if part.type is not None:
            yield at, at + part.said, part.type
        at += part.said
