"""Calls placed as this process does it: by the carrier that the org has chosen, with its own account there or
the process's, and counted.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, Protocol, TypeVar

import asyncpg

from booking.errors import CallingNotConfigured
from booking.placing import CallOrder, CarrierCall, Placing
from compliance.errors import VaultError
from compliance.vault import Vault
from gateway.control.plivo_placing import PlivoPlacing
from gateway.control.rest import CarrierHttp
from gateway.control.telnyx_placing import TelnyxPlacing
from gateway.control.twilio_placing import Longest, TwilioPlacing
from gateway.control.vonage_placing import VonagePlacing
from gateway.metrics import Metrics
from gateway.placed_address import PlacedAddresses
from gateway.sealing import VaultSealer
from gateway.settings import Settings
from gateway.tenancy.accounts import A
from gateway.tenancy.credentials import (
    PlivoAccount,
    TelnyxAccount,
    TwilioAccount,
    VonageAccount,
    credentials_cell,
    parse_plivo,
    parse_telnyx,
    parse_twilio,
    parse_vonage,
)
from pipeline.turn.limits import TurnLimits

# What a call may take beyond its conversation: ringing again for lost media, a machine's message.
_BEYOND_S: Final = 120
_MOST_S: Final = 14_400
A_contra = TypeVar("A_contra", contravariant=True)


class AccountPlacing(Protocol[A_contra]):
    """Places calls at one carrier with the account that it is given; else as `booking.placing.Dialler`."""

    async def place(self, account: A_contra, order: CallOrder) -> str: ...

    async def find(
        self, account: A_contra, order: CallOrder, *, since: datetime
    ) -> Sequence[CarrierCall]: ...

    async def look(self, account: A_contra, carrier_call_id: str) -> CarrierCall | None: ...


@dataclass(frozen=True, slots=True)
class PlacingAt(Generic[A]):
    """One carrier over which calls are placed. `of_process`: the account there of orgs without their own."""

    placing: AccountPlacing[A]
    parse: Callable[[str], A]
    of_process: A | None


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
    """Satisfies `booking.placing.Dialler`: the order names its carrier, one of `at`."""

    vault: Vault
    at: Mapping[str, PlacingAt[Any]]

    async def place(self, order: CallOrder) -> str:
        at, account = self._where(order)
        return await at.placing.place(account, order)

    async def find(self, order: CallOrder, *, since: datetime) -> Sequence[CarrierCall]:
        at, account = self._where(order)
        return await at.placing.find(account, order, since=since)

    async def look(self, order: CallOrder, carrier_call_id: str) -> CarrierCall | None:
        at, account = self._where(order)
        return await at.placing.look(account, carrier_call_id)

    def _where(self, order: CallOrder) -> tuple[PlacingAt[Any], Any]:
        """An account that does not open is nobody's: no org calls in another's name by mistake."""
        at = self.at.get(order.carrier)
        if at is None:
            raise CallingNotConfigured(CallingNotConfigured.__doc__)
        account = at.of_process if order.sealed is None else self._opened(order, at.parse)
        if account is None:
            raise CallingNotConfigured(CallingNotConfigured.__doc__)
        return at, account

    def _opened(self, order: CallOrder, parse: Callable[[str], A]) -> A:
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
    addresses, accounts = PlacedAddresses(settings.public), process_accounts(settings)
    longest = Longest(call_s=longest_in_all_s(settings), request_s=settings.waits.hang_up_s)
    async with (
        TwilioPlacing(settings.twilio.api_url, addresses, longest) as at_twilio,
        CarrierHttp(metrics, timeout_s=longest.request_s) as http,
    ):
        at_telnyx = TelnyxPlacing(http, settings.telnyx.api_url, longest.call_s)
        at_plivo = PlivoPlacing(http, settings.plivo.api_url, addresses, longest.call_s)
        at_vonage = VonagePlacing(http, settings.vonage.api_url, addresses, longest.call_s)
        at: dict[str, PlacingAt[Any]] = {
            "twilio": PlacingAt(at_twilio, parse_twilio, accounts["twilio"]),
            "telnyx": PlacingAt(at_telnyx, parse_telnyx, accounts["telnyx"]),
            "plivo": PlacingAt(at_plivo, parse_plivo, accounts["plivo"]),
            "vonage": PlacingAt(at_vonage, parse_vonage, accounts["vonage"]),
        }
        yield Placing(pool, VaultSealer(vault), CarrierDialler(vault, at), CountedPlacing(metrics))


def process_accounts(settings: Settings) -> Mapping[str, Any]:
    """By the carrier's name, the account there of orgs without their own, None where there is none."""
    return {
        "twilio": _of_twilio(settings),
        "telnyx": _of_telnyx(settings),
        "plivo": _of_plivo(settings),
        "vonage": _of_vonage(settings),
    }


def _of_twilio(settings: Settings) -> TwilioAccount | None:
    at = settings.twilio
    return TwilioAccount(at.account_sid, at.auth_token) if at.account_sid and at.auth_token else None


def _of_telnyx(settings: Settings) -> TelnyxAccount | None:
    at = settings.telnyx
    return TelnyxAccount(at.api_key, at.public_key) if at.api_key else None


def _of_plivo(settings: Settings) -> PlivoAccount | None:
    at = settings.plivo
    return PlivoAccount(at.auth_id, at.auth_token) if at.auth_id and at.auth_token else None


def _of_vonage(settings: Settings) -> VonageAccount | None:
    at = settings.vonage
    account = VonageAccount(at.application_id, at.private_key, at.signature_secret)
    return account if at.application_id else None


def longest_call_s(settings: Settings) -> int:
    """After so long the carrier itself ends a call, or is asked to, whatever has become of us."""
    told = settings.conversation.get("max_call_s", TurnLimits().max_call_s)
    return int(told) + _BEYOND_S


def longest_in_all_s(settings: Settings) -> int:
    """The same of a call that may have been put through to a person meanwhile: they talk as long again. Four
    hours at most, which no carrier takes more than.
    """
    return min(2 * longest_call_s(settings), _MOST_S)
