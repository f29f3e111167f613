"""The simulated caller's own telephone: reads the codes that were texted to it, and types them.

It asks the account's REST interface for its messages, as nobody but the account and the receiver could.
Where a real account is given there is nothing to read, and the caller goes on without a code.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import aiohttp

_CODE = re.compile(r"\b[0-9]{6}\b")
_LIMIT = aiohttp.ClientTimeout(total=2.0)


@dataclass(slots=True)
class Phone:
    """`url`: the simulated REST interface, None if there is none. Messages of earlier calls are not read."""

    number: str
    url: str | None
    account_sid: str
    auth_token: str = field(repr=False)
    _read: set[str] = field(default_factory=set)

    async def unread_code(self) -> str | None:
        """The code in a message that came since the last look; None if none did."""
        codes = [found[0] for message in await self._new() if (found := _CODE.search(message["body"]))]
        return codes[0] if codes else None

    async def _new(self) -> list[dict[str, Any]]:
        """Newest first."""
        new = [message for message in await self._messages() if message["sid"] not in self._read]
        self._read.update(message["sid"] for message in new)
        return new

    async def _messages(self) -> list[dict[str, Any]]:
        if self.url is None:
            return []
        address = f"{self.url}/2010-04-01/Accounts/{self.account_sid}/Messages.json"
        auth = {"Authorization": aiohttp.encode_basic_auth(self.account_sid, self.auth_token)}
        async with (
            aiohttp.ClientSession(timeout=_LIMIT) as http,
            http.get(address, params={"To": self.number}, headers=auth) as answer,
        ):
            answer.raise_for_status()
            listed = await answer.json()
        messages: list[dict[str, Any]] = listed["messages"]
        return messages
