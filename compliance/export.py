"""All that is held on a contact, in plain words, for them to have (GDPR Art. 15 and 20).

The words of their calls stand in it as they are kept, redacted, beside the values that were masked in them,
and what the audit log says of them or of any of these rows: who read what, and what for. Of recordings it
says which there are; their sound is handed out one by one.
Calls that merely came from their number are left out: whoever else uses that telephone has a right to those.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from compliance.errors import VaultError
from compliance.keys import Keyring, PersonKey
from compliance.reading import Actor, found_key
from compliance.vault import Cell

UNREADABLE: Final = "unreadable"

_CONTACT: Final = """
select c.id, c.created_at, c.updated_at, c.texts_agreed_at, c.texts_refused_at, c.time_zone,
    c.sealed_phone, c.sealed_name, c.sealed_email, c.sealed_address, k.id as key_id, k.wrapped
from public.contacts c
left join public.contact_keys k on k.org_id = c.org_id and k.contact_id = c.id and k.call_id is null
where c.org_id = $1 and c.id = $2 and c.erased_at is null
"""
_CALLS: Final = """
select c.id, c.started_at, c.ended_at, c.end_reason, c.sealed_caller, c.sealed_called,
    k.id as key_id, k.wrapped
from public.calls c
left join public.contact_keys k on k.org_id = c.org_id and k.call_id = c.id
where c.org_id = $1 and c.id in (select app.calls_of($1, $2, '{}')) order by c.started_at, c.id
"""
_TURNS: Final = """
select t.call_id, t.turn, t.said, t.stored_at from public.call_turns t
where t.org_id = $1 and t.call_id in (select app.calls_of($1, $2, '{}'))
order by t.stored_at, t.call_id, t.turn
"""
_NOTES: Final = """
select n.id, n.call_id, n.turn, n.noted_at, n.sealed, k.id as key_id, k.wrapped
from public.clinical_notes n
left join public.contact_keys k on k.org_id = n.org_id and k.id = app.key_named(n.sealed)
where n.org_id = $1 and (n.contact_id = $2 or n.call_id in (select app.calls_of($1, $2, '{}')))
order by n.noted_at, n.id
"""
_VALUES: Final = """
select v.id, v.call_id, v.turn, v.kind, v.kept_at, v.sealed, k.id as key_id, k.wrapped
from public.pii_vault v
left join public.contact_keys k on k.org_id = v.org_id and k.id = app.key_named(v.sealed)
where v.org_id = $1 and (v.contact_id = $2 or v.call_id in (select app.calls_of($1, $2, '{}')))
order by v.kept_at, v.id
"""
_TEXTS: Final = """
select m.id, m.kind, m.status, m.recorded_at, m.settled_at, m.sealed_receiver, m.sealed_body,
    k.id as key_id, k.wrapped
from public.sms_messages m
left join public.contact_keys k on k.org_id = m.org_id and k.id = app.key_named(m.sealed_body)
where m.org_id = $1 and m.receiver_digest = any ($2) order by m.recorded_at, m.id
"""
_REPLIES: Final = """
select r.id, r.kind, r.call_id, r.received_at, r.answered_at, r.sealed_body, k.id as key_id, k.wrapped
from public.text_replies r
join public.contact_keys k on k.org_id = r.org_id and k.id = r.key_id
where r.org_id = $1 and r.contact_id = $2 order by r.received_at, r.id
"""
_FOLLOW_UPS: Final = """
select f.call_id, f.state, f.reason, v.name as service, f.texts_wanted, f.opened_at, f.settled_at,
    f.handed_at, o.id as campaign_id, o.status as campaign, o.agent_name, l.opens as link_opens,
    l.first_opened_at
from public.follow_ups f
left join public.services v on v.org_id = f.org_id and v.id = f.service_id
left join public.outbound_campaigns o on o.org_id = f.org_id and o.call_id = f.call_id
left join public.guide_links l on l.org_id = f.org_id and l.call_id = f.call_id
where f.org_id = $1 and (o.contact_id = $2 or f.call_id in (select app.calls_of($1, $2, '{}')))
order by f.opened_at, f.call_id
"""
_PLACED_CALLS: Final = """
select p.id, p.state, p.outcome, p.attempt, p.answered_by, p.campaign_id, p.requested_at, p.placing_at,
    p.answered_at, p.ended_at
from public.placed_calls p where p.org_id = $1 and p.contact_id = $2 order by p.requested_at, p.id
"""
_APPOINTMENTS: Final = """
select a.id, a.status, a.starts_at, a.ends_at, a.booked_at, a.changed_at, p.name as practitioner,
    v.name as service
