"""One call: from the carrier's webhook, over its media, to its record. One task group owns all of it.

The webhook starts it (`gateway.calls`): the org is looked up while the recogniser's socket and the model's
connection open; with `PREWARM` off those wait for the media. The media socket joins it and the conversation
runs; if no media come in time, everything is closed again.

What a call holds when it ends is kept only if the call ended in order (goodbye, or the caller hung up) and a
turn was spoken to its end after the slot was held: then the caller knows. Any other end gives it back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, Protocol, Self, assert_never
from uuid import UUID, uuid4

import asyncpg
import structlog

from booking.calling_rules import CallBrief
from booking.calls import close_call
from booking.errors import BookingError
from booking.handovers import NOBODY, HandoverRules, load_handover_rules
from booking.types import Claim, OrgProfile, ReturningCaller
from compliance.keys import Keyring
from compliance.redaction import CallRedactor
from compliance.redaction.call import OnMasked
from compliance.vault import Vault
from gateway.caller import Ends
from gateway.carriers.events import CallEnded, CallerAudio, CallStarted, CarrierEvent, Dtmf, MarkReached
from gateway.code_redactor import CodeRedactor, without_codes
from gateway.consent import CallConsent, CallLine, ConsentRedactor
from gateway.errors import OrgUnavailable
from gateway.feed import Feed
from gateway.gear import Gear
from gateway.handover import (
    TRANSFERRED,
    CallHandover,
    HandOver,
    come_back,
    handover_prompt,
    longest_s,
    spoken,
)
from gateway.hearing import Hearing
from gateway.hedging import Hedges
from gateway.inquiry import HearingRedactor, Inquiry
from gateway.journal import CallJournal, Record
from gateway.knowledge.informed import InformedModel
from gateway.knowledge.retrieval import Knowledge
from gateway.latency import Profile as LatencyProfile
from gateway.latency_profiles import LatencyProfiles
from gateway.metrics import Metrics
from gateway.outbound import SocketLine
from gateway.outgoing import Outgoing, find_outgoing
from gateway.phrases import PhraseCache
from gateway.prewarm import PROCESS_KEYS, Clients
from gateway.prompt import system_prompt
from gateway.recording.recorders import CallRecorder, RecordedLine, Recorders
from gateway.records import CallRecords
from gateway.returning import ReturningCallers, without_name
from gateway.sealing import keyring
from gateway.settings import Settings
from gateway.spans import Traces
from gateway.tenancy.cache import LayeredCache
from gateway.tenancy.credentials import CredentialCache, OrgKeys, open_keys
from gateway.texts import Texts
from gateway.tools import CallBooking, TakeMessage, TransferToHuman, call_tools
from gateway.voicemail import Voicemail
from pipeline.ports import Clock, SttSession, TakesKeyterms, Tool
from pipeline.runner import (
    DEFAULT_PHRASES,
    CallOutcome,
    CallPorts,
    CallRunner,
    ConversationSettings,
    Phrase,
)

log = structlog.get_logger("gateway.call")

CALLER_HUNG_UP: Final = "caller_hung_up"

FindOrg = Callable[[], Awaitable[UUID | None]]


class Media(Protocol):
    """A call's accepted media socket. `ended` says why `events` ended, "" as long as they go on;
    `hand_over` has the carrier put the caller through, if it can.
    """

    @property
    def line(self) -> SocketLine: ...

    @property
    def ends(self) -> Ends: ...

    @property
    def ended(self) -> str: ...

    @property
    def hand_over(self) -> HandOver | None: ...

    def events(self) -> AsyncIterator[CarrierEvent]: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What all calls of the process share."""

    settings: Settings
    pool: asyncpg.Pool
    numbers: LayeredCache[str, UUID]
    profiles: LayeredCache[UUID, OrgProfile]
    credentials: CredentialCache
    vault: Vault
    texts: Texts
    clients: Clients
    hedges: Hedges
    phrases: PhraseCache
    knowledge: Knowledge
    feed: Feed
    metrics: Metrics
    clock: Clock
    now: Callable[[], datetime]
    latency: LatencyProfiles
    turbo: Gear
    callers: ReturningCallers | None = None
    traces: Traces | None = None
    recorders: Recorders | None = None

    def gear(self, office: "Office") -> Gear:
        """What this org's calls are made with now."""
        return self.turbo if office.turbo else Gear(self.clients, self.hedges, self.settings.conversation)


