"""Sends one code, is killed right after the step named: `dying_sender step dsn twilio_url org hold to`."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking.db import open_pool
from booking.messages import Messages, ProcessAccount, StoredAccounts
from booking.ports import (
    OutgoingSms,
    PersonKey,
    PersonSealer,
    Place,
    ProviderSms,
    Sealer,
    SmsAccount,
    SmsAccounts,
    SmsSender,
)
from booking.sms import TwilioSms
from booking.types import Claim
from booking.verification import Verification
from tests.booking.texting import ACCOUNT_SID, TOKEN, a_sealer

LAST_STEP = sys.argv[1]


def done(step: str) -> None:
    if step == LAST_STEP:
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Accounts:
    inner: SmsAccounts

    async def account(self, claim: Claim) -> SmsAccount:
        account = await self.inner.account(claim)
        done("account fetched")
        return account


@dataclass
class Seals:
    """A key for what is recorded of the message is made once the code is stored."""

    inner: Sealer

    def seal(self, org_id: UUID, plain: bytes, place: Place) -> bytes:
        return self.inner.seal(org_id, plain, place)

    def open(self, org_id: UUID, blob: bytes, place: Place) -> bytes:
        return self.inner.open(org_id, blob, place)

    async def new_key(self, org_id: UUID) -> PersonKey:
        done("code stored")
        return await self.inner.new_key(org_id)

    async def under(self, org_id: UUID, key: PersonKey | None) -> PersonSealer:
        return await self.inner.under(org_id, key)

    def digest(self, org_id: UUID, purpose: str, value: bytes) -> bytes:
        return self.inner.digest(org_id, purpose, value)

    def digests(self, org_id: UUID, purpose: str, value: bytes) -> Sequence[bytes]:
        return self.inner.digests(org_id, purpose, value)


@dataclass
class Sender:
    inner: SmsSender

    async def send(self, account: SmsAccount, sms: OutgoingSms) -> ProviderSms:
        done("message recorded")
        taken = await self.inner.send(account, sms)
        done("message sent")
        return taken

    async def find(self, account: SmsAccount, sms: OutgoingSms, *, since: datetime) -> list[ProviderSms]:
        return await self.inner.find(account, sms, since=since)


class Watch:
    def code_sent(self, outcome: str, seconds: float) -> None:
        done("all done")

    def code_checked(self, outcome: str) -> None: ...

    def sms_settled(self, kind: str, status: str) -> None: ...

    def sms_delivered(self, kind: str, seconds: float) -> None: ...


async def main(dsn: str, twilio_url: str, org: str, hold: str, to: str) -> None:
    async with await open_pool(dsn, max_size=1) as pool, TwilioSms(api_url=twilio_url) as sms:
        sealer = a_sealer()
        accounts = Accounts(StoredAccounts(pool, sealer, ProcessAccount(ACCOUNT_SID, TOKEN)))
        messages = Messages(pool, Sender(sms), accounts, Seals(sealer), Watch(), lambda _org, _message: None)
        await Verification(messages).send_code(Claim(UUID(org)), hold_id=UUID(hold), to=to)


asyncio.run(main(*sys.argv[2:]))
