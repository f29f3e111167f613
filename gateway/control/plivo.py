"""Plivo's REST interface: ending a call, answering it anew.

Plivo docs, "Authentication", "Hang up a call", "Transfer a call" (read 2026-11): basic authentication; DELETE
on the call is answered with 204, POST of a new answer address for its leg with 202; 404 for a call that is
over. Plivo's own package is synchronous, so the requests are made here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from gateway.control.rest import CarrierHttp, Order
from gateway.tenancy.credentials import PlivoAccount

_ENDED: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND})
_TAKEN: Final = frozenset({HTTPStatus.ACCEPTED, HTTPStatus.NOT_FOUND})


@dataclass(frozen=True, slots=True)
class PlivoControl:
    """For all accounts."""

    http: CarrierHttp
    api_url: str

    async def hang_up(self, call_id: str, account: PlivoAccount) -> None:
        """End the account's call at the carrier; one that is over already counts as ended.

        Raises `CarrierRefused`, or ConnectionError if the carrier does not answer.
        """
        order = plivo_order(self.api_url, account, "DELETE", f"Call/{quote(call_id, safe='')}/")
        await self.http.carry_out(order, lambda answered: answered.status in _ENDED)

    async def answer_anew(self, call_id: str, account: PlivoAccount, url: str) -> None:
        """The call goes on with the document that `url` answers, and no stream; one that is over stays so.
        Raises as `hang_up`.
        """
        body = {"legs": "aleg", "aleg_url": url, "aleg_method": "POST"}
        order = plivo_order(self.api_url, account, "POST", f"Call/{quote(call_id, safe='')}/", body)
        await self.http.carry_out(order, lambda answered: answered.status in _TAKEN)


def plivo_order(
    api_url: str, account: PlivoAccount, method: str, path: str, body: Mapping[str, Any] | None = None
) -> Order:
    """One request on a resource of the account's. `path` ends with a slash, but for its query."""
    authorization = aiohttp.encode_basic_auth(account.auth_id, account.auth_token)
    return Order("plivo", method, f"{api_url}/v1/Account/{account.auth_id}/{path}", authorization, body)
