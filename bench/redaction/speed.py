"""What redaction costs: per utterance, late in a long call, and to import."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from time import perf_counter_ns
from typing import Final

from bench.harness.figures import percentile
from bench.redaction.corpus import Case, Turn
from bench.redaction.streaming import CallRedactor
from bench.tree import of_this_tree

REPEATS: Final = 5
"""Each utterance is timed so often; its median counts, so that another process's slice does not."""
CALL_WORDS: Final = 9_000
"""An hour of talk at 150 words a minute."""
LATE_SHARE: Final = 5 / 60

_IMPORT: Final = """
import json, resource, sys, time
def resident_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024
before, began = resident_kib(), time.perf_counter()
from compliance.redaction import redact
took = time.perf_counter() - began
after = resident_kib()
redact("My name is Ann and I was born on the first of May nineteen sixty.")
print(json.dumps({"s": took, "added_kib": after - before, "resident_kib": resident_kib()}))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds per utterance."""

    median_us: float
    p95_us: float
    p99_us: float
    words: float
    """Words of a mean utterance."""


@dataclass(frozen=True, slots=True)
class LongCall:
    """Mean microseconds of the same turns at the start of an hour's call and again at its end."""

    first_us: float
    last_us: float


@dataclass(frozen=True, slots=True)
class Import:
    """A fresh process that imports the package and redacts one sentence."""

    took_s: float
    added_mib: float
    resident_mib: float


def cost_of(texts: Sequence[str], run: Callable[[str], object]) -> Cost:
    """Time `run` on each text; once before, unmeasured."""
    for text in texts:
        run(text)
    times: list[list[int]] = [[] for _ in texts]
    for _ in range(REPEATS):
        for took, text in zip(times, texts, strict=True):
            began = perf_counter_ns()
            run(text)
            took.append(perf_counter_ns() - began)
    return _cost([median(took) / 1000 for took in times], texts)


def cost_of_calls(cases: Sequence[Case], start: Callable[[], CallRedactor]) -> Cost:
    """Time each turn as the live call feeds it: a turn at once, to the redactor that heard those before."""
    turns = [turn.text for case in cases for turn in case.turns]
    runs: list[list[float]] = []
    for repeat in range(REPEATS + 1):
        took = [us for case in cases for us in _timed_turns(case.turns, start())]
        if repeat:
            runs.append(took)
    return _cost([median(each) for each in zip(*runs, strict=True)], turns)


def _timed_turns(turns: Iterable[Turn], redactor: CallRedactor) -> list[float]:
    took = []
    for turn in turns:
        began = perf_counter_ns()
        if turn.speaker == "agent":
            redactor.hear_agent(turn.text)
        else:
            redactor.feed(turn.text)
            redactor.flush()
        took.append((perf_counter_ns() - began) / 1000)
    return took


def _cost(took_us: Sequence[float], texts: Sequence[str]) -> Cost:
    took = list(took_us)
    words = mean(len(text.split()) for text in texts)
    return Cost(percentile(took, 50), percentile(took, 95), percentile(took, 99), words)


def long_call(cases: Sequence[Case], start: Callable[[], CallRedactor]) -> LongCall:
    """One call of an hour's words in random order; its first five minutes are said again at its end."""
    shuffled = random.Random(4).sample(cases, len(cases))
    turns = [turn for case in shuffled for turn in case.turns]
    opening = _so_many_words(turns, CALL_WORDS * LATE_SHARE)
    middle = _so_many_words(turns, CALL_WORDS * (1 - 2 * LATE_SHARE))
    firsts: list[list[float]] = []
    lasts: list[list[float]] = []
    for _ in range(REPEATS):
        redactor = start()
        firsts.append(_timed_turns(opening, redactor))
        _timed_turns(middle, redactor)
        lasts.append(_timed_turns(opening, redactor))
    first, last = (mean(median(turn) for turn in zip(*runs, strict=True)) for runs in (firsts, lasts))
    return LongCall(first, last)


def _so_many_words(turns: Sequence[Turn], words: float) -> list[Turn]:
    taken: list[Turn] = []
    while words > 0:
        turn = turns[len(taken) % len(turns)]
        words -= len(turn.text.split())
        taken.append(turn)
    return taken


def import_cost() -> Import:
    """Median of three fresh processes. Linux: memory is read from /proc."""
    command, environ = [sys.executable, "-c", _IMPORT], of_this_tree(os.environ)
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environ).stdout)
        for _ in range(3)
    ]
    took, added, resident = (median(run[key] for run in runs) for key in ("s", "added_kib", "resident_kib"))
    return Import(took, added / 1024, resident / 1024)
