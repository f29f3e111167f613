"""Telnyx's webhooks. All come to one address; what is to be done with a call is ordered over REST.

Each is JSON with an Ed25519 signature that covers its time. They come twice and in any order: what is ordered
carries an id made of the event's, so that the same order counts once, and a call that is over stays so. The
upgrade of the media socket is not signed: its token, which came back by `client_state`, admits it.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.placed_calls import AnsweredBy, CarrierWord
from gateway.caller import Ends
from gateway.carriers.telnyx import CALL_ID, TelnyxCodec, client_state, told_by_state
from gateway.carriers.telnyx_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, telnyx_signed
from gateway.errors import CarrierRefused
from gateway.placed_address import placed_state, read_placed
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import org_told, require_speaker, signer_of
from gateway.routes.forms import E164, body_of
from gateway.routes.media import Door
from gateway.routes.placed import Leg
from gateway.routes.ringing import Line, Opening, asked_again, call_over
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import TelnyxAccount

log = structlog.get_logger("gateway.webhooks")

MEDIA: Final = "/telnyx/media"
VOICE: Final = "Telnyx.KokoroTTS.af"
_EVENT_ID: Final = re.compile(r"[0-9A-Za-z\-]{1,64}")
_ATTEMPT: Final = "attempt"
_FROM, _TO = "from", "to"
_GOODBYE: Final = "goodbye"
# Telnyx docs, "Answering machine detection", "Hangup causes" (read 2026-11).
_NO_MACHINE: Final[Mapping[str, AnsweredBy]] = {"human": "human", "not_sure": "unknown"}
_ENDED_BY: Final[Mapping[str, CarrierWord]] = {
    "normal_clearing": "ended",
    "time_limit": "ended",
    "user_busy": "busy",
    "call_rejected": "busy",
    "timeout": "no_answer",
    "no_answer": "no_answer",
    "originator_cancel": "cancelled",
}


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
class _Event:
    """A webhook whose signature is good."""

    edge: Edge
    data: _Data
    signer: Signer[TelnyxAccount]

    @property
    def call_id(self) -> str:
        return self.data.payload.call_control_id

    def state(self, name: str) -> str:
        return told_by_state(self.data.payload.client_state).get(name, "")

    @property
    def placed(self) -> tuple[UUID, UUID, int] | None:
        """Of a call that the clinic has placed."""
        return read_placed(told_by_state(self.data.payload.client_state))

    @property
    def told(self) -> Mapping[str, str]:
        """What is known of the call, to be told on."""
        from_, to = _numbers(self.data.payload)
        placed = self.placed
        return {_FROM: from_, _TO: to} | ({} if placed is None else placed_state(*placed))

    def leg(self) -> Leg[TelnyxAccount] | None:
        """None for a call that came in."""
        placed = self.placed
        if placed is None or not self.signer.speaks_for(placed[0]):
            return None
        return Leg(self.edge, self.edge.carriers.telnyx, self.signer, *placed, self.call_id)

    def line(self) -> Line[TelnyxAccount]:
        leg, (from_, to) = self.leg(), _numbers(self.data.payload)
        caller, called = (from_, to) if leg is None else (to, from_)
        dialled = called if E164.fullmatch(called) else ""
        ends = Ends.told(caller, dialled)
        return Line(
            edge=self.edge,
            carrier=self.edge.carriers.telnyx,
            answers=_Answers(self),
            signer=self.signer,
            call_id=self.call_id,
            ends=Ends(ends.caller, ends.dialled, None if leg is None else leg.placed_id),
            dialled=dialled,
            is_over=False,
        )


async def webhook(request: Request) -> Response:
    """Something happened to a call. A carrier that cannot be given its order is told to come again (503)."""
    edge = edge_of(request)
    event = await _verified(request, edge)
    await require_speaker(request, edge, event.signer, event.call_id)
    try:
        return await _answered(event)
    except (CarrierRefused, ConnectionError, BookingUnavailable) as error:
        log.warning("order_failed", stream=event.call_id, error=type(error).__name__)
        return Response(status_code=503)


async def _answered(event: _Event) -> Response:
    leg = event.leg()
    if leg is not None:
        return await _of_placed(event, leg)
    match event.data.event_type:
        case "call.initiated" if event.data.payload.direction == "incoming":
            return await event.line().rings()
        case "streaming.stopped" | "streaming.failed":
            return await event.line().stream_ended(asked_again(event.state(_ATTEMPT)))
        case "call.speak.ended" if event.state(_GOODBYE):
            return await _Answers(event).hang_up()
        case "call.hangup":
            await call_over(event.edge, event.call_id)
    return Response(status_code=200)


async def _of_placed(event: _Event, leg: Leg[TelnyxAccount]) -> Response:
    """The same of a call that the clinic has placed."""
    match event.data.event_type:
        case "call.initiated":
            await leg.is_ours("ringing")
        case "call.answered":
            if await leg.is_ours("talking"):
                return await event.line().rings()
        case "call.machine.detection.ended" if event.data.payload.result in _NO_MACHINE:
            await leg.message(_NO_MACHINE[event.data.payload.result])
        case "call.machine.greeting.ended":
            return await _to_machine(event, leg)
        case "streaming.stopped" | "streaming.failed":
            if not await leg.is_a_machines():
                return await event.line().stream_ended(asked_again(event.state(_ATTEMPT)))
        case "call.speak.ended" if event.state(_GOODBYE):
            return await _Answers(event).hang_up()
        case "call.hangup":
            await leg.is_ours(_ENDED_BY.get(event.data.payload.hangup_cause, "failed"))
            await leg.over()
    return Response(status_code=200)


async def _to_machine(event: _Event, leg: Leg[TelnyxAccount]) -> Response:
    """Its greeting is over: it gets the clinic's message without our stream, or nothing."""
    message = await leg.message("machine")
    if message is None:
        return Response(status_code=200)
    if not message:
        return await _Answers(event).hang_up()
    await _Answers(event).order("streaming_stop", {})
    return await _Answers(event).say_and_hang_up(message)


