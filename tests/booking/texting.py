"""Twilio as tests meet it: a strict server, one clinic's messages through it, a watch that listens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from bench.simulators.twilio_api import TwilioApiSimulator
from booking.db import org_transaction
from booking.messages import Messages, ProcessAccount, StoredAccounts, Text
from booking.ports import CheckOutcome, Sealer, SendOutcome, SmsStatus
from booking.sms import TwilioSms
from booking.types import Claim
from compliance.vault import MasterKey, Vault
from gateway.sealing import VaultSealer
from tests.conftest import Clinic

ACCOUNT_SID, TOKEN = "AC" + "5" * 32, "token"
RECEIVER = "+447700900123"


@dataclass
class Heard:
    """A watch that keeps what it is told."""

    sent: list[SendOutcome] = field(default_factory=list)
    checked: list[CheckOutcome] = field(default_factory=list)
    settled: list[tuple[str, SmsStatus]] = field(default_factory=list)
    delivered: list[tuple[str, float]] = field(default_factory=list)

    def code_sent(self, outcome: SendOutcome, seconds: float) -> None:
        assert seconds >= 0
        self.sent.append(outcome)

    def code_checked(self, outcome: CheckOutcome) -> None:
        self.checked.append(outcome)

    def sms_settled(self, kind: str, status: SmsStatus) -> None:
        self.settled.append((kind, status))

    def sms_delivered(self, kind: str, seconds: float) -> None:
        assert seconds >= 0
        self.delivered.append((kind, seconds))


@dataclass(frozen=True)
class Post:
    """Everything that one test's messages go through."""

    clinic: Clinic
    twilio: TwilioApiSimulator
    messages: Messages
    heard: Heard

    @property
    def claim(self) -> Claim:
        return self.clinic.claim

    async def send(self, text: Text) -> bool:
        account = await self.messages.accounts.account(self.claim)
        return await self.messages.send(self.claim, account, text)

    async def status(self, message_id: UUID) -> str | None:
        async with org_transaction(self.messages.pool, self.claim) as connection:
            statement = "select status from sms_messages where id = $1"
            status: str | None = await connection.fetchval(statement, message_id)
        return status


def a_sealer() -> Sealer:
    """Always the same keys, in whichever process."""
    return VaultSealer(Vault([MasterKey(bytes(range(32)))]))


@asynccontextmanager
async def post_office(
    pool: asyncpg.Pool, clinic: Clinic, sealer: Sealer | None = None
) -> AsyncIterator[Post]:
    """The clinic's messages, from its first number, by the process-wide account."""
    heard, sealer = Heard(), sealer or a_sealer()
    async with TwilioApiSimulator(account_sid=ACCOUNT_SID, auth_token=TOKEN) as twilio:
        twilio.messages.senders.add(clinic.number)
        async with TwilioSms(api_url=twilio.url) as sms:
            accounts = StoredAccounts(pool, sealer, ProcessAccount(ACCOUNT_SID, TOKEN))
            yield Post(clinic, twilio, Messages(pool, sms, accounts, sealer, heard, _nowhere), heard)


def _nowhere(org_id: UUID, message_id: UUID) -> None:
    """No reports."""
