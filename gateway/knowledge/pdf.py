"""The text of a PDF, page by page. What is a heading in it, a PDF does not tell: each page is a section."""

import io
import re
from typing import Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from gateway.errors import DocumentUnreadable
from gateway.knowledge.document import Document, Outline

MOST_PAGES: Final = 500
_GAP: Final = re.compile(r"\n[ \t]*\n+")
_BROKEN_WORD: Final = re.compile(r"(?<=[a-z])-\n(?=[a-z])")


def read_pdf(content: bytes) -> Document:
    """Raises `DocumentUnreadable`: damaged, encrypted, too long, or pictures of text alone."""
    try:
        pdf = PdfReader(io.BytesIO(content))
        if len(pdf.pages) > MOST_PAGES:
            raise DocumentUnreadable(f"a PDF has {MOST_PAGES} pages at most")
        title = (pdf.metadata.title if pdf.metadata else None) or ""
        pages = [page.extract_text() for page in pdf.pages]
    except DocumentUnreadable:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise DocumentUnreadable(f"the PDF cannot be read: {type(error).__name__}") from None
    outline = Outline()
    for number, text in enumerate(pages, 1):
        outline.heading(1, f"page {number}")
        for paragraph in _GAP.split(_BROKEN_WORD.sub("", text)):
            outline.paragraph(paragraph)
    sections = outline.document().sections
    if not sections:
        raise DocumentUnreadable("there is no text in the PDF: pictures of pages need to be recognised first")
    return Document(" ".join(title.split()), sections)
