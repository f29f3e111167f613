"""Guides: a PDF per service that patients may read, behind links of their own.

A guide is the clinic's, and nobody's secret. It is looked at before it is kept: it must open without a
password, and may neither run anything nor carry other files, since it is opened on patients' telephones.
"""

import asyncio
import io
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from pypdf import PdfReader, apply_configuration
from pypdf.errors import PyPdfError

from booking import db
from booking.errors import GuideInvalid
from booking.guide_parts import is_active
from booking.types import Actor, Claim

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_PAGES: Final = 200
_BEGINS: Final = b"%PDF-"
_DAMAGE: Final = (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError)
# Of what is unpacked to read a file: the tables and objects of it, never what is shown.
_MOST_UNPACKED: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Guide:
    """What is known of a service's guide without its content; `sha256` is of that."""

    id: UUID
    sha256: bytes
    pages: int
    size_bytes: int
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link leads to: a PDF, else an address elsewhere. `expired`: it did so once."""

    expired: bool
    content: bytes | None = field(repr=False)
    url: str | None = field(repr=False)


async def put_guide(
    pool: asyncpg.Pool, claim: Claim, *, service_id: UUID, content: bytes, actor: Actor
) -> Guide:
    """The service's guide from now on, in place of the one before; links that are out lead to it. Audited.

    Raises `GuideInvalid`, `ServiceUnknown`, `BookingUnavailable`.
    """
    pages = await asyncio.to_thread(require_pdf, content)
    await db.fetch(pool, claim, "put_guide", service_id, content, pages, actor.kind, actor.id)
    guide = await guide_of(pool, claim, service_id=service_id)
    if guide is None:
        raise GuideInvalid("was removed again")
    return guide


async def guide_of(pool: asyncpg.Pool, claim: Claim, *, service_id: UUID) -> Guide | None:
    """None if the service has none, or is none of this org's."""
    rows = await db.fetch(pool, claim, "guide_of", service_id)
    if not rows:
        return None
    (row,) = rows
    return Guide(row["guide_id"], row["sha256"], row["pages"], row["bytes"], row["uploaded_at"])


async def remove_guide(pool: asyncpg.Pool, claim: Claim, *, service_id: UUID, actor: Actor) -> bool:
    """False if there was none. Audited. Links that are out lead to the service's `guide_url` then."""
    (row,) = await db.fetch(pool, claim, "remove_guide", service_id, actor.kind, actor.id)
    removed: bool = row[0]
    return removed


async def open_link(pool: asyncpg.Pool, digest: bytes, *, count: bool) -> Opened | None:
    """What the link of this code's digest leads to, whosever it is; None if there is none such.

    `count`: it is being opened, not merely looked at. Raises `BookingUnavailable`.
    """
    org_id = await db.fetch_value(pool, "select app.resolve_guide_link($1)", digest)
    if org_id is None:
        return None
    rows = await db.fetch(pool, Claim(org_id), "open_guide_link", digest, count)
    if not rows:
        return None
    (row,) = rows
    return Opened(row["expired"], row["content"], row["guide_url"] or row["booking_url"])


def require_pdf(content: bytes) -> int:
    """How many pages it has; milliseconds of work for most, for the worst seconds. Raises `GuideInvalid`."""
    if len(content) > MOST_BYTES:
        raise GuideInvalid(f"has more than {MOST_BYTES // 1024 // 1024} MB")
    if not content.startswith(_BEGINS):
        raise GuideInvalid("is no PDF")
    try:
        with apply_configuration(
            zlib_maximum_output_length=_MOST_UNPACKED,
            lzw_maximum_output_length=_MOST_UNPACKED,
            run_length_maximum_output_length=_MOST_UNPACKED,
        ):
            pages, active = _looked_at(PdfReader(io.BytesIO(content)))
    except _DAMAGE as error:
        raise GuideInvalid(f"cannot be read: {type(error).__name__}") from None
    if not 1 <= pages <= MOST_PAGES:
        raise GuideInvalid(f"has not 1 to {MOST_PAGES} pages")
    if active:
        raise GuideInvalid("runs something when it is opened, or carries other files")
    return pages


def _looked_at(pdf: PdfReader) -> tuple[int, bool]:
    """How many pages; whether it runs anything or carries files, which of too many pages nobody asks."""
    if pdf.is_encrypted:
        raise GuideInvalid("opens with a password only")
    pages = len(pdf.pages)
    return pages, pages <= MOST_PAGES and is_active(pdf)
