"""A conversation's parts: what hears, thinks, speaks and books in it, and what is kept of it."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from booking.handovers import HandoverRules
from booking.types import Claim, ReturningCaller
from gateway.call.desk import Desk, Office
from gateway.call.masking import call_redactor, profile_redactor
from gateway.call.media import Media
from gateway.call.recollection import Recollection
from gateway.caller import Ends
from gateway.consent import CallConsent, CallLine, ConsentRedactor
from gateway.handover import CallHandover, longest_s, spoken
from gateway.inquiry import HearingRedactor, Inquiry
from gateway.journal import CallJournal, Record
from gateway.knowledge.informed import InformedModel
from gateway.prompt import system_prompt
from gateway.recording.recorders import CallRecorder, RecordedLine
from gateway.records import CallRecords
from gateway.returning import without_name
from gateway.sealing import keyring
from gateway.tools import CallBooking, TakeMessage, TransferToHuman, call_tools
from gateway.voicemail import Voicemail
from pipeline.ports import LanguageModel, Redactor, SttSession, Tool
from pipeline.runner import DEFAULT_PHRASES, CallPorts, CallRunner, ConversationSettings, Phrase


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
class Which:
    """Which call it is: by its carrier, by us; and who calls whom, as the carrier's webhook says."""

    carrier: str
    carrier_call_id: str
    call_id: UUID
    ends: Ends


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation that can begin."""

    runner: CallRunner
    booking: CallBooking
    kept: Kept


@dataclass(frozen=True, slots=True)
class Assembly:
    """One call's, whose org and media are there. `returning`: who is known to call; `before`: the call until
    it was put through, of a caller who is back.
    """

    desk: Desk
    which: Which
    office: Office
    media: Media
    returning: ReturningCaller | None
    before: Recollection | None = None

    async def talk(self, hearing: SttSession) -> Talk:
        """All of it, wired. `hearing`: the recogniser that listens already."""
        office, gear = self.office, self.desk.gear(self.office)
        booking, consent = self._booking(), self._consent()
        kept = self._kept(booking, consent)
        ports = CallPorts(
            stt_session=hearing,
            llm=await self._model(),
            tts=gear.clients.tts(office.keys, office.profile.voice),
            tools=self._tools(booking, consent),
            line=self.media.line if kept.recorder is None else RecordedLine(self.media.line, kept.recorder),
            redactor=self._redactor(booking, kept),
            journal=kept.journal,
            clock=self.desk.clock,
        )
        return Talk(CallRunner(ports, self._settings()), booking, kept)

    async def _model(self) -> LanguageModel:
        desk, office = self.desk, self.office
        org_id = office.profile.org_id
        thinking = await desk.gear(office).hedges.model(org_id, office.keys)
        find = partial(desk.knowledge.find, org_id, elsewhere=office.keys.llm is None)
        return InformedModel(thinking, find)

    def _record(self) -> Record:
        desk, profile, call_id = self.desk, self.office.profile, self.which.call_id
        model = desk.gear(self.office).clients.thinking(self.office.keys).model
        return Record(
            org_id=profile.org_id,
            call_id=call_id,
            carrier=self.which.carrier,
            carrier_call_id=self.which.carrier_call_id,
            pool=desk.pool,
            feed=desk.feed,
            metrics=desk.metrics,
            clock=desk.clock,
            latency=desk.latency,
            spans=None if desk.traces is None else desk.traces.call(call_id, profile.org_id, model),
        )

    def _booking(self) -> CallBooking:
        desk, profile, call_id, media = self.desk, self.office.profile, self.which.call_id, self.media
        booking = CallBooking(
            claim=Claim(profile.org_id),
            call_id=call_id,
            carrier=self.which.carrier,
            carrier_call_id=self.which.carrier_call_id,
            profile=profile,
            pool=desk.pool,
            verification=desk.texts.verification,
            ends=media.ends,
            hold_s=desk.settings.waits.hold_s,
            resend_s=desk.settings.waits.code_resend_s,
            started_at=desk.now(),
            now=desk.now,
            placed_id=self.which.ends.placed_id,
        )
        if self.before is not None:
            booking.go_on(self.before.booking)
        return booking

    def _consent(self) -> CallConsent:
        desk, profile, media = self.desk, self.office.profile, self.media
        return CallConsent(
            desk.pool,
            Claim(profile.org_id),
            self.which.call_id,
            keyring(desk.vault),
            profile.recording,
            CallLine(self.which.carrier, self.which.carrier_call_id, media.ends.caller),
            desk.metrics,
        )

    def _kept(self, booking: CallBooking, consent: CallConsent) -> Kept:
        pool, claim, call_id = self.desk.pool, booking.claim, booking.call_id
        records = CallRecords(pool, claim, call_id, keyring(self.desk.vault), self.media.ends, consent)
        journal = CallJournal(self._record(), booking.turn_answered, records.caller_heard, consent)
        for forget in (records.forget, journal.forget_words):
            consent.when_refused(forget)
        recorder = self._recorder(consent)
        inquiry = Inquiry(pool, claim, call_id, self.office.profile.services)
        return Kept(journal, records, inquiry, consent, recorder)

    def _recorder(self, consent: CallConsent) -> CallRecorder | None:
        """None where no sound is recorded."""
        recorders = self.desk.recorders
        if recorders is None or not self.office.sound:
            return None
        return recorders.recorder(Claim(self.office.profile.org_id), self.which.call_id, consent)

    def _tools(self, booking: CallBooking, consent: CallConsent) -> tuple[Tool, ...]:
        return (
            *call_tools(booking, consent.refuse),
            *self._handing_over(booking, consent),
            self._taking_messages(booking, consent),
        )

    def _handing_over(self, booking: CallBooking, consent: CallConsent) -> tuple[Tool, ...]:
        """The tool for it, where the org has somebody, the carrier can do it, and none was called in vain."""
        office, media = self.office, self.media
        if media.hand_over is None or not may_hand_over(office.handover, self.which.ends):
            return ()
        redactor = profile_redactor(office.profile, lambda *_: None, numbered=False)

        def summarised(wanted: str) -> str | None:
            return None if consent.withheld else spoken(redactor.caller(wanted))

        conversation = self.desk.settings.conversation
        booking.handover = CallHandover(office.handover, media.hand_over, summarised, longest_s(conversation))
        return (TransferToHuman(booking, booking.handover),)

    def _taking_messages(self, booking: CallBooking, consent: CallConsent) -> Tool:
        keys = keyring(self.desk.vault)
        redactor = profile_redactor(self.office.profile, lambda *_: None, numbered=False)

        def redacted(said: str) -> str | None:
            return None if consent.withheld else redactor.caller(said)

        voicemail = Voicemail(booking.pool, booking.claim, booking.call_id, keys, redacted)
        return TakeMessage(booking, voicemail)

    def _redactor(self, booking: CallBooking, kept: Kept) -> Redactor:
        """From within: the clinic's words, the caller's name, what is asked about, whether words are kept."""
        masking = call_redactor(
            self.office.profile,
            kept.records.masked,
            lambda: booking.awaits_code,
            numbered=self.desk.settings.numbers_entities,
        )
        hearing = HearingRedactor(without_name(masking, self.returning), kept.inquiry.heard)
        return ConsentRedactor(hearing, kept.consent)

    def _settings(self) -> ConversationSettings:
        desk, office, profile = self.desk, self.office, self.office.profile
        gear = desk.gear(office)
        voice = gear.clients.voice(office.keys, profile.voice)

        def phrase(text: str) -> Phrase:
            return Phrase(text, desk.phrases.get(voice, text))

        return ConversationSettings(
            system_prompt=system_prompt(profile, desk.now(), self.returning) + office.besides,
            greeting=phrase(profile.greeting),
            earlier=() if self.before is None else self.before.history,
            phrases={kind: phrase(each.text) for kind, each in DEFAULT_PHRASES.items()},
            **gear.conversation,
        )


def may_hand_over(rules: HandoverRules, ends: Ends) -> bool:
    """Not a second time in one call."""
    return rules.number is not None and not ends.came_back
