"""A caller who says turn after turn, each when the agent has answered the one before, and times the answers.

Real audio in real time: what is said goes out frame by frame, and the answer is timed by the audio that
comes.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.carrier import CallOver, CallRecord, CarrierError, LiveCall
from bench.harness.sound import Heard, gaps_s, heard_after
from bench.harness.speech import FRAME_BYTES, numbered
from bench.harness.target import Target
from bench.harness.turns import Turn, Turns

FRAME_S = 0.02


@dataclass(frozen=True, slots=True)
class Manners:
    """`quiet_ms`: how long the agent must have been silent before the next turn; `greeted`: it speaks
    first.
    """

    quiet_ms: int = 500
    patience_s: float = 12.0
    greeted: bool = True
    marked: bool = True


@dataclass(frozen=True, slots=True)
class Timed:
    """One turn as it was heard. `silent_s`: when the caller's last voiced sample went out (monotonic)."""

    call_sid: str
    number: int
    turn: Turn
    silent_s: float
    heard: Heard
    gaps_s: tuple[float, ...]

    @property
    def ttfb_ms(self) -> float | None:
        return None if self.heard.reply_s is None else (self.heard.reply_s - self.silent_s) * 1000


@dataclass(slots=True)
class Played:
    """One call: its turns, and how it went. `failure` is a short name, None for a call that went well.
    `greeting_ms`: from the carrier's webhook to the greeting's first audible sample, None without one.
    """

    call_sid: str
    turns: list[Timed]
    failure: str | None = None
    greeting_ms: float | None = None
    worst_late_ms: float = 0.0
    late_frames: int = 0
    frames: int = 0


async def play_call(
    target: Target,
    turns: Turns,
    voices: Sequence[bytes],
    ids: Sequence[int],
    manners: Manners,
    on_turn: Callable[[Timed], None] = lambda timed: None,
) -> Played:
    """Place one call and say one turn per id. Faults of the gateway end in `failure`, never in an
    exception.
    """
    played = Played("", [])
    began_s = time.monotonic()
    try:
        async with target.carrier.call(target.number) as live:
            played.call_sid = live.plan.call_id
            try:
                if manners.greeted:
                    played.greeting_ms = await _greeting_ms(live, began_s, manners)
                await _converse(live, turns, voices, ids, manners, played, on_turn)
            finally:
                _note_lateness(played, live.record)
    except TimeoutError:
        played.failure = "unanswered"
    except CallOver as over:
        played.failure = f"call over: {over.reason}"
    except CarrierError as fault:
        played.failure = type(fault).__name__
    return played


async def _greeting_ms(live: LiveCall, began_s: float, manners: Manners) -> float | None:
    """Hear it to its end. Raises TimeoutError if there is none."""
    async with asyncio.timeout(manners.patience_s):
        await live.agent_answers(manners.quiet_ms)
    first_s = heard_after(live.record.wire, began_s, marked=False).first_s
    return None if first_s is None else (first_s - began_s) * 1000


async def _converse(
    live: LiveCall,
    turns: Turns,
    voices: Sequence[bytes],
    ids: Sequence[int],
    manners: Manners,
    played: Played,
    on_turn: Callable[[Timed], None],
) -> None:
    for number, turn_id in enumerate(ids, start=1):
        audio = numbered(turn_id, voices[turn_id % len(voices)])
        turn = turns.make(turn_id, len(audio) / FRAME_BYTES * FRAME_S)
        timed = await take_turn(live, turn, audio, number, manners)
        played.turns.append(timed)
        on_turn(timed)
        if timed.ttfb_ms is None:
            raise TimeoutError


async def take_turn(live: LiveCall, turn: Turn, audio: bytes, number: int, manners: Manners) -> Timed:
    """Say it, wait for the reply and for its end. An answer that does not come in time is None in the
    result.
    """
    record = live.record
    first_frame, first_event = record.now_ms // 20, len(record.wire)
    await live.say(audio)
    silent_s = record.sent_s[first_frame + len(audio) // FRAME_BYTES - 1]
    watch = ReplyWatch(first_event, silent_s, marked=manners.marked)
    try:
        async with asyncio.timeout(manners.patience_s):
            await live.until(watch)
            await live.agent_quiet(manners.quiet_ms)
    except TimeoutError:
        pass
    wire = record.wire[first_event:]
    heard = heard_after(wire, silent_s, marked=manners.marked)
    until_s = record.sent_s[-1]
    gaps = () if heard.came_s is None else tuple(gaps_s(wire, heard.came_s, until_s))
    return Timed(live.plan.call_id, number, turn, silent_s, heard, gaps)


class ReplyWatch:
    """Has the reply been heard? Each message is looked at once."""

    def __init__(self, first_event: int, silent_s: float, *, marked: bool) -> None:
        self._looked_at = first_event
        self._silent_s = silent_s
        self._marked = marked

    def __call__(self, record: CallRecord) -> bool:
        new = record.wire[self._looked_at :]
        self._looked_at += len(new)
        return bool(new) and heard_after(new, self._silent_s, marked=self._marked).reply_s is not None


def _note_lateness(played: Played, record: CallRecord) -> None:
    played.worst_late_ms, played.late_frames = record.worst_late_ms, record.late_frames
    played.frames = len(record.sent_s)
