"""Clinics' documents as they come: Markdown, saved web pages, PDFs; read, cut, or refused in one line."""

import io

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from gateway.errors import DocumentUnreadable
from gateway.knowledge.document import Document, Section
from gateway.knowledge.loading import cut_file
from gateway.knowledge.markdown import read_markdown
from gateway.knowledge.passages import MOST_CHARACTERS, cut
from gateway.knowledge.webpage import read_webpage

MARKDOWN = """\
---
layout: page
---
# Prices

All **prices** in [pounds](https://example.com).

## Lip filler ##
| treatment | price |
|:----------|------:|
| One syringe | £250 |
| Two syringes | £430 |

```
# not a heading
```

Laser
-----
- legs, a session: £120
- face
  and neck: £80
<!-- nobody reads this -->
"""

WEBPAGE = b"""<!doctype html><html><head><title>Harley | Home</title><style>p {color: red}</style></head>
<body><nav><a href="/">Home</a></nav><header>Menu</header>
<main><h1>Opening <b>hours</b></h1><p>Monday to Friday,<br>9 to 5.
<h2>Holidays</h2><ul><li>Closed on <em>1&nbsp;January</em></li><li>and at Easter</li></ul>
<table><tr><th>Day</th><th>Until</th></tr><tr><td>24 Dec</td><td>noon</td></tr></table>
<script>alert("x")</script><form><button>Send</button></form></main><footer>Imprint</footer></body></html>"""


def test_markdown_is_read_by_its_headings() -> None:
    assert read_markdown(MARKDOWN) == Document(
        "Prices",
        (
            Section(("Prices",), ("All prices in pounds.",)),
            Section(
                ("Prices", "Lip filler"),
                ("treatment, price", "One syringe, £250", "Two syringes, £430", "# not a heading"),
            ),
            Section(("Prices", "Laser"), ("legs, a session: £120", "face and neck: £80")),
        ),
    )


def test_of_a_web_page_only_what_a_visitor_reads() -> None:
    assert read_webpage(WEBPAGE) == Document(
        "Opening hours",
        (
            Section(("Opening hours",), ("Monday to Friday, 9 to 5.",)),
            Section(
                ("Opening hours", "Holidays"),
                ("Closed on 1 January", "and at Easter", "Day, Until", "24 Dec, noon"),
            ),
        ),
    )


def test_of_a_pdf_each_page() -> None:
    loaded = cut_file("Before your visit.pdf", pdf("Take no aspirin.", "Drink water."))
    assert [(each.heading, each.body) for each in loaded.passages] == [
        ("page 1", "Take no aspirin."),
        ("page 2", "Drink water."),
    ]
    assert loaded.title == "Before your visit"


def test_a_long_section_is_cut_between_paragraphs_then_sentences_then_words() -> None:
    sentence = "The nurse rings you on the day before. "
    long = (sentence * 60).strip()
    document = Document("Care", (Section(("Care", "After"), ("Short.", long, "x" * 2000, "Last.")),))
    passages = cut(document)
    assert all(0 < len(each.body) <= MOST_CHARACTERS for each in passages)
    assert {each.heading for each in passages} == {"Care, After"}
    told = "".join(each.body for each in passages).replace(" ", "").replace("\n", "")
    assert told == ("Short." + long + "x" * 2000 + "Last.").replace(" ", "")
    assert passages[1].body.endswith("before.")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("prices.docx", b"PK", "one of"),
        ("prices.md", b"\xff\xfe", "UTF-8"),
        ("prices.md", b"# Prices\n\n---\n", "no text"),
        ("prices.html", b"<script>1</script>", "no text"),
        ("prices.pdf", b"%PDF-1.7 and then nothing", "cannot be read"),
        ("prices.pdf", b"", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(name: str, content: bytes, why: str) -> None:
    with pytest.raises(DocumentUnreadable, match=why) as refused:
        cut_file(name, content)
    assert "\n" not in str(refused.value)


def test_a_pdf_of_pictures_and_one_under_a_password_are_refused() -> None:
    with pytest.raises(DocumentUnreadable, match="no text"):
        cut_file("scan.pdf", pdf(""))
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    with pytest.raises(DocumentUnreadable):
        cut_file("locked.pdf", written(writer))


@pytest.mark.parametrize("seed", range(20))
def test_broken_markup_and_nesting_never_raise_anything_else(seed: int) -> None:
    pieces = ["<div>", "</p>", "<table><tr>", "<h9>", "&#x;", "<!--", "text", "\x00", "<li", "]]>"]
    garbage = "".join(pieces[(seed * 7 + n * n) % len(pieces)] for n in range(60)) * 20
    for name in ("page.html", "page.md"):
        try:
            loaded = cut_file(name, garbage.encode())
        except DocumentUnreadable:
            continue
        assert all("\x00" not in each.body for each in loaded.passages)


def pdf(*pages: str) -> bytes:
    """One line of text a page."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(200, 200)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