@dataclass(frozen=True, slots=True)
class Office:
    """The org that a call reached: its profile and its own provider keys.

    The profile is as this call presents it; `besides` is what the model is told of this call alone.
    """

    profile: OrgProfile
    keys: OrgKeys
    turbo: bool = False
    handover: HandoverRules = NOBODY
    besides: str = ""


class Call:
    """One carrier call's task. Made and run by `Calls`."""

    def __init__(
        self,
        desk: Desk,
        carrier: str,
        carrier_call_id: str,
        find_org: FindOrg,
        ends: Ends,
    ) -> None:
        """`carrier`: its name; `ends`: who calls whom, as the carrier's webhook says."""
        loop = asyncio.get_running_loop()
        self.carrier = carrier
        self.carrier_call_id = carrier_call_id
        self._call_id = uuid4()
        self._ends = ends
        self._recognising: asyncio.Task[ReturningCaller | None] | None = None
        self.over = asyncio.Event()
        self._desk = desk
        self._find_org = find_org
        self._office: asyncio.Future[Office | None] = loop.create_future()
        self._media: asyncio.Future[Media | None] = loop.create_future()
        self._conversation: CallRunner | None = None
        self._leases = ExitStack()

    @property
    def has_media(self) -> bool:
        return self._media.done()

    @property
    def org_id(self) -> UUID | None:
        """Whose call it is, None while or if that is not known."""
        if not self._office.done() or self._office.cancelled() or self._office.exception() is not None:
            return None
        office = self._office.result()
        return None if office is None else office.profile.org_id

    async def office(self) -> Office | None:
        """The org, as soon as it is known; None for a number that is nobody's. Raises `OrgUnavailable`."""
        return await asyncio.shield(self._office)

    def join(self, media: Media) -> None:
        """The call's media have come."""
        self._media.set_result(media)

    def abandon(self) -> None:
        """No media will come."""
        if not self._media.done():
            self._media.set_result(None)

    def line_closed(self, reason: str) -> None:
        """The carrier says by another way that the call is over."""
        self.abandon()
        if self._conversation is not None:
            self._conversation.line_closed(reason)

    async def run(self) -> None:
        """Everything, to the end. A fault ends this call alone."""
        try:
            with self._leases:
                await self._run()
        except Exception as error:
            log.error("call_failed", stream=self.carrier_call_id, exc_info=error)
            self._desk.metrics.calls.labels("failed").inc()
        finally:
            self._settle()

    def _settle(self) -> None:
        if not self._office.done():
            self._office.set_exception(OrgUnavailable("call"))
        if not self._office.cancelled():
            self._office.exception()  # looked at: nobody may be waiting any more
        self.over.set()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            prewarms = self._desk.settings.speedups.prewarms
            hearing = Hearing(group)
            if prewarms:
                hearing.open(self._desk.clients, PROCESS_KEYS)
            office = group.create_task(self._open_office(group, hearing))
            warming = group.create_task(self._warm_model()) if prewarms else None
            try:
                media = await self._media_in_time()
                if media is not None:
                    await self._take(media, hearing)
            finally:
                for task in (office, warming, self._recognising):
                    if task is not None:
                        task.cancel()
                hearing.close()

    async def _media_in_time(self) -> Media | None:
        self._desk.metrics.calls_expected.inc()
        try:
            async with asyncio.timeout(self._desk.settings.waits.prewarm_s):
                return await self._media
        except TimeoutError:
            log.warning("media_never_came", stream=self.carrier_call_id)
            self._desk.metrics.refused.labels("media_never_came").inc()
            return None
        finally:
            self._desk.metrics.calls_expected.dec()

    # --- whose call it is -----------------------------------------------------------------------------------

    async def _open_office(self, group: asyncio.TaskGroup, hearing: Hearing) -> None:
        try:
            office = await self._find_office(group)
            if office is not None:
                self._use(office, hearing)
        except Exception as error:
            self._office.set_exception(error if isinstance(error, OrgUnavailable) else OrgUnavailable("org"))
            if not isinstance(error, OrgUnavailable):
                log.error("org_not_found_out", stream=self.carrier_call_id, exc_info=error)
            return
        self._office.set_result(office)
        if office is not None:
            await self._warm_voice(office)

    def _use(self, office: Office, hearing: Hearing) -> None:
        """The org's clients stay for as long as the call; its recogniser opens now, if it may."""
        clients = self._desk.gear(office).clients
        self._leases.enter_context(clients.lease(office.keys))
        if self._desk.settings.speedups.prewarms:
            hearing.open(clients, office.keys)

    async def _find_office(self, group: asyncio.TaskGroup) -> Office | None:
        """The answer to the webhook waits for all look-ups; for the caller's only if they take turns."""
        desk = self._desk
        org_id = await self._find_org()
        if org_id is None:
            return None
        caller = self._ends.caller
        if desk.callers is not None and caller is not None:
            self._recognising = group.create_task(desk.callers.find(org_id, caller, self._call_id))
            if not desk.settings.speedups.side_by_side:
                await asyncio.wait({self._recognising})
        profile, keys, latency = await self._look_up(org_id)
        if profile is None:
            return None
        rules, outgoing = await asyncio.gather(self._handover_rules(org_id), self._outgoing(org_id))
        return self._presented(Office(profile, keys, turbo=latency == "turbo", handover=rules), outgoing)

    async def _handover_rules(self, org_id: UUID) -> HandoverRules:
        """While that cannot be told in time, nobody is handed over."""
        try:
            async with asyncio.timeout(self._desk.settings.waits.caller_deadline_s):
                return await load_handover_rules(self._desk.pool, Claim(org_id))
        except (BookingError, TimeoutError):
            return NOBODY

    async def _outgoing(self, org_id: UUID) -> Outgoing | None:
        """None for a call that came in. While that cannot be told, a placed call is the clinic's own."""
        placed_id = self._ends.placed_id
        if placed_id is None:
            return None
        try:
            async with asyncio.timeout(self._desk.settings.waits.caller_deadline_s):
                return await find_outgoing(self._desk.pool, org_id, placed_id)
        except (BookingError, TimeoutError):
            return Outgoing(placed_id, CallBrief(None, None, None))

    def _presented(self, office: Office, outgoing: Outgoing | None) -> Office:
        """As this very call presents it: one that the org placed, one that comes back."""
        ends, profile, rules = self._ends, office.profile, office.handover
        besides = handover_prompt(offered=_may_hand_over(rules, ends), came_back=ends.came_back)
        if outgoing is not None:
            profile = outgoing.profile(profile)
            besides += outgoing.prompt(profile)
        shown = come_back(profile) if ends.came_back else profile
        return replace(office, profile=shown, besides=besides)

    async def _look_up(self, org_id: UUID) -> tuple[OrgProfile | None, OrgKeys, LatencyProfile]:
        desk = self._desk
        if not desk.settings.speedups.side_by_side:
            profile = await desk.profiles.get(org_id)
            keys = await open_keys(desk.credentials, desk.vault, org_id)
            latency = await desk.latency.profile(org_id)
            await desk.knowledge.warm(org_id)
            return profile, keys, latency
        profile, keys, latency, _ = await asyncio.gather(
            desk.profiles.get(org_id),
            open_keys(desk.credentials, desk.vault, org_id),
            desk.latency.profile(org_id),
            desk.knowledge.warm(org_id),
        )
        return profile, keys, latency

    async def _warm_model(self) -> None:
        await self._desk.clients.warm_models(PROCESS_KEYS)

    async def _warm_voice(self, office: Office) -> None:
        """Sockets and phrases in the org's own name; the process's are opened without waiting for it."""
        desk, clients = self._desk, self._desk.gear(office).clients
        voice = clients.voice(office.keys, office.profile.voice)
        desk.phrases.want(voice, [office.profile.greeting, *(each.text for each in DEFAULT_PHRASES.values())])
        if not desk.settings.speedups.prewarms:
            return
        warming = [clients.tts(office.keys, office.profile.voice).warm_up()]
        if office.keys.llm is not None or office.turbo:
            warming.append(clients.warm_models(office.keys))
        await asyncio.gather(*warming)

    # --- the conversation -----------------------------------------------------------------------------------

    async def _take(self, media: Media, hearing: Hearing) -> None:
        waits = self._desk.settings.waits
        try:
            async with asyncio.timeout(waits.providers_s):
                office = await self.office()
        except (OrgUnavailable, TimeoutError):
            office = None
        if office is None:
            await media.line.close(1011, "org_unavailable")
            return
        try:
            opened = hearing.open(self._desk.gear(office).clients, office.keys)
            session = await opened.session(waits.providers_s)
            if isinstance(session, TakesKeyterms):  # it was opened before the org's words were known
                await session.set_keyterms(keyterms(office.profile))
            await self._converse(office, media, session)
        finally:
            hearing.close()

    async def _converse(self, office: Office, media: Media, hearing: SttSession) -> None:
        desk, profile = self._desk, office.profile
        call_id, claim = self._call_id, Claim(profile.org_id)
        returning = None if self._recognising is None else await self._recognising
        gear = desk.gear(office)
        model = gear.clients.thinking(office.keys).model
        record = Record(
            org_id=profile.org_id,
            call_id=call_id,
            carrier=self.carrier,
            carrier_call_id=self.carrier_call_id,
            pool=desk.pool,
            feed=desk.feed,
            metrics=desk.metrics,
            clock=desk.clock,
            latency=desk.latency,
            spans=None if desk.traces is None else desk.traces.call(call_id, profile.org_id, model),
        )
        booking = CallBooking(
            claim=claim,
            call_id=call_id,
            carrier=self.carrier,
            carrier_call_id=self.carrier_call_id,
            profile=profile,
            pool=desk.pool,
            verification=desk.texts.verification,
            ends=media.ends,
            hold_s=desk.settings.waits.hold_s,
            resend_s=desk.settings.waits.code_resend_s,
            started_at=desk.now(),
            now=desk.now,
            placed_id=self._ends.placed_id,
        )
        keys = keyring(desk.vault)
        consent = CallConsent(
            desk.pool,
            claim,
            call_id,
            keys,
            profile.recording,
            CallLine(self.carrier, self.carrier_call_id, media.ends.caller),
            desk.metrics,
        )
        records = CallRecords(desk.pool, claim, call_id, keys, media.ends, consent)
        journal = CallJournal(record, booking.turn_answered, records.caller_heard, consent)
        for forget in (records.forget, journal.forget_words):
            consent.when_refused(forget)
        recorder = self._recorder(office, consent)
        inquiry = Inquiry(desk.pool, claim, call_id, profile.services)
        thinking = await gear.hedges.model(profile.org_id, office.keys)
        ports = CallPorts(
            stt_session=hearing,
            llm=InformedModel(
                thinking,
                partial(desk.knowledge.find, profile.org_id, elsewhere=office.keys.llm is None),
            ),
            tts=gear.clients.tts(office.keys, profile.voice),
            tools=(
                *call_tools(booking, consent.refuse),
                *self._handing_over(office, media, booking, consent),
                self._taking_messages(office, booking, keys, consent),
            ),
            line=media.line if recorder is None else RecordedLine(media.line, recorder),
            redactor=ConsentRedactor(
                HearingRedactor(
                    without_name(
                        _call_redactor(
                            profile,
                            records.masked,
                            lambda: booking.awaits_code,
                            numbered=desk.settings.numbers_entities,
                        ),
                        returning,
                    ),
                    inquiry.heard,
                ),
                consent,
            ),
            journal=journal,
            clock=desk.clock,
        )
        runner = CallRunner(ports, self._conversation_settings(office, returning))
        await self._conduct(runner, media, booking, Kept(journal, records, inquiry, consent, recorder))

    def _recorder(self, office: Office, consent: CallConsent) -> CallRecorder | None:
        """None where no sound is recorded. Whoever is rung up is told of a record in writing alone."""
        recorders = self._desk.recorders
        if recorders is None or self._ends.placed_id is not None:
            return None
        return recorders.recorder(Claim(office.profile.org_id), self._call_id, consent)

    def _handing_over(
        self, office: Office, media: Media, booking: CallBooking, consent: CallConsent
    ) -> tuple[Tool, ...]:
        """The tool for it, where the org has somebody, the carrier can do it, and none was called in vain."""
        if media.hand_over is None or not _may_hand_over(office.handover, self._ends):
            return ()
        redactor = profile_redactor(office.profile, lambda *_: None, numbered=False)

        def summarised(wanted: str) -> str | None:
            return None if consent.withheld else spoken(redactor.caller(wanted))

        conversation = self._desk.settings.conversation
        booking.handover = CallHandover(office.handover, media.hand_over, summarised, longest_s(conversation))
        return (TransferToHuman(booking, booking.handover),)

    def _taking_messages(
        self, office: Office, booking: CallBooking, keys: Keyring, consent: CallConsent
    ) -> Tool:
        redactor = profile_redactor(office.profile, lambda *_: None, numbered=False)

        def redacted(said: str) -> str | None:
            return None if consent.withheld else redactor.caller(said)

        voicemail = Voicemail(booking.pool, booking.claim, booking.call_id, keys, redacted)
        return TakeMessage(booking, voicemail)

    async def _conduct(self, runner: CallRunner, media: Media, booking: CallBooking, kept: "Kept") -> None:
        desk = self._desk
        started_s = desk.clock.now_s()
        ending = Ending("cancelled", in_order=False)
        kept.journal.opened(booking.started_at.isoformat())
        self._conversation = runner
        try:
            with desk.metrics.calls_active.track_inprogress():
                ending = await self._talk(runner, media, booking, kept)
            if booking.handover is not None and booking.handover.done:
                ending = Ending(TRANSFERRED, in_order=True)
        except Exception as fault:
            ending = Ending("failed", in_order=False)
            log.error("conversation_failed", call=str(booking.call_id), exc_info=fault)
        finally:
            self._conversation = None
            await to_its_end(self._finish(media, booking, kept, ending))
            desk.metrics.calls.labels(ending.reason).inc()
            desk.metrics.call_seconds.observe(desk.clock.now_s() - started_s)

    async def _talk(self, runner: CallRunner, media: Media, booking: CallBooking, kept: "Kept") -> "Ending":
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(_hear(media, runner, kept.recorder))
            helpers = [
                reader,
                group.create_task(kept.consent.keep()),
                group.create_task(kept.journal.store_turns()),
                group.create_task(kept.records.keep()),
                group.create_task(kept.inquiry.keep()),
                group.create_task(kept.inquiry.keep_going()),
                group.create_task(_open_record(booking)),
            ]
            try:
                outcome = await runner.run()
                if outcome.ended_by == "caller":  # the socket may close before its last frames are read
                    await asyncio.wait({reader}, timeout=self._desk.settings.waits.media_close_s)
                return Ending.of(outcome, media)
            finally:
                for helper in helpers:
                    helper.cancel()

    async def _finish(self, media: Media, booking: CallBooking, kept: "Kept", ending: "Ending") -> None:
        """Close the socket, write what is left of the record, give back what the caller was not told of.

        What is known of the caller stands before the call is closed: its follow-up begins with that.
        """
        desk, ended_at = self._desk, self._desk.now()
        if kept.recorder is not None:
            kept.recorder.end()
        keep = ending.in_order and (booking.accepted or ending.reason == TRANSFERRED)
        await media.line.close(1000 if ending.in_order else 1011, ending.reason)
        released = 0
        try:
            async with asyncio.timeout(desk.settings.waits.call_close_s):
                await booking.open()
                await self._flush(kept)
                released = await close_call(
                    desk.pool,
                    booking.claim,
                    call_id=booking.call_id,
                    end_reason=ending.reason,
                    ended_at=ended_at,
                    keep_hold=keep,
                )
        except (BookingError, TimeoutError) as error:
            log.error("call_not_recorded", call=str(booking.call_id), error=type(error).__name__)
        outcome = booking.outcome if keep or booking.outcome == "booked" else "none"
        desk.metrics.values_unkept.inc(kept.records.unkept())
        desk.metrics.consents_unnoted.inc(kept.consent.unnoted())
        kept.journal.closed(ending.reason, outcome=outcome, released=released)

    async def _flush(self, kept: "Kept") -> None:
        """Time-boxed, so that a call whose words cannot be written is closed all the same."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._desk.settings.waits.call_close_s / 2):
                await kept.journal.flush()
                await kept.inquiry.flush()
                await kept.records.flush()

    def _conversation_settings(
        self, office: Office, returning: ReturningCaller | None
    ) -> ConversationSettings:
        desk, profile = self._desk, office.profile
        gear = desk.gear(office)
        voice = gear.clients.voice(office.keys, profile.voice)

        def phrase(text: str) -> Phrase:
            return Phrase(text, desk.phrases.get(voice, text))

        return ConversationSettings(
            system_prompt=system_prompt(profile, desk.now(), returning) + office.besides,
            greeting=phrase(profile.greeting),
            phrases={kind: phrase(each.text) for kind, each in DEFAULT_PHRASES.items()},
            **gear.conversation,
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """What is written of one call: in public words; what was masked in them, sealed; what it was about;
    whether words are kept at all; and its sound, if that is recorded.
    """

    journal: CallJournal
    records: CallRecords
    inquiry: Inquiry
    consent: CallConsent
    recorder: CallRecorder | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a call ended, and whether that was in order: our goodbye, or the caller's hanging up."""

    reason: str
    in_order: bool

    @classmethod
    def of(cls, outcome: CallOutcome, media: Media) -> Self:
        """What the conversation says; of an end on the line, the socket knows more."""
        if outcome.ended_by == "caller" and media.ended:
            return cls(media.ended, in_order=media.ended == CALLER_HUNG_UP)
        in_order = outcome.ended_by == "agent" or outcome.reason == CALLER_HUNG_UP
        return cls(outcome.reason, in_order)


