"""Which assistant takes a call that reached a number of ours at Vapi: the org's, as its clinic is now.

It is told whole at each call, so that a changed greeting holds at once; what was chosen when the org was set
up at Vapi holds until it is set up anew. While the database is slow or away an org is known as it was looked
up last: its caller is received, and told what cannot be done just now.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from booking.errors import BookingError
from booking.handovers import load_handover_rules
from booking.types import Claim, OrgProfile
from booking.vapi_setups import VapiSetup, load_vapi_setup
from gateway.prompt import system_prompt
from gateway.vapi.assistant import (
    Addresses,
    Choices,
    CredentialIds,
    Tools,
    assistant_payload,
    instructions_said,
    tool_payloads,
)
from gateway.vapi.tools import BESIDES, specs_at_vapi

log = structlog.get_logger("gateway.vapi")


_MOST_REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True)
class _Standing:
    """How an org is set up at Vapi, and whether it puts callers through."""

    setup: VapiSetup
    transfers: bool


@dataclass(frozen=True, slots=True)
class Assistants:
    """Makes them. `public_url`: where Vapi reaches us."""

    pool: asyncpg.Pool
    public_url: str
    _last: OrderedDict[UUID, _Standing] = field(default_factory=OrderedDict, repr=False)

    async def of(
        self, profile: OrgProfile, vapi_id: str, now: datetime, *, within_s: float
    ) -> dict[str, Any] | None:
        """None for an org that is not set up at Vapi. Of one that was looked up before half that time is
        waited. Raises `BookingError`, `TimeoutError`, `VapiSetupRefused`.
        """
        standing = await self._standing(profile.org_id, within_s)
        if standing is None:
            return None
        addresses = Addresses.under(self.public_url, profile.org_id).of_call(vapi_id)
        return assistant_of(profile, standing.setup, addresses, now, transfers=standing.transfers)

    async def _standing(self, org_id: UUID, within_s: float) -> _Standing | None:
        last = self._last.get(org_id)
        try:
            async with asyncio.timeout(within_s if last is None else within_s / 2):
                standing = await self._looked_up(Claim(org_id))
        except (BookingError, TimeoutError) as error:
            if last is None:
                raise
            log.warning("vapi_assistant_remembered", org=str(org_id), error=type(error).__name__)
            return last
        self._remember(org_id, standing)
        return standing

    async def _looked_up(self, claim: Claim) -> _Standing | None:
        setup, rules = await asyncio.gather(
            load_vapi_setup(self.pool, claim), load_handover_rules(self.pool, claim)
        )
        return None if setup is None else _Standing(setup, rules.number is not None)

    def _remember(self, org_id: UUID, standing: _Standing | None) -> None:
        self._last.pop(org_id, None)
        if standing is not None:
            self._last[org_id] = standing
        while len(self._last) > _MOST_REMEMBERED:
            self._last.popitem(last=False)


def assistant_of(
    profile: OrgProfile, setup: VapiSetup, addresses: Addresses, now: datetime, *, transfers: bool
) -> dict[str, Any]:
    """As `assistant` in the answer to an assistant-request."""
    choices = Choices.chosen(setup.choices)
    credentials = CredentialIds(setup.credential_id, setup.model_credential_id)
    if choices.serves_llm:
        return assistant_payload(profile, addresses, credentials, choices, transfers=transfers)
    told = tool_payloads(specs_at_vapi(profile), addresses, credentials, choices)
    instructions = instructions_said(system_prompt(profile, now) + BESIDES)
    return assistant_payload(
        profile,
        addresses,
        credentials,
        choices,
        instructions=instructions,
        tools=Tools(told=told),
        transfers=transfers,
    )
