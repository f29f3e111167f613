"""Twilio's webhooks of callers who are put through: the person has picked up, or the caller is back.

Each is a form post to an address of that very handover, verified before anything is done with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.caller import Ends
from gateway.carriers.answers import (
    MEDIA_TYPE,
    connect_stream,
    hang_up,
    put_through,
    say,
    say_and_hang_up,
)
from gateway.control.twilio import TwilioControl
from gateway.handover import (
    HANDOVER,
    PUTTING_THROUGH,
    HandoverAddress,
    HandoverOrder,
    handover_address,
)
from gateway.routes.documents import ByDocument
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import require_speaker
from gateway.routes.handed_over import Handed
from gateway.routes.ringing import Line, Opening, asked_again
from gateway.routes.twilio import MEDIA, OVER, STATUS, SignedForm, call_id_in, signed_form
from gateway.settings import Settings
from gateway.tenancy.credentials import TwilioAccount

_AT: Final = "/twilio" + HANDOVER
# Twilio docs, "TwiML <Dial>: DialCallStatus" (read 2026-11): whoever was dialled has talked with the caller.
_TALKED: Final = frozenset({"completed", "answered"})


@dataclass(frozen=True, slots=True)
class TwilioHandover:
    """Satisfies what `Carrier.hand_over` is: the call goes on with a document that dials the person."""

    control: TwilioControl
    settings: Settings

    async def order(self, call_id: str, account: TwilioAccount, order: HandoverOrder) -> None:
        """Raises as `TwilioControl.hang_up`."""
        at = handover_address(self.settings.public, "twilio", order.org_id, order.handover_id)
        document = put_through(
            PUTTING_THROUGH,
            order.number,
            over_url=at.over,
            whisper_url=at.whisper,
            ring_s=order.ring_s,
            longest_s=order.longest_s,
        )
        await self.control.answer_anew(call_id, account, document)


@dataclass(frozen=True, slots=True)
class _Told:
    """A verified webhook of one handover."""

    edge: Edge
    signed: SignedForm
    handed: Handed[TwilioAccount]

    @property
    def form(self) -> Mapping[str, str]:
        return self.signed.fields

    @property
    def has_talked(self) -> bool:
        """Twilio's word counts: whoever picks up may hang up before they have talked with the caller."""
        return self.form.get("DialCallStatus") in _TALKED and self.form.get("DialBridged") != "false"

    def line(self) -> Line[TwilioAccount]:
        """The caller's own leg. Of a call that the clinic placed, the caller is whoever was called."""
        edge, form, handed = self.edge, self.form, self.handed
        is_placed = form.get("Direction", "").startswith("outbound")
        caller, dialled = (form.get(name, "") for name in (("To", "From") if is_placed else ("From", "To")))
        at = handover_address(edge.settings.public, "twilio", handed.org_id, handed.handover_id)
        return Line(
            edge=edge,
            carrier=edge.carriers.twilio,
            answers=ByDocument(MEDIA_TYPE, partial(_connected, edge.settings, at), say_and_hang_up, hang_up),
            signer=self.signed.signer,
            call_id=call_id_in(form),
            ends=replace(Ends.told(caller, dialled), came_back=True),
            dialled=dialled,
            is_over=form.get("CallStatus") in OVER,
        )


async def whisper(request: Request) -> Response:
    """The person has picked up, and hears what the caller wants."""
    told = await _told(request)
    sentence = await told.handed.announcement()
    return Response(hang_up() if sentence is None else say(sentence), media_type=MEDIA_TYPE)


async def over(request: Request) -> Response:
    """The person's leg has ended, or there was none."""
    told = await _told(request)
    line = told.line()
    await require_speaker(request, told.edge, told.signed.signer, line.call_id)
    return await told.handed.over(line, talked=told.has_talked)


async def after(request: Request) -> Response:
    """The stream of a caller who came back is over."""
    told = await _told(request)
    return await told.line().stream_ended(asked_again(request.query_params.get("attempt", "0")))


async def _told(request: Request) -> _Told:
    edge = edge_of(request)
    signed = await signed_form(request, edge)
    path = request.path_params
    return _Told(edge, signed, Handed(edge, path["org"], path["handover"]))


def _connected(settings: Settings, at: HandoverAddress, opening: Opening) -> str:
    return connect_stream(
        settings.media_url(MEDIA + opening.whose),
        action_url=f"{at.after}?attempt={opening.attempt}",
        status_url=settings.public(STATUS + opening.whose),
        parameters=opening.parameters,
    )


ROUTES = [
    Route(_AT + "/whisper", whisper, methods=["POST"]),
    Route(_AT + "/over", over, methods=["POST"]),
    Route(_AT + "/after", after, methods=["POST"]),
]
