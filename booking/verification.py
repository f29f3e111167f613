"""A code by text message proves that the caller holds the number: the flow.

    1  whose account sends: fails early, nothing changed
    2  make a code and store its digest, bound to org and hold (or call)
    3  hand the message over
    4  if that fails, take the code back, so that the caller can ask again

Every code counts against the limits on resends except one that surely never went out. Whether it did is not
known when the provider was silent, or when we were stopped while it was asked.

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
from functools import partial
from typing import Any, Final, Self
from uuid import UUID

from booking.errors import (
    BookingError,
    BookingUnavailable,
    CallOver,
    CallUnknown,
    CodeMalformed,
    HoldOver,
    HoldUnknown,
    SmsNotConfigured,
    SmsRefused,
    SmsUnavailable,
    SmsUnconfirmed,
)
from booking.messages import Messages, Text
from booking.otp import (
    LONGEST_TTL,
    clear_call_otp,
    clear_otp,
    code_digests,
    renew_receiver,
    store_call_otp,
    store_otp,
    verify_call_otp,
    verify_otp,
    void_call_otp,
    void_otp,
)
from booking.ports import SendOutcome, SmsAccount
from booking.types import Claim, CodeCheck, CodeStored
from booking.values import require_e164

KIND: Final = "otp"
_DIGITS: Final = 6
# Of the last, `Messages.send` says that the database was away before anything was sent.
_NEVER_WENT_OUT: Final = (SmsRefused, SmsUnavailable, BookingUnavailable)
_CODE: Final = re.compile(r"[0-9]{6}")
_SPACING: Final = str.maketrans("", "", " -")


@dataclass(frozen=True, slots=True)
class _Bound:
    """What a code is bound to, with the functions that keep, take back and check codes of it.

    `clear` is for a code that surely never went out, `void` for any other.
    """

    id: UUID
    store: Callable[..., Coroutine[Any, Any, CodeStored]]
    clear: Callable[..., Coroutine[Any, Any, bool]]
    void: Callable[..., Coroutine[Any, Any, bool]]
    verify: Callable[..., Coroutine[Any, Any, CodeCheck]]

    @classmethod
    def to_hold(cls, hold_id: UUID) -> Self:
        return cls(
            hold_id,
            partial(store_otp, hold_id=hold_id),
            partial(clear_otp, hold_id=hold_id),
            partial(void_otp, hold_id=hold_id),
            partial(verify_otp, hold_id=hold_id),
        )

    @classmethod
    def to_call(cls, call_id: UUID) -> Self:
        return cls(
            call_id,
            partial(store_call_otp, call_id=call_id),
            partial(clear_call_otp, call_id=call_id),
            partial(void_call_otp, call_id=call_id),
            partial(verify_call_otp, call_id=call_id),
        )


@dataclass(frozen=True, slots=True)
class Verification:
    """Sends codes for holds and for calls, and checks them. `now_s` is monotonic."""

    messages: Messages
    ttl: timedelta = LONGEST_TTL
    now_s: Callable[[], float] = time.monotonic

    async def send_code(self, claim: Claim, *, hold_id: UUID, to: str) -> CodeStored:
        """Send a new code for the hold to this number (E.164); an earlier one is void.

        Raises `NumberInvalid`, `HoldUnknown`, `HoldOver`, an `SmsError` or `BookingUnavailable`: then no code
        is in force, and after the latter two the caller may ask again. Cancelled: likewise. Then, and after
        `SmsUnconfirmed`, the code counts as sent.
        """
        return await self._watched_send(claim, _Bound.to_hold(hold_id), to)

    async def send_caller_code(self, claim: Claim, *, call_id: UUID, to: str) -> CodeStored:
        """As `send_code`, for the recorded call itself: who is asked for nothing but who they are.

        Raises `CallUnknown` and `CallOver` instead of a hold's errors.
        """
        return await self._watched_send(claim, _Bound.to_call(call_id), to)

    async def check_code(self, claim: Claim, *, hold_id: UUID, code: str) -> CodeCheck:
        """Whether the hold's code is this one. Spaces and hyphens do not count.

        Raises `CodeMalformed` (which is no attempt), `HoldUnknown`, `HoldOver` or `BookingUnavailable`.
        """
        return await self._check(claim, _Bound.to_hold(hold_id), code)

    async def check_caller_code(self, claim: Claim, *, call_id: UUID, code: str) -> CodeCheck:
        """As `check_code`, for the call's own code. Raises `CallUnknown`, `CallOver` for a hold's errors."""
        return await self._check(claim, _Bound.to_call(call_id), code)

    async def _watched_send(self, claim: Claim, bound: _Bound, to: str) -> CodeStored:
        require_e164(to)
        started_s = self.now_s()
        outcome: SendOutcome = "failed"
        try:
            stored = await self._send(claim, bound, to)
            outcome = "accepted" if stored.stored else "limited"
        except BookingError as error:
            outcome = _outcome_of(error)
            raise
        finally:
            self.messages.watch.code_sent(outcome, self.now_s() - started_s)
        return stored

    async def _check(self, claim: Claim, bound: _Bound, code: str) -> CodeCheck:
        digits = code.translate(_SPACING)
        if not _CODE.fullmatch(digits):
            raise CodeMalformed(CodeMalformed.__doc__)
        digests = code_digests(self.messages.sealer, claim, bound.id, digits)
        checked = await bound.verify(self.messages.pool, claim, digests=digests)
        self.messages.watch.code_checked(checked.outcome)
        return checked

    async def _send(self, claim: Claim, bound: _Bound, to: str) -> CodeStored:
        account = await self.messages.accounts.account(claim)
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        digest = code_digests(self.messages.sealer, claim, bound.id, code)[0]
        receivers = self.messages.sealer.digests(claim.org_id, "phone", to.encode())
        await renew_receiver(self.messages.pool, claim, receivers)
        stored = await bound.store(
            self.messages.pool, claim, digest=digest, receiver_digest=receivers[0], ttl=self.ttl
        )
        if stored.stored:
            try:
                await self.messages.send(claim, account, self._text(account, bound.id, to, code))
            except _NEVER_WENT_OUT:
                await _to_its_end(self._taken_back(bound.clear, claim, digest))
                raise
            except BaseException:
                await _to_its_end(self._taken_back(bound.void, claim, digest))
                raise
        return stored

    async def _taken_back(
        self, clear_or_void: Callable[..., Coroutine[Any, Any, bool]], claim: Claim, digest: bytes
    ) -> None:
        """If it cannot be taken back now it counts and expires by itself; the next one takes its place."""
        with suppress(BookingUnavailable):
            await clear_or_void(self.messages.pool, claim, digest=digest)

    def _text(self, account: SmsAccount, subject_id: UUID, to: str, code: str) -> Text:
        """Not sent any more once the code is no longer good."""
        body = f"{account.org_name}: {code} is your code for the next few minutes. Give it to nobody but us."
        return Text(KIND, subject_id=subject_id, to=to, body=body, valid_s=int(self.ttl.total_seconds()))


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
        case HoldUnknown() | HoldOver() | CallUnknown() | CallOver():
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
