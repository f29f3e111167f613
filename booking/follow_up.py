"""What follows a call that ended without a booking: one campaign, one text, whatever crashes in between.

A follow-up's row is opened with its call's and settled in the transaction that ends the call, both by
trigger, whatever carries calls; the job is enqueued there (migration 0050). The job goes step by step
(`booking.follow_up_steps`), each of which is on record before the next:

    call over -> lead known, may be texted -> campaign, link, `sending` -> message recorded -> handed over

A job that is done again goes on behind the last step that stands. A message that was recorded and not
confirmed is looked for in the provider's list once it would be there, and sent anew only if it is not:
`docs/follow-up.md` says what that leaves open.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol, assert_never
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import asyncpg
import msgspec

from booking import db
from booking.contacts import Person, find_contact, read_contact, save_contact
from booking.errors import (
    BookingError,
    SealUnreadable,
    SmsNotConfigured,
    SmsRefused,
    SmsUnavailable,
    SmsUnconfirmed,
)
from booking.follow_up_hours import next_decent, until_quiet, zones_of
from booking.follow_up_links import GuideLinks
from booking.follow_up_rules import FollowUpRules, load_rules
from booking.follow_up_steps import (
    AskProvider,
    EndCall,
    Facts,
    Fail,
    LeadWords,
    Nothing,
    Prepare,
    Retry,
    Send,
    Skip,
    Step,
    Wait,
    consent_refusal,
    next_step,
    said_since,
)
from booking.follow_up_text import MOST_SEGMENTS, Filled, filled, personal_line, size_of
from booking.handovers import was_handed_over
from booking.messages import Messages, Text
from booking.ports import OutgoingSms, PersonKey, Place, ProviderSms, SmsAccount, SmsSender
from booking.types import Actor, Claim

KIND: Final = "follow_up"
# How long after it was recorded a message is in the provider's list, if it ever came there. Migration 0050
# has it too: when that is asked.
UNSURE: Final = timedelta(minutes=5)
# After so long between recording and sending, somebody else may have taken over: nothing is sent any more.
_SEND_WITHIN_S: Final = 10.0
# A call of ours is settled sooner after its end than this; that of another platform may be reported later.
_TOLD_LATE: Final = timedelta(seconds=10)
_LONGEST_VALIDITY: Final = timedelta(hours=4)
_SHORTEST_VALIDITY: Final = timedelta(minutes=1)
_MOST_STEPS: Final = 12
_MESSAGE_IDS: Final = UUID("0d7a1a5e-86a5-4c70-9f59-3d0a6f2b7c11")
_WORKER: Final = Actor("worker")
_PUT_THROUGH_BY_ITS_CARRIER: Final = "forwarded"  # a call at Vapi, which hands over by itself

Outcome = Literal["sent", "skipped", "failed"]


class FollowUpWatch(Protocol):
    """Is told how follow-ups fare, in seconds from the call's end."""

    def triggered(self, seconds: float) -> None:
        """The job has begun, for the first time as far as its row tells."""
        ...

    def handed_over(self, seconds: float) -> None:
        """The provider has taken the text of a follow-up that nothing had to wait for."""
        ...

    def ended(self, outcome: Outcome, reason: str) -> None:
        """`reason` is one of a closed set of words, "" for what was sent."""
        ...


class Unwatched:
    """A watch that keeps nothing. Satisfies `FollowUpWatch`."""

    def triggered(self, seconds: float) -> None: ...

    def handed_over(self, seconds: float) -> None: ...

    def ended(self, outcome: Outcome, reason: str) -> None: ...


async def due_follow_ups(worker: asyncpg.Pool, *, limit: int = 200) -> list[tuple[Claim, UUID]]:
    """Follow-ups of all orgs to look at now, and calls that nobody has any more; role gw_worker's pool."""
    statement = (
        "select coalesce(jsonb_agg(jsonb_build_array(org_id, call_id)), '[]') from app.due_follow_ups($1)"
    )
    found = msgspec.json.decode(await db.fetch_value(worker, statement, limit), type=list[tuple[UUID, UUID]])
    return [(Claim(org_id), call_id) for org_id, call_id in found]


