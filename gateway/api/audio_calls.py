"""Calls that the clinic's own client brings, over the raw audio socket: announced here."""

from typing import Annotated, Literal

import msgspec

from gateway.api.operations import Answer, Asked, Operation
from gateway.api.problems import CONFLICT, INVALID, UNAVAILABLE, Refused
from gateway.api.views import ENDS, PhoneNumber
from gateway.caller import PARAMETER
from gateway.errors import AudioCallOver, AudioCallUnknown, NoRoom

CallId = Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z.]{1,64}" + ENDS)]


class AudioCallForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`caller`: who calls, if that is known. `call_id`: of an earlier call, whose socket was lost."""

    caller: PhoneNumber | None = None
    call_id: CallId | None = None


class AudioStart(msgspec.Struct, kw_only=True):
    """The socket's first frame. The token in it opens one socket, within TOKEN_S."""

    type: Literal["start"]
    call_id: str
    token: str
    parameters: dict[str, str]

    def __repr__(self) -> str:
        return f"AudioStart(call_id={self.call_id!r})"


class AudioCallView(msgspec.Struct, kw_only=True):
    """Connect to `url`, send `start` first, with `encoding` and `sample_rate` added where they are others."""

    call_id: str
    url: str
    start: AudioStart


async def announce(asked: Asked) -> Answer:
    form: AudioCallForm = asked.body
    try:
        call = await asked.api.audio_calls.announce(asked.principal.org_id, form.caller, form.call_id)
    except AudioCallUnknown:
        raise Refused(INVALID, pointer="$.call_id", detail="is no call of this clinic's") from None
    except AudioCallOver:
        raise Refused(CONFLICT, detail="the call has ended") from None
    except NoRoom as full:
        asked.api.metrics.refused.labels(full.reason).inc()
        raise Refused(UNAVAILABLE) from None
    start = AudioStart(
        type="start", call_id=call.call_id, token=call.token, parameters={PARAMETER: call.ends}
    )
    return Answer(201, AudioCallView(call_id=call.call_id, url=call.url, start=start))


OPERATIONS = (
    Operation(
        name="announceAudioCall",
        method="POST",
        path="/audio-calls",
        scope="calls:stream",
        summary="Announce a call whose audio the clinic's own client brings; how to open its socket",
        handler=announce,
        body=AudioCallForm,
        answers={201: AudioCallView},
        problems=(CONFLICT,),
    ),
)
