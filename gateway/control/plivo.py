"""Plivo's REST interface: ending a call.

Plivo docs, "Hang up a call" (read 2026-11): DELETE on the call, basic authentication, 204; 404 for one that
is over. Plivo's own package is synchronous, so the one request is made here.
"""

import asyncio
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import aiohttp

from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.tenancy.credentials import PlivoAccount

_ENDED: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND})


class PlivoControl:
    """One connection pool for all accounts; an async context manager, opened inside the running loop."""

    def __init__(self, api_url: str, metrics: Metrics, *, timeout_s: float) -> None:
        self._api_url = api_url
        self._metrics = metrics
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def hang_up(self, call_id: str, account: PlivoAccount) -> None:
        """End the account's call at the carrier; one that is over already counts as ended.

        Raises `CarrierRefused`, or ConnectionError if the carrier does not answer.
        """
        url = f"{self._api_url}/v1/Account/{account.auth_id}/Call/{call_id}/"
        headers = {"Authorization": aiohttp.encode_basic_auth(account.auth_id, account.auth_token)}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.delete(url, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._metrics.hang_ups.labels("unreachable").inc()
            raise ConnectionError(type(error).__name__) from None
        if status not in _ENDED:
            self._metrics.hang_ups.labels("refused").inc()
            raise CarrierRefused(status)
        self._metrics.hang_ups.labels("done").inc()
