"""`python -m bench barge-in`: how soon an interrupted agent falls silent, and whether it knows what was
heard.

Each turn's long answer is interrupted by the next turn, at an instant drawn from the seed. The simulated
carrier knows to the sample what it played, the simulated voice which words those are, so the words that the
gateway records as heard can be held against the truth.
"""

import asyncio
import bisect
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.carrier import CallOver, CarrierError, LiveCall
from bench.carrier.record import CallRecord, ClearCame, MediaCame
from bench.harness.caller import ReplyWatch
from bench.harness.figures import Objective, percentile, share_low, summary
from bench.harness.providers import MS_PER_CHAR
from bench.harness.results import head, machine_line, policy_facts, write_json
from bench.harness.running import run
from bench.harness.sound import first_audible
from bench.harness.speech import FRAME_BYTES, numbered
from bench.harness.turns import Turn
from bench.ttfb import FAILED, MADE, STAGGER_S, Bench, Outputs, Setup, open_bench, warn_of_fewer

EARLIEST_MS, LATEST_MS = 600.0, 2600.0
_WITHIN_S: Final = 12.0
_FIGURES: Final = {
    "speech_to_clear_ms": "caller's first sample to clear, ms",
    "event_to_clear_ms": "recogniser's word to clear, ms",
    "own_clear_ms": "the gateway's own figure, ms",
    "overlap_ms": "both heard at once, ms",
    "stale_ms": "audio behind the clear, ms",
    "words_off": "words recorded less words played",
}
MEASURES: Final = (
    "event_to_clear",
    "speech_to_clear",
    "own_clear",
    "overlap",
    "stale",
    "words_off",
    "beyond_a_word",
)
"""What an objective may be on: ms, but for `words_off`, in words either way, and `beyond_a_word`, 1 for an
interruption whose words are off by more than one, else 0: its mean is their share.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """One. None is what did not happen or is not known of this gateway.

    `event_to_clear_ms` counts from the last thing that the recogniser told before the clear. `overlap_ms`:
    from the caller's first sample to the agent's last. `stale_ms`: audio that came behind the clear while
    the caller spoke. `words_off`: words that the gateway recorded as heard, less those that were played
    whole.
    """

    call: str
    number: int
    speech_to_clear_ms: float | None
    event_to_clear_ms: float | None
    own_clear_ms: float | None
    overlap_ms: float | None
    stale_ms: float
    words_played: int | None
    words_recorded: int | None

    @property
    def words_off(self) -> int | None:
        if self.words_played is None or self.words_recorded is None:
            return None
        return self.words_recorded - self.words_played


@dataclass(slots=True)
class _Cut:
    """What is known of an interruption when the caller has said it all."""

    call: str
    number: int
    turn: Turn
    began_s: float
    said_s: float
    clear: ClearCame | None
    played_ms: float
    stale_ms: float
    last_audible_s: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """So many interruptions in all, in calls of so many, so many calls at once."""

    interruptions: int
    per_call: int
    at_once: int = 1


def run_barge_in(setup: Setup, plan: Plan, outputs: Outputs) -> int:
    """0 if every interruption was followed by a clear and every objective was met."""
    return run(_barge_in(setup, plan, outputs))


async def _barge_in(setup: Setup, plan: Plan, outputs: Outputs) -> int:
    warn_of_fewer(math.ceil(plan.interruptions / plan.per_call), plan.at_once)
    cuts: list[_Cut] = []
    async with open_bench(setup) as bench:
        failures = await _all_calls(bench, plan, cuts)
        await bench.target.last_facts()
        results = [_judged(bench, cut) for cut in cuts]
        told = _as_json(bench, results, failures)
    _print(results, failures, told["target"])
    _print_objectives(results, outputs.objectives)
    if outputs.json is not None:
        write_json(told, outputs.json)
    cleared = sum(each.speech_to_clear_ms is not None for each in results)
    whole = cleared == plan.interruptions and not failures
    return MADE if whole and all_met(results, outputs.objectives) else FAILED


async def _all_calls(bench: Bench, plan: Plan, cuts: list[_Cut]) -> list[str]:
    """What went wrong in calls. Callers do not speak in step: the first ones begin one after the other."""
    waiting = asyncio.Semaphore(plan.at_once)

    async def one(position: int, first: int) -> str | None:
        async with waiting:
            if position < plan.at_once:
                await asyncio.sleep(STAGGER_S * position / plan.at_once)
            return await _one_call(bench, first, min(plan.per_call, plan.interruptions - first), cuts)

    async with asyncio.TaskGroup() as group:
        firsts = range(0, plan.interruptions, plan.per_call)
        calls = [group.create_task(one(*each)) for each in enumerate(firsts)]
    return [failure for call in calls if (failure := call.result()) is not None]


async def _one_call(bench: Bench, first: int, count: int, cuts: list[_Cut]) -> str | None:
    """One call with so many interruptions; the short name of what went wrong, None if nothing did."""
    chance = random.Random(f"{bench.setup.seed}:cut:{first}")
    ids = range(first * 2, first * 2 + count + 1)
    try:
        async with bench.target.carrier.call(bench.target.number) as live:
            if bench.setup.manners.greeted:
                async with asyncio.timeout(_WITHIN_S):
                    await live.agent_answers(bench.setup.manners.quiet_ms)
            before = await _ask(bench, live, ids[0])
            for number, turn_id in enumerate(ids[1:], start=1):
                await _later(live, chance.uniform(EARLIEST_MS, LATEST_MS))
                cut, before = await _cut_in(bench, live, turn_id, number, before)
                cuts.append(cut)
    except TimeoutError:
        return "unanswered"
    except CallOver as over:
        return f"call over: {over.reason}"
    except CarrierError as fault:
        return type(fault).__name__
    return None


@dataclass(frozen=True, slots=True)
class _Answered:
    """A turn whose reply is being heard. `reply_at`: where in the wire's events it begins."""

    turn: Turn
    reply_at: int