async def note_asked(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, service_id: UUID) -> bool:
    """The caller asks about this service. False once the call is over. Raises `ServiceUnknown`."""
    (row,) = await db.fetch(pool, claim, "note_asked", call_id, service_id)
    return bool(row[0])


async def note_texts_wanted(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID, wanted: bool) -> bool:
    """What the caller answers when asked whether they may be texted. False once the call is over."""
    (row,) = await db.fetch(pool, claim, "note_texts_wanted", call_id, wanted)
    return bool(row[0])


async def call_goes_on(pool: asyncpg.Pool, claim: Claim, *, call_id: UUID) -> bool:
    """Whoever has the call is there; to be said more often than every 5 minutes, else it counts as lost.

    False if it counts as over.
    """
    (row,) = await db.fetch(pool, claim, "call_goes_on", call_id)
    return bool(row[0])


def told_over_at(ended_at: datetime, settled_at: datetime | None) -> datetime:
    """From when on what follows may be waited for: a call's end, or the report of it if that came later."""
    is_late = settled_at is not None and settled_at - ended_at > _TOLD_LATE
    return settled_at if is_late and settled_at is not None else ended_at


def message_id_of(call_id: UUID, attempt: int) -> UUID:
    """The id of the message that this attempt sends: whoever takes the attempt up again records no other."""
    return uuid5(_MESSAGE_IDS, f"{call_id} {attempt}")


