"""Calls placed as this process does it: by the carrier that the org has chosen, with its own account there or
the process's, and counted.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from booking.errors import CallingNotConfigured
from booking.placing import CallOrder, CarrierCall, Placing
from compliance.errors import VaultError
from compliance.vault import Vault
from gateway.control.twilio_placing import Longest, TwilioPlacing
from gateway.metrics import Metrics
from gateway.placed_address import PlacedAddresses
from gateway.sealing import VaultSealer
from gateway.settings import Settings, Twilio
from gateway.tenancy.credentials import TwilioAccount, credentials_cell, parse_twilio
from pipeline.turn.limits import TurnLimits

# What a call may take beyond its conversation: ringing again for lost media, a machine's message.
_BEYOND_S: Final = 120


@dataclass(frozen=True, slots=True)
class CountedPlacing:
    """Counts how attempts fare. Satisfies `booking.placing.PlacingWatch`."""

    metrics: Metrics

    def attempted(self, carrier: str, outcome: str) -> None:
        self.metrics.calls_placed.labels(carrier, outcome).inc()

    def ended(self, outcome: str) -> None:
        self.metrics.calls_given_up.labels(outcome).inc()


@dataclass(frozen=True, slots=True)
class CarrierDialler:
    """Satisfies `booking.placing.Dialler`: the order names its carrier."""

    vault: Vault
    twilio: TwilioPlacing
    process: Twilio

    async def place(self, order: CallOrder) -> str:
        return await self.twilio.place(self._account(order), order)

    async def find(self, order: CallOrder, *, since: datetime) -> Sequence[CarrierCall]:
        return await self.twilio.find(self._account(order), order, since=since)

    async def look(self, order: CallOrder, carrier_call_id: str) -> CarrierCall | None:
        return await self.twilio.look(self._account(order), carrier_call_id)

    def _account(self, order: CallOrder) -> TwilioAccount:
        """An account that does not open is nobody's: no org calls in another's name by mistake."""
        if order.carrier != "twilio":
            raise CallingNotConfigured(CallingNotConfigured.__doc__)
        if order.sealed is not None:
            return parse_account(self.vault, order.org_id, order.sealed)
        if not self.process.account_sid or not self.process.auth_token:
            raise CallingNotConfigured(CallingNotConfigured.__doc__)
        return TwilioAccount(self.process.account_sid, self.process.auth_token)


def parse_account(vault: Vault, org_id: UUID, sealed: bytes) -> TwilioAccount:
    """Raises `CallingNotConfigured` for what does not open or is no account."""
    try:
        secret = vault.for_org(org_id).open(sealed, credentials_cell("twilio"))
        return parse_twilio(secret.decode())
    except (VaultError, ValueError):
        raise CallingNotConfigured(CallingNotConfigured.__doc__) from None


@asynccontextmanager
async def open_placing(
    settings: Settings, pool: asyncpg.Pool, vault: Vault, metrics: Metrics
) -> AsyncIterator[Placing]:
    """The pool outlives it."""
    addresses = PlacedAddresses(settings.public)
    longest = Longest(call_s=longest_call_s(settings), request_s=settings.waits.hang_up_s)
    async with TwilioPlacing(settings.twilio.api_url, addresses, longest) as at_twilio:
        dialler = CarrierDialler(vault, at_twilio, settings.twilio)
        yield Placing(pool, VaultSealer(vault), dialler, CountedPlacing(metrics))


def longest_call_s(settings: Settings) -> int:
    """After so long the carrier itself ends a placed call, whatever has become of us."""
    told = settings.conversation.get("max_call_s", TurnLimits().max_call_s)
    return int(told) + _BEYOND_S
