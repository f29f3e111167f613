"""Calls placed as this process does it: by the carrier that the org has chosen, with its own account there or
the process's, and counted.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from booking.errors import CallingNotConfigured
from booking.placing import CallOrder, CarrierCall, Placing
from compliance.errors import VaultError
from compliance.vault import Vault
from gateway.control.rest import CarrierHttp
from gateway.control.telnyx_placing import TelnyxPlacing
from gateway.control.twilio_placing import Longest, TwilioPlacing
from gateway.metrics import Metrics
from gateway.placed_address import PlacedAddresses
from gateway.sealing import VaultSealer
from gateway.settings import Settings
from gateway.tenancy.credentials import (
    TelnyxAccount,
    TwilioAccount,
    credentials_cell,
    parse_telnyx,
    parse_twilio,
)
from pipeline.turn.limits import TurnLimits

# What a call may take beyond its conversation: ringing again for lost media, a machine's message.
_BEYOND_S: Final = 120
Parse = Callable[[str], TwilioAccount | TelnyxAccount]
_PARSERS: Final[Mapping[str, Parse]] = {"twilio": parse_twilio, "telnyx": parse_telnyx}


@dataclass(frozen=True, slots=True)
class CountedPlacing:
    """Counts how attempts fare. Satisfies `booking.placing.PlacingWatch`."""

    metrics: Metrics

    def attempted(self, carrier: str, outcome: str) -> None:
        self.metrics.calls_placed.labels(carrier, outcome).inc()

    def ended(self, outcome: str) -> None:
        self.metrics.calls_given_up.labels(outcome).inc()


@dataclass(frozen=True, slots=True)
class ProcessAccounts:
    """Of orgs without their own; None where there is none."""

    twilio: TwilioAccount | None = None
    telnyx: TelnyxAccount | None = None

    @classmethod
    def of(cls, settings: Settings) -> "ProcessAccounts":
        at_twilio, at_telnyx = settings.twilio, settings.telnyx
        has_twilio = bool(at_twilio.account_sid and at_twilio.auth_token)
        return cls(
            TwilioAccount(at_twilio.account_sid, at_twilio.auth_token) if has_twilio else None,
            TelnyxAccount(at_telnyx.api_key, at_telnyx.public_key) if at_telnyx.api_key else None,
        )

    def at(self, carrier: str) -> TwilioAccount | TelnyxAccount | None:
        """None for a carrier over which no calls are placed."""
        return {"twilio": self.twilio, "telnyx": self.telnyx}.get(carrier)


@dataclass(frozen=True, slots=True)
class CarrierDialler:
    """Satisfies `booking.placing.Dialler`: the order names its carrier. `of_process`: its accounts there."""

    vault: Vault
    twilio: TwilioPlacing
    telnyx: TelnyxPlacing
    of_process: ProcessAccounts

    async def place(self, order: CallOrder) -> str:
        match self._account(order):
            case TwilioAccount() as account:
                return await self.twilio.place(account, order)
            case TelnyxAccount() as account:
                return await self.telnyx.place(account, order)

    async def find(self, order: CallOrder, *, since: datetime) -> Sequence[CarrierCall]:
        match self._account(order):
            case TwilioAccount() as account:
                return await self.twilio.find(account, order, since=since)
            case TelnyxAccount() as account:
                return await self.telnyx.find(account, order)

    async def look(self, order: CallOrder, carrier_call_id: str) -> CarrierCall | None:
        match self._account(order):
            case TwilioAccount() as account:
                return await self.twilio.look(account, carrier_call_id)
            case TelnyxAccount() as account:
                return await self.telnyx.look(account, carrier_call_id)

    def _account(self, order: CallOrder) -> TwilioAccount | TelnyxAccount:
        """An account that does not open is nobody's: no org calls in another's name by mistake."""
        parse = _PARSERS.get(order.carrier)
        account = self.of_process.at(order.carrier)
        if parse is not None and order.sealed is not None:
            account = self._opened(order, parse)
        if account is None:
            raise CallingNotConfigured(CallingNotConfigured.__doc__)
        return account

    def _opened(self, order: CallOrder, parse: Parse) -> TwilioAccount | TelnyxAccount:
        try:
            vault = self.vault.for_org(order.org_id)
            return parse(vault.open(order.sealed or b"", credentials_cell(order.carrier)).decode())
        except (VaultError, ValueError):
            raise CallingNotConfigured(CallingNotConfigured.__doc__) from None


@asynccontextmanager
async def open_placing(
    settings: Settings, pool: asyncpg.Pool, vault: Vault, metrics: Metrics
) -> AsyncIterator[Placing]:
    """The pool outlives it."""
    addresses = PlacedAddresses(settings.public)
    longest = Longest(call_s=longest_call_s(settings), request_s=settings.waits.hang_up_s)
    async with (
        TwilioPlacing(settings.twilio.api_url, addresses, longest) as at_twilio,
        CarrierHttp(metrics, timeout_s=longest.request_s) as http,
    ):
        at_telnyx = TelnyxPlacing(http, settings.telnyx.api_url, longest.call_s)
        dialler = CarrierDialler(vault, at_twilio, at_telnyx, ProcessAccounts.of(settings))
        yield Placing(pool, VaultSealer(vault), dialler, CountedPlacing(metrics))


def longest_call_s(settings: Settings) -> int:
    """After so long the carrier itself ends a placed call, whatever has become of us."""
    told = settings.conversation.get("max_call_s", TurnLimits().max_call_s)
    return int(told) + _BEYOND_S
