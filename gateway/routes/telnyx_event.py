"""Telnyx's webhooks as they come, and the orders that answer them.

Each is JSON with an Ed25519 signature that covers its time. What we put into a call comes back by its
`client_state`, inside what is signed: who calls whom, of which Telnyx tells at a call's beginning alone, the
attempt of a call that we placed, and where a call stands that is being put through.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from booking.values import E164
from gateway.caller import Ends
from gateway.carriers.telnyx import CALL_ID, client_state, told_by_state
from gateway.carriers.telnyx_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, telnyx_signed
from gateway.placed_address import placed_state, read_placed
from gateway.routes.edge import Edge
from gateway.routes.forgeries import org_told, signer_of
from gateway.routes.forms import body_of
from gateway.routes.placed import Leg
from gateway.routes.ringing import Line, Opening
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import TelnyxAccount

MEDIA: Final = "/telnyx/media"
VOICE: Final = "Telnyx.KokoroTTS.af"
FROM, TO = "from", "to"
GOODBYE: Final = "goodbye"
BACK: Final = "back"
CLINIC: Final = "clinic"
_ATTEMPT: Final = "attempt"
_YES: Final = "1"
_RINGS: Final = "call.initiated"
_EVENT_ID: Final = re.compile(r"[0-9A-Za-z\-]{1,64}")


class _Payload(msgspec.Struct, rename={"from_": "from"}):
    call_control_id: str = ""
    direction: str = ""
    from_: str = ""
    to: str = ""
    client_state: str | None = None
    result: str = ""
    hangup_cause: str = ""


class _Data(msgspec.Struct):
    event_type: str
    id: str
    payload: _Payload


class _Webhook(msgspec.Struct):
    data: _Data


_decoder: Final = msgspec.json.Decoder(_Webhook)


@dataclass(frozen=True, slots=True)
class TelnyxEvent:
    """A webhook whose signature is good. `state`: what we had put into the call."""

    edge: Edge
    data: _Data
    signer: Signer[TelnyxAccount]
    state: Mapping[str, str]

    @property
    def kind(self) -> str:
        return self.data.event_type

    @property
    def call_id(self) -> str:
        return self.data.payload.call_control_id

    @property
    def attempt(self) -> str:
        """How often its stream was asked for again."""
        return self.state.get(_ATTEMPT, "0")

    @property
    def is_goodbye(self) -> bool:
        return self.state.get(GOODBYE) == _YES

    def leg(self) -> Leg[TelnyxAccount] | None:
        """None for a call that came in."""
        placed = read_placed(self.state)
        if placed is None or not self.signer.speaks_for(placed[0]):
            return None
        return Leg(self.edge, self.edge.carriers.telnyx, self.signer, *placed, self.call_id)

    def line(self) -> Line[TelnyxAccount]:
        return self.line_of(self.call_id, self.told, came_back=self.state.get(BACK) == _YES)

    def line_of(self, call_id: str, told: Mapping[str, str], *, came_back: bool) -> Line[TelnyxAccount]:
        """The caller's own, also if what is told is of another leg. `told`: as in `told`."""
        placed = read_placed(told)
        is_ours = placed is not None and self.signer.speaks_for(placed[0])
        caller, called = (told.get(name, "") for name in ((TO, FROM) if is_ours else (FROM, TO)))
        dialled = called if E164.fullmatch(called) else ""
        back = {BACK: _YES} if came_back else {}
        placed_id = placed[1] if placed is not None and is_ours else None
        return Line(
            edge=self.edge,
            carrier=self.edge.carriers.telnyx,
            answers=replace(self.orders(), call_id=call_id, told={**told, **back}),
            signer=self.signer,
            call_id=call_id,
            ends=replace(Ends.told(caller, dialled), placed_id=placed_id, came_back=came_back),
            dialled=dialled,
            is_over=False,
        )

    @property
    def told(self) -> Mapping[str, str]:
        """What is known of the call, to be told on."""
        from_, to = _numbers(self.data.payload)
        placed = read_placed(self.state)
        return {FROM: from_, TO: to} | ({} if placed is None else placed_state(*placed))

    def orders(self) -> "TelnyxOrders":
        """For the call that the event is of."""
        return TelnyxOrders(
            self.edge, self.signer, self.call_id, self.data.id, self.told, is_new=self.kind == _RINGS
        )


