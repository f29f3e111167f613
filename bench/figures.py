"""`python -m bench figures`: all the figures of docs/performance.md, one command after the other.

Each part is a command of this harness in a process of its own, so that a figure is what its command gives.
What it printed and its JSON are kept as soon as it ends; started again, the parts that are there are not made
again. Meant for a machine that does nothing else, some 45 minutes long; `--quick` tries the road at a size
that measures nothing.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.goals import GOALS, Verdict, judge
from bench.harness.results import SCHEMA, head, write_json
from bench.harness.stopping import INTERRUPTED, at_termination, interrupt
from bench.tree import commit, of_this_tree

MADE, FAILED = 0, 1
QUIET_LOAD: Final = 0.5
"""Above this load the machine does something else too, and the figures are not worth keeping."""
Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One command. `minutes`: about how long it takes; `quick`: instead of `command`, to try it."""

    name: str
    command: str
    quick: str
    minutes: float
    writes_json: bool = True


PARTS: Final[Sequence[Part]] = (
    Part(
        "turns",
        "ttfb --model steady --turns 60 --per-call 10 --pin",
        "ttfb --model quick --turns 1",
        5.5,
    ),
    Part(
        "published",
        "ladder --model published --only 10 12 13 --turns 400 --per-call 16 --at-once 25 --pin",
        "ladder --model published --only 10 12 13 --turns 2 --at-once 2 --per-call 1",
        5.5,
    ),
    Part(
        "published-eager-hurried",
        "ladder --model published --only 10 12 --turns 800 --per-call 16 --at-once 25 --pin "
        "--set LLM_HEDGE_AFTER_S=0.4 --set LLM_HEDGE_SHARE_PERCENT=60 --set LLM_HEDGES_PER_CALL=16",
        "ladder --model published --only 10 12 --turns 2 --at-once 2 --per-call 1",
        5.5,
    ),
    Part(
        "published-interim-hurried",
        "ladder --model published --only 10 13 --turns 800 --per-call 16 --at-once 25 --pin "
        "--set LLM_HEDGE_AFTER_S=0.15 --set LLM_HEDGE_SHARE_PERCENT=60 --set LLM_HEDGES_PER_CALL=16",
        "ladder --model published --only 10 13 --turns 2 --at-once 2 --per-call 1",
        5.5,
    ),
    Part(
        "ladder",
        "ladder --model steady --turns 40 --per-call 4 --at-once 10 --pin",
        "ladder --model quick --only 0 13 --turns 1 --at-once 1",
        5,
    ),
    Part(
        "load",
        "load --model steady --steps 10 50 100 150 --turns 3 --slo overhead.p95<=50 --pin "
        "--soak 2000 --soak-at-once 50",
        "load --model quick --steps 2 --turns 1 --slo overhead.p95<=5000 --soak 2 --soak-at-once 2",
        6,
    ),
    Part(
        "barge-in",
        "barge-in --model steady --interruptions 480 --per-call 10 --at-once 12 --pin",
        "barge-in --model quick --interruptions 2 --per-call 1 --at-once 2",
        4,
    ),
    Part("credentials", "credentials", "credentials --lookups 5 --callers 20 --rounds 2", 0.5),
    Part(
        "hedge",
        "hedge --after 0 0.4 0.5 0.6 0.7 --requests 1500 --at-once 60",
        "hedge --after 0 0.5 --requests 10 --at-once 10",
        2,
        False,
    ),
    Part(
        "knowledge",
        "knowledge --passages 100 2000 20000 --searches 200",
        "knowledge --passages 20 --searches 2",
        3,
        False,
    ),
    Part("otp", "otp --codes 500 --at-once 20", "otp --codes 2 --at-once 2", 0.5, False),
    Part(
        "follow-up",
        "follow-up --calls 200 --per-second 2 5 10 20",
        "follow-up --calls 2 --per-second 2",
        4,
        False,
    ),
    Part("overhead", "overhead --calls 1 20 --turns 10", "overhead --calls 1 --turns 1", 2, False),
    Part(
        "booking",
        "booking --connections 1 10 50 --claims 2000",
        "booking --connections 1 --claims 20 --orgs 2",
        4,
        False,
    ),
)
NAMES: Final = tuple(part.name for part in PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Which parts are made, and where they are kept. `again`: those too that are there."""

    folder: Path
    only: Sequence[str] = ()
    skip: Sequence[str] = ()
    quick: bool = False
    again: bool = False

    def parts(self) -> list[Part]:
        """Those that are asked for, in their order."""
        wanted = self.only or NAMES
        return [part for part in PARTS if part.name in wanted and part.name not in self.skip]

    @property
    def book(self) -> Path:
        return self.folder / "figures.json"


def run_figures(figures: Figures) -> int:
    """0 if every command ran and ended well; goals that are missed are told and change nothing."""
    figures.folder.mkdir(parents=True, exist_ok=True)
    made = {} if figures.again else _kept(figures)
    left = [part for part in figures.parts() if not _is_made(made, part, figures.quick)]
    _announce(left, figures)
    try:
        for number, part in enumerate(left, start=1):
            _say(f"\n[{number}/{len(left)}] {part.name}: {shlex.join(_argv(part, figures.quick))}")
            made[part.name] = _make(part, figures)
            _keep(figures, made)
    except KeyboardInterrupt:
        _say("stopped; the same command goes on from here")
        return INTERRUPTED
    _keep(figures, made)
    report = figures_report(made)
    (figures.folder / "figures.md").write_text(report, encoding="utf-8")
    print(report)
    return MADE if all(made[part.name]["exit"] == 0 for part in figures.parts()) else FAILED


def _announce(left: Sequence[Part], figures: Figures) -> None:
    _say(f"{len(left)} of {len(figures.parts())} parts to make, kept in {figures.book}")
    if not figures.quick:
        _say(f"about {sum(part.minutes for part in left):.0f} minutes")
        if (load := os.getloadavg()[0]) > QUIET_LOAD:
            _say(f"the machine is busy (load {load:.1f}): these figures will be too high")


def _make(part: Part, figures: Figures) -> Told:
    """Run it: what it prints goes on to the terminal, too. Raises `KeyboardInterrupt` if it was stopped."""
    argv = _argv(part, figures.quick)
    result = figures.folder / f"{part.name}.json"
    result.unlink(missing_ok=True)
    outputs = ["--json", str(result)] if part.writes_json else []
    commit.cache_clear()
    measured = str(commit() or "no repository")  # the child runs what is there by now
    load, began_s = os.getloadavg()[0], time.monotonic()
    began_at = datetime.now(UTC).isoformat(timespec="seconds")
    text, status = _run([*argv, *outputs])
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    (figures.folder / f"{part.name}.txt").write_text(text, encoding="utf-8")
    return {
        "command": shlex.join(argv),
        "began_at": began_at,
        "seconds": round(time.monotonic() - began_s, 1),
        "load_before": round(load, 2),
        "commit": measured,
        "exit": status,
        "text": text,
        "result": json.loads(result.read_text()) if result.exists() else None,
    }


def _run(argv: Sequence[str]) -> tuple[str, int]:
    """What the command printed, and its exit code."""
    environ = of_this_tree(os.environ) | {"COLUMNS": "160", "PYTHONUNBUFFERED": "1"}
    lines: list[str] = []
    command = [sys.executable, "-m", "bench", *argv]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as child:
        try:
            with at_termination(partial(_stop, child)):
                for line in child.stdout or ():
                    lines.append(line)
                    print(line, end="", flush=True)
                return "".join(lines), child.wait()
        except KeyboardInterrupt:
            child.wait()
            return "".join(lines), INTERRUPTED


def _stop(child: "subprocess.Popen[str]") -> None:
    """A terminal's Ctrl-C reaches the child by itself; what tells this process alone to end does not."""
    child.terminate()
    interrupt()


def _argv(part: Part, quick: bool) -> list[str]:
    return shlex.split(part.quick if quick else part.command)


def _is_made(made: Mapping[str, Told], part: Part, quick: bool) -> bool:
    """By the very same command, which ended well: what failed is made again."""
    kept = made.get(part.name)
    return kept is not None and kept["command"] == shlex.join(_argv(part, quick)) and kept["exit"] == 0


def _kept(figures: Figures) -> dict[str, Told]:
    """What an earlier run left; nothing if that cannot be read."""
    try:
        book = json.loads(figures.book.read_text())
        return dict(book["parts"]) if book.get("schema") == SCHEMA else {}
    except (OSError, ValueError, LookupError):
        return {}


def _keep(figures: Figures, made: Mapping[str, Told]) -> None:
    verdicts = [verdict.as_json() for verdict in judged(made)]
    write_json(head("figures") | {"goals": verdicts, "parts": dict(made)}, figures.book)


# --- telling ------------------------------------------------------------------------------------------------


def judged(made: Mapping[str, Told]) -> list[Verdict]:
    """The goals whose part was made; a try at a small size is none, and a part without a result misses its
    goals.
    """
    sized = {part.name: shlex.join(_argv(part, quick=False)) for part in PARTS}
    results = {
        name: part["result"] or {} for name, part in made.items() if part["command"] == sized.get(name)
    }
    return [judge(goal, results[goal.part]) for goal in GOALS if goal.part in results]


def figures_report(made: Mapping[str, Told]) -> str:
    """Markdown: the goals, then what each command printed."""
    return "\n".join([*_goal_lines(judged(made)), *_part_lines(made)])


def _goal_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield "| goal | limit | measured | n | |\n| --- | --- | --- | --- | --- |"
    for each in verdicts:
        measured = "-" if each.value is None else f"{each.value:g}"
        verdict = "met" if each.met else "MISSED"
        n = "-" if each.n is None else f"{each.n}"
        yield f"| {each.goal.name} | {each.goal.limit_text} | {measured} | {n} | {verdict} |"


def _part_lines(made: Mapping[str, Told]) -> Iterator[str]:
    for name in (name for name in NAMES if name in made):
        part = made[name]
        measured = part.get("commit", "a commit not noted")
        facts = f"{measured}, {part['began_at']}, {part['seconds']:.0f} s, load before {part['load_before']}"
        yield f"\n## {name}\n\n`python -m bench {part['command']}` ({facts}; exit {part['exit']})\n"
        yield f"```\n{part['text'].rstrip()}\n```"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
