"""One recorded call, from dialling to verdict: what the carrier heard, what the gateway told, what Postgres
holds.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from bench.caller import Conversation, hold_conversation
from bench.carrier import CallOver, CallRecord, Carrier, CarrierFault, LiveCall
from bench.demo.asked import Asked, read_asked
from bench.demo.booked import CallRow, give_back, read_closed_call
from bench.demo.clinic import CLINIC_NUMBER, DEMO_CLINIC, ZONE, a_caller_number
from bench.demo.feed import Fact, Feed, open_feed
from bench.demo.phone import Phone
from bench.demo.running import Running
from bench.recording import RecordingUnusable, as_mulaw, read_recording, split_turns
from booking.db import open_pool

# How long the last facts may be on their way once the call's row is closed.
LAST_FACTS_S = 1.0
_KEYS = "(keypad)"


@dataclass(frozen=True, slots=True)
class Order:
    """The recording to be played (mu-law: whole, and cut into turns), and what its speaker asks for."""

    recording: Path
    whole: bytes
    turns: Sequence[bytes]
    asked: Asked

    @classmethod
    def read(cls, recording: Path) -> "Order":
        """Raises `RecordingUnusable`, `AskedUnreadable`."""
        if not recording.exists():
            raise RecordingUnusable(f"{recording}: no such file")
        audio = read_recording(recording)
        return cls(recording, as_mulaw(audio), split_turns(audio), read_asked(recording))


@dataclass(slots=True)
class Outcome:
    """All that is known of one call afterwards."""

    order: Order
    facts: list[Fact] = field(default_factory=list)
    conversation: Conversation = field(default_factory=Conversation)
    record: CallRecord | None = None
    row: CallRow | None = None
    wav: Path | None = None
    fault: str | None = None
    can_be_texted: bool = False

    @property
    def ttfbs_ms(self) -> list[float]:
        return [fact["ttfb_ms"] for fact in self.of("TurnFinished") if fact.get("ttfb_ms") is not None]

    def of(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact["type"] == kind]

    @property
    def shortcomings(self) -> list[str]:
        """Why the call did not do what it was for; empty if it did."""
        found = [self.fault] if self.fault else []
        found += self._unheard() + self._unanswered() + self._unbooked()
        return found

    def _unheard(self) -> list[str]:
        said = [fact["text"].strip() for fact in self.of("CallerSaid")]
        understood = [text for text in said if text and not text.startswith(_KEYS)]
        spoken = len(self.order.turns)
        if not spoken:
            return ["nothing is said in the recording"]
        return [] if len(understood) >= spoken else [f"{len(understood)} of {spoken} turns were understood"]

    def _unanswered(self) -> list[str]:
        answered, spoken = len(self.conversation.gaps_ms), len(self.order.turns)
        failed = [fact["turn"] for fact in self.of("TurnFinished") if fact["outcome"] == "failed"]
        short = [f"{answered} of {spoken} turns were answered"] if answered < spoken else []
        return short + [f"turn {turn} failed" for turn in failed]

    def _unbooked(self) -> list[str]:
        slot = self.row.slot if self.row else None
        if slot is None:
            return ["no slot is held"]
        if self.can_be_texted and slot.appointment_id is None:
            return ["the slot is held, but not booked"]
        if not self.order.asked.met_by(slot.starts_at, slot.service, ZONE):
            state = "held" if slot.appointment_id is None else "booked"
            held = f"{slot.starts_at.astimezone(ZONE):%A %H:%M}, service {slot.service_id}"
            return [f"the slot {state} ({held}) is not the one asked for ({self.order.asked})"]
        return []


async def place_call(
    running: Running,
    carrier: Carrier,
    order: Order,
    recordings: Path,
    *,
    show: Callable[[Fact], None],
    watch: Callable[[LiveCall], None],
) -> Outcome:
    """Call the clinic and play the recording. `show` gets each public fact, `watch` the call once it is
    answered.
    """
    phone = running.phone(a_caller_number())
    outcome = Outcome(order, can_be_texted=phone.url is not None)
    pool = await open_pool(running.database_url, max_size=2)
    try:
        await give_back(pool, DEMO_CLINIC.claim)
        async with open_feed(running.redis_url, DEMO_CLINIC.claim.org_id) as feed:
            await phone.unread_code()  # of an earlier call
            await _converse(carrier, phone, outcome, feed, pool, show=show, watch=watch)
    finally:
        await pool.close()
    _keep_recording(outcome, recordings)
    return outcome


def _keep_recording(outcome: Outcome, recordings: Path) -> None:
    """Write the call's audio where only its owner can hear it."""
    if outcome.record is None or not outcome.record.now_ms:
        return
    recordings.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{datetime.now(ZONE):%Y-%m-%dT%H-%M-%S}-{outcome.order.recording.stem}.wav"
    outcome.wav = recordings / name
    outcome.wav.touch(mode=0o600)
    outcome.record.write_wav(outcome.wav)


async def _converse(
    carrier: Carrier,
    phone: Phone,
    outcome: Outcome,
    feed: Feed,
    pool: asyncpg.Pool,
    *,
    show: Callable[[Fact], None],
    watch: Callable[[LiveCall], None],
) -> None:
    call_sid: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with _in_background(_follow(feed, call_sid, outcome.facts, show)) as following:
        try:
            async with carrier.call(CLINIC_NUMBER, caller=phone.number) as call:
                outcome.record = call.record
                call_sid.set_result(call.plan.call_id)
                watch(call)
                outcome.conversation = await hold_conversation(
                    call, outcome.order.turns or [outcome.order.whole], unread_code=phone.unread_code
                )
        except (CarrierFault, CallOver) as fault:
            outcome.fault = str(fault)
        if outcome.record is not None:
            outcome.row = await read_closed_call(pool, DEMO_CLINIC.claim, outcome.record.call_id)
            await asyncio.wait({following}, timeout=LAST_FACTS_S)


@contextlib.asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator["asyncio.Task[None]"]:
    """Beside the body, and over with it. An error of the work is raised once the body has ended."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()


async def _follow(
    feed: Feed, call_sid: "asyncio.Future[str]", facts: list[Fact], show: Callable[[Fact], None]
) -> None:
    """Collect the facts of our own call among those of all calls of the clinic, until it is closed."""
    opened: dict[str, str] = {}
    early: list[Fact] = []
    async for fact in feed.facts():
        if fact["type"] == "CallOpened":
            opened[fact["carrier_call_id"]] = fact["call_id"]
        early.append(fact)
        if not call_sid.done() or call_sid.result() not in opened:
            continue
        call_id = opened[call_sid.result()]
        for ours in (fact for fact in early if fact["call_id"] == call_id):
            facts.append(ours)
            show(ours)
            if ours["type"] == "CallClosed":
                return
        early.clear()
