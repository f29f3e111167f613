"""Which assistant takes a call that reached a number of ours at Vapi: the org's, as its clinic is now.

It is told whole at each call, so that a changed greeting holds at once; what was chosen when the org was set
up at Vapi holds until it is set up anew.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

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


@dataclass(frozen=True, slots=True)
class Assistants:
    """Makes them. `public_url`: where Vapi reaches us."""

    pool: asyncpg.Pool
    public_url: str

    async def of(self, profile: OrgProfile, vapi_id: str, now: datetime) -> dict[str, Any] | None:
        """None for an org that is not set up at Vapi. Raises `BookingError`, `VapiSetupRefused`."""
        claim = Claim(profile.org_id)
        setup, rules = await asyncio.gather(
            load_vapi_setup(self.pool, claim), load_handover_rules(self.pool, claim)
        )
        if setup is None:
            return None
        addresses = Addresses.under(self.public_url, profile.org_id).of_call(vapi_id)
        return assistant_of(profile, setup, addresses, now, transfers=rules.number is not None)


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
