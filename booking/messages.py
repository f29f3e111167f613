"""The record of text messages: written before one is sent, so that none is ever sent twice.

A message goes `recorded` → sent to the provider → settled by its word: its answer, a status callback, or a
look into its list. What a crash leaves in between stays `recorded`; `reconcile` asks the provider and either
takes its word or says `lost`, and sends nothing.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import msgspec

from booking import db
from booking.errors import (
    BookingUnavailable,
    SealUnreadable,
    SmsError,
    SmsNotConfigured,
    SmsRefused,
    SmsUnavailable,
)
from booking.ports import (
    CheckOutcome,
    CodeWatch,
    OutgoingSms,
    PersonKey,
    PersonSealer,
    Place,
    ProviderSms,
    Sealer,
    SendOutcome,
    SmsAccount,
    SmsAccounts,
    SmsSender,
    SmsStatus,
)
from booking.types import Claim
from booking.values import require_e164, utf8

_LAST: Final = frozenset({"delivered", "undelivered", "failed", "refused", "lost"})
# The provider tells whole seconds, by its own clock.
_CLOCKS_DIFFER: Final = timedelta(seconds=30)

# Twilio's own codes, by which its answer would have said what our record says: read 2026-11.
_OPTED_OUT: Final = 21610
_LANDLINE: Final = 30006

StatusUrl = Callable[[UUID, UUID], str | None]


class Unwatched:
    """A watch that keeps nothing. Satisfies `CodeWatch`."""

    def code_sent(self, outcome: SendOutcome, seconds: float) -> None: ...

    def code_checked(self, outcome: CheckOutcome) -> None: ...

    def sms_settled(self, kind: str, status: SmsStatus) -> None: ...

    def sms_delivered(self, kind: str, seconds: float) -> None: ...


def no_reports(org_id: UUID, message_id: UUID) -> str | None:
    """The status address of who cannot be reached: what became of a message is learnt by reconciling."""
    return None


@dataclass(frozen=True, slots=True)
class Text:
    """A message to be sent. `subject_id` is what it is about: the hold of a code, the call of a follow-up.

    One `id` is sent once: whoever derives it from the cause may ask again without harm.
    """

    kind: str
    subject_id: UUID
    to: str = field(repr=False)
    body: str = field(repr=False)
    valid_s: int | None = None
    id: UUID = field(default_factory=uuid4)


async def due_messages(worker: asyncpg.Pool, *, limit: int = 100) -> list[tuple[Claim, UUID]]:
    """Messages of all orgs to `reconcile` now, longest due first; `worker` is role gw_worker's pool.

    Raises `BookingUnavailable`.
    """
    statement = "select coalesce(jsonb_agg(jsonb_build_array(org_id, id)), '[]') from app.due_sms($1)"
    found = msgspec.json.decode(await db.fetch_value(worker, statement, limit), type=list[tuple[UUID, UUID]])
    return [(Claim(org_id), message_id) for org_id, message_id in found]


@dataclass(frozen=True, slots=True)
class Messages:
    """Sends an org's text messages and learns what becomes of them.

    `status_url(org, message)` is where the provider reports, None if it cannot reach us.
    """

    pool: asyncpg.Pool
    sender: SmsSender
    accounts: SmsAccounts
    sealer: Sealer
    watch: CodeWatch = field(default_factory=Unwatched)
    status_url: StatusUrl = no_reports

    async def send(self, claim: Claim, account: SmsAccount, text: Text) -> bool:
        """Record the message and hand it over. False if it was recorded before: then nothing is sent.

        A receiver who has opted out, or whose number was lately found to be a landline, is not tried:
        `SmsRefused`. Raises `NumberInvalid`, `ValueInvalid`, the errors of `SmsSender.send`, or
        `BookingUnavailable` before anything was sent. Cancelled or killed half-way: reconciled.
        """
        require_e164(text.to)
        match await self._record(claim, text):
            case "opted_out":
                raise SmsRefused("opted_out", _OPTED_OUT)
            case "unreachable":
                raise SmsRefused("receiver", _LANDLINE)
            case "known":
                return False
        sms = OutgoingSms(text.to, text.body, self.status_url(claim.org_id, text.id), text.valid_s)
        try:
            taken = await self.sender.send(account, sms)
        except SmsRefused as refusal:
            await self._note(claim, text.id, "refused", error_code=refusal.code)
            raise
        except SmsUnavailable:
            await self._note(claim, text.id, "refused")
            raise
        await self._note(claim, text.id, taken.status, taken.provider_id, taken.error_code)
        return True

    async def advance(
        self,
        claim: Claim,
        message_id: UUID,
        status: SmsStatus,
        provider_id: str | None = None,
        error_code: int | None = None,
        at: datetime | None = None,
    ) -> bool:
        """Take the provider's word. False if it says nothing new, or the org has no such message.

        Words may come twice and in any order: a status never goes back. `at`: since when it is so, if that is
        not just now. Raises `BookingUnavailable`.
        """
        rows = await db.fetch(
            self.pool, claim, "advance_text", message_id, status, provider_id, error_code, at
        )
        if not rows or not rows[0]["advanced"]:
            return False
        (row,) = rows
        if status in _LAST:
            self.watch.sms_settled(row["kind"], status)
        if row["delivered_s"] is not None:
            self.watch.sms_delivered(row["kind"], row["delivered_s"])
        return True

    async def opt_out(self, claim: Claim, number: str, *, provider_id: str | None = None) -> bool:
        """The carrier says that the number (E.164) wants no more texts: none is tried until it opts in.

        `provider_id`: the carrier's of the message that says so, which counts once, whatever was said since.
        Audited. False if that was known. Raises `NumberInvalid`, `BookingUnavailable`.
        """
        return await self._choose(claim, number, "opt_out_of_texts", provider_id)

    async def opt_in(self, claim: Claim, number: str, *, provider_id: str | None = None) -> bool:
        """It wants texts again; likewise. What its contact had agreed to before counts again, no more."""
        return await self._choose(claim, number, "opt_in_to_texts", provider_id)

    async def reconcile(self, claim: Claim, message_id: UUID) -> None:
        """Learn from the provider's list what became of the message; sends nothing. May be repeated.

        What cannot be told now is asked again later. Raises `BookingUnavailable`.
        """
        rows = await db.fetch(self.pool, claim, "sms_message", message_id)
        if not rows or rows[0]["status"] in _LAST:
            return
        (row,) = rows
        try:
            found = await self._found(claim, message_id, row)
        except (SmsError, SealUnreadable):
            found = None
        if found is None or not await self._settled_by(claim, message_id, row["status"], found):
            await db.fetch(self.pool, claim, "postpone_sms", message_id)

    async def _choose(self, claim: Claim, number: str, function: str, provider_id: str | None) -> bool:
        require_e164(number)
        said = () if provider_id is None else (hashlib.sha256(provider_id.encode()).digest(),)
        (chosen,) = await db.fetch(self.pool, claim, function, self._digests(claim, number), *said)
        changed: bool = chosen[0]
        return changed

    def _digests(self, claim: Claim, number: str) -> list[bytes]:
        return list(self.sealer.digests(claim.org_id, "phone", number.encode()))

    async def _record(self, claim: Claim, text: Text) -> str:
        row, digests = str(text.id), self._digests(claim, text.to)
        under = await self._sealer_for(claim, digests)
        (recorded,) = await db.fetch(
            self.pool,
            claim,
            "record_text",
            text.id,
            text.kind,
            text.subject_id,
            digests,
            under.seal(text.to.encode(), Place("sms_messages", "sealed_receiver", row)),
            under.seal(utf8(text.body), Place("sms_messages", "sealed_body", row)),
        )
        outcome: str = recorded[0]
        return outcome

    async def _sealer_for(self, claim: Claim, digests: list[bytes]) -> PersonSealer:
        """Under the receiver's key: the contact's, or one of the number's until it is a contact's."""
        new = await self.sealer.new_key(claim.org_id)
        (key,) = await db.fetch(self.pool, claim, "receiver_key", digests, new.id, new.wrapped)
        return await self.sealer.under(claim.org_id, PersonKey(key["key_id"], key["wrapped"]))

    async def _note(
        self,
        claim: Claim,
        message_id: UUID,
        status: SmsStatus,
        provider_id: str | None = None,
        error_code: int | None = None,
    ) -> None:
        """The message's fate is decided; if it cannot be written now, it is learnt again later."""
        with suppress(BookingUnavailable):
            await self.advance(claim, message_id, status, provider_id, error_code)

    async def _found(self, claim: Claim, message_id: UUID, row: asyncpg.Record) -> list[ProviderSms]:
        keys = await db.fetch(self.pool, claim, "message_key", message_id)
        key = PersonKey(keys[0]["key_id"], keys[0]["wrapped"]) if keys else None
        under = await self.sealer.under(claim.org_id, key)

        def opened(column: str) -> str:
            return under.open(row[column], Place("sms_messages", column, str(message_id))).decode()

        account = await self.accounts.account(claim)
        sms = OutgoingSms(opened("sealed_receiver"), opened("sealed_body"))
        since: datetime = row["recorded_at"] - _CLOCKS_DIFFER
        return await self.sender.find(account, sms, since=since)

    async def _settled_by(
        self, claim: Claim, message_id: UUID, status: str, found: list[ProviderSms]
    ) -> bool:
        """Whether there is nothing more to learn."""
        for each in found:
            word = (each.status, each.provider_id, each.error_code, each.changed_at)
            if await self.advance(claim, message_id, *word):
                return each.status in _LAST
        return status == "recorded" and await self.advance(claim, message_id, "lost")