async def _hear(media: Media, runner: CallRunner, recorder: CallRecorder | None) -> None:
    """Hand the carrier's events to the conversation until there are no more."""
    async for event in media.events():
        match event:
            case CallerAudio():
                if recorder is not None:
                    recorder.caller(event.mulaw, event.timestamp_ms)
                await runner.caller_audio(event.mulaw)
            case Dtmf():
                runner.dtmf(event.digit)
            case MarkReached():
                runner.mark_reached(event.name)
            case CallStarted() | CallEnded():
                break
            case _:
                assert_never(event)
    media.line.no_more(media.ended)
    runner.line_closed(media.ended)


async def _open_record(booking: CallBooking) -> None:
    """Put the call on record. If the database is away now, its first claim or its end tries again."""
    try:
        await booking.open()
    except BookingError as error:
        log.warning("call_not_opened", call=str(booking.call_id), error=type(error).__name__)


def _may_hand_over(rules: HandoverRules, ends: Ends) -> bool:
    return rules.number is not None and not ends.came_back


def keyterms(profile: OrgProfile) -> list[str]:
    """The words of this clinic that a recogniser would not guess, those asked for most first."""
    return [
        *(service.name for service in profile.services),
        *(practitioner.name for practitioner in profile.practitioners),
        *(synonym for service in profile.services for synonym in service.synonyms),
    ]


def _call_redactor(
    profile: OrgProfile, on_masked: OnMasked, code_awaited: Callable[[], bool], *, numbered: bool
) -> CodeRedactor:
    redactor = profile_redactor(profile, without_codes(on_masked, code_awaited), numbered=numbered)
    return CodeRedactor(redactor, code_awaited)


def profile_redactor(profile: OrgProfile, on_masked: OnMasked, *, numbered: bool) -> CallRedactor:
    """One call's, which knows the clinic's own words: its services are medical, its people's names stand."""
    services = [name for service in profile.services for name in (service.name, *service.synonyms)]
    keep = [profile.name, profile.agent_name, *(each.name for each in profile.practitioners)]
    return CallRedactor(services=services, keep=keep, numbered=numbered, on_masked=on_masked)


async def to_its_end(work: Coroutine[None, None, None]) -> None:
    """Await `work` even while being cancelled; it is bounded by its own limits."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as again:  # may come more than once: the server's stop after the call's
            cancelled = again
    task.result()
    if cancelled is not None:
        raise cancelled
