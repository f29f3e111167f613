"""Callers who are put through over a carrier that tells of it by signed forms, and is answered by documents.

Each form is posted to an address of that very handover.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.handover import HANDOVER
from gateway.routes.forgeries import require_speaker
from gateway.routes.handed_over import Handed
from gateway.routes.ringing import Line, asked_again
from gateway.tenancy.accounts import A, Signer


@dataclass(frozen=True, slots=True)
class HandedForm(Generic[A]):
    """A verified form of one handover. `line`: the caller's own leg, with `Ends.came_back`, which raises 400
    where the form names none; `has_talked`: whether the person has talked with the caller.
    """

    handed: Handed[A]
    signer: Signer[A]
    line: Callable[[], Line[A]]
    has_talked: bool

    async def line_of_speaker(self, request: Request) -> Line[A]:
        """The caller's leg, which is the signer's. Raises 403 for another's."""
        line = self.line()
        await require_speaker(request, self.handed.edge, self.signer, line.call_id)
        return line


@dataclass(frozen=True, slots=True)
class HandedForms(Generic[A]):
    """One carrier's. `told` raises for what is not signed; `said`, `hung_up`: documents for the person."""

    told: Callable[[Request], Awaitable[HandedForm[A]]]
    media_type: str
    said: Callable[[str], str]
    hung_up: Callable[[], str]

    def routes(self, carrier: str) -> list[Route]:
        """`carrier`: its name, as it is in `handover_address`."""
        at = f"/{carrier}{HANDOVER}"
        return [
            Route(at + "/whisper", self._whisper, methods=["POST"]),
            Route(at + "/over", self._over, methods=["POST"]),
            Route(at + "/after", self._after, methods=["POST"]),
        ]

    async def _whisper(self, request: Request) -> Response:
        """The person has picked up, and hears what the caller wants."""
        sentence = await (await self.told(request)).handed.announcement()
        document = self.hung_up() if sentence is None else self.said(sentence)
        return Response(document, media_type=self.media_type)

    async def _over(self, request: Request) -> Response:
        """The person's leg has ended, or there was none."""
        told = await self.told(request)
        return await told.handed.over(await told.line_of_speaker(request), talked=told.has_talked)

    async def _after(self, request: Request) -> Response:
        """The stream of a caller who came back is over."""
        told = await self.told(request)
        return await told.line().stream_ended(asked_again(request.query_params.get("attempt", "0")))
