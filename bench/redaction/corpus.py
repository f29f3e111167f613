"""Reads the labelled corpus: text with its entities marked inline.

The format stands in the corpus's own README. Offsets are of the text without markup, in characters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Speaker = Literal["agent", "caller"]

TYPES: Final = frozenset(
    {"EMAIL", "PHONE", "POSTCODE", "ADDRESS", "PERSON", "DOB", "GOV_ID", "CARD", "MEDICAL"}
)
ENTITY_FREE: Final = ("negatives", "must_not", "ordinary")

_TURN: Final = re.compile(r"(Agent: |Caller: |agent\| |caller\| )(.*)")
_MARKUP: Final = re.compile(r"\{([A-Z_]+)\||[}<>]")


class CorpusInvalid(Exception):
    """A file of the corpus breaks its format; the message names file, line and rule."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A marked stretch; `optional` are its characters that may stay readable (fillers, titles)."""

    start: int
    end: int
    type: str
    optional: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side says, `start` is its place in the case's text, behind the label."""

    speaker: Speaker
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One utterance, or several turns, each a line of `text`."""

    file: str
    line: int
    text: str
    turns: tuple[Turn, ...]
    entities: tuple[Entity, ...]

    @property
    def words(self) -> int:
        return sum(len(turn.text.split()) for turn in self.turns)


def read_corpus(folder: Path) -> list[Case]:
    """Every case of a folder's files, in order. Raises `CorpusInvalid`, also if there is none."""
    cases = [case for file in sorted(folder.glob("*.txt")) for case in read_file(file)]
    if not cases:
        raise CorpusInvalid(f"{folder} holds no cases")
    return cases


def read_file(file: Path) -> Iterator[Case]:
    """The cases of one file."""
    block: list[str] = []
    for number, line in enumerate([*file.read_text(encoding="utf-8").splitlines(), ""], 1):
        if _TURN.match(line):
            block.append(line)
            continue
        if block:
            yield _case(file, number - len(block), block)
            block = []
        if line and not line.startswith(("#", "%")):
            yield _case(file, number, [line])


def _case(file: Path, number: int, lines: list[str]) -> Case:
    text, turns, entities = "", list[Turn](), list[Entity]()
    for line in lines:
        text += "\n" if turns else ""
        prefix, marked = _split(line)
        text += prefix if prefix.endswith(": ") else ""
        try:
            plain, found = unmark(marked, len(text))
        except ValueError as error:
            raise CorpusInvalid(f"{file.name}:{number}: {error}") from None
        speaker: Speaker = "agent" if prefix.lower().startswith("agent") else "caller"
        turns.append(Turn(speaker, len(text), plain))
        text += plain
        entities += found
    if entities and file.stem in ENTITY_FREE:
        raise CorpusInvalid(f"{file.name}:{number}: this file holds no entities")
    return Case(file.stem, number, text, tuple(turns), tuple(entities))


def _split(line: str) -> tuple[str, str]:
    match = _TURN.match(line)
    return (match[1], match[2]) if match else ("", line)


def unmark(marked: str, offset: int = 0) -> tuple[str, list[Entity]]:
    """The text without markup and its entities, their offsets moved by `offset`.

    Raises `ValueError` where a bracket has no partner or a type is unknown.
    """
    plain, entities, at = "", list[Entity](), 0
    opened: tuple[int, str] | None = None
    optional_from: int | None = None
    optional: set[int] = set()
    for mark in _MARKUP.finditer(marked):
        plain += marked[at : mark.start()]
        at, place = mark.end(), offset + len(plain)
        if mark[1]:
            if opened or mark[1] not in TYPES:
                raise ValueError(f"{mark[1]} is no type or begins inside another entity")
            opened, optional = (place, mark[1]), set()
        elif opened is None:
            raise ValueError(f"{mark[0]} outside an entity")
        elif mark[0] == "<":
            optional_from = place
        elif optional_from is not None:
            if mark[0] != ">":
                raise ValueError("an entity ends inside its optional part")
            optional |= set(range(optional_from, place))
            optional_from = None
        elif mark[0] == "}":
            entities.append(Entity(opened[0], place, opened[1], frozenset(optional)))
            opened = None
        else:
            raise ValueError("> without <")
    if opened:
        raise ValueError("an entity does not end")
    return plain + marked[at:], entities
