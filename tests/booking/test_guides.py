"""Guides: what may be one, whose it is, where links lead and for how long."""

import io

import asyncpg
import pytest
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from booking.errors import GuideInvalid, ServiceUnknown
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