from public.appointments a
join public.slots s on s.org_id = a.org_id and s.id = a.slot_id
join public.services v on v.org_id = s.org_id and v.id = s.service_id
join public.practitioners p on p.org_id = s.org_id and p.id = s.practitioner_id
where a.org_id = $1 and a.contact_id = $2 order by a.starts_at, a.id
"""
_CONSENTS: Final = """
select s.kind, s.given, s.source, s.call_id, s.said_at from public.consents s
where s.org_id = $1 and (s.contact_id = $2 or s.call_id in (select app.calls_of($1, $2, '{}')))
order by s.said_at, s.id
"""
_CODES: Final = """
select o.id, o.state, o.failures, o.stored_at, o.expires_at from public.otp_codes o
where o.org_id = $1 and o.receiver_digest = any ($2) order by o.stored_at, o.id
"""
_RECORDINGS: Final = """
select r.id, r.call_id, r.state, r.started_at, r.ended_at, r.duration_ms, r.deleted_at
from public.recordings r
where r.org_id = $1 and r.call_id in (select app.calls_of($1, $2, '{}')) order by r.started_at, r.id
"""
_STOPS: Final = """
select o.opted_out_at, o.opted_in_at from public.text_opt_outs o
where o.org_id = $1 and o.receiver_digest = any ($2) order by o.opted_out_at
"""
_AUDIT: Final = """
select l.recorded_at, l.actor_kind, l.action, l.subject_kind, l.subject_id from public.audit_log l
where l.org_id = $1 and l.subject_id = any ($2) order by l.recorded_at, l.id
"""
_ABOUT: Final = (
    "appointments",
    "calls",
    "recordings",
    "clinical_notes",
    "personal_values",
    "texts",
    "replies",
    "placed_calls",
)
"""Parts of an export whose rows the audit log may name."""


@dataclass(frozen=True, slots=True)
class Export:
    """`document` holds what JSON can hold, times in RFC 3339. `unreadable`: values that did not open."""

    contact_id: UUID
    document: Mapping[str, Any] = field(repr=False)
    unreadable: int

    def json(self) -> bytes:
        return msgspec.json.encode(self.document)


async def export_contact(
    connection: asyncpg.Connection, keys: Keyring, org_id: UUID, actor: Actor, *, contact_id: UUID
) -> Export | None:
    """None if the org has no such contact (any more). Audited, so commit before it is handed over.

    A value that does not open stands there as `unreadable`, and the rest is complete.
    """
    row = await connection.fetchrow(_CONTACT, org_id, contact_id)
    if row is None:
        return None
    await connection.execute(
        "select app.audit($1, $2, $3, 'contact_exported', 'contact', $4)",
        org_id,
        actor.kind,
        actor.id,
        contact_id,
    )
    reading = _Reading(connection, keys, org_id, contact_id)
    contact = await reading.opened("contacts", row)
    document = {"contact": contact, **await reading.everything(contact["phone"])}
    return Export(contact_id, document, reading.unreadable)


class _Reading:
    """One export; each key is unlocked once."""

    def __init__(self, connection: asyncpg.Connection, keys: Keyring, org_id: UUID, contact_id: UUID) -> None:
        self._connection = connection
        self._keys = keys
        self._org_id = org_id
        self._contact_id = contact_id
        self._unlocked: dict[UUID, PersonKey] = {}
        self.unreadable = 0

    async def everything(self, phone: str | None) -> dict[str, Any]:
        digests = list(self._keys.digests(self._org_id, phone)) if phone not in (None, UNREADABLE) else []
        found: dict[str, Sequence[dict[str, Any]]] = {
            "appointments": await self._plain(_APPOINTMENTS),
            "calls": await self._sealed(_CALLS, "calls"),
            "turns": [each | {"said": _parsed(each["said"])} for each in await self._plain(_TURNS)],
            "clinical_notes": await self._sealed(_NOTES, "clinical_notes"),
            "personal_values": await self._sealed(_VALUES, "pii_vault"),
            "texts": await self._sealed(_TEXTS, "sms_messages", digests),
            "codes": await self._plain(_CODES, digests),
            "replies": await self._sealed(_REPLIES, "text_replies"),
            "follow_ups": await self._plain(_FOLLOW_UPS),
            "placed_calls": await self._plain(_PLACED_CALLS),
            "recordings": await self._plain(_RECORDINGS),
            "consents": await self._plain(_CONSENTS),
            "stopped_texts": await self._plain(_STOPS, digests),
        }
        ids = [self._contact_id, *(row["id"] for part in _ABOUT for row in found[part])]
        return {**found, "audit": await self._plain(_AUDIT, ids)}

    async def opened(self, table: str, row: asyncpg.Record) -> dict[str, Any]:
        """The row without its keys, its sealed columns under their names without `sealed_`."""
        told: dict[str, Any] = {}
        for name, value in row.items():
            if name.startswith("sealed"):
                plain = value and await self._value(value, Cell(table, name, str(row["id"])), row)
                told[name.removeprefix("sealed_") if name != "sealed" else "value"] = plain
            elif name not in ("key_id", "wrapped"):
                told[name] = value
        return told

    async def _plain(self, query: str, of: Sequence[Any] | None = None) -> Sequence[dict[str, Any]]:
        """Rows of the contact, or of these digests or ids of theirs."""
        return [dict(row) for row in await self._rows(query, of)]

    async def _sealed(
        self, query: str, table: str, of: Sequence[Any] | None = None
    ) -> Sequence[dict[str, Any]]:
        return [await self.opened(table, row) for row in await self._rows(query, of)]

    async def _rows(self, query: str, of: Sequence[Any] | None) -> Sequence[asyncpg.Record]:
        whose = self._contact_id if of is None else of
        rows: Sequence[asyncpg.Record] = await self._connection.fetch(query, self._org_id, whose)
        return rows

    async def _value(self, blob: bytes, cell: Cell, row: asyncpg.Record) -> str:
        try:
            return (await self._open(blob, cell, row)).decode("utf-8", "replace")
        except VaultError:
            self.unreadable += 1
            return UNREADABLE

    async def _open(self, blob: bytes, cell: Cell, row: asyncpg.Record) -> bytes:
        key = found_key(row)
        if key is None:
            return await self._keys.open(self._org_id, blob, cell, None)
        if key.id not in self._unlocked:
            self._unlocked[key.id] = await self._keys.unlocked(self._org_id, key)
        return self._unlocked[key.id].open(blob, cell)


def _parsed(document: str) -> Any:
    return msgspec.json.decode(document)
