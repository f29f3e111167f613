"""Sealed values: which there are of a call or contact, and reading one back, for a purpose and on record."""

from typing import Literal
from uuid import UUID

import msgspec
import structlog

from booking.audit import record
from booking.db import org_transaction
from compliance.errors import ReadingRefused, ValueErased, VaultError
from compliance.kept import kept_of
from compliance.reading import (
    TABLES,
    Actor,
    Opened,
    Purpose,
    Reader,
    Role,
    SealedKind,
    may_read,
    read_sealed,
)
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.ownership import not_visible, require_own
from gateway.api.problems import ERASED, FOREIGN, INVALID, READING_REFUSED, UNREADABLE, Refused
from gateway.api.roles import roles_in
from gateway.api.views import AwareTime, PageSize

log = structlog.get_logger("gateway.api")


class ReadingQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What it is read for; on record with who read it."""

    purpose: Purpose


class ReadingView(msgspec.Struct, kw_only=True):
    """The plain values of one row, by what they are: `medical`; a vault's kind; `phone`, `name` … ."""

    kind: SealedKind
    id: UUID
    values: dict[str, str]

    def __repr__(self) -> str:
        return f"ReadingView(id={self.id})"


class SealedQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of one call or of one contact."""

    call_id: UUID | None = None
    contact_id: UUID | None = None
    limit: PageSize = 100


class SealedView(msgspec.Struct, kw_only=True):
    """That there is a sealed row. `label`: `medical`; a vault's kind; `ends` of a call; a text's kind."""

    kind: Literal["note", "value", "call", "text"]
    id: UUID
    label: str
    call_id: UUID | None
    turn: int | None
    kept_at: AwareTime


class SealedList(msgspec.Struct, kw_only=True):
    """Newest first."""

    items: list[SealedView]


def actor_of(asked: Asked) -> Actor:
    """Who asks, as the audit log is to name them."""
    return Actor("token", asked.actor.id)


async def list_sealed(asked: Asked) -> Answer:
    query: SealedQuery = asked.query
    if (query.call_id is None) == (query.contact_id is None):
        raise Refused(INVALID, detail="give call_id or contact_id")
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        found = await kept_of(
            connection,
            asked.claim.org_id,
            call_id=query.call_id,
            contact_id=query.contact_id,
            limit=query.limit,
        )
    if not found:
        await require_own(asked, query.call_id, query.contact_id)
    items = [
        SealedView(
            kind=each.kind,
            id=each.id,
            label=each.label,
            call_id=each.call_id,
            turn=each.turn,
            kept_at=each.kept_at,
        )
        for each in found
    ]
    return Answer(200, SealedList(items=items))


async def show_sealed(asked: Asked) -> Answer:
    """The record of the reading is committed before the value is answered."""
    kind, row_id, query = _kind(asked), asked.id("row_id"), asked.query
    role = _role_for(asked, kind, query.purpose)
    if role is None:
        await _record_refusal(asked, kind, row_id)
        raise Refused(READING_REFUSED, detail=kind)
    opened = await _opened(asked, Reader(actor_of(asked), role, query.purpose), kind, row_id)
    if opened is None:
        raise await not_visible(asked, kind, row_id)
    return Answer(200, ReadingView(kind=kind, id=row_id, values=dict(opened.values)))


async def _opened(asked: Asked, reader: Reader, kind: SealedKind, row_id: UUID) -> Opened | None:
    """Whatever comes of opening, that it was asked for is committed."""
    fault: VaultError | None = None
    opened: Opened | None = None
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        try:
            opened = await read_sealed(
                connection, asked.api.keys, asked.claim.org_id, reader, kind=kind, row_id=row_id
            )
        except ReadingRefused:
            raise Refused(READING_REFUSED, detail=kind) from None
        except VaultError as error:
            fault = error
    if isinstance(fault, ValueErased):
        raise Refused(ERASED, detail=kind)
    if fault is not None:
        org = str(asked.claim.org_id)
        log.error("sealed_unreadable", kind=kind, org=org, error=type(fault).__name__)
        raise Refused(UNREADABLE, detail=kind)
    return opened


def _role_for(asked: Asked, kind: SealedKind, purpose: Purpose) -> Role | None:
    """The first of the token's roles that may."""
    roles = roles_in(asked.principal.scopes)
    return next((role for role in roles if may_read(role, purpose, kind)), None)


async def _record_refusal(asked: Asked, kind: SealedKind, row_id: UUID) -> None:
    await record(
        asked.api.pool,
        asked.claim,
        actor=asked.actor,
        action="read_refused",
        subject_kind=kind,
        subject_id=row_id,
    )


def _kind(asked: Asked) -> SealedKind:
    for kind in TABLES:
        if kind == asked.path["kind"]:
            return kind
    raise Refused(INVALID, pointer="kind", detail="must be one of " + ", ".join(TABLES))


OPERATIONS = (
    Operation(
        name="listSealed",
        method="GET",
        path="/sealed",
        scope="sealed:read",
        summary="Which sealed values there are of a call or contact, without what they say",
        handler=list_sealed,
        query=SealedQuery,
        answers={200: SealedList},
        problems=(FOREIGN,),
    ),
    Operation(
        name="readSealed",
        method="GET",
        path="/sealed/{kind}/{row_id}",
        scope="sealed:read",
        summary="A sealed row (note, value, contact, text, call, reply) in plain words; that is on record",
        handler=show_sealed,
        query=ReadingQuery,
        answers={200: ReadingView},
        problems=(READING_REFUSED, ERASED, UNREADABLE),
    ),
)
