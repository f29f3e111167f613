"""Vonage's webhooks: what to do with a call, what to do when its stream is lost, that it has ended.

Each is JSON, signed as a whole; of a GET nothing but its time is signed, so all must come by POST. The
application at Vonage has `/vonage/voice` as its answer address and `/vonage/event` as its event address. The
events of the socket's own leg come to `/vonage/after/` and the org's id; what names the call in them are the
headers that we put into the answer, which come back with the signed body.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.caller import PARAMETER, Ends, open_ends
from gateway.carriers.vonage import CALL_ID, FRAME_MS, ID, VonageCodec
from gateway.carriers.vonage_answers import MEDIA_TYPE, connect_stream, hang_up, say_and_hang_up
from gateway.carriers.vonage_signature import vonage_signer
from gateway.pace import Pace
from gateway.routes.documents import ByDocument
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forgeries import org_told, require_speaker, signer_of
from gateway.routes.forms import body_of, with_plus
from gateway.routes.media import Door
from gateway.routes.ringing import Line, Opening, asked_again, call_over
from gateway.tenancy.accounts import Signer
from gateway.tenancy.credentials import VonageAccount

MEDIA: Final = "/vonage/media"
AFTER: Final = "/vonage/after"
_ATTEMPT: Final = "attempt"
LEAD_S: Final = 4.0
"""How far ahead of playing audio is sent, a fifth of what Vonage holds. A shorter stall is not heard."""

# Vonage docs, "Webhook reference" (read 2026-11).
_OVER: Final = frozenset({"completed", "busy", "cancelled", "failed", "rejected", "timeout", "unanswered"})
# The same, "WebSockets: fallback options". What a leg is told of otherwise needs no answer.
_STREAM_LOST: Final = frozenset(
    {"disconnected", "busy", "cancelled", "failed", "rejected", "timeout", "unanswered"}
)


class _Told(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """What a webhook tells, as far as it matters here."""

    uuid: str | None = None
    from_: str | None = None
    to: str | None = None
    status: str | None = None
    headers: dict[str, Any] | None = None


_decoder: Final = msgspec.json.Decoder(_Told)


@dataclass(frozen=True, slots=True)
class _Event:
    """A webhook whose signature is good."""

    told: _Told
    signer: Signer[VonageAccount]

    @property
    def dialled(self) -> str:
        return with_plus(self.told.to or "")

    @property
    def caller(self) -> str:
        return with_plus(self.told.from_ or "")

    def header(self, name: str) -> str:
        """One of ours, "" if it is not there."""
        value = (self.told.headers or {}).get(name)
        return value if isinstance(value, str) else ""


async def voice(request: Request) -> Response:
    """A call rings."""
    edge = edge_of(request)
    event = await _signed(request, edge)
    ends = Ends.told(event.caller, event.dialled)
    return await _line(edge, event, _call_id(event.told.uuid), ends, event.dialled).rings()


async def after(request: Request) -> Response:
    """What becomes of the socket's leg: if it is lost, what is to be done with the call."""
    edge = edge_of(request)
    event = await _signed(request, edge)
    if event.told.status not in _STREAM_LOST:
        return Response(status_code=204)
    call_id = _call_id(event.header(CALL_ID))
    await require_speaker(request, edge, event.signer, call_id)
    org_id: UUID = request.path_params["org"]
    ends = open_ends(edge.desk.vault, org_id, call_id, event.header(PARAMETER))
    line = _line(edge, event, call_id, ends, ends.dialled)
    return await line.stream_ended(asked_again(event.header(_ATTEMPT)))


async def call_event(request: Request) -> Response:
    """What becomes of a call. Its end ends it here too, whatever became of its socket."""
    edge = edge_of(request)
    event = await _signed(request, edge)
    if event.told.uuid is None:  # an error in an answer of ours, or a kind of event that is of no one call
        return Response(status_code=204)
    call_id = _call_id(event.told.uuid)
    await require_speaker(request, edge, event.signer, call_id)
    if event.told.status in _OVER:
        await call_over(edge, call_id)
    return Response(status_code=204)


async def _signed(request: Request, edge: Edge) -> _Event:
    """Raises 403 unless the org's account signed it, 400, 408 or 413 for what is no reasonable webhook."""
    body = await body_of(request, edge)
    try:
        told = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise HTTPException(400) from None
    authorization = request.headers.get("authorization", "")

    def is_signed_by(account: VonageAccount) -> bool:
        signer = vonage_signer(account.signature_secret, authorization, body, now_s=time.time())
        return signer is not None and signer.application_id == account.application_id

    dialled, call_id = with_plus(told.to or ""), told.uuid or ""
    find_org = partial(org_told, request, edge, dialled, call_id)
    return _Event(told, await signer_of(request, edge, edge.carriers.vonage, is_signed_by, find_org))


def _line(edge: Edge, event: _Event, call_id: str, ends: Ends, dialled: str) -> Line[VonageAccount]:
    opened = partial(_connected, edge, call_id, dialled)
    return Line(
        edge=edge,
        carrier=edge.carriers.vonage,
        answers=ByDocument(MEDIA_TYPE, opened, say_and_hang_up, hang_up),
        signer=event.signer,
        call_id=call_id,
        ends=ends,
        dialled=dialled,
        is_over=False,
    )


def _connected(edge: Edge, call_id: str, dialled: str, opening: Opening) -> str:
    ours: Mapping[str, str] = {
        CALL_ID: call_id,
        _ATTEMPT: str(opening.attempt),
        **opening.parameters,
    }
    return connect_stream(
        edge.settings.media_url(MEDIA + opening.whose),
        event_url=edge.settings.public(f"{AFTER}/{opening.org_id}"),
        dialled=dialled.removeprefix("+"),
        headers=ours,
    )


def _call_id(text: str | None) -> str:
    if text is None or not ID.fullmatch(text):
        raise HTTPException(400)
    return text


def _upgrade_signed(account: VonageAccount, _url: str, headers: Headers) -> bool:
    """Neither its address nor a body is signed: the token of the first frame says whose call it is."""
    authorization = headers.get("authorization", "")
    signer = vonage_signer(account.signature_secret, authorization, None, now_s=time.time())
    return signer is not None and signer.application_id in ("", account.application_id)


def _pace() -> Pace:
    return Pace(FRAME_MS / 1000, LEAD_S)


ROUTES = [
    Route("/vonage/voice", voice, methods=["POST"]),
    Route("/vonage/event", call_event, methods=["POST"]),
    Route(AFTER + "/{org:uuid}", after, methods=["POST"]),
    *Door(MEDIA, lambda edge: edge.carriers.vonage, VonageCodec, _upgrade_signed, _pace).routes(),
]
