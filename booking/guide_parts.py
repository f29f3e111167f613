"""What a PDF does by itself, and the files within it: looks at every object that a viewer can come to.

Nothing that is shown is unpacked. The work is bounded for a hostile file too, by the number of parts and by
time, which is looked at between one object and the next.
"""

import time
from collections.abc import Iterable, Iterator
from typing import Final

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject

from booking.errors import GuideInvalid

LOOK_S: Final = 10.0
_MOST_PARTS: Final = 500_000
# ISO 32000-2, 12.6.4: actions that run code, start something, send what was filled in, or open other files.
_RUNS: Final = frozenset(
    {
        "/GoToE",
        "/GoToR",
        "/ImportData",
        "/JavaScript",
        "/Launch",
        "/Rendition",
        "/RichMediaExecute",
        "/SubmitForm",
    }
)
# Additional actions (12.6.3), embedded files (7.11.4), scripts and files by name (7.7.4), forms and 3D art
# with scripts of their own (12.7.8, 13.6.3).
_MARKS: Final = frozenset({"/AA", "/EF", "/EmbeddedFiles", "/JavaScript", "/OnInstantiate", "/XFA"})


def is_active(pdf: PdfReader, look_s: float = LOOK_S) -> bool:
    """Whether it runs anything or carries other files.

    Raises `GuideInvalid` for what is not looked through within `look_s`, and whatever pypdf raises.
    """
    return any(_acts(part) for part in _dictionaries(pdf, time.monotonic() + look_s))


def _acts(part: DictionaryObject) -> bool:
    if not _MARKS.isdisjoint(part):
        return True
    kind = part.get("/S")  # as it is written: a reference, perhaps
    if isinstance(kind, IndirectObject):
        kind = kind.get_object()
    return isinstance(kind, IndirectObject) or (isinstance(kind, NameObject) and kind in _RUNS)


def _dictionaries(pdf: PdfReader, until_s: float) -> Iterator[DictionaryObject]:
    """All that are reached from the trailer, each once."""
    waiting: list[object] = [pdf.trailer]
    seen: set[tuple[int, int]] = set()
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        if time.monotonic() > until_s:
            break
        part = _resolved(waiting.pop(), seen)
        if isinstance(part, DictionaryObject):
            yield part
            waiting.extend(_containers(dict.values(part)))
        elif isinstance(part, ArrayObject):
            waiting.extend(_containers(list.__iter__(part)))
        elif isinstance(part, IndirectObject):
            waiting.append(part)
    raise GuideInvalid("is too intricate to be looked through")


def _resolved(part: object, seen: set[tuple[int, int]]) -> object:
    """None for a reference that was followed before."""
    if not isinstance(part, IndirectObject):
        return part
    key = (part.idnum, part.generation)
    if key in seen:
        return None
    seen.add(key)
    return part.get_object()


def _containers(values: Iterable[object]) -> Iterator[object]:
    return (each for each in values if isinstance(each, DictionaryObject | ArrayObject | IndirectObject))
