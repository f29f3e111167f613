"""A call's public record: one log line, one metric, one feed event and in the end one stored turn per
fact.

Events hold redacted words only; nothing here sees others.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, assert_never
from uuid import UUID

import asyncpg
import structlog

from booking.calls import store_turn
from booking.errors import BookingError
from booking.types import CallTurn, Claim, Said
from gateway.consent import AllKept, Withholds, without_words
from gateway.feed import Feed
from gateway.latency import waited_ms
from gateway.latency_profiles import LatencyProfiles
from gateway.metrics import Metrics
from gateway.spans import Spans
from gateway.vendor_words import in_closed_words
from pipeline.events import (
    AgentSaid,
    BargedIn,
    CallerSaid,
    CallFinished,
    JournalEvent,
    ProviderFailed,
    ToolFinished,
    TurnFinished,
)
from pipeline.ports import Clock
from pipeline.turn.timeline import stage_lengths

log = structlog.get_logger("gateway.call")


@dataclass(frozen=True, slots=True)
class Record:
    """Where one call's facts go."""

    org_id: UUID
    call_id: UUID
    carrier: str
    carrier_call_id: str
    pool: asyncpg.Pool
    feed: Feed
    metrics: Metrics
    clock: Clock
    spans: Spans | None = None
    latency: LatencyProfiles | None = None


