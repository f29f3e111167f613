"""Twilio's REST interface through its own SDK: one connection pool for all accounts."""

import logging
from types import TracebackType
from typing import Self

from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client


class TwilioRest:
    """An async context manager, opened inside the running loop."""

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url

    async def __aenter__(self) -> Self:
        # The SDK logs each request with its numbers and words.
        mute = logging.Logger("twilio, unheard", level=logging.CRITICAL)
        self._http = AsyncTwilioHttpClient(logger=mute)
        self.of("unset", "unset")  # imports for 60 ms when first made; not during a call
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    def of(self, account_sid: str, auth_token: str) -> Client:
        """What this account may see and change. Cheap: the connections are shared."""
        # An environment of its own: the SDK would read TWILIO_EDGE and TWILIO_REGION behind our back.
        environment = {"TWILIO_EDGE": ""}
        client = Client(account_sid, auth_token, http_client=self._http, environment=environment)
        client.api.base_url = self._api_url
        return client
