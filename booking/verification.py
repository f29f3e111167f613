"""A code by text message proves that the caller holds the number: the flow.

    1  whose account sends: fails early, nothing changed
    2  make a code and store its digest, bound to org and hold
    3  hand the message over
    4  if that fails, clear the code, so that the caller can ask again

A crash between any two steps leaves nothing stuck: a stored code that nobody got is replaced by the next
one or expires, a recorded message is reconciled. Six digits from the system's random source; the rules on
attempts, resends and expiry are the SQL functions' (`booking.otp`).
"""

import asyncio
import re
import secrets
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from booking.errors import (
    BookingError,
    BookingUnavailable,
    CodeMalformed,
    HoldOver,
    HoldUnknown,
    SmsNotConfigured,
    SmsRefused,
    SmsUnavailable,
    SmsUnconfirmed,
)
from booking.messages import Messages, Text, require_e164
from booking.otp import clear_otp, code_digests, store_otp, verify_otp
from booking.ports import SendOutcome, SmsAccount
from booking.types import Claim, CodeCheck, CodeStored

KIND: Final = "otp"
LONGEST_TTL: Final = timedelta(minutes=10)
_DIGITS: Final = 6
_CODE: Final = re.compile(r"[0-9]{6}")
_SPACING: Final = str.maketrans("", "", " -")


@dataclass(frozen=True, slots=True)
class Verification:
    """Sends codes for holds and checks them. `now_s` is monotonic."""

    messages: Messages
    ttl: timedelta = LONGEST_TTL
    now_s: Callable[[], float] = time.monotonic

    async def send_code(self, claim: Claim, *, hold_id: UUID, to: str) -> CodeStored:
        """Send a new code for the hold to this number (E.164); an earlier one is void.

        Raises `NumberInvalid`, `HoldUnknown`, `HoldOver`, an `SmsError` or `BookingUnavailable`: then no code
        is in force, and after the latter two the caller may ask again. Cancelled: likewise.
        """
        require_e164(to)
        started_s = self.now_s()
        outcome: SendOutcome = "failed"
        try:
            stored = await self._send(claim, hold_id, to)
            outcome = "accepted" if stored.stored else "limited"
        except BookingError as error:
            outcome = _outcome_of(error)
            raise
        finally:
            self.messages.watch.code_sent(outcome, self.now_s() - started_s)
        return stored

    async def check_code(self, claim: Claim, *, hold_id: UUID, code: str) -> CodeCheck:
        """Whether the hold's code is this one. Spaces and hyphens do not count.

        Raises `CodeMalformed` (which is no attempt), `HoldUnknown`, `HoldOver` or `BookingUnavailable`.
        """
        digits = code.translate(_SPACING)
        if not _CODE.fullmatch(digits):
            raise CodeMalformed(CodeMalformed.__doc__)
        digests = code_digests(self.messages.sealer, claim, hold_id, digits)
        checked = await verify_otp(self.messages.pool, claim, hold_id=hold_id, digests=digests)
        self.messages.watch.code_checked(checked.outcome)
        return checked

    async def _send(self, claim: Claim, hold_id: UUID, to: str) -> CodeStored:
        account = await self.messages.accounts.account(claim)
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        digest = code_digests(self.messages.sealer, claim, hold_id, code)[0]
        stored = await store_otp(
            self.messages.pool,
            claim,
            hold_id=hold_id,
            digest=digest,
            receiver_digest=self.messages.sealer.digest(claim.org_id, "phone", to.encode()),
            ttl=self.ttl,
        )
        if stored.stored:
            try:
                await self.messages.send(claim, account, self._text(account, hold_id, to, code))
            except BaseException:
                await _to_its_end(self._clear(claim, hold_id, digest))
                raise
        return stored

    async def _clear(self, claim: Claim, hold_id: UUID, digest: bytes) -> None:
        """A code that cannot be cleared now expires by itself, and the next one takes its place."""
        with suppress(BookingUnavailable):
            await clear_otp(self.messages.pool, claim, hold_id=hold_id, digest=digest)

    def _text(self, account: SmsAccount, hold_id: UUID, to: str, code: str) -> Text:
        """Not sent any more once the code is no longer good."""
        body = f"{account.org_name}: {code} is your code for the next few minutes. Give it to nobody but us."
        return Text(KIND, subject_id=hold_id, to=to, body=body, valid_s=int(self.ttl.total_seconds()))


def _outcome_of(error: BookingError) -> SendOutcome:
    match error:
        case SmsNotConfigured():
            return "not_configured"
        case SmsRefused():
            return error.reason
        case SmsUnavailable():
            return "unavailable"
        case SmsUnconfirmed():
            return "unconfirmed"
        case HoldUnknown() | HoldOver():
            return "not_held"
        case _:
            return "failed"


async def _to_its_end(work: Coroutine[None, None, None]) -> None:
    """Await `work` even while being cancelled; it is bounded by the pool's own limits."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise
