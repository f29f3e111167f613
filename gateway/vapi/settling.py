"""The end of a call that Vapi carried: its report is kept as our own calls' words are, and the call closed.

Words are masked, what was masked in them is sealed, a refusal to be recorded is obeyed, and what the caller
asked about is known by its service alone. All of it stands before the call is closed, in whose transaction
its follow-up is settled; so a report that comes twice, or breaks off in the middle, comes to the same.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

import asyncpg
import structlog

from booking.calls import close_call
from booking.db import org_transaction
from booking.errors import CallUnknown, ServiceUnknown
from booking.follow_up import note_asked
from booking.follow_up_procedure import Procedures
from booking.types import CallTurn, OrgProfile, Said
from booking.vapi_calls import CARRIER, end, keep_told_turns, open_vapi_call
from compliance.keys import Keyring
from compliance.records import SpokenValue, keep_values, settle_call
from compliance.redaction.call import Speaker
from compliance.redaction.text.entities import EntityType
from gateway.call import profile_redactor
from gateway.code_redactor import CodeRedactor, without_codes
from gateway.consent import CallConsent, CallLine, ConsentRedactor
from gateway.metrics import Metrics
from gateway.returning import without_name
from gateway.sealing import keyring
from gateway.settings import Settings
from gateway.vapi.calls import VapiCall
from gateway.vapi.endings import IN_ORDER, Group, group_of, kept_reason
from gateway.vapi.ends import keep_both
from gateway.vapi.messages import ToldEnd
from gateway.vapi.sharing import Holding, Sharing
from gateway.vapi.state import SharedState
from gateway.vapi.transcript import Utterance, turns_of, utterances_of, was_told_since
from pipeline.ports import Redactor

log = structlog.get_logger("gateway.vapi")

OnClosed = Callable[[VapiCall, str, str], None]
_BATCH: Final = 50
_UNKNOWN_YET: Final = timedelta(minutes=2)


@dataclass(slots=True)
class _Kept:
    """What is to be written of one call, gathered before anything is."""

    call_id: UUID
    said: list[list[Said]] = field(default_factory=list)
    values: list[SpokenValue] = field(default_factory=list)
    turn: int = 0
    _masked: int = 0

    def masked(self, speaker: Speaker, entity: EntityType, value: str) -> None:
        """Under an id that follows from its place: written again, it is the same row."""
        row = uuid5(self.call_id, f"value {self._masked}")
        self._masked += 1
        self.values.append(SpokenValue(entity, value, self.turn, row))

    def forget(self) -> None:
        """The caller has refused to be recorded: all words so far go."""
        self.said = [[] for _ in self.said]
        self.values.clear()


@dataclass(frozen=True, slots=True)
class Settling:
    """Settles calls, in a gateway or a worker. `numbered`: as `Settings.numbers_entities`.

    `on_closed` is told the call, why it ended and what it leaves (`booked held none`).
    """

    sharing: Sharing
    metrics: Metrics
    now: Callable[[], datetime]
    numbered: bool
    wait_s: float
    on_closed: OnClosed = lambda call, reason, outcome: None

    @property
    def _pool(self) -> asyncpg.Pool:
        return self.sharing.pool

    @property
    def _keys(self) -> Keyring:
        return keyring(self.sharing.vault)

    async def settle(self, profile: OrgProfile, call: VapiCall, told: ToldEnd) -> bool:
        """False if it was settled before.

        Raises `BookingError`, `VaultError`, `CallBusy`: then it is not over.
        """
        try:
            return await self._taken(profile, call, told)
        except CallUnknown:  # its report is the first that is heard of it
            await self._open(call)
        try:
            return await self._taken(profile, call, told)
        except CallUnknown:
            await self._close_erased(call, told)
            return False

    async def _open(self, call: VapiCall) -> None:
        await open_vapi_call(
            self._pool,
            call.claim,
            call_id=call.call_id,
            vapi_id=call.vapi_id,
            started_at=call.started_at,
            ask_after=_UNKNOWN_YET,
        )

    async def _taken(self, profile: OrgProfile, call: VapiCall, told: ToldEnd) -> bool:
        async with self.sharing.taken(call.claim, call.call_id, within_s=self.wait_s) as holding:
            if holding.settled:
                return False
            holding.state.meet(call.ends)
            return await self._settled(profile, call, told, holding)

    async def _close_erased(self, call: VapiCall, told: ToldEnd) -> None:
        """The caller was erased while it went on: that it is over is all that is kept."""
        await close_call(
            self._pool,
            call.claim,
            call_id=call.call_id,
            end_reason=_group(told),
            ended_at=self._ended_at(call, told),
            keep_hold=False,
        )

    async def _settled(self, profile: OrgProfile, call: VapiCall, told: ToldEnd, holding: Holding) -> bool:
        utterances, state = utterances_of(told.spoken), holding.state
        await self._keep_words(profile, call, utterances, state)
        group, ended_at = _group(told), self._ended_at(call, told)
        keeps = group in IN_ORDER and _knows_of_hold(state, utterances)
        released = await end(
            self._pool,
            call.claim,
            call_id=call.call_id,
            holder=holding.holder,
            end_reason=group,
            ended_reason=kept_reason(told.reason),
            ended_at=ended_at,
            keep_hold=keeps,
        )
        if released is None:  # somebody else took over meanwhile
            return False
        holding.left = True
        self._tell(call, group, _outcome(state, keeps), released, ended_at)
        return True

    # --- its words ------------------------------------------------------------------------------------------

    async def _keep_words(
        self, profile: OrgProfile, call: VapiCall, utterances: Sequence[Utterance], state: SharedState
    ) -> None:
        consent = CallConsent(
            self._pool,
            call.claim,
            call.call_id,
            self._keys,
            profile.recording,
            CallLine(CARRIER, call.vapi_id, state.ends.caller),
            self.metrics,
        )
        await consent.noted()  # whether the caller had refused before
        kept = _Kept(call.call_id)
        consent.when_refused(kept.forget)
        redactor = ConsentRedactor(self._redactor(profile, kept, state), consent)
        asked = await _masked_all(utterances, redactor, consent, kept, profile)
        await consent.noted()
        await self._store(call, kept)
        await self._keep_sealed(call, state, kept.values)
        if asked is not None:
            with suppress(ServiceUnknown):  # it is offered no more
                await note_asked(self._pool, call.claim, call_id=call.call_id, service_id=asked)

    def _redactor(self, profile: OrgProfile, kept: _Kept, state: SharedState) -> Redactor:
        """When a code was out is not told: once one was sent, whatever digits are said may be it."""

        def code_awaited() -> bool:
            return state.sent is not None

        on_masked = without_codes(kept.masked, code_awaited)
        redactor = CodeRedactor(profile_redactor(profile, on_masked, numbered=self.numbered), code_awaited)
        return without_name(redactor, state.returning)

    async def _store(self, call: VapiCall, kept: _Kept) -> None:
        turns = [_turn(number, said) for number, said in enumerate(kept.said)]
        for begins in range(0, len(turns), _BATCH):
            batch = turns[begins : begins + _BATCH]
            await keep_told_turns(self._pool, call.claim, call_id=call.call_id, turns=batch)

    async def _keep_sealed(self, call: VapiCall, state: SharedState, values: Sequence[SpokenValue]) -> None:
        """Both ends' numbers and what was masked. Whoever was erased has no key."""
        keys, org_id = self._keys, call.org_id
        async with org_transaction(self._pool, call.claim) as connection:
            key = await keep_both(connection, keys, org_id, call.call_id, state.ends)
            if key is None:
                return
            for begins in range(0, len(values), _BATCH):
                batch = values[begins : begins + _BATCH]
                await keep_values(connection, key, org_id, call.call_id, batch)
            await settle_call(connection, keys, org_id, call.call_id)

    # --- its end --------------------------------------------------------------------------------------------

    def _ended_at(self, call: VapiCall, told: ToldEnd) -> datetime:
        """As Vapi tells, unless that cannot be."""
        now, ended_at = self.now(), told.ended_at
        return ended_at if ended_at is not None and call.started_at <= ended_at <= now else now

    def _tell(self, call: VapiCall, group: Group, outcome: str, released: int, ended_at: datetime) -> None:
        self.metrics.calls.labels(group).inc()
        self.metrics.vapi_ended.labels(group).inc()
        self.metrics.call_seconds.observe(max((ended_at - call.started_at).total_seconds(), 0.0))
        log.info(
            "call_closed",
            call=str(call.call_id),
            org=str(call.org_id),
            reason=group,
            outcome=outcome,
            released=released,
        )
        self.on_closed(call, group, outcome)


