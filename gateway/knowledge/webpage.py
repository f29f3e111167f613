"""A web page that was saved as HTML: what a visitor reads of it, without menus, forms and footers."""

from typing import Final

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PageElement, PreformattedString

from gateway.knowledge.document import Document, Outline

_LEFT_OUT: Final = (
    "script", "style", "noscript", "template", "svg", "nav", "header", "footer", "aside", "form", "button",
    "iframe", "dialog",
)  # fmt: skip
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}
_BLOCKS: Final = frozenset(
    {
        *(
            "address",
            "article",
            "blockquote",
            "body",
            "caption",
            "dd",
            "div",
            "dl",
            "dt",
            "figcaption",
            "figure",
        ),
        *(
            "hr",
            "html",
            "li",
            "main",
            "ol",
            "p",
            "pre",
            "section",
            "table",
            "tbody",
            "tfoot",
            "thead",
            "tr",
            "ul",
        ),
    }
)
_DEEPEST: Final = 200
"""Levels of nesting that are followed; no page that people read has more."""


def read_webpage(html: bytes) -> Document:
    """The encoding is the page's own. Broken markup is read as a browser would, roughly."""
    page = BeautifulSoup(html, "html.parser")
    title = page.title.get_text(" ") if page.title else ""
    for tag in page.find_all(_LEFT_OUT):
        tag.decompose()
    first = page.find("h1")
    reader = _Reader()
    reader.read(page.find("main") or page.body or page, _DEEPEST)
    reader.end()
    return reader.outline.document(first.get_text(" ") if first else title)


class _Reader:
    """Text runs on through inline tags and ends at blocks."""

    def __init__(self) -> None:
        self.outline = Outline()
        self._text: list[str] = []

    def end(self) -> None:
        self.outline.paragraph("".join(self._text))
        self._text = []

    def read(self, element: PageElement, deepest: int) -> None:
        match element:
            case Tag(name=name) if name in _HEADINGS:
                self.end()
                self.outline.heading(_HEADINGS[name], element.get_text(" "))
            case Tag(name="tr"):
                self.end()
                cells = [cell.get_text(" ", strip=True) for cell in element.find_all(("th", "td"))]
                self.outline.paragraph(", ".join(cell for cell in cells if cell))
            case Tag(name="br"):
                self._text.append(" ")
            case Tag() if deepest > 0 and element.name != "head":
                self._within(element, deepest - 1)
            case NavigableString() if not isinstance(element, PreformattedString):
                self._text.append(str(element))
            case _:
                pass

    def _within(self, tag: Tag, deepest: int) -> None:
        block = tag.name in _BLOCKS
        if block:
            self.end()
        for child in tag.children:
            self.read(child, deepest)
        if block:
            self.end()
