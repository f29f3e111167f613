"""Calls that are answered by documents, in the body of the answer to a webhook."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import Response

from gateway.routes.ringing import Opening


@dataclass(frozen=True, slots=True)
class ByDocument:
    """One carrier's documents, as text. Satisfies `gateway.routes.ringing.Answers`."""

    media_type: str
    opened: Callable[[Opening], str]
    said: Callable[[str], str]
    hung_up: Callable[[], str]

    async def connect(self, opening: Opening) -> Response:
        return self._answer(self.opened(opening))

    async def say_and_hang_up(self, sentence: str) -> Response:
        return self._answer(self.said(sentence))

    async def hang_up(self) -> Response:
        return self._answer(self.hung_up())

    def _answer(self, document: str) -> Response:
        return Response(document, media_type=self.media_type)
