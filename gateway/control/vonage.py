"""Vonage's REST interface: ending a call, having it go on with another document.

Vonage docs, "Voice API reference: modify an in-progress call" (read 2026-11): PUT on the call with the
application's token, 204. A call that is over is 404, as projects that use it have seen.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from gateway.control.rest import CarrierHttp, Order
from gateway.tenancy.credentials import VonageAccount
from gateway.vonage_key import application_token

_ENDED: Final = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class VonageControl:
    """For all applications."""

    http: CarrierHttp
    api_url: str

    async def hang_up(self, call_id: str, account: VonageAccount) -> None:
        """End the application's call at the carrier; one that is over already counts as ended.

        Raises `CarrierRefused`, or ConnectionError if the carrier does not answer.
        """
        await self._modify(call_id, account, {"action": "hangup"})

    async def answer_anew(
        self, call_id: str, account: VonageAccount, actions: Sequence[Mapping[str, Any]]
    ) -> None:
        """The call goes on with these actions and no stream; one that is over stays so. Raises as
        `hang_up`.
        """
        destination = {"type": "ncco", "ncco": list(actions)}
        await self._modify(call_id, account, {"action": "transfer", "destination": destination})

    async def _modify(self, call_id: str, account: VonageAccount, change: Mapping[str, Any]) -> None:
        url = f"{self.api_url}/v1/calls/{quote(call_id, safe='')}"
        order = Order("vonage", "PUT", url, bearer(account), change)
        await self.http.carry_out(order, lambda answered: answered.status in _ENDED)


def bearer(account: VonageAccount) -> str:
    """What opens the application's REST now: good for one request."""
    token = application_token(account.application_id, account.private_key, now_s=time.time())
    return f"Bearer {token}"
