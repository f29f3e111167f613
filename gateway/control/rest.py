"""What carriers' REST interfaces have in common: one connection pool, a deadline, the count of outcomes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp

from gateway.errors import CarrierRefused
from gateway.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Answered:
    """What a carrier answered."""

    status: int
    body: bytes = field(default=b"", repr=False)


class CarrierHttp:
    """For all carriers and accounts; an async context manager, opened inside the running loop.

    No redirect is followed: it would carry the credentials elsewhere.
    """

    def __init__(self, metrics: Metrics, *, timeout_s: float) -> None:
        self._metrics = metrics
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def order(
        self,
        method: str,
        url: str,
        *,
        authorization: str,
        is_done: Callable[[Answered], bool],
        body: Mapping[str, Any] | None = None,
    ) -> Answered:
        """One request, with `body` as JSON; counted.

        Raises `CarrierRefused` for an answer that `is_done` does not take, ConnectionError if there is none.
        """
        try:
            answered = await self._answered(method, url, authorization, body)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._metrics.hang_ups.labels("unreachable").inc()
            raise ConnectionError(type(error).__name__) from None
        if not is_done(answered):
            self._metrics.hang_ups.labels("refused").inc()
            raise CarrierRefused(answered.status)
        self._metrics.hang_ups.labels("done").inc()
        return answered

    async def _answered(
        self, method: str, url: str, authorization: str, body: Mapping[str, Any] | None
    ) -> Answered:
        content = None if body is None else dict(body)
        headers = {"Authorization": authorization}
        async with (
            asyncio.timeout(self._timeout_s),
            self._http.request(method, url, json=content, headers=headers, allow_redirects=False) as answer,
        ):
            return Answered(answer.status, await answer.read())
