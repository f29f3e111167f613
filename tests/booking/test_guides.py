"""Guides: what may be one, whose it is, where links lead and for how long."""

import io
import zlib

import asyncpg
import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    PdfObject,
    TextStringObject,
)

from booking.errors import GuideInvalid, ServiceUnknown
from booking.guide_parts import is_active
from booking.guides import MOST_BYTES, guide_of, open_link, put_guide, remove_guide, require_pdf
from booking.types import Actor
from tests.booking.following import LINKS, a_pdf, following
from tests.conftest import Clinic

CLERK = Actor("operator")


def written(writer: PdfWriter) -> bytes:
    content = io.BytesIO()
    writer.write(content)
    return content.getvalue()


def with_script() -> bytes:
    script = {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.beep()")}
    return opening(DictionaryObject(script))


def with_attachment() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    writer.add_attachment("other.exe", b"MZ")
    return written(writer)


def launching() -> bytes:
    action = {NameObject("/S"): NameObject("/Launch"), NameObject("/F"): TextStringObject("other.exe")}
    return opening(DictionaryObject(action))


def opening(action: DictionaryObject) -> bytes:
    """A file that does this when it is opened."""
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    writer.root_object[NameObject("/OpenAction")] = action
    return written(writer)


def action(kind: str, **more: PdfObject) -> DictionaryObject:
    return dictionary(S=NameObject(kind), JS=TextStringObject("app.beep()"), **more)


def dictionary(**entries: PdfObject) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{key}"): value for key, value in entries.items()})


def afterwards() -> bytes:
    """An address opened first, then a script."""
    address = TextStringObject("https://clinic.example.com")
    following = ArrayObject([action("/JavaScript")])
    return opening(dictionary(S=NameObject("/URI"), URI=address, Next=following))


def annotated(annotation: DictionaryObject) -> bytes:
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    page[NameObject("/Annots")] = ArrayObject([writer._add_object(annotation)])
    return written(writer)


def hovering() -> bytes:
    """A script as soon as the pointer is there."""
    entering = dictionary(E=action("/JavaScript"))
    return annotated(dictionary(Subtype=NameObject("/Link"), AA=entering))


def pinned() -> bytes:
    """A file behind a paper clip on the page."""
    file = DecodedStreamObject()
    file.set_data(b"MZ")
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    carried = dictionary(F=TextStringObject("other.exe"), EF=dictionary(F=writer._add_object(file)))
    pin = dictionary(Subtype=NameObject("/FileAttachment"), FS=writer._add_object(carried))
    page[NameObject("/Annots")] = ArrayObject([pin])
    return written(writer)


def filling() -> bytes:
    """A script at each key pressed in a field."""
    field = dictionary(FT=NameObject("/Tx"), AA=dictionary(K=action("/JavaScript")))
    return rooted("/AcroForm", dictionary(Fields=ArrayObject([field])))


def referred() -> bytes:
    """A script whose kind stands elsewhere in the file."""
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    kind = writer._add_object(NameObject("/JavaScript"))
    writer.root_object[NameObject("/OpenAction")] = dictionary(S=kind)
    return written(writer)


def outlined() -> bytes:
    """A script behind an entry of the outline."""
    return rooted("/Outlines", dictionary(First=dictionary(A=action("/JavaScript"))))


def rooted(key: str, value: PdfObject) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    writer.root_object[NameObject(key)] = value
    return written(writer)


def harmless() -> bytes:
    """Links, a jump when it is opened, an outline, a round trip of references."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    link = dictionary(S=NameObject("/URI"), URI=TextStringObject("https://clinic.example.com"))
    page[NameObject("/Annots")] = ArrayObject(
        [dictionary(Subtype=NameObject("/Link"), A=link, P=page.indirect_reference)]
    )
    writer.add_outline_item(title="Before", page_number=0)
    writer.root_object[NameObject("/OpenAction")] = dictionary(
        S=NameObject("/GoTo"), D=ArrayObject([page.indirect_reference, NameObject("/Fit")])
    )
    return written(writer)


def test_links_an_outline_and_a_jump_are_fine() -> None:
    assert require_pdf(harmless()) == 1


def test_a_file_that_takes_too_long_is_refused() -> None:
    with pytest.raises(GuideInvalid, match="too intricate"):
        is_active(PdfReader(io.BytesIO(harmless())), look_s=-1.0)


def packed(blanks: int) -> bytes:
    """One page whose objects stand in a packed stream, after so many blanks."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R>>",
    )
    at = [sum(map(len, objects[:index])) for index in range(3)]
    places = " ".join(f"{index + 1} {each}" for index, each in enumerate(at)).encode()
    data = zlib.compress(places + b" " * blanks + b"".join(objects))
    told = f"/Type/ObjStm/N 3/First {len(places) + blanks}/Filter/FlateDecode"
    body = b"%PDF-1.7\n" + stream(4, told, data)
    entries = [(0, 0, 0), (2, 4, 0), (2, 4, 1), (2, 4, 2), (1, 9, 0), (1, len(body), 0)]
    table = b"".join(kind.to_bytes() + where.to_bytes(4) + index.to_bytes() for kind, where, index in entries)
    end = f"startxref\n{len(body)}\n%%EOF\n".encode()
    return body + stream(5, "/Type/XRef/Size 6/W[1 4 1]/Root 1 0 R", table) + end