def settling_of(
    settings: Settings,
    sharing: Sharing,
    metrics: Metrics,
    on_closed: OnClosed = lambda call, reason, outcome: None,
) -> Settling:
    """This process's."""
    numbered, wait_s = settings.numbers_entities, settings.waits.vapi_settle_s / 2
    return Settling(sharing, metrics, lambda: datetime.now(UTC), numbered, wait_s, on_closed)


async def _masked_all(
    utterances: Sequence[Utterance],
    redactor: Redactor,
    consent: CallConsent,
    kept: _Kept,
    profile: OrgProfile,
) -> UUID | None:
    """Into `kept`, as far as it may be kept; the service that the caller asked about last."""
    procedures, asked = Procedures(profile.services), None
    for number, turn in enumerate(turns_of(utterances)):
        kept.turn = number
        kept.said.append([])
        for each in turn:
            public = redactor.caller(each.text) if each.speaker == "caller" else redactor.agent(each.text)
            if consent.withheld:
                kept.values.clear()
            else:
                kept.said[-1].append(Said(each.speaker, public, "reply" if each.speaker == "agent" else None))
            if each.speaker == "caller":
                asked = procedures.asked(each.text) or asked
            await asyncio.sleep(0)  # calls that are heard here come in between
    return asked


def _turn(number: int, said: Sequence[Said]) -> CallTurn:
    answered = any(each.speaker == "agent" for each in said) and number > 0
    return CallTurn(turn=number, said=tuple(said), outcome="answered" if answered else "silent")


def _group(told: ToldEnd) -> Group:
    return "lost" if told.lost else group_of(told.reason)


def _knows_of_hold(state: SharedState, utterances: Sequence[Utterance]) -> bool:
    """Whether the caller was told of what is held. Where no words came, whether the call went on with it."""
    if state.held_at is None:
        return False
    if not utterances:
        return state.used_at is not None and state.used_at > state.held_at
    return was_told_since(utterances, state.held_at.timestamp())


def _outcome(state: SharedState, keeps: bool) -> str:
    if state.booked is not None and state.booked.status == "booked":
        return "booked"
    return "held" if keeps and state.held is not None else "none"
