"""Text messages as this process sends them: the carrier's REST interface, whose account, where reports go."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg

from booking import follow_up, replies
from booking.follow_up_links import GuideLinks
from booking.messages import Messages, ProcessAccount, StoredAccounts
from booking.ports import CheckOutcome, SendOutcome, SmsStatus
from booking.sms import TwilioSms
from booking.verification import KIND, Verification
from compliance.vault import Vault
from gateway.follow_ups import guide_links
from gateway.metrics import Metrics
from gateway.sealing import VaultSealer
from gateway.settings import Settings, Twilio
from gateway.status_address import StatusAddress

_KINDS: Final = frozenset({KIND, follow_up.KIND, replies.KIND})


@dataclass(frozen=True, slots=True)
class Texts:
    """One process's way to send messages, codes and links."""

    messages: Messages
    verification: Verification
    address: StatusAddress
    links: GuideLinks


@dataclass(frozen=True, slots=True)
class CountedCodes:
    """Counts how codes fare. Satisfies `booking.ports.CodeWatch`."""

    metrics: Metrics

    def code_sent(self, outcome: SendOutcome, seconds: float) -> None:
        self.metrics.codes.labels(outcome).inc()
        if outcome == "accepted":
            self.metrics.code_handover.observe(seconds)

    def code_checked(self, outcome: CheckOutcome) -> None:
        self.metrics.code_checks.labels(outcome).inc()

    def sms_settled(self, kind: str, status: SmsStatus) -> None:
        self.metrics.texts_settled.labels(_known(kind), status).inc()

    def sms_delivered(self, kind: str, seconds: float) -> None:
        self.metrics.text_delivery.labels(_known(kind)).observe(seconds)


def _known(kind: str) -> str:
    return kind if kind in _KINDS else "other"


@asynccontextmanager
async def open_texts(
    settings: Settings, pool: asyncpg.Pool, vault: Vault, metrics: Metrics
) -> AsyncIterator[Texts]:
    """The pool outlives it."""
    sealer, watch = VaultSealer(vault), CountedCodes(metrics)
    address = StatusAddress(settings.master_key, settings.public_url, settings.master_keys[1:])
    async with TwilioSms(api_url=settings.twilio.api_url, timeout_s=settings.waits.sms_s) as sender:
        messages = Messages(
            pool=pool,
            sender=sender,
            accounts=StoredAccounts(pool, sealer, _process_account(settings.twilio)),
            sealer=sealer,
            watch=watch,
            status_url=address.url,
        )
        verification = Verification(messages, timedelta(seconds=settings.waits.code_s))
        yield Texts(messages, verification, address, guide_links(settings))


def _process_account(twilio: Twilio) -> ProcessAccount | None:
    if not twilio.account_sid or not twilio.auth_token:
        return None
    return ProcessAccount(twilio.account_sid, twilio.auth_token)