def stream(number: int, told: str, data: bytes) -> bytes:
    head = f"{number} 0 obj\n<<{told}/Length {len(data)}>>\nstream\n".encode()
    return head + data + b"\nendstream\nendobj\n"


def test_a_file_that_unpacks_to_more_than_it_may_is_refused() -> None:
    assert require_pdf(packed(blanks=100)) == 1
    with pytest.raises(GuideInvalid, match="cannot be read: LimitReachedError"):
        require_pdf(packed(blanks=20 * 1024 * 1024))


def locked() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    writer.encrypt("secret", algorithm="RC4-128")
    return written(writer)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "is no PDF"),
        (b"<html>", "is no PDF"),
        (b"%PDF-1.7\nnothing", "cannot be read"),
        (a_pdf()[:-200], "cannot be read|has not 1"),
        (a_pdf(0), "has not 1"),
        (a_pdf(201), "has not 1"),
        (b"%PDF-" + bytes(MOST_BYTES), "more than 10 MB"),
        (with_script(), "runs something"),
        (with_attachment(), "runs something"),
        (launching(), "runs something"),
        (afterwards(), "runs something"),
        (hovering(), "runs something"),
        (filling(), "runs something"),
        (outlined(), "runs something"),
        (referred(), "runs something"),
        (pinned(), "runs something"),
        (rooted("/AcroForm", dictionary(XFA=TextStringObject("<xdp/>"))), "runs something"),
        (locked(), "password"),
    ],
)
def test_what_cannot_be_a_guide_is_refused(content: bytes, fault: str) -> None:
    with pytest.raises(GuideInvalid, match=fault):
        require_pdf(content)


async def test_a_service_has_one_guide_which_another_clinic_does_not_see(
    pool: asyncpg.Pool, clinic: Clinic, other_clinic: Clinic
) -> None:
    service_id = clinic.service_ids[0]
    first = await put_guide(pool, clinic.claim, service_id=service_id, content=a_pdf(), actor=CLERK)
    assert await put_guide(pool, clinic.claim, service_id=service_id, content=a_pdf(), actor=CLERK) == first
    second = await put_guide(pool, clinic.claim, service_id=service_id, content=a_pdf(2), actor=CLERK)
    assert (first.pages, second.pages) == (1, 2)
    assert await guide_of(pool, clinic.claim, service_id=service_id) == second
    assert await guide_of(pool, other_clinic.claim, service_id=service_id) is None
    with pytest.raises(ServiceUnknown):
        await put_guide(pool, other_clinic.claim, service_id=service_id, content=a_pdf(), actor=CLERK)
    assert not await remove_guide(pool, other_clinic.claim, service_id=service_id, actor=CLERK)
    assert await remove_guide(pool, clinic.claim, service_id=service_id, actor=CLERK)
    assert await guide_of(pool, clinic.claim, service_id=service_id) is None


async def test_a_link_counts_its_openings_and_ends(pool: asyncpg.Pool, clinic: Clinic) -> None:
    async with following(pool, clinic) as calls:
        call_id = await calls.call()
        await calls.go_on(call_id)
        digest = LINKS.link(clinic.claim.org_id, call_id).digest
        for count in (False, True, True):
            opened = await open_link(pool, digest, count=count)
            assert opened is not None
            assert not opened.expired
        (row,) = await calls.ask("page_of_follow_ups", 10, None)
        assert (row["state"], row["link_opens"]) == ("sent", 2)
        await remove_guide(pool, clinic.claim, service_id=clinic.service_ids[0], actor=CLERK)
        await calls.rules(booking_url="https://clinic.example.com/book")
        elsewhere = await open_link(pool, digest, count=False)
        assert elsewhere is not None
        assert (elsewhere.content, elsewhere.url) == (None, "https://clinic.example.com/book")
        await calls.by_hand("update guide_links set expires_at = now()")
        over = await open_link(pool, digest, count=True)
        assert over is not None
        assert (over.expired, over.content, over.url) == (True, None, None)
    assert await open_link(pool, b"x" * 32, count=True) is None
