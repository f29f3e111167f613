"""A document cut into passages: small enough to be told to the model, whole enough to answer from.

A passage never goes over a heading. Paragraphs are joined up to a size; one that is longer is cut between
sentences, or between words where a sentence is as long.
"""

import re
from collections.abc import Iterator
from typing import Final

from booking.knowledge import Passage
from gateway.knowledge.document import Document, Section

MOST_CHARACTERS: Final = 700
"""Of a passage: some 120 words, half a minute of speech."""
MOST_HEADING: Final = 300
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(£$€])")


def cut(document: Document) -> list[Passage]:
    """In reading order."""
    return [
        Passage(_heading(document.title, section), body)
        for section in document.sections
        for body in _joined(piece for paragraph in section.paragraphs for piece in _pieces(paragraph))
    ]


def _heading(title: str, section: Section) -> str:
    """The path of headings below the title, which stands first."""
    path = [title, *section.headings] if title else list(section.headings)
    if len(path) > 1 and path[1].startswith(path[0]):
        del path[0]
    return ", ".join(path)[:MOST_HEADING]


def _pieces(paragraph: str) -> Iterator[str]:
    sentences = (part for sentence in _SENTENCE_END.split(paragraph) for part in _parts(sentence))
    return iter([paragraph]) if len(paragraph) <= MOST_CHARACTERS else _joined(sentences, " ")


def _parts(sentence: str) -> Iterator[str]:
    while len(sentence) > MOST_CHARACTERS:
        at = sentence.rfind(" ", 1, MOST_CHARACTERS)
        at = at if at > 0 else MOST_CHARACTERS
        yield sentence[:at]
        sentence = sentence[at:].lstrip()
    yield sentence


def _joined(pieces: Iterator[str], by: str = "\n") -> Iterator[str]:
    held = ""
    for piece in pieces:
        if held and len(held) + len(by) + len(piece) > MOST_CHARACTERS:
            yield held
            held = piece
        else:
            held = f"{held}{by}{piece}" if held else piece
    if held:
        yield held
