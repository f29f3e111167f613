"""A document as passages are cut from it: sections under headings, whatever file it came from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """Paragraphs under a path of headings, outermost first."""

    headings: tuple[str, ...]
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """`title` may be empty; sections stand in reading order."""

    title: str
    sections: tuple[Section, ...]


class Outline:
    """Builds sections while a reader goes down a document."""

    def __init__(self) -> None:
        self._path: list[tuple[int, str]] = []
        self._paragraphs: list[str] = []
        self._sections: list[Section] = []

    def heading(self, level: int, text: str) -> None:
        """A heading; it ends those of its level and below."""
        self._close()
        self._path = [each for each in self._path if each[0] < level]
        if text := _spaced(text):
            self._path.append((level, text))

    def paragraph(self, text: str) -> None:
        """A paragraph, an item of a list, a row of a table."""
        if text := _spaced(text):
            self._paragraphs.append(text)

    def document(self, title: str = "") -> Document:
        """All of it; without a title the first heading of the outermost level is one."""
        self._close()
        sections = tuple(self._sections)
        first = sections[0].headings[0] if sections and sections[0].headings else ""
        return Document(_spaced(title) or first, sections)

    def _close(self) -> None:
        if self._paragraphs:
            path = tuple(text for _, text in self._path)
            self._sections.append(Section(path, tuple(self._paragraphs)))
        self._paragraphs = []


def _spaced(text: str) -> str:
    return " ".join(text.replace("\x00", " ").split())