@dataclass(frozen=True, slots=True)
class _Answers:
    """By orders. Satisfies `gateway.routes.ringing.Answers`."""

    event: _Event

    async def connect(self, opening: Opening) -> Response:
        """The first time the call is answered with its stream; later a stream is opened in it."""
        event = self.event
        told = {**opening.parameters, _ATTEMPT: str(opening.attempt), **event.told}
        stream = {
            "stream_url": event.edge.settings.media_url(MEDIA + opening.whose),
            "stream_track": "inbound_track",
            "stream_codec": "PCMU",
            "stream_bidirectional_mode": "rtp",
            "stream_bidirectional_codec": "PCMU",
            "client_state": client_state(told),
        }
        is_new = opening.attempt == 0 and event.placed is None
        return await self.order("answer" if is_new else "streaming_start", stream)

    async def say_and_hang_up(self, sentence: str) -> Response:
        """Told when it has been spoken, we hang up."""
        if self.event.data.event_type == "call.initiated":
            await self.order("answer", {})
        state = client_state({_GOODBYE: "1", **self.event.told})
        return await self.order("speak", {"payload": sentence, "voice": VOICE, "client_state": state})

    async def hang_up(self) -> Response:
        return await self.order("hangup", {})

    async def order(self, action: str, fields: dict[str, Any]) -> Response:
        event = self.event
        once = {"command_id": f"{event.data.id}-{action}"}
        await event.edge.carriers.telnyx_orders.order(
            event.signer.account, event.call_id, action, fields | once
        )
        return Response(status_code=200)


async def _verified(request: Request, edge: Edge) -> _Event:
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
    dialled = (
        "" if payload.direction == "outgoing" else _numbers(payload)[1]
    )  # who is rung by us is no clinic
    placed = read_placed(told_by_state(payload.client_state))

    async def told() -> UUID | None:
        return placed[0] if placed else await org_told(request, edge, dialled, payload.call_control_id)

    signer = await signer_of(request, edge, edge.carriers.telnyx, is_signed_by, told)
    if not _EVENT_ID.fullmatch(data.id):
        raise HTTPException(400)
    if data.payload.call_control_id and not CALL_ID.fullmatch(data.payload.call_control_id):
        raise HTTPException(400)
    return _Event(edge, data, signer)


def _numbers(payload: _Payload) -> tuple[str, str]:
    """From and to. Telnyx tells them of a call, but not of its streams and of what was spoken in it: there
    they come back in our own state.
    """
    state = told_by_state(payload.client_state)
    return payload.from_ or state.get(_FROM, ""), payload.to or state.get(_TO, "")


def _unsigned(_account: TelnyxAccount, _url: str, _headers: Headers) -> bool:
    """Nobody signs the upgrade: the token alone admits."""
    return True


ROUTES = [
    Route("/telnyx/voice", webhook, methods=["POST"]),
    *Door(MEDIA, lambda edge: edge.carriers.telnyx, TelnyxCodec, _unsigned).routes(),
]