@dataclass(frozen=True, slots=True)
class Lead:
    """Who is to be texted. `contact_id` None: nobody's contact yet."""

    number: str = field(repr=False)
    contact_id: UUID | None
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What the text of this attempt is sent by, found out a moment ago. `zones`: where the lead may be."""

    facts: Facts
    rules: FollowUpRules
    lead: Lead
    zones: Sequence[ZoneInfo]
    account: SmsAccount


# What comes of a step: a text to be handed over, or whether there may be a further step now.
_Came = _Ready | bool


@dataclass(frozen=True, slots=True)
class _InTime:
    """Sends nothing for whoever was held up too long since recording. Satisfies `SmsSender`."""

    inner: SmsSender
    until_s: float
    now_s: Callable[[], float]

    async def send(self, account: SmsAccount, sms: OutgoingSms) -> ProviderSms:
        if self.now_s() > self.until_s:
            raise SmsUnavailable("held up for too long to be the only one")
        return await self.inner.send(account, sms)

    async def find(self, account: SmsAccount, sms: OutgoingSms, *, since: datetime) -> list[ProviderSms]:
        return await self.inner.find(account, sms, since=since)


def _obstacle(facts: Facts, rules: FollowUpRules) -> str | None:
    """Why there is nothing to send, to whomever."""
    if not rules.enabled:
        return "off"
    if facts.service_id is None:
        return "no_procedure"
    if not (facts.has_guide or facts.guide_url or rules.booking_url):
        return "no_guide"
    return None


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Does the job `follow_up`. `unsure`: see `UNSURE`; `now_s` is monotonic."""

    messages: Messages
    links: GuideLinks
    watch: FollowUpWatch = field(default_factory=Unwatched)
    unsure: timedelta = UNSURE
    now: Callable[[], datetime] = _utc_now
    now_s: Callable[[], float] = time.monotonic

    @property
    def _pool(self) -> asyncpg.Pool:
        return self.messages.pool

    async def go_on(self, claim: Claim, call_id: UUID) -> None:
        """Satisfies `booking.jobs.Handler`. Raises `BookingUnavailable`; may be cut off anywhere.

        What trying again cannot help ends the follow-up (`fault`) and is raised, to be seen as a failed job.
        """
        try:
            await self._go_on(claim, call_id)
        except BookingError as error:
            if not error.retryable:
                await self._skip(claim, call_id, "fault")
                await self._fail(claim, call_id, "fault")
            raise

    async def _go_on(self, claim: Claim, call_id: UUID) -> None:
        for taken in range(_MOST_STEPS):
            facts = await self._facts(claim, call_id)
            if facts is None:
                return
            begun = self.now()
            came = await self._take(claim, call_id, facts, next_step(facts, begun, self.unsure))
            if taken == 0 and facts.state == "due" and facts.ended_at is not None:  # once it is done
                over_at = told_over_at(facts.ended_at, facts.settled_at)
                self.watch.triggered((begun - over_at).total_seconds())
            if isinstance(came, _Ready):
                await self._hand_over(claim, call_id, came)
            elif not came:
                return

    async def _take(self, claim: Claim, call_id: UUID, facts: Facts, step: Step) -> _Came:
        match step:
            case Nothing():
                return False
            case EndCall():
                await db.fetch(self._pool, claim, "end_lost_call", call_id)
            case Prepare():
                return await self._prepare(claim, call_id, facts)
            case Send():
                return await self._send(claim, call_id, facts)
            case Wait(until):
                return await self._wait(claim, call_id, until)
            case AskProvider():
                return await self._ask_provider(claim, call_id, facts)
            case Retry(after):
                following = message_id_of(call_id, facts.attempt + 1)
                await db.fetch(self._pool, claim, "retry_follow_up", call_id, facts.attempt, following, after)
            case Skip(reason):
                return await self._skip(claim, call_id, reason)
            case Fail(reason):
                return await self._fail(claim, call_id, reason)
            case _:
                assert_never(step)
        return True

    async def _facts(self, claim: Claim, call_id: UUID) -> Facts | None:
        rows = await db.fetch(self._pool, claim, "follow_up_facts", call_id)
        return Facts(**{each.name: rows[0][each.name] for each in fields(Facts)}) if rows else None

    # --- who, whether and when ------------------------------------------------------------------------------

    async def _prepare(self, claim: Claim, call_id: UUID, facts: Facts) -> _Came:
        is_put_through = facts.end_reason == _PUT_THROUGH_BY_ITS_CARRIER
        if is_put_through or await was_handed_over(self._pool, claim, call_id=call_id):
            return await self._skip(claim, call_id, "transferred")
        rules = await load_rules(self._pool, claim)
        if (reason := _obstacle(facts, rules)) is not None:
            return await self._skip(claim, call_id, reason)
        if (lead := await self._lead(claim, call_id, facts)) is None:
            return await self._skip(claim, call_id, "no_number")
        try:
            account = await self.messages.accounts.account(claim)
        except SmsNotConfigured:
            return await self._skip(claim, call_id, "not_configured")
        words = await self._words(claim, lead)
        wanted = None if said_since(words, facts.ended_at) else facts.texts_wanted
        if (reason := consent_refusal(wanted, words, rules.consent)) is not None:
            await self._note_consent(claim, call_id, lead.contact_id, facts, words)
            return await self._skip(claim, call_id, reason)
        zones = zones_of(lead.number, words.time_zone, facts.org_zone)
        decent_at = next_decent(self.now(), zones, rules.quiet_from, rules.quiet_to)
        if decent_at > self.now():
            return await self._wait(claim, call_id, decent_at)
        contact_id = lead.contact_id or await self._made_contact(claim, lead)
        await self._note_consent(claim, call_id, contact_id, facts, words)
        known = replace(lead, contact_id=contact_id)
        return await self._begin(claim, call_id, _Ready(facts, rules, known, zones, account))

    async def _lead(self, claim: Claim, call_id: UUID, facts: Facts) -> Lead | None:
        """Whoever proved a number in the call, else whose number it showed."""
        try:
            if facts.contact_id is not None:
                return await self._contact(claim, facts.contact_id)
            number = await self._shown_number(claim, call_id, facts)
            if number is None:
                return None
            known = await find_contact(self._pool, claim, self.messages.sealer, phone=number)
            return Lead(number, None) if known is None else await self._contact(claim, known)
        except SealUnreadable:
            return None

    async def _contact(self, claim: Claim, contact_id: UUID) -> Lead | None:
        sealer = self.messages.sealer
        contact = await read_contact(self._pool, claim, sealer, contact_id=contact_id, actor=_WORKER)
        if contact is None or not contact.phone:
            return None
        return Lead(contact.phone, contact_id, contact.name)

    async def _shown_number(self, claim: Claim, call_id: UUID, facts: Facts) -> str | None:
        if facts.sealed_caller is None:
            return None
        key = None if facts.key_id is None else PersonKey(facts.key_id, facts.wrapped or b"")
        under = await self.messages.sealer.under(claim.org_id, key)
        return under.open(facts.sealed_caller, Place("calls", "sealed_caller", str(call_id))).decode()

    async def _made_contact(self, claim: Claim, lead: Lead) -> UUID:
        return await save_contact(self._pool, claim, self.messages.sealer, Person(lead.number))

    def _digests(self, claim: Claim, lead: Lead) -> list[bytes]:
        return list(self.messages.sealer.digests(claim.org_id, "phone", lead.number.encode()))

    async def _words(self, claim: Claim, lead: Lead) -> LeadWords:
        (row,) = await db.fetch(self._pool, claim, "lead_facts", lead.contact_id, self._digests(claim, lead))
        return LeadWords(**dict(row))

    async def _note_consent(
        self, claim: Claim, call_id: UUID, contact_id: UUID | None, facts: Facts, words: LeadWords
    ) -> None:
        """What was said in the call is the contact's word from then on; once, however often this is done, and
        not above a later one.
        """
        said = facts.texts_wanted
        if said is None or contact_id is None or said_since(words, facts.ended_at):
            return
        await db.fetch(
            self._pool, claim, "record_consent", "texts", said, "call", contact_id, None, "call", call_id
        )

    async def _begin(self, claim: Claim, call_id: UUID, ready: _Ready) -> _Came:
        """Who begins sends by what was found out for it, and need not ask again."""
        link, rules, lead = self.links.link(claim.org_id, call_id), ready.rules, ready.lead
        message_id = message_id_of(call_id, 1)
        (row,) = await db.fetch(
            self._pool,
            claim,
            "begin_follow_up",
            call_id,
            lead.contact_id,
            self._digests(claim, lead),
            message_id,
            link.digest,
            rules.agent_name,
            rules.window_days,
            rules.link_days,
        )
        outcome: str = row[0]
        if outcome == "again":
            return False
        if outcome != "begun":
            return await self._skip(claim, call_id, outcome)
        begun = replace(
            ready.facts, state="sending", attempt=1, message_id=message_id, code_digest=link.digest
        )
        return replace(ready, facts=begun)

    # --- handing over ---------------------------------------------------------------------------------------

    async def _send(self, claim: Claim, call_id: UUID, facts: Facts) -> _Came:
        """The attempt of somebody who did not come to it, or a further one: by what holds now."""
        rules, lead = await load_rules(self._pool, claim), await self._campaigns_lead(claim, call_id)
        if lead is None or facts.message_id is None:
            return await self._fail(claim, call_id, "erased")
        words = await self._words(claim, lead)
        if (reason := await self._late_refusal(claim, call_id, rules, lead, words)) is not None:
            return await self._fail(claim, call_id, reason)
        zones = zones_of(lead.number, words.time_zone, facts.org_zone)
        decent_at = next_decent(self.now(), zones, rules.quiet_from, rules.quiet_to)
        if decent_at > self.now():
            return await self._wait(claim, call_id, decent_at)
        try:
            account = await self.messages.accounts.account(claim)
        except SmsNotConfigured:
            return await self._fail(claim, call_id, "not_configured")
        return _Ready(facts, rules, lead, zones, account)

    async def _late_refusal(
        self, claim: Claim, call_id: UUID, rules: FollowUpRules, lead: Lead, words: LeadWords
    ) -> str | None:
        """Why what was begun is not to be sent any more. What was said in the call is noted with its lead."""
        if not rules.enabled:
            return "off"
        if (reason := consent_refusal(None, words, rules.consent)) is not None:
            return reason
        (row,) = await db.fetch(self._pool, claim, "has_booked_since_call", call_id, lead.contact_id)
        return "has_booking" if row[0] else None

    async def _hand_over(self, claim: Claim, call_id: UUID, ready: _Ready) -> None:
        """Its message is recorded, then handed over; what is unclear stays recorded, for the next step."""
        in_time = _InTime(self.messages.sender, self.now_s() + _SEND_WITHIN_S, self.now_s)
        sending = replace(self.messages, sender=in_time)
        try:
            handed = await sending.send(claim, ready.account, self._text(claim, call_id, ready))
        except SmsRefused as refusal:
            if refusal.reason in ("opted_out", "receiver"):  # known before it was tried, too
                reason = "stopped" if refusal.reason == "opted_out" else "receiver"
                await self._fail(claim, call_id, reason)
        except (SmsUnavailable, SmsUnconfirmed):
            return  # the message's own record says which; the next step goes by that
        else:
            if handed:
                self._tell_handed_over(ready.facts)

    def _text(self, claim: Claim, call_id: UUID, ready: _Ready) -> Text:
        rules, message_id = ready.rules, ready.facts.message_id or message_id_of(call_id, ready.facts.attempt)
        valid = until_quiet(self.now(), ready.zones, rules.quiet_from, rules.quiet_to)
        valid_s = int(min(max(valid, _SHORTEST_VALIDITY), _LONGEST_VALIDITY).total_seconds())
        body = self._body(claim, call_id, ready)
        return Text(KIND, call_id, ready.lead.number, body, valid_s, message_id)

    def _tell_handed_over(self, facts: Facts) -> None:
        self.watch.ended("sent", "")
        if facts.ended_at is not None and not facts.deferred:
            over_at = told_over_at(facts.ended_at, facts.settled_at)
            self.watch.handed_over((self.now() - over_at).total_seconds())

    async def _campaigns_lead(self, claim: Claim, call_id: UUID) -> Lead | None:
        (row,) = await db.fetch(self._pool, claim, "campaign_lead", call_id) or [None]
        return None if row is None else await self._contact(claim, row["contact_id"])

    def _body(self, claim: Claim, call_id: UUID, ready: _Ready) -> str:
        """With the lead's name, unless that makes it too long. The same again for the same attempt's day."""
        facts, rules = ready.facts, ready.rules
        called_at = facts.ended_at or facts.started_at

        def told(name: str | None) -> str:
            values = Filled(
                personal=personal_line(name, called_at, self.now(), ready.zones[0]),
                agent=rules.agent_name,
                clinic=facts.org_name,
                link=self.links.link(claim.org_id, call_id, facts.code_digest).url,
                procedure=facts.service_name or "",
            )
            return filled(rules.words, values)

        named = told(ready.lead.name)
        return named if size_of(named).segments <= MOST_SEGMENTS else told(None)

    # --- how it goes on or ends -----------------------------------------------------------------------------

    async def _ask_provider(self, claim: Claim, call_id: UUID, facts: Facts) -> bool:
        """Whether the provider's list has told. If it cannot be had now, it is asked again later."""
        if facts.message_id is None:
            return False
        await self.messages.reconcile(claim, facts.message_id)
        again = await self._facts(claim, call_id)
        if again is not None and again.message_status == "recorded":
            return await self._wait(claim, call_id, self.now() + self.unsure)
        return True

    async def _wait(self, claim: Claim, call_id: UUID, until: datetime) -> bool:
        await db.fetch(self._pool, claim, "postpone_follow_up", call_id, until)
        return False

    async def _skip(self, claim: Claim, call_id: UUID, reason: str) -> bool:
        (row,) = await db.fetch(self._pool, claim, "end_unbegun_follow_up", call_id, reason)
        if row[0]:
            self.watch.ended("skipped", reason)
        return False

    async def _fail(self, claim: Claim, call_id: UUID, reason: str) -> bool:
        (row,) = await db.fetch(self._pool, claim, "fail_follow_up", call_id, reason)
        if row[0]:
            self.watch.ended("failed", reason)
        return False
