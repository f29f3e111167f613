"""`python -m bench redaction`: leak, F1, false positives, hold-back and cost, beside Presidio if there."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench.redaction.corpus import Case, CorpusInvalid, read_corpus
from bench.redaction.presidio import PresidioMissing, presidio
from bench.redaction.quality import Quality
from bench.redaction.score import Find, Scores, StreamScores, score_streamed, score_whole
from bench.redaction.speed import Cost, Import, LongCall, cost_of, cost_of_calls, import_cost, long_call
from bench.redaction.streaming import CUTS
from compliance.redaction import Redactor, find, redact

CORPUS: Final = Path("tests/compliance/redaction/corpus/dev")
UNUSABLE: Final = 2
_MISS_WIDTH: Final = 100


@dataclass(frozen=True, slots=True)
class Options:
    """What to run: a folder of the corpus, misses to show, what to print, a spaCy pipeline for Presidio."""

    corpus: Path = CORPUS
    misses: int = 0
    as_json: bool = False
    spacy_model: str | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of finding entities: its scores on whole texts and its cost."""

    name: str
    scores: Scores
    cost: Cost


@dataclass(frozen=True, slots=True)
class Report:
    """All that a run measured."""

    cases: Sequence[Case]
    contenders: Sequence[Contender]
    streamed: dict[str, StreamScores]
    live: Cost
    call: LongCall
    start: Import
    missing: str


def run_redaction(options: Options) -> int:
    """Print the report. 2 if there is no corpus, or none that can be read."""
    if not options.corpus.is_dir():
        sys.stderr.write(f"{options.corpus} is no folder: run this in the checkout or give --corpus\n")
        return UNUSABLE
    try:
        cases = read_corpus(options.corpus)
    except CorpusInvalid as error:
        sys.stderr.write(f"{error}\n")
        return UNUSABLE
    report = measure(cases, options.spacy_model)
    if options.as_json:
        sys.stdout.write(json.dumps(as_document(report), indent=1) + "\n")
        return 0
    sys.stdout.write("\n".join(_lines(report)) + "\n")
    sys.stdout.writelines(f"{line}\n" for line in _misses(report.contenders[0].scores, options.misses))
    return 0


def measure(cases: Sequence[Case], spacy_model: str | None) -> Report:
    """Run everything, ours first."""
    contenders = [_contend("compliance.redaction", cases, find, redact)]
    missing = ""
    try:
        logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
        rival = presidio(spacy_model)
        name = f"Presidio with {Path(spacy_model).name}" if spacy_model else "Presidio, patterns only"
        contenders.append(_contend(name, cases, rival, rival))
    except PresidioMissing as error:
        missing = str(error)
    return Report(
        cases=cases,
        contenders=contenders,
        streamed={name: score_streamed(cases, Redactor, cut) for name, cut in CUTS.items()},
        live=cost_of_calls(cases, Redactor),
        call=long_call(cases, Redactor),
        start=import_cost(),
        missing=missing,
    )


def _contend(name: str, cases: Sequence[Case], find: Find, run: Callable[[str], object]) -> Contender:
    single = [case.text for case in cases if len(case.turns) == 1]
    return Contender(name, score_whole(cases, find), cost_of(single, run))


def as_document(report: Report) -> dict[str, Any]:
    """The figures as JSON, without any text of the corpus."""
    return {
        "cases": len(report.cases),
        "contenders": {
            each.name: {"whole": _scores(each.scores), "us": asdict(each.cost)} for each in report.contenders
        },
        "streamed": {
            name: {
                **_scores(each.scores),
                "held_back_p50": each.held_at(0.5),
                "held_back_p95": each.held_at(0.95),
                "mean_held_back_p95": each.mean_at(0.95),
            }
            for name, each in report.streamed.items()
        },
        "live_us": asdict(report.live),
        "long_call_us": asdict(report.call),
        "import": asdict(report.start),
        "missing": report.missing,
    }


def _scores(scores: Scores) -> dict[str, Any]:
    return {
        "leak_percent": scores.main.leak_percent,
        "full_percent": scores.main.full_percent,
        "f1_overlap": scores.main.overlap_f1,
        "f1_exact": scores.main.exact_f1,
        "f1_by_type": {name: each.f1 for name, each in scores.main.types.items()},
        "noisy_leak_percent": scores.noisy.leak_percent,
        "noisy_f1": scores.noisy.overlap_f1,
        "ordinary_false_per_1000_words": scores.ordinary.false_per_1000_words,
        "negatives_false_per_1000_words": scores.negatives.false_per_1000_words,
        "must_not": scores.must_not.false_positives,
    }


