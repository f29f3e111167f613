"""The links of follow-ups: whoever has one reads the guide it leads to, as long as it is good.

What is opened is counted per link. A forged link is refused by its signature, before the database is asked.
"""

from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from booking.errors import BookingUnavailable
from booking.follow_up_links import PATH
from booking.guides import Opened, open_link
from gateway.routes.edge import edge_of

log = structlog.get_logger("gateway.guides")

_GONE: Final = "This link is no longer good. Please ask the clinic for a new one.\n"
_UNKNOWN: Final = "There is nothing here.\n"
_LATER: Final = "Please try again in a minute.\n"
# Nobody else is to keep, index, frame or guess about it; and where it leads is not told where it came from.
_HEADERS: Final = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


async def guide(request: Request) -> Response:
    """The PDF, or where else the link leads. HEAD does not count as opening."""
    edge = edge_of(request)
    digest = edge.desk.texts.links.digest_in(request.path_params["token"])
    if digest is None:
        edge.metrics.guides.labels("forged").inc()
        return _told(_UNKNOWN, 404)
    try:
        opened = await open_link(edge.desk.pool, digest, count=request.method == "GET")
    except BookingUnavailable:
        edge.metrics.guides.labels("unavailable").inc()
        return _told(_LATER, 503)
    answer, outcome = _answer(opened)
    if outcome == "opened" and request.method == "HEAD":
        outcome = "looked_at"  # as programs do that show what a link leads to
    edge.metrics.guides.labels(outcome).inc()
    return answer


def _answer(opened: Opened | None) -> tuple[Response, str]:
    if opened is None:
        return _told(_UNKNOWN, 404), "unknown"
    if opened.expired:
        return _told(_GONE, 410), "expired"
    if opened.content is not None:
        shown = {"Content-Disposition": 'inline; filename="guide.pdf"', **_HEADERS}
        return Response(opened.content, media_type="application/pdf", headers=shown), "opened"
    if opened.url is not None:
        return Response(status_code=302, headers={"Location": opened.url, **_HEADERS}), "opened"
    return _told(_GONE, 410), "removed"


def _told(sentence: str, status: int) -> Response:
    return PlainTextResponse(sentence, status_code=status, headers=_HEADERS)


ROUTES = [Route(PATH + "{token}", guide, methods=["GET"])]
