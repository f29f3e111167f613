"""From a file to what is kept of it: which reader, which name, and the digest that tells the same again."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from booking.knowledge import Passage
from gateway.errors import DocumentUnreadable
from gateway.knowledge.document import Document
from gateway.knowledge.markdown import read_markdown
from gateway.knowledge.passages import cut
from gateway.knowledge.pdf import read_pdf
from gateway.knowledge.webpage import read_webpage

MOST_BYTES: Final = 20 * 2**20
MOST_PASSAGES: Final = 5_000
_CUT: Final = b"1"
"""How documents are read and cut. Another number makes every document a changed one."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A document ready to be kept."""

    title: str
    digest: bytes
    passages: list[Passage]


def cut_file(name: str, content: bytes) -> Cut:
    """Read by what the file's name ends with. Raises `DocumentUnreadable`; the text is never repeated."""
    suffix = PurePath(name).suffix.lower()
    if suffix not in _READERS:
        raise DocumentUnreadable(f"a document is one of {', '.join(sorted(_READERS))}")
    if len(content) > MOST_BYTES:
        raise DocumentUnreadable(f"a document has {MOST_BYTES // 2**20} MiB at most")
    document = _READERS[suffix](content)
    passages = cut(document)
    if not passages:
        raise DocumentUnreadable("there is no text in it")
    if len(passages) > MOST_PASSAGES:
        raise DocumentUnreadable(f"it has {len(passages)} passages; {MOST_PASSAGES} are the most")
    title = document.title or PurePath(name).stem
    return Cut(title[:500], hashlib.sha256(_CUT + content).digest(), passages)


def _markdown(content: bytes) -> Document:
    try:
        return read_markdown(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DocumentUnreadable("it is not text in UTF-8") from None


_READERS: Final[Mapping[str, Callable[[bytes], Document]]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".txt": _markdown,
    ".html": read_webpage,
    ".htm": read_webpage,
    ".pdf": read_pdf,
}
