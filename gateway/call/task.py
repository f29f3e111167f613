"""One call: from the carrier's webhook, over its media, to its record. One task group owns all of it.

The webhook starts it (`gateway.calls`): the org is looked up while the recogniser's socket and the model's
connection open; with `PREWARM` off those wait for the media. The media socket joins it and the conversation
runs; if no media come in time, everything is closed again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import structlog

from booking.calling_rules import CallBrief
from booking.errors import BookingError
from booking.handovers import NOBODY, HandoverRules, load_handover_rules
from booking.types import Claim, OrgProfile, ReturningCaller
from gateway.call.assembly import Assembly, Which, may_hand_over
from gateway.call.conversation import Conversation
from gateway.call.desk import Desk, Office
from gateway.call.masking import keyterms
from gateway.call.media import Media
from gateway.call.recollection import Recollection
from gateway.caller import Ends
from gateway.errors import OrgUnavailable
from gateway.handover import come_back, handover_prompt
from gateway.hearing import Hearing
from gateway.latency import Profile as LatencyProfile
from gateway.outgoing import Outgoing, find_outgoing
from gateway.prewarm import PROCESS_KEYS
from gateway.tenancy.credentials import OrgKeys, open_keys
from pipeline.ports import SttSession, TakesKeyterms
from pipeline.runner import DEFAULT_PHRASES

FindOrg = Callable[[], Awaitable[UUID | None]]
log = structlog.get_logger("gateway.call")


@dataclass(frozen=True, slots=True)
class _Found:
    """What an org's look-ups came to. `outgoing` None: the call came in."""

    profile: OrgProfile | None
    keys: OrgKeys
    latency: LatencyProfile
    handover: HandoverRules
    outgoing: Outgoing | None


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
        self._conversation: Conversation | None = None
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
        found = await self._look_up(org_id)
        if found.profile is None:
            return None
        turbo = found.latency == "turbo"
        office = Office(found.profile, found.keys, turbo=turbo, handover=found.handover)
        return self._presented(office, found.outgoing)

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
                may_record = self._desk.recorders is not None
                return await find_outgoing(self._desk.pool, org_id, placed_id, may_record=may_record)
        except (BookingError, TimeoutError):
            return Outgoing(placed_id, CallBrief(None, None, None))

    def _presented(self, office: Office, outgoing: Outgoing | None) -> Office:
        """As this very call presents it: one that the org placed, one that comes back."""
        ends, profile, rules = self._ends, office.profile, office.handover
        besides, sound = handover_prompt(offered=may_hand_over(rules, ends), came_back=ends.came_back), True
        if outgoing is not None:
            sound, profile = outgoing.asks_for_sound(profile), outgoing.profile(profile)
            besides += outgoing.prompt(profile)
        shown = come_back(profile) if ends.came_back else profile
        return replace(office, profile=shown, besides=besides, sound=sound)

    async def _look_up(self, org_id: UUID) -> _Found:
        desk = self._desk
        if not desk.settings.speedups.side_by_side:
            profile = await desk.profiles.get(org_id)
            keys = await open_keys(desk.credentials, desk.vault, org_id)
            latency = await desk.latency.profile(org_id)
            await desk.knowledge.warm(org_id)
            handover = await self._handover_rules(org_id)
            return _Found(profile, keys, latency, handover, await self._outgoing(org_id))
        profile, keys, latency, handover, outgoing, _ = await asyncio.gather(
            desk.profiles.get(org_id),
            open_keys(desk.credentials, desk.vault, org_id),
            desk.latency.profile(org_id),
            self._handover_rules(org_id),
            self._outgoing(org_id),
            desk.knowledge.warm(org_id),
        )
        return _Found(profile, keys, latency, handover, outgoing)

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
        returning = None if self._recognising is None else await self._recognising
        which = Which(self.carrier, self.carrier_call_id, self._call_id, self._ends)
        talk = await Assembly(self._desk, which, office, media, returning, self._before(office)).talk(hearing)
        self._conversation = Conversation(self._desk, media, talk)
        try:
            await self._conversation.run()
        finally:
            self._conversation = None

    def _before(self, office: Office) -> Recollection | None:
        """What was said until the caller was put through, if that was here."""
        if not self._ends.came_back:
            return None
        return self._desk.recollections.take(self.carrier_call_id, office.profile.org_id)