class CallJournal:
    """Satisfies `pipeline.ports.Journal`.

    `on_answered` is called when a turn was spoken to its end, `on_heard` with the number of each turn of the
    caller's as its words are recorded. `consent`: whether words are kept; all are without it.
    """

    def __init__(
        self,
        record: Record,
        on_answered: Callable[[], None],
        on_heard: Callable[[int], None] = lambda turn: None,
        consent: Withholds | None = None,
    ) -> None:
        self._record = record
        self._on_answered = on_answered
        self._on_heard = on_heard
        self._consent = consent or AllKept()
        self._log = log.bind(call=str(record.call_id), org=str(record.org_id))
        self._said: dict[int, list[Said]] = {}
        self._unstored: deque[CallTurn] = deque()  # bounded by the length of a call; words are never dropped
        self._turn_ended = asyncio.Event()

    def record(self, event: JournalEvent) -> None:
        """Take one fact. Returns at once; never raises."""
        try:
            public = in_closed_words(without_words(event) if self._consent.withheld else event)
            self._emit(type(public).__name__, _public(public))
            self._take(public)
            if self._record.spans is not None:
                self._record.spans.take(public)
        except Exception as error:  # noqa: BLE001  the record must never end the call that it tells of
            self._log.error("journal_failed", error=type(error).__name__, exc_info=error)

    def opened(self, started_at: str) -> None:
        """The call's first line."""
        record = self._record
        self._log.info("call_opened", carrier=record.carrier, stream=record.carrier_call_id)
        self._emit("CallOpened", {"carrier_call_id": self._record.carrier_call_id, "started_at": started_at})

    def closed(self, reason: str, *, outcome: str, released: int) -> None:
        """The call's last line, once its row is written. `outcome`: `booked held none`, what it leaves."""
        self._log.info("call_closed", reason=reason, outcome=outcome, released=released)
        self._emit("CallClosed", {"reason": reason, "outcome": outcome})
        if self._record.spans is not None:
            self._record.spans.end(reason)

    def forget_words(self) -> None:
        """The caller has refused to be recorded: of what is not written yet, the words go."""
        self._said.clear()
        self._unstored = deque(replace(turn, said=()) for turn in self._unstored)

    async def store_turns(self) -> None:
        """Write turns as they end, until cancelled. What cannot be written waits for the next one's end."""
        while True:
            await self._turn_ended.wait()
            self._turn_ended.clear()
            await self._store_all()

    async def flush(self) -> None:
        """Write what is not written yet, also what was said outside finished turns."""
        for turn in sorted(self._said):
            self._unstored.append(CallTurn(turn=turn, said=tuple(self._said[turn]), outcome="silent"))
        self._said.clear()
        await self._store_all()
        if self._unstored:
            self._record.metrics.turns_unstored.inc(len(self._unstored))
            self._log.error("turns_unstored", count=len(self._unstored))

    async def _store_all(self) -> None:
        """A turn leaves the queue once it is written; writing one twice replaces it."""
        record = self._record
        while self._unstored:
            try:
                await self._consent.noted()
                turn = self._unstored[0]
                await store_turn(record.pool, Claim(record.org_id), call_id=record.call_id, turn=turn)
            except BookingError:
                return
            self._unstored.popleft()

    def _emit(self, kind: str, fields: Mapping[str, Any]) -> None:
        record = self._record
        head = {"type": kind, "call_id": str(record.call_id), "at_s": record.clock.now_s()}
        record.feed.publish(record.org_id, {**head, **fields})

    def _take(self, event: JournalEvent) -> None:
        match event:
            case CallerSaid():
                self._keep(event.turn, Said("caller", event.text))
                self._on_heard(event.turn)
                self._log.info("caller_said", turn=event.turn, text=event.text)
            case AgentSaid():
                self._keep(event.turn, Said("agent", event.text, event.kind))
                self._log.info("agent_said", turn=event.turn, text=event.text, kind=event.kind)
            case ToolFinished():
                self._tool(event)
            case BargedIn():
                self._record.metrics.barge_ins.inc()
                self._record.metrics.clear.observe(event.clear_ms / 1000)
                self._log.info("barged_in", turn=event.turn, heard=event.heard, clear_ms=event.clear_ms)
            case TurnFinished():
                self._turn(event)
            case ProviderFailed():
                told = {"provider": event.provider, "fault": event.fault, "action": event.action}
                self._record.metrics.provider_faults.labels(**told).inc()
                self._log.warning("provider_failed", turn=event.turn, **told)
            case CallFinished():
                self._finished(event)
            case _:
                assert_never(event)

    def _keep(self, turn: int, said: Said) -> None:
        if not self._consent.withheld:
            self._said.setdefault(turn, []).append(said)

    def _tool(self, event: ToolFinished) -> None:
        tool = event.name
        self._record.metrics.tools.labels(tool, event.outcome).observe(event.duration_ms / 1000)
        told = {"tool": tool, "outcome": event.outcome, "turn": event.turn, **event.detail}
        self._log.info("tool_finished", duration_ms=event.duration_ms, **told)

    def _finished(self, event: CallFinished) -> None:
        self._count_waste(event)
        lasted_ms = round(event.duration_ms)
        told = {"reason": event.reason, "turns": event.turns, **_waste(event)}
        self._log.info("conversation_over", duration_ms=lasted_ms, **told)

    def _count_waste(self, event: TurnFinished | CallFinished) -> None:
        self._record.metrics.wasted_tokens.inc(event.wasted_tokens)
        self._record.metrics.wasted_characters.inc(event.wasted_characters)

    def _turn(self, event: TurnFinished) -> None:
        metrics = self._record.metrics
        metrics.turns.labels(event.outcome).inc()
        metrics.speculations.labels(event.speculated).inc()
        self._count_waste(event)
        self._judge_latency(event)
        if event.ttfb_ms is not None:
            metrics.turn_ttfb.observe(event.ttfb_ms / 1000)
        if event.overhead_ms is not None:
            metrics.turn_overhead.observe(event.overhead_ms / 1000)
        lengths_s = stage_lengths(event.stages_s)
        for stage, lasted_s in lengths_s.items():
            metrics.stage.labels(stage).observe(lasted_s)
        if event.outcome == "answered":
            self._on_answered()
        self._unstored.append(self._whole(event))
        self._turn_ended.set()
        measures = {"ttfb_ms": event.ttfb_ms, "overhead_ms": event.overhead_ms}
        stages = {stage: round(lasted_s * 1000, 1) for stage, lasted_s in lengths_s.items()}
        guess = {"speculated": event.speculated, **_waste(event)}
        told = {"turn": event.turn, "outcome": event.outcome, **guess}
        self._log.info("turn_finished", stages_ms=stages, **told, **measures)

    def _judge_latency(self, event: TurnFinished) -> None:
        record = self._record
        waited = waited_ms(event, record.clock.now_s())
        if record.latency is not None and waited is not None:
            record.latency.waited(record.org_id, waited)

    def _whole(self, event: TurnFinished) -> CallTurn:
        return CallTurn(
            turn=event.turn,
            said=tuple(self._said.pop(event.turn, ())),
            outcome=event.outcome,
            stages_s=dict(event.stages_s),
            ttfb_ms=event.ttfb_ms,
            overhead_ms=event.overhead_ms,
            speculated=event.speculated,
            **_waste(event),
        )


def _waste(event: TurnFinished | CallFinished) -> dict[str, int]:
    return {"wasted_tokens": event.wasted_tokens, "wasted_characters": event.wasted_characters}


def _public(event: JournalEvent) -> dict[str, Any]:
    values = {each.name: getattr(event, each.name) for each in fields(event)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
