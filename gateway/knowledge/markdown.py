"""Markdown as a clinic writes it: headings, paragraphs, lists, tables (CommonMark 0.31.2, GFM tables).

What is left of the markup is what is read out: links keep their words, emphasis its text.
"""

import re
from typing import Final

from gateway.knowledge.document import Document, Outline

_HEADING: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_ITEM: Final = re.compile(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+")
_FENCE: Final = re.compile(r" {0,3}(```|~~~)")
_RULE: Final = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_TABLE_RULE: Final = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_FRONT_MATTER: Final = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK: Final = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS: Final = re.compile(r"(\*{1,3}|_{2,3}|`+|~~)(?=\S)(.+?)(?<=\S)\1")


def read_markdown(text: str) -> Document:
    """Any text is Markdown; one without headings is one section."""
    text = _COMMENT.sub("", _FRONT_MATTER.sub("", text.replace("\r\n", "\n")))
    outline, pending, fenced = Outline(), _Pending(), False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and (heading := _HEADING.match(line)):
            pending.end(outline)
            outline.heading(len(heading[1]), _plain(heading[2] or ""))
        elif not fenced and pending.is_one_line and (under := _UNDERLINE.match(line)):
            outline.heading(1 if under[1][0] == "=" else 2, _plain(pending.taken()))
        else:
            _take(line, pending, outline)
    pending.end(outline)
    return outline.document()


class _Pending:
    """The lines of the paragraph that is open."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @property
    def is_one_line(self) -> bool:
        return len(self.lines) == 1

    def taken(self) -> str:
        text, self.lines = " ".join(self.lines), []
        return text

    def end(self, outline: Outline) -> None:
        outline.paragraph(_plain(self.taken()))


def _take(line: str, pending: _Pending, outline: Outline) -> None:
    if not line.strip() or _RULE.match(line) or ("|" in line and _TABLE_RULE.match(line)):
        pending.end(outline)
    elif line.lstrip().startswith("|"):
        pending.end(outline)
        outline.paragraph(_plain(_row(line)))
    elif item := _ITEM.match(line):
        pending.end(outline)
        pending.lines.append(line[item.end() :])
    else:
        pending.lines.append(line.strip().lstrip("> "))


def _row(line: str) -> str:
    return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())


def _plain(text: str) -> str:
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", text))