@dataclass(frozen=True, slots=True)
class TelnyxOrders:
    """What an event makes us order for a call. Satisfies `gateway.routes.ringing.Answers`.

    `is_new`: it is not answered yet.
    """

    edge: Edge
    signer: Signer[TelnyxAccount]
    call_id: str
    event_id: str
    told: Mapping[str, str]
    is_new: bool

    async def connect(self, opening: Opening) -> Response:
        """The first time the call is answered with its stream; later a stream is opened in it."""
        told = {**opening.parameters, _ATTEMPT: str(opening.attempt), **self.told}
        stream = {
            "stream_url": self.edge.settings.media_url(MEDIA + opening.whose),
            "stream_track": "inbound_track",
            "stream_codec": "PCMU",
            "stream_bidirectional_mode": "rtp",
            "stream_bidirectional_codec": "PCMU",
            "client_state": client_state(told),
        }
        return await self.order("answer" if self.is_new else "streaming_start", stream)

    async def say_and_hang_up(self, sentence: str) -> Response:
        """Told when it has been spoken, we hang up."""
        if self.is_new:
            await self.order("answer", {})
        return await self.say(sentence, {GOODBYE: _YES, **self.told})

    async def say(self, sentence: str, state: Mapping[str, str]) -> Response:
        """In the carrier's own voice."""
        spoken = {"payload": sentence, "voice": VOICE, "client_state": client_state(state)}
        return await self.order("speak", spoken)

    async def hang_up(self) -> Response:
        return await self.order("hangup", {})

    async def order(self, action: str, fields: dict[str, Any]) -> Response:
        """Once for this event, whenever that comes again. Raises as `TelnyxControl.order`."""
        once = {"command_id": f"{self.event_id}-{action}"}
        orders = self.edge.carriers.telnyx_orders
        await orders.order(self.signer.account, self.call_id, action, fields | once)
        return Response(status_code=200)


async def signed_event(request: Request, edge: Edge) -> TelnyxEvent:
    """Raises 403 unless the org's account signed it, 400, 408 or 413 for what is no reasonable webhook."""
    body = await body_of(request, edge)
    try:
        data = _decoder.decode(body).data
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise HTTPException(400) from None
    headers = request.headers

    def is_signed_by(account: TelnyxAccount) -> bool:
        timestamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
        return telnyx_signed(account.public_key, timestamp, body, signature, now_s=time.time())

    payload = data.payload
    state = told_by_state(payload.client_state)
    dialled = "" if payload.direction == "outgoing" else _numbers(payload)[1]  # whom we ring is no clinic

    async def told() -> UUID | None:
        return _named(state) or await org_told(request, edge, dialled, payload.call_control_id)

    signer = await signer_of(request, edge, edge.carriers.telnyx, is_signed_by, told)
    if not _EVENT_ID.fullmatch(data.id):
        raise HTTPException(400)
    if payload.call_control_id and not CALL_ID.fullmatch(payload.call_control_id):
        raise HTTPException(400)
    return TelnyxEvent(edge, data, signer, state)


def _named(state: Mapping[str, str]) -> UUID | None:
    """The org that our own state names: of a call that it placed, or that is being put through."""
    placed = read_placed(state)
    if placed is not None:
        return placed[0]
    try:
        return UUID(hex=state[CLINIC])
    except (KeyError, ValueError):
        return None


def _numbers(payload: _Payload) -> tuple[str, str]:
    """From and to. Telnyx tells them of a call, but not of its streams and of what was spoken in it: there
    they come back in our own state.
    """
    state = told_by_state(payload.client_state)
    return payload.from_ or state.get(FROM, ""), payload.to or state.get(TO, "")
