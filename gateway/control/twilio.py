"""Twilio's REST interface, through its own SDK: ending a call, answering it anew."""

import asyncio
from types import TracebackType
from typing import Any, Final, Self

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException

from booking.twilio_rest import TwilioRest
from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.tenancy.credentials import TwilioAccount

# Twilio docs, "Error 20404", "Error 21220" (read 2026-11): no such call in progress, so it is over.
_OVER: Final = frozenset({20404, 21220})


class TwilioControl:
    """One connection pool for all accounts; an async context manager, opened inside the running loop."""

    def __init__(self, api_url: str, metrics: Metrics, *, timeout_s: float) -> None:
        self._rest = TwilioRest(api_url)
        self._metrics = metrics
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        await self._rest.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rest.__aexit__(kind, error, trace)

    async def hang_up(self, call_id: str, account: TwilioAccount) -> None:
        """End the account's call at the carrier; one that is over already counts as ended. An account without
        an id, which only the local bench has, has no calls at the carrier.

        Raises `CarrierRefused`, or TimeoutError and OSError if the carrier does not answer.
        """
        await self._update(call_id, account, status="completed")

    async def answer_anew(self, call_id: str, account: TwilioAccount, document: str) -> None:
        """The call goes on with this TwiML and no stream; one that is over stays so. Raises as `hang_up`."""
        await self._update(call_id, account, twiml=document)

    async def limit(self, call_id: str, account: TwilioAccount, longest_s: int) -> None:
        """Twilio itself ends the call when it has lasted so long. Raises as `hang_up`.

        Twilio docs, "Update a Call resource: TimeLimit" (read 2026-11).
        """
        await self._update(call_id, account, time_limit=longest_s)

    async def _update(self, call_id: str, account: TwilioAccount, **change: Any) -> None:
        if not account.account_sid:
            return
        try:
            async with asyncio.timeout(self._timeout_s):
                client = self._rest.of(account.account_sid, account.auth_token)
                await client.calls(call_id).update_async(**change)
        except TwilioRestException as refusal:
            if refusal.code not in _OVER:
                self._metrics.carrier_requests.labels("twilio", "refused").inc()
                raise CarrierRefused(refusal.status) from None
        except (TwilioException, aiohttp.ClientError, OSError, TimeoutError) as error:
            self._metrics.carrier_requests.labels("twilio", "unreachable").inc()
            raise ConnectionError(type(error).__name__) from None
        self._metrics.carrier_requests.labels("twilio", "done").inc()
