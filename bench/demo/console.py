"""The call as it happens: on a terminal with colour and a line that says who speaks, into a pipe as plain
lines.

Everything printed of the conversation comes from the gateway's feed, which holds redacted words only.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from rich.console import Console as RichConsole
from rich.status import Status
from rich.text import Text

from bench.carrier import LiveCall
from bench.demo.booked import CallRow
from bench.demo.clinic import ZONE
from bench.demo.feed import Fact
from bench.demo.placed_call import Outcome
from bench.demo.waterfall import draw
from bench.harness.figures import percentile

PLAIN_WIDTH = 120
STATUS_S = 0.1
STILL_SPEAKING_MS = 240
_SPEAKERS = {"caller": "bold cyan", "agent": "bold green"}
_STOCK = {"filler": "filler", "prompt": "prompt", "apology": "apology"}


class Console:
    """Prints; knows the time of the first fact of a call, from which the clock on the left counts."""

    def __init__(self, rich: RichConsole | None = None) -> None:
        self._rich = rich or _console()
        self._began_s: float | None = None
        self._ascii = not (self._rich.encoding or "").lower().startswith("utf")
        self._show: Mapping[str, Callable[[Fact], None]] = {
            "CallerSaid": self._caller_said,
            "AgentSaid": self._agent_said,
            "ToolFinished": self._tool_finished,
            "BargedIn": self._barged_in,
            "TurnFinished": self._turn_finished,
            "ProviderFailed": self._provider_failed,
            "CallClosed": self._call_closed,
        }

    # --- before and after calls ----------------------------------------------------------------------

    def title(self, text: str) -> None:
        self._print(Text(text, style="bold"), before=True)

    def line(self, text: str, style: str = "") -> None:
        self._print(Text(text, style=style))

    def started(self, name: str, what: str, seconds: float) -> None:
        """One thing runs."""
        self._print(Text.assemble((f"  {name:<18}", "bold"), f"{what}  ", (f"{seconds:.1f} s", "dim")))

    def problem(self, text: str) -> None:
        self._print(Text(text, style="bold red"))

    # --- during a call -------------------------------------------------------------------------------

    def show(self, fact: Fact) -> None:
        """One public fact of the call."""
        if self._began_s is None:
            self._began_s = fact["at_s"]
        if (show := self._show.get(fact["type"])) is not None:
            show(fact)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Callable[[LiveCall], None]]:
        """On a terminal, a line at the bottom says who is speaking; hand it the call once there is one."""
        self._began_s = None
        if not self._rich.is_terminal:
            yield lambda _: None
            return
        with self._rich.status("ringing") as status:
            watchers: list[asyncio.Task[None]] = []
            try:
                yield lambda call: watchers.append(asyncio.create_task(_watch(call, status)))
            finally:
                for watcher in watchers:
                    watcher.cancel()
                    with suppress(asyncio.CancelledError):
                        await watcher

    def _caller_said(self, fact: Fact) -> None:
        self._said(fact, "caller", fact["text"])

    def _agent_said(self, fact: Fact) -> None:
        note = _STOCK.get(fact.get("kind", ""))
        self._said(fact, "agent", fact["text"], note)

    def _tool_finished(self, fact: Fact) -> None:
        detail = dict(fact.get("detail") or {})
        self._event(fact, "tool", f"{fact['name']}: {fact['outcome']}{_more(detail)}", fact["duration_ms"])
        if fact["outcome"] in ("held", "booked") and "starts" in detail:
            self._event(
                fact,
                fact["outcome"],
                f"{_spoken_time(detail['starts'])}{_until(detail)}",
                style="bold magenta",
            )

    def _barged_in(self, fact: Fact) -> None:
        heard = f"heard until then: {fact['heard']}" if fact.get("heard") else "nothing had been heard"
        self._event(fact, "barge-in", heard, fact.get("clear_ms"))

    def _provider_failed(self, fact: Fact) -> None:
        self._event(fact, "fault", f"{fact['provider']}: {fact['fault']}, {fact['action']}", style="yellow")

    def _turn_finished(self, fact: Fact) -> None:
        if fact.get("ttfb_ms") is None:
            self._event(fact, "turn", f"{fact['turn']} {fact['outcome']}", style="dim")
            return
        ours = (
            f", of which the gateway {fact['overhead_ms']:.1f} ms"
            if fact.get("overhead_ms") is not None
            else ""
        )
        self._event(
            fact,
            "turn",
            f"{fact['turn']} {fact['outcome']}, TTFB {fact['ttfb_ms']:.0f} ms{ours}{_guess(fact)}",
            style="dim",
        )
        for row in draw(fact.get("stages_s") or {}, ascii_only=self._ascii):
            self._print(Text(" " * 18 + row, style="blue"))

    def _call_closed(self, fact: Fact) -> None:
        self._event(fact, "end", str(fact.get("reason", "")), style="dim")

    def _said(self, fact: Fact, who: str, words: str, note: str | None = None) -> None:
        line = self._left(fact, who, _SPEAKERS[who])
        line.append(words)
        if note:
            line.append(f"  ({note})", style="dim")
        self._print(line)

    def _event(
        self, fact: Fact, what: str, text: str, duration_ms: float | None = None, style: str = ""
    ) -> None:
        line = self._left(fact, what, style or "yellow")
        line.append(text, style=style)
        if duration_ms is not None:
            line.append(f"  {duration_ms:.0f} ms", style="dim")
        self._print(line)

    def _left(self, fact: Fact, what: str, style: str) -> Text:
        at_s = max(0.0, fact["at_s"] - (self._began_s or fact["at_s"]))
        clock = f"{int(at_s) // 60}:{at_s % 60:04.1f}"
        return Text.assemble((f"{clock:>7}", "dim"), "  ", (f"{what:<9}", style))

    # --- after a call --------------------------------------------------------------------------------

    def summary(self, outcome: Outcome) -> None:
        """What came of the call, in one table and one sentence."""
        self._print(Text("The call", style="bold"), before=True)
        for name, value in _rows(outcome):
            self._print(Text.assemble((f"  {name:<20}", "bold"), value))
        if outcome.shortcomings:
            self.problem(f"  Failed: {'; '.join(outcome.shortcomings)}.")
        else:
            slot = outcome.row.slot if outcome.row else None
            state = "booked" if slot is not None and slot.appointment_id is not None else "held"
            self._print(
                Text(f"  Understood, answered, and the slot asked for is {state}.", style="bold green")
            )

    def _print(self, text: Text, *, before: bool = False) -> None:
        if before:
            self._rich.print()
        self._rich.print(text, soft_wrap=not self._rich.is_terminal)


def _console() -> RichConsole:
    rich = RichConsole(highlight=False)
    return rich if rich.is_terminal else RichConsole(highlight=False, width=PLAIN_WIDTH)


async def _watch(call: LiveCall, status: Status) -> None:
    while not call.is_over:
        status.update(_speaking(call))
        await asyncio.sleep(STATUS_S)


def _speaking(call: LiveCall) -> str:
    record = call.record
    recent_ms = record.now_ms - STILL_SPEAKING_MS
    speakers = [
        name
        for name, last_ms in (
            ("caller", record.last_caller_audible_ms),
            ("agent", record.last_agent_audible_ms),
        )
        if last_ms is not None and last_ms >= recent_ms
    ]
    seconds = record.now_ms // 1000
    return f"{seconds // 60}:{seconds % 60:02d}  {' and '.join(speakers) or 'nobody'} speaking"


def _rows(outcome: Outcome) -> list[tuple[str, str]]:
    rows = [("Recording played", str(outcome.order.recording)), ("Asked for", str(outcome.order.asked))]
    rows += [("Turns", f"{len(outcome.of('CallerSaid'))} heard, {len(outcome.of('TurnFinished'))} finished")]
    if outcome.ttfbs_ms:
        rows += [("TTFB", _percentiles(outcome.ttfbs_ms))]
    gaps_ms = [float(gap) for gap in outcome.conversation.gaps_ms]
    if gaps_ms and outcome.order.turns:
        rows += [
            ("Heard by the caller", f"{_percentiles(gaps_ms)} (end of speech to first sound of any answer)")
        ]
    rows += _postgres(outcome.row)
    if outcome.wav is not None:
        rows += [("Recording made", f"{outcome.wav} (left caller, right agent)")]
    return rows


def _percentiles(values_ms: list[float]) -> str:
    return f"p50 {percentile(values_ms, 50):.0f} ms, p95 {percentile(values_ms, 95):.0f} ms"


def _postgres(row: CallRow | None) -> list[tuple[str, str]]:
    if row is None:
        return [("Postgres", "no row of this call")]
    rows = [("Row in calls", f"{row.call_id}, ended by {row.end_reason or 'nobody yet'}")]
    slot = row.slot
    if slot is None:
        return [*rows, ("Row in holds", "none")]
    starts, expires = slot.starts_at.astimezone(ZONE), slot.expires_at.astimezone(ZONE)
    what = f"{starts:%A %d %B %Y %H:%M} with {slot.practitioner}, service {slot.service_id}"
    if slot.appointment_id is not None:
        rows += [("Row in appointments", f"{slot.appointment_id}: {slot.state}")]
    else:
        rows += [("Row in holds", f"{slot.hold_id}: {slot.state} until {expires:%H:%M:%S}")]
    return [*rows, ("Slot", what)]


def _spoken_time(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(ZONE):%A %d %B, %H:%M}"


def _until(detail: Mapping[str, Any]) -> str:
    expires = detail.get("expires")
    return f", until {datetime.fromisoformat(expires).astimezone(ZONE):%H:%M:%S}" if expires else ""


def _guess(fact: Fact) -> str:
    """Whether the reply had been begun before the turn's end, and what wrong guesses cost."""
    speculated, wasted = fact.get("speculated", "none"), fact.get("wasted_tokens", 0)
    begun = f", begun on a guess ({speculated})" if speculated in ("eager", "interim") else ""
    spoken = fact.get("wasted_characters", 0)
    cost = f"{wasted} tokens" + (f" and {spoken} characters" if spoken else "")
    return begun + (f", {cost} thrown away" if wasted else "")


def _more(detail: Mapping[str, Any]) -> str:
    plain = {name: value for name, value in detail.items() if name not in ("starts", "expires")}
    return f" ({', '.join(f'{name} {value}' for name, value in plain.items())})" if plain else ""
