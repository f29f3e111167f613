"""Vonage's REST interface: ending a call.

Vonage docs, "Voice API reference: modify an in-progress call" (read 2026-11): PUT on the call with the
application's token, 204. A call that is over is 404, as projects that use it have seen.
"""

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

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
        token = application_token(account.application_id, account.private_key, now_s=time.time())
        url = f"{self.api_url}/v1/calls/{call_id}"
        order = Order("vonage", "PUT", url, f"Bearer {token}", {"action": "hangup"})
        await self.http.carry_out(order, lambda answered: answered.status in _ENDED)