def _lines(report: Report) -> Iterator[str]:
    ours = report.contenders[0]
    words = sum(case.words for case in report.cases)
    ordinary, negatives = ours.scores.ordinary, ours.scores.negatives
    marked = ours.scores.main.marked + ours.scores.noisy.marked
    yield f"{len(report.cases)} cases of {words} words; {marked} marked stretches"
    yield f"{ordinary.words} words of ordinary talk"
    yield f"{negatives.cases} hard negatives of {negatives.words} words"
    yield ""
    yield from _table(["", *(each.name for each in report.contenders), "goal"], _quality_rows(report))
    yield ""
    if report.missing:
        yield f"Presidio did not run: {report.missing}"
        yield ""
    yield from _table(
        [
            "cut",
            "leak %",
            "points more than whole",
            "noisy leak %",
            "held back p50 / p95",
            "mean of a case p95",
        ],
        _stream_rows(report),
    )
    yield ""
    live = report.live
    yield f"live turn (feed + flush, {live.words:.1f} words): {_us(live)} µs at p50 / p95 / p99"
    call, start = report.call, report.start
    yield f"hour's call: {call.first_us:.0f} µs a turn in the first 5 minutes, {call.last_us:.0f} in the last"
    yield (
        f"import: {start.took_s:.2f} s, {start.added_mib:.0f} MiB more, {start.resident_mib:.0f} MiB in all"
    )


_GOALS: Final[tuple[tuple[str, Callable[[Scores], str], str], ...]] = (
    ("leak % of characters", lambda scores: f"{scores.main.leak_percent:.2f}", "≤ 2"),
    ("fully masked %", lambda scores: f"{scores.main.full_percent:.2f}", "≥ 97.5"),
    ("F1, overlap", lambda scores: f"{scores.main.overlap_f1:.4f}", "≥ .985"),
    ("F1, exact", lambda scores: f"{scores.main.exact_f1:.4f}", "≥ .95"),
    ("noisy answers: leak %", lambda scores: f"{scores.noisy.leak_percent:.2f}", "≤ 1.5"),
    ("ordinary talk: false per 1,000 words", lambda scores: _false(scores.ordinary), "≤ 0.15"),
    ("hard negatives: false per 1,000 words", lambda scores: _false(scores.negatives), "≤ 0.5"),
    ("must not: taken", lambda scores: str(scores.must_not.false_positives), "0"),
)


def _quality_rows(report: Report) -> Iterator[list[str]]:
    for name, figure, goal in _GOALS:
        yield [name, *(figure(each.scores) for each in report.contenders), goal]
    for kind in report.contenders[0].scores.main.types:
        figures = (f"{each.scores.main.types[kind].f1:.3f}" for each in report.contenders)
        yield [f"F1 {kind}", *figures, "≥ .95"]
    words = report.contenders[0].cost.words
    yield [
        f"µs per utterance of {words:.1f} words, p50 / p95 / p99",
        *(_us(each.cost) for each in report.contenders),
        "≤ 100 / 300 / 500",
    ]


def _stream_rows(report: Report) -> Iterator[list[str]]:
    whole = report.contenders[0].scores.main.leak_percent
    for name, each in report.streamed.items():
        leak = each.scores.main.leak_percent
        held = f"{each.held_at(0.5)} / {each.held_at(0.95)}"
        noisy = f"{each.scores.noisy.leak_percent:.2f}"
        yield [name, f"{leak:.2f}", f"{leak - whole:+.2f}", noisy, held, f"{each.mean_at(0.95):.0f}"]


def _false(quality: Quality) -> str:
    return f"{quality.false_per_1000_words:.2f} ({quality.false_positives})"


def _us(cost: Cost) -> str:
    return f"{cost.median_us:.0f} / {cost.p95_us:.0f} / {cost.p99_us:.0f}"


def _table(head: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    for row in (list(head), ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _misses(scores: Scores, count: int) -> Iterator[str]:
    """The worst leaks, longest first, and the false positives; all of it is made up."""
    if not count:
        return
    for title, quality in (("leaks", scores.main), ("noisy leaks", scores.noisy)):
        yield f"\n{title} by file: {dict(quality.leaks_by_file.most_common())}"
        for miss in sorted(quality.leaks, key=lambda each: -each.readable)[:count]:
            yield f"{miss.readable:4} {miss.type:8} {miss.value!r}  in {_excerpt(miss.case)}"
    yield "\ntaken wrongly:"
    for miss in [*scores.must_not.false, *scores.main.false, *scores.ordinary.false][:count]:
        yield f"     {miss.type:8} {miss.value!r}  in {_excerpt(miss.case)}"


def _excerpt(case: Case) -> str:
    text = case.text.replace("\n", " / ")
    return f"{case.file}:{case.line} {text[:_MISS_WIDTH]}"