async def _ask(bench: Bench, live: LiveCall, turn_id: int) -> _Answered:
    turn, audio = _said(bench, turn_id)
    first_frame = live.record.now_ms // 20
    await live.say(audio)
    silent_s = live.record.sent_s[first_frame + len(audio) // FRAME_BYTES - 1]
    return await _answered(bench, live, turn, silent_s)


async def _answered(bench: Bench, live: LiveCall, turn: Turn, silent_s: float) -> _Answered:
    """When the reply has begun to sound."""
    watch = ReplyWatch(0, silent_s, marked=bench.setup.manners.marked)
    async with asyncio.timeout(_WITHIN_S):
        await live.until(watch)
    wire = live.record.wire
    return _Answered(turn, next(at for at, event in enumerate(wire) if _came_after(event, silent_s)))


async def _cut_in(
    bench: Bench, live: LiveCall, turn_id: int, number: int, before: _Answered
) -> tuple[_Cut, _Answered]:
    """Speak over the agent, to the end of what is to be said, and on until the next answer begins."""
    turn, audio = _said(bench, turn_id)
    record = live.record
    first_frame = record.now_ms // 20
    await live.say(audio)
    began_s = record.sent_s[first_frame]
    said_s = record.sent_s[first_frame + len(audio) // FRAME_BYTES - 1]
    cut = _cut(live, number, before, began_s, said_s)
    return cut, await _answered(bench, live, turn, said_s)


def _cut(live: LiveCall, number: int, before: _Answered, began_s: float, said_s: float) -> _Cut:
    record = live.record
    clears = [event for event in record.wire if isinstance(event, ClearCame) and event.came_s >= began_s]
    clear = clears[0] if clears else None
    at = len(record.wire) if clear is None else record.wire.index(clear)
    media = [event for event in record.wire[before.reply_at : at] if isinstance(event, MediaCame)]
    later = [event for event in record.wire[at:] if isinstance(event, MediaCame) and event.came_s <= said_s]
    queued_ms = sum(event.length_ms for event in media)
    return _Cut(
        call=live.plan.call_id,
        number=number,
        turn=before.turn,
        began_s=began_s,
        said_s=said_s,
        clear=clear,
        played_ms=queued_ms - (clear.dropped_ms if clear else 0.0),
        stale_ms=sum(event.length_ms for event in later if first_audible(event.mulaw) is not None),
        last_audible_s=_last_audible_s(record, said_s),
    )


def _last_audible_s(record: CallRecord, until_s: float) -> float | None:
    """When the agent's last audible frame before that instant was played."""
    last_frame = bisect.bisect_right(record.sent_s, until_s) - 1
    for frame in range(last_frame, -1, -1):
        if (
            first_audible(bytes(record.agent_channel[frame * FRAME_BYTES : (frame + 1) * FRAME_BYTES]))
            is not None
        ):
            return record.sent_s[frame]
    return None


def _judged(bench: Bench, cut: _Cut) -> Interruption:
    clear_s = cut.clear.came_s if cut.clear is not None else None
    facts = bench.target.told.barged.get(cut.call, []) if bench.target.told is not None else []
    fact = facts[cut.number - 1] if len(facts) >= cut.number else None
    spoken = "".join(cut.turn.contexts[-1].spoken) if cut.turn.contexts else None
    return Interruption(
        call=cut.call,
        number=cut.number,
        speech_to_clear_ms=_since_ms(clear_s, cut.began_s),
        event_to_clear_ms=_since_ms(clear_s, _last_told_s(bench, cut)),
        own_clear_ms=None if fact is None else fact["clear_ms"],
        overlap_ms=max(0.0, _since_ms(cut.last_audible_s, cut.began_s) or 0.0),
        stale_ms=cut.stale_ms,
        words_played=None if spoken is None else words_played(spoken, cut.played_ms),
        words_recorded=None if fact is None else len(fact["heard"].split()),
    )


def words_played(spoken: str, played_ms: float) -> int:
    """How many words of what the simulated voice spoke have been played whole."""
    chars = int(played_ms // MS_PER_CHAR)
    whole = spoken[:chars].split()
    cut_short = (
        chars < len(spoken) and whole and not spoken[chars].isspace() and not spoken[chars - 1].isspace()
    )
    return len(whole) - bool(cut_short)


def _last_told_s(bench: Bench, cut: _Cut) -> float | None:
    """By the call's own recogniser, the one that had told the words of the turn before."""
    if cut.clear is None:
        return None
    own = [at_s for stream, at_s in bench.turns.events if stream == cut.turn.stream]
    told = [at_s for at_s in own if cut.began_s <= at_s <= cut.clear.came_s]
    return max(told, default=None)


def _since_ms(instant_s: float | None, since_s: float | None) -> float | None:
    return None if instant_s is None or since_s is None else (instant_s - since_s) * 1000


def _said(bench: Bench, turn_id: int) -> tuple[Turn, bytes]:
    audio = numbered(turn_id, bench.voices[turn_id % len(bench.voices)])
    return bench.turns.make(turn_id, len(audio) / FRAME_BYTES * 0.02), audio


def _came_after(event: object, instant_s: float) -> bool:
    return isinstance(event, MediaCame) and event.came_s >= instant_s


async def _later(live: LiveCall, wait_ms: float) -> None:
    target_ms = live.record.now_ms + wait_ms
    await live.until(lambda record: record.now_ms >= target_ms)


# --- telling ------------------------------------------------------------------------------------------------


def _values(results: Sequence[Interruption], name: str) -> list[float]:
    return [value for each in results if (value := getattr(each, name)) is not None]


def measured(results: Sequence[Interruption], measure: str) -> list[float]:
    """The known values of one of `MEASURES`."""
    match measure:
        case "words_off":
            return [abs(value) for value in _values(results, "words_off")]
        case "beyond_a_word":
            return [float(abs(value) > 1) for value in _values(results, "words_off")]
        case _:
            return _values(results, f"{measure}_ms")


def all_met(results: Sequence[Interruption], objectives: Sequence[Objective]) -> bool:
    """One that nothing is known of is missed."""
    return all(each.met(measured(results, each.measure)) for each in objectives)


def within_a_word_low(results: Sequence[Interruption]) -> float | None:
    """The least that this share is, with 95 % confidence."""
    off = _values(results, "words_off")
    return share_low(sum(abs(value) <= 1 for value in off), len(off)) if off else None


def within_a_word(results: Sequence[Interruption]) -> float | None:
    """Share of the interruptions whose recorded words are off by one at most."""
    off = _values(results, "words_off")
    return sum(abs(value) <= 1 for value in off) / len(off) if off else None


def _as_json(bench: Bench, results: Sequence[Interruption], failures: Sequence[str]) -> dict[str, Any]:
    return head("barge-in") | {
        "target": dict(bench.target.description),
        "providers": bench.providers(),
        "policy": policy_facts(bench.setup.policy_known),
        "summary": {name: summary(_values(results, name)) for name in _FIGURES},
        "within_a_word_share": within_a_word(results),
        "within_a_word_low": within_a_word_low(results),
        "calls_failed": list(failures),
        "interruptions": [asdict(each) | {"words_off": each.words_off} for each in results],
    }


def _print(results: Sequence[Interruption], failures: Sequence[str], target: Mapping[str, Any]) -> None:
    table = Table()
    for column in ("", "n", "p50", "p95", "p99", "least", "most"):
        table.add_column(column, justify="left" if not column else "right")
    for name, title in _FIGURES.items():
        values = _values(results, name)
        if values:
            shown = [percentile(values, each) for each in (50, 95, 99)] + [min(values), max(values)]
            table.add_row(title, str(len(values)), *(f"{value:.1f}" for value in shown))
    console = Console()
    console.print(machine_line(target))
    console.print(table)
    share, low = within_a_word(results), within_a_word_low(results)
    if share is not None and low is not None:
        surely = f"at least {low:.1%} with 95 % confidence"
        console.print(f"recorded as heard, off by one word at most: {share:.1%} ({surely})")
    for failure in failures:
        console.print(f"a call failed: {failure}")


def _print_objectives(results: Sequence[Interruption], objectives: Sequence[Objective]) -> None:
    """One line for each: met or missed, and by what figure."""
    for objective in objectives:
        values = measured(results, objective.measure)
        told = f"{objective.of(values):.4g}" if values else "no value"
        print(f"{'met   ' if objective.met(values) else 'MISSED'} {objective}: {told}")
