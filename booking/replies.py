"""What people text back to a follow-up: a wish for a booking link, or a question for the clinic's inbox, in
which messages stand too that callers leave.

Only who had a follow-up is heard; of anybody else nothing is kept. Words are sealed under the sender's own
key. STOP and START are not for here: `booking.messages`.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID, uuid5

import asyncpg

from booking import db
from booking.errors import SmsError
from booking.messages import Messages, Text
from booking.ports import PersonKey, Place
from booking.types import Actor, Claim
from booking.values import require_e164, utf8

KIND: Final = "booking_link"
ReplyKind = Literal["booking", "question", "voicemail"]
_IDS: Final = UUID("5f1a6a0e-4a39-4c0e-8f6e-0a8f0c8c9b52")
_WORKER: Final = Actor("worker")
_LONGEST: Final = 4000
_VALID_S: Final = 3600
# The whole of a text, but for courtesies: anything longer is a question, which somebody reads.
_BOOKING: Final = re.compile(
    r"(?:yes\s+)?(?:please\s+)?(?:i(?:'|\u2019)?d\s+like\s+(?:to\s+)?|can\s+i\s+|send\s+(?:me\s+)?)?"
    r"(?:(?:the|a)\s+)?(?:book(?:ing)?(?:\s+(?:me|now|in|link|it|online))?|link)"
    r"(?:\s+(?:please|thanks|thank\s+you))*",
)
_ROUND: Final = re.compile(r"[^\w'\u2019]+")


@dataclass(frozen=True, slots=True)
class Reply:
    """That somebody has replied, or left a message; what they say is read as a sealed value (`reply`).

    `contact_id` None: it is not known whose it is. `said`: a message's redacted words, if words are kept.
    """

    id: UUID
    kind: ReplyKind
    call_id: UUID
    contact_id: UUID | None
    received_at: datetime
    answered_at: datetime | None
    said: str | None = field(default=None, repr=False)


def asks_to_book(said: str) -> bool:
    """Whether these words are a wish for a booking link and nothing else."""
    return _BOOKING.fullmatch(_ROUND.sub(" ", said.casefold()).strip()) is not None


@dataclass(frozen=True, slots=True)
class Replies:
    """Takes an org's replies; booking links go out by `messages`."""

    messages: Messages

    async def take(self, claim: Claim, *, provider_id: str, number: str, said: str) -> ReplyKind | None:
        """Keep a reply that the carrier hands on. None if the number (E.164) had no follow-up.

        The same `provider_id` again keeps and sends nothing more. Who wishes to book, where the clinic has a
        booking link, is sent it; in any other case the clinic is to answer. Raises `NumberInvalid`,
        `BookingUnavailable`.
        """
        require_e164(number)
        digests = list(self.messages.sealer.digests(claim.org_id, "phone", number.encode()))
        rows = await db.fetch(self.messages.pool, claim, "followed_up", digests)
        if not rows or not said.strip():
            return None
        (row,) = rows
        url: str | None = row["booking_url"]
        kind: ReplyKind = "booking" if url is not None and asks_to_book(said) else "question"
        reply_id = uuid5(_IDS, f"{claim.org_id} {provider_id}")
        await self._keep(claim, reply_id, kind, row, digests, said[:_LONGEST])
        if kind == "booking" and url is not None:
            await self._send_link(claim, reply_id, number, url)
        return kind

    async def _keep(
        self,
        claim: Claim,
        reply_id: UUID,
        kind: ReplyKind,
        followed: asyncpg.Record,
        digests: list[bytes],
        said: str,
    ) -> None:
        sealer, pool = self.messages.sealer, self.messages.pool
        new = await sealer.new_key(claim.org_id)
        (key,) = await db.fetch(pool, claim, "receiver_key", digests, new.id, new.wrapped)
        under = await sealer.under(claim.org_id, PersonKey(key["key_id"], key["wrapped"]))
        sealed = under.seal(
            utf8(said.replace("\x00", "")), Place("text_replies", "sealed_body", str(reply_id))
        )
        call_id, contact_id = followed["call_id"], followed["contact_id"]
        await db.fetch(pool, claim, "keep_reply", reply_id, kind, call_id, contact_id, key["key_id"], sealed)

    async def _send_link(self, claim: Claim, reply_id: UUID, number: str, url: str) -> None:
        """Its message has an id of its own that follows from the reply's, so it goes out once.

        A link that cannot be sent leaves the reply unanswered, for the clinic to see.
        """
        message_id = uuid5(reply_id, KIND)
        try:
            account = await self.messages.accounts.account(claim)
            body = f"Here is where you can book with {account.org_name}: {url}"
            text = Text(KIND, reply_id, number, body, _VALID_S, message_id)
            handed = await self.messages.send(claim, account, text)
        except SmsError:
            return
        if handed:
            await answer_reply(self.messages.pool, claim, reply_id=reply_id, actor=_WORKER)


async def page_of_replies(
    pool: asyncpg.Pool, claim: Claim, *, limit: int, waiting: bool, before: datetime | None = None
) -> list[Reply]:
    """Newest first, at most 100, received before that instant; `waiting`: those not dealt with alone."""
    rows = await db.fetch(pool, claim, "page_of_inbox", limit, waiting, before)
    return [Reply(**dict(row)) for row in rows]


async def answer_reply(pool: asyncpg.Pool, claim: Claim, *, reply_id: UUID, actor: Actor) -> datetime | None:
    """It is dealt with; since when. None if this org has no such reply. Audited, the first time."""
    rows = await db.fetch(pool, claim, "answer_reply", reply_id, actor.kind, actor.id)
    return rows[0]["answered_at"] if rows else None
