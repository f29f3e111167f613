"""Plivo's REST interface: ending a call.

Plivo docs, "Hang up a call" (read 2026-11): DELETE on the call, basic authentication, 204; 404 for one that
is over. Plivo's own package is synchronous, so the one request is made here.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp

from gateway.control.rest import CarrierHttp, Order
from gateway.tenancy.credentials import PlivoAccount

_ENDED: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class PlivoControl:
    """For all accounts."""

    http: CarrierHttp
    api_url: str

    async def hang_up(self, call_id: str, account: PlivoAccount) -> None:
        """End the account's call at the carrier; one that is over already counts as ended.

        Raises `CarrierRefused`, or ConnectionError if the carrier does not answer.
        """
        order = Order(
            "plivo",
            "DELETE",
            f"{self.api_url}/v1/Account/{account.auth_id}/Call/{call_id}/",
            aiohttp.encode_basic_auth(account.auth_id, account.auth_token),
        )
        await self.http.carry_out(order, lambda answered: answered.status in _ENDED)
