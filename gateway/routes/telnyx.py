"""Telnyx's webhooks. All come to one address; what is to be done with a call is ordered over REST.

They come twice and in any order: what is ordered carries an id made of the event's, so that the same order
counts once, and a call that is over stays so. The upgrade of the media socket is not signed: its token, which
came back by `client_state`, admits it.
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.placed_calls import AnsweredBy, CarrierWord
from gateway.carriers.telnyx import TelnyxCodec
from gateway.errors import CarrierRefused
from gateway.routes.edge import edge_of
from gateway.routes.forgeries import require_speaker
from gateway.routes.media import Door
from gateway.routes.placed import Leg
from gateway.routes.ringing import asked_again, call_over
from gateway.routes.telnyx_event import MEDIA, TelnyxEvent, signed_event
from gateway.routes.telnyx_handover import RINGING_TONE, HandedLeg, ringing
from gateway.tenancy.credentials import TelnyxAccount

log = structlog.get_logger("gateway.webhooks")

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


async def webhook(request: Request) -> Response:
    """Something happened to a call. A carrier that cannot be given its order is told to come again (503)."""
    edge = edge_of(request)
    event = await signed_event(request, edge)
    await require_speaker(request, edge, event.signer, event.call_id)
    try:
        return await _answered(event)
    except (CarrierRefused, ConnectionError, BookingUnavailable) as error:
        log.warning("order_failed", stream=event.call_id, error=type(error).__name__)
        return Response(status_code=503)


async def _answered(event: TelnyxEvent) -> Response:
    handed = HandedLeg.of(event)
    if handed is not None and (answer := await handed.answered()) is not None:
        return answer
    leg = event.leg()
    if leg is not None:
        return await _of_placed(event, leg)
    match event.kind:
        case "call.initiated" if event.data.payload.direction == "incoming":
            return await event.line().rings()
        case "streaming.stopped" | "streaming.failed":
            return await event.line().stream_ended(asked_again(event.attempt))
        case "call.speak.ended" if event.is_goodbye:
            return await event.orders().hang_up()
        case "call.hangup":
            await call_over(event.edge, event.call_id)
    return Response(status_code=200)


async def _of_placed(event: TelnyxEvent, leg: Leg[TelnyxAccount]) -> Response:
    """The same of a call that the clinic has placed."""
    match event.kind:
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
                return await event.line().stream_ended(asked_again(event.attempt))
        case "call.speak.ended" if event.is_goodbye:
            return await event.orders().hang_up()
        case "call.hangup":
            await leg.is_ours(_ENDED_BY.get(event.data.payload.hangup_cause, "failed"))
            await leg.over()
    return Response(status_code=200)


async def _to_machine(event: TelnyxEvent, leg: Leg[TelnyxAccount]) -> Response:
    """Its greeting is over: it gets the clinic's message without our stream, or nothing. Told once more, as
    when an order was not taken, all is ordered again, under the same ids.
    """
    message = await leg.message("machine")
    if message is None and await leg.is_a_machines():
        message = await leg.spoken_message()
    if message is None:
        return Response(status_code=200)
    orders = replace(event.orders(), event_id=f"{leg.placed_id}-{leg.attempt}-machine")
    if not message:
        return await orders.hang_up()
    try:
        await orders.order("streaming_stop", {})
    except CarrierRefused as refusal:
        if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:  # there is no stream
            raise
    return await orders.say_and_hang_up(message)


def _unsigned(_account: TelnyxAccount, _url: str, _headers: Headers) -> bool:
    """Nobody signs the upgrade: the token alone admits."""
    return True


ROUTES = [
    Route("/telnyx/voice", webhook, methods=["POST"]),
    Route(RINGING_TONE, ringing, methods=["GET"]),
    *Door(MEDIA, lambda edge: edge.carriers.telnyx, TelnyxCodec, _unsigned).routes(),
]
