"""What people agreed to: being recorded, texts other than codes, calls that the clinic's agent places. One
place to ask, one to note it.

A word on recording is kept each time it is given, with its source; the last one counts, of the contact or of
the call. A no that is said in a call clears what is kept of its words. Texts: the contact's last word counts,
and a STOP that the carrier passed on stands above it until START. Codes that people ask for need no consent,
but a STOP holds for them too.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

import asyncpg

from compliance.keys import Keyring
from compliance.reading import Actor

ConsentKind = Literal["recording", "texts", "calls"]
ConsentSource = Literal["call", "text", "staff", "form"]

_LAST_WORD = """
select s.given, s.source, s.said_at from public.consents s
where s.org_id = $1 and s.kind = $4 and (s.contact_id = $2 or s.call_id = $3)
order by s.said_at desc, s.id limit 1
"""
_TEXTS = """
select c.texts_agreed_at, c.texts_refused_at,
       app.has_opted_out(c.org_id, array[c.phone_digest]) as stopped
from public.contacts c where c.org_id = $1 and c.id = $2 and c.erased_at is null
"""


@dataclass(frozen=True, slots=True)
class Word:
    """Somebody's last word on being recorded, or on being called."""

    given: bool
    source: ConsentSource
    said_at: datetime


@dataclass(frozen=True, slots=True)
class SpokenConsent:
    """A caller's word on being recorded, said in the call. `id` is its row's, chosen here, so that noting it
    again doubles nothing.
    """

    given: bool
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class TextConsent:
    """A contact's words on texts. `stopped`: the carrier passed a STOP on, and no START since."""

    agreed_at: datetime | None
    refused_at: datetime | None
    stopped: bool

    @property
    def given(self) -> bool:
        """Whether they agreed to texts other than codes: the later word counts, and no STOP stands."""
        if self.stopped or self.agreed_at is None:
            return False
        return self.refused_at is None or self.agreed_at > self.refused_at


@dataclass(frozen=True, slots=True)
class Consents:
    """All that a contact said; `recording` and `calls` are None as long as they were not asked."""

    recording: Word | None
    texts: TextConsent
    calls: Word | None = None


async def consents_of(connection: asyncpg.Connection, org_id: UUID, *, contact_id: UUID) -> Consents | None:
    """None if the org has no such contact, or it was erased."""
    row = await connection.fetchrow(_TEXTS, org_id, contact_id)
    if row is None:
        return None
    recording = await recording_consent(connection, org_id, contact_id=contact_id)
    texts = TextConsent(row["texts_agreed_at"], row["texts_refused_at"], row["stopped"])
    calls = await _last_word(connection, org_id, "calls", contact_id, None)
    return Consents(recording, texts, calls)


async def recording_consent(
    connection: asyncpg.Connection,
    org_id: UUID,
    *,
    contact_id: UUID | None = None,
    call_id: UUID | None = None,
) -> Word | None:
    """The last word of this contact, or in this call; None if there is none: then nothing is recorded."""
    return await _last_word(connection, org_id, "recording", contact_id, call_id)


async def _last_word(
    connection: asyncpg.Connection,
    org_id: UUID,
    kind: ConsentKind,
    contact_id: UUID | None,
    call_id: UUID | None,
) -> Word | None:
    row = await connection.fetchrow(_LAST_WORD, org_id, contact_id, call_id, kind)
    return None if row is None else Word(row["given"], row["source"], row["said_at"])


async def note_consent(
    connection: asyncpg.Connection,
    org_id: UUID,
    actor: Actor,
    *,
    kind: ConsentKind,
    given: bool,
    source: ConsentSource,
    contact_id: UUID | None = None,
    call_id: UUID | None = None,
) -> bool:
    """Keep somebody's word, with an audit record. Recording: of a contact, or of a call; else of a contact.

    False if it cannot count: a STOP is taken back by START alone, whatever else somebody says.
    """
    noted: bool = await connection.fetchval(
        "select app.record_consent($1, $2, $3, $4, $5, $6, $7, $8)",
        org_id,
        kind,
        given,
        source,
        contact_id,
        call_id,
        actor.kind,
        actor.id,
    )
    return noted


async def note_call_consent(
    connection: asyncpg.Connection, org_id: UUID, call_id: UUID, word: SpokenConsent
) -> bool:
    """Keep a caller's word, with an audit record. After a no nothing of the call's words is kept, nor what
    was; after a yes, what is said from then on. False if it was noted before.

    The call must be on record.
    """
    noted: bool = await connection.fetchval(
        "select app.note_call_consent($1, $2, $3, $4)", org_id, word.id, call_id, word.given
    )
    return noted


async def withhold_words(connection: asyncpg.Connection, org_id: UUID, call_id: UUID) -> None:
    """Nothing of the call's words is kept from now on, nor what was. The call must be on record."""
    await connection.execute("select app.withhold_words($1, $2)", org_id, call_id)


async def refused_before(
    connection: asyncpg.Connection,
    keys: Keyring,
    org_id: UUID,
    *,
    carrier: str,
    carrier_call_id: str,
    caller: str | None,
) -> bool:
    """Whether a call begins with a no on being recorded: the last word of the contact with this number
    (E.164, if it is shown), or what was said before the media were lost and came back.
    """
    digests = list(keys.digests(org_id, caller)) if caller else []
    refused: bool = await connection.fetchval(
        "select app.refused_before($1, $2, $3, $4)", org_id, carrier, carrier_call_id, digests
    )
    return refused
