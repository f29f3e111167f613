"""The custom voice: what Vapi is about to say, spoken in the clinic's voice, as raw samples.

A request stands alone, whatever else of its call is being said: nothing is known of their order. It is given
up as soon as nobody reads it, at the synthesiser too.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.call import Office
from gateway.errors import OrgUnavailable, VapiRequestInvalid
from gateway.prewarm import PROCESS_KEYS
from gateway.routes.edge import Edge, edge_of
from gateway.routes.forms import body_of
from gateway.routes.streamed import Outcome, Streamed
from gateway.routes.vapi_faults import note_fault
from gateway.routes.vapi_office import office_reached
from gateway.vapi.assistant import VOICE
from gateway.vapi.door import require_likely, vapi_caller
from gateway.vapi.speech_request import SpeechRequest, parse_speech_request

_RAW: Final = {"content-type": "application/octet-stream", "x-accel-buffering": "no"}
_AWAY: Final = 503


async def voice(request: Request) -> Response | Streamed:
    """A `voice-request`. At a bare address a number of nobody's is spoken for in the process's own voice."""
    edge = edge_of(request)
    desk, limits = edge.desk, edge.settings.limits
    asked_s = desk.clock.now_s()
    await require_likely(request, edge)
    body = await body_of(request, edge, limits.vapi_body_bytes)
    signer = await vapi_caller(request, edge, body)
    try:
        asked = parse_speech_request(body, limits.vapi_text_characters)
        office = await office_reached(request, edge, signer, asked.number)
    except VapiRequestInvalid as fault:
        desk.metrics.vapi_served.labels("voice", "invalid").inc()
        return JSONResponse({"error": str(fault)}, 400)
    except OrgUnavailable:
        desk.metrics.vapi_served.labels("voice", "refused").inc()
        return _refusal("org_unavailable")

    def ended(outcome: Outcome) -> None:
        desk.metrics.vapi_served.labels("voice", outcome).inc()

    return Streamed(
        _spoken(edge, office, asked, asked_s),
        _RAW,
        refusal=lambda fault: _refusal(fault.fault),
        on_fault=lambda fault: note_fault(edge, fault, "gave_up"),
        on_end=ended,
        send_s=edge.settings.waits.media_send_s,
    )


async def _spoken(
    edge: Edge, office: Office | None, asked: SpeechRequest, asked_s: float
) -> AsyncGenerator[bytes, None]:
    """Raises `ProviderError`."""
    desk = edge.desk
    clients = desk.clients if office is None else desk.gear(office).clients
    keys = PROCESS_KEYS if office is None else office.keys
    with edge.calls.attended(), clients.lease(keys):
        speaker = clients.pcm(keys, None if office is None else office.profile.voice)
        async with aclosing(speaker.speak(asked.text, asked.rate_hz)) as pieces:
            is_first = True
            async for piece in pieces:
                if is_first:
                    desk.metrics.vapi_first.labels("voice").observe(desk.clock.now_s() - asked_s)
                    is_first = False
                yield piece


def _refusal(fault: str) -> Response:
    """What failed is named in a word; the vendor's own text stays here."""
    return JSONResponse({"error": fault}, _AWAY)


ROUTES = [
    Route(VOICE, voice, methods=["POST"]),
    Route(VOICE + "/{org:uuid}", voice, methods=["POST"]),
]