class _Credentials(msgspec.Struct):
    account_sid: str
    auth_token: str
    sender: str | None = None


@dataclass(frozen=True, slots=True)
class ProcessAccount:
    """The account that sends for orgs without one of their own, from each org's first number."""

    account_sid: str
    auth_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredAccounts:
    """An org's own Twilio account if it has one, else the process-wide one. Satisfies `SmsAccounts`.

    Sealed under provider `twilio` is JSON: `account_sid`, `auth_token`, and `sender` unless it is the org's
    first number.
    """

    pool: asyncpg.Pool
    sealer: Sealer
    process: ProcessAccount | None = None

    async def account(self, claim: Claim) -> SmsAccount:
        rows = await db.fetch(self.pool, claim, "sms_account")
        own = self._own(claim, rows[0]["sealed"]) if rows else None
        sender = (own.sender if own else None) or (rows[0]["number"] if rows else None)
        keys = own or self.process
        if keys is None or sender is None:
            raise SmsNotConfigured(SmsNotConfigured.__doc__)
        return SmsAccount(keys.account_sid, keys.auth_token, sender, rows[0]["org_name"])

    def _own(self, claim: Claim, sealed: bytes | None) -> _Credentials | None:
        """Credentials that do not open are nobody's: an org never sends from another's account by mistake."""
        if sealed is None:
            return None
        try:
            plain = self.sealer.open(claim.org_id, sealed, Place("org_credentials", "sealed", "twilio"))
            return msgspec.json.decode(plain, type=_Credentials)
        except (SealUnreadable, msgspec.DecodeError):
            raise SmsNotConfigured(SmsNotConfigured.__doc__) from None
