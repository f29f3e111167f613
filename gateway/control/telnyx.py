"""Telnyx's call control: the commands that answer a call, open its stream, speak, and end it.

Telnyx docs, "Call commands" (read 2026-11): POST on the call's actions with the API key as bearer token. A
`command_id` makes the same command within a minute count once. Error 90018 says that the call has ended.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp
import msgspec

from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.tenancy.credentials import TelnyxAccount

_ENDED: Final = "90018"


class _Fault(msgspec.Struct):
    code: str = ""


class _Faults(msgspec.Struct):
    errors: list[_Fault] = []


_faults: Final = msgspec.json.Decoder(_Faults, strict=False)


class TelnyxControl:
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

    async def hang_up(self, call_id: str, account: TelnyxAccount) -> None:
        """End the account's call; one that is over already counts as ended. Raises as `order`."""
        await self.order(account, call_id, "hangup", {})

    async def order(
        self, account: TelnyxAccount, call_id: str, action: str, fields: Mapping[str, Any]
    ) -> None:
        """One command for a call; for one that is over it counts as done.

        Raises `CarrierRefused`, or ConnectionError if the carrier does not answer.
        """
        url = f"{self._api_url}/v2/calls/{quote(call_id, safe='')}/actions/{action}"
        headers = {"Authorization": f"Bearer {account.api_key}"}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.post(url, json=dict(fields), headers=headers, allow_redirects=False) as answer,
            ):
                status, body = answer.status, await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._metrics.hang_ups.labels("unreachable").inc()
            raise ConnectionError(type(error).__name__) from None
        if status != HTTPStatus.OK and not _has_ended(status, body):
            self._metrics.hang_ups.labels("refused").inc()
            raise CarrierRefused(status)
        self._metrics.hang_ups.labels("done").inc()


def _has_ended(status: int, body: bytes) -> bool:
    if status != HTTPStatus.UNPROCESSABLE_ENTITY:
        return False
    try:
        return any(fault.code == _ENDED for fault in _faults.decode(body).errors)
    except msgspec.MsgspecError:
        return False
