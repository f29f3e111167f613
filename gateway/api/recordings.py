"""The sound of calls: which recordings there are, hearing one for a purpose and on record, and the switch."""

from typing import Final
from uuid import UUID

import msgspec
import structlog

from booking.audit import record
from booking.db import org_transaction
from compliance.errors import ReadingRefused, ValueErased, VaultError
from compliance.reading import Reader, Role
from compliance.recordings import (
    Heard,
    RecordingRow,
    State,
    hear_recording,
    may_hear,
    recordings_of,
    records_sound,
    set_sound_recording,
)
from gateway.api.compliance_sealed import ReadingQuery, actor_of
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.ownership import not_visible, require_own
from gateway.api.problems import (
    CONFLICT,
    ERASED,
    FOREIGN,
    INVALID,
    READING_REFUSED,
    UNAVAILABLE,
    UNREADABLE,
    Refused,
)
from gateway.api.reach import ORG_PATH
from gateway.api.roles import roles_in
from gateway.api.views import AwareTime, PageSize
from gateway.errors import RecordingGone, RecordingStoreAway
from gateway.recording.playing import Sound, open_sound
from gateway.recording.store import SoundStore
from gateway.recording.wav import MEDIA_TYPE

log = structlog.get_logger("gateway.api")

_KIND: Final = "recording"
_SWITCH: Final = ORG_PATH + "/sound-recording"


class RecordingsQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Of one call or of one contact's calls; of all, unless told."""

    call_id: UUID | None = None
    contact_id: UUID | None = None
    limit: PageSize = 100


class RecordingView(msgspec.Struct, kw_only=True):
    """One recording. `state`: `recording`, `stored`, `incomplete` (some of it is missing), `deleting`,
    `deleted`.

    `sealed_bytes` lie in the store; `sha256`, in hexadecimal, is theirs, null if it was cut off or is gone.
    """

    id: UUID
    call_id: UUID
    state: State
    started_at: AwareTime
    ended_at: AwareTime | None
    duration_ms: int
    sealed_bytes: int
    sha256: str | None
    deleted_at: AwareTime | None


class RecordingList(msgspec.Struct, kw_only=True):
    """Newest first."""

    items: list[RecordingView]


class SoundForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`records`: whether the sound of calls is recorded, of callers who know and have not refused."""

    records: bool


async def list_recordings(asked: Asked) -> Answer:
    query: RecordingsQuery = asked.query
    if query.call_id is not None and query.contact_id is not None:
        raise Refused(INVALID, detail="give call_id or contact_id")
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        found = await recordings_of(
            connection,
            asked.claim.org_id,
            call_id=query.call_id,
            contact_id=query.contact_id,
            limit=query.limit,
        )
    if not found:
        await require_own(asked, query.call_id, query.contact_id)
    return Answer(200, RecordingList(items=[_view(each) for each in found]))


async def hear(asked: Asked) -> Answer:
    """That it is heard is committed, and its first part opened, before anything is answered."""
    recording_id, query = asked.id("recording_id"), asked.query
    role = _role_for(asked, query.purpose)
    if role is None:
        await _record_refusal(asked, recording_id)
        raise Refused(READING_REFUSED, detail=_KIND)
    heard = await _heard(asked, Reader(actor_of(asked), role, query.purpose), recording_id)
    sound = await _opened(asked, heard)
    return Answer(200, file=sound.file(), headers={"Content-Length": str(sound.length_bytes)})


async def show_switch(asked: Asked) -> Answer:
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        return Answer(200, SoundForm(records=await records_sound(connection, asked.claim.org_id)))


async def put_switch(asked: Asked) -> Answer:
    form: SoundForm = asked.body
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        await set_sound_recording(connection, asked.claim.org_id, actor_of(asked), on=form.records)
    return Answer(200, form)


async def _heard(asked: Asked, reader: Reader, recording_id: UUID) -> Heard:
    async with org_transaction(asked.api.pool, asked.claim) as connection:
        try:
            heard = await hear_recording(connection, asked.claim.org_id, reader, recording_id)
        except ReadingRefused:
            raise Refused(READING_REFUSED, detail=_KIND) from None
    if heard is None:
        raise await not_visible(asked, _KIND, recording_id)
    if heard.state == "recording":
        raise Refused(CONFLICT, detail="the call is not over")
    if heard.state not in ("stored", "incomplete"):
        raise Refused(ERASED, detail=_KIND)
    return heard


async def _opened(asked: Asked, heard: Heard) -> Sound:
    org_id = asked.claim.org_id
    try:
        return await open_sound(_store(asked), asked.api.keys, org_id, heard)
    except ValueErased:
        raise Refused(ERASED, detail=_KIND) from None
    except (VaultError, RecordingGone) as error:
        log.error("sealed_unreadable", kind=_KIND, org=str(org_id), error=type(error).__name__)
        raise Refused(UNREADABLE, detail=_KIND) from None
    except RecordingStoreAway:
        raise Refused(UNAVAILABLE, detail=_KIND) from None


def _store(asked: Asked) -> SoundStore:
    if asked.api.recordings is None:
        raise Refused(UNAVAILABLE, detail="no store of recordings is configured")
    return asked.api.recordings


def _role_for(asked: Asked, purpose: str) -> Role | None:
    """The first of the token's roles that may."""
    return next((role for role in roles_in(asked.principal.scopes) if may_hear(role, purpose)), None)


async def _record_refusal(asked: Asked, recording_id: UUID) -> None:
    await record(
        asked.api.pool,
        asked.claim,
        actor=asked.actor,
        action="read_refused",
        subject_kind=_KIND,
        subject_id=recording_id,
    )


def _view(row: RecordingRow) -> RecordingView:
    return RecordingView(
        id=row.id,
        call_id=row.call_id,
        state=row.state,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_ms=row.duration_ms,
        sealed_bytes=row.sealed_bytes,
        sha256=None if row.sha256 is None else row.sha256.hex(),
        deleted_at=row.deleted_at,
    )


OPERATIONS = (
    Operation(
        name="listRecordings",
        method="GET",
        path="/recordings",
        scope="sealed:read",
        summary="Which recordings there are of a call, of a contact's calls, or of all",
        handler=list_recordings,
        query=RecordingsQuery,
        answers={200: RecordingList},
        problems=(FOREIGN,),
    ),
    Operation(
        name="hearRecording",
        method="GET",
        path="/recordings/{recording_id}/audio",
        scope="sealed:read",
        summary="A recording as a WAV file (mu-law, caller left, agent right); that it is heard is on record",
        handler=hear,
        query=ReadingQuery,
        answers={200: None},
        problems=(READING_REFUSED, CONFLICT, ERASED, UNREADABLE),
        media_type=MEDIA_TYPE,
    ),
    Operation(
        name="getSoundRecording",
        method="GET",
        path=_SWITCH,
        scope="org:read",
        summary="Whether the sound of calls is recorded",
        handler=show_switch,
        answers={200: SoundForm},
    ),
    Operation(
        name="putSoundRecording",
        method="PUT",
        path=_SWITCH,
        scope="org:write",
        summary="Record the sound of calls from now on, or no more; what was recorded stays for its time",
        handler=put_switch,
        body=SoundForm,
        answers={200: SoundForm},
    ),
)
