"""The commands of `python -m bench`: what each is for, its arguments, and what runs it."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.booking import Plan, run_booking
from bench.carrier.arguments import add_check, check
from bench.carrier.credentials import CARRIERS
from bench.credentials import Plan as Lookups
from bench.credentials import run_credentials
from bench.demo.command import run_call, run_demo
from bench.figures import NAMES, Figures, run_figures
from bench.follow_up import Load as Endings
from bench.follow_up import run_follow_up
from bench.harness import arguments
from bench.harness.values import amount, count, folder, positive, rate, result_file
from bench.hedge import HedgeLoad, run_hedge
from bench.knowledge import Plan as Searches
from bench.knowledge import run_knowledge
from bench.otp import Load as Codes
from bench.otp import run_otp
from bench.overhead import Load, run_overhead
from bench.redaction.command import CORPUS, Options, run_redaction
from bench.simulators.latency import MODELS
from bench.status import run_status
from bench.validate.command import Options as Validation
from bench.validate.command import run_validate
from gateway.status.thresholds import TTFB_MS


@dataclass(frozen=True, slots=True)
class Command:
    """One of them. `run` may raise `bench.harness.target.TargetUnusable` for arguments that are no good."""

    name: str
    told: str
    add: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--call", type=Path, metavar="FILE", help="play this recording (default: the bundled one)"
    )
    parser.add_argument(
        "--once", action="store_true", help="end after the call; 0 only if it did what it was for"
    )


def _demo(chosen: argparse.Namespace) -> int:
    return run_demo(chosen.call, once=chosen.once)


def _add_call(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recording", type=Path, nargs="?", metavar="FILE")


def _call(chosen: argparse.Namespace) -> int:
    return run_call(chosen.recording)


def _add_overhead(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--calls", type=positive, nargs="+", default=[1, 20], metavar="N", help="calls at once"
    )
    parser.add_argument("--turns", type=positive, default=10, metavar="N", help="turns of each call")


def _overhead(chosen: argparse.Namespace) -> int:
    return run_overhead([Load(calls, chosen.turns) for calls in chosen.calls])


def _add_booking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--connections", type=positive, nargs="+", default=[1, 10, 50], metavar="N", help="claims at once"
    )
    parser.add_argument("--claims", type=positive, default=2000, metavar="N", help="of each statement")
    parser.add_argument(
        "--orgs", type=positive, default=100, metavar="N", help="clinics that the claims fall on"
    )
    parser.add_argument("--practitioners", type=positive, default=5, metavar="N", help="of each clinic")
    parser.add_argument(
        "--no-flush", action="store_true", help="commits do not wait for the disk: what is left is computing"
    )


def _booking(chosen: argparse.Namespace) -> int:
    plan = Plan(
        chosen.connections,
        chosen.claims,
        durable=not chosen.no_flush,
        orgs=chosen.orgs,
        practitioners=chosen.practitioners,
    )
    return run_booking(plan)


def _add_otp(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--codes", type=positive, default=500, metavar="N", help="codes in all")
    parser.add_argument("--at-once", type=positive, default=20, metavar="N", help="requests at once")


def _otp(chosen: argparse.Namespace) -> int:
    return run_otp(Codes(chosen.codes, chosen.at_once))


def _add_follow_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--calls", type=positive, default=300, metavar="N", help="at each rate")
    parser.add_argument(
        "--per-second", type=rate, nargs="+", default=[2, 10], metavar="N", help="calls that end"
    )
    parser.add_argument("--jobs-at-once", type=positive, metavar="N", help="JOBS_AT_ONCE of the gateway")


def _follow_up(chosen: argparse.Namespace) -> int:
    at_once = chosen.jobs_at_once
    return run_follow_up([Endings(chosen.calls, rate, at_once) for rate in chosen.per_second])


def _add_credentials(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lookups", type=positive, default=2000, metavar="N", help="from each layer")
    parser.add_argument("--callers", type=positive, default=500, metavar="N", help="at once, on a miss")
    parser.add_argument("--rounds", type=positive, default=20, metavar="N", help="misses and changes")
    parser.add_argument("--json", type=result_file, metavar="FILE", help="write the result")


def _credentials(chosen: argparse.Namespace) -> int:
    return run_credentials(Lookups(chosen.lookups, chosen.callers, chosen.rounds), chosen.json)


def _add_hedge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--after", type=amount, nargs="+", default=[0, 0.4, 0.5, 0.6, 0.7], metavar="S", help="0 is without"
    )
    parser.add_argument("--requests", type=positive, default=1500, metavar="N", help="for each of them")
    parser.add_argument("--at-once", type=positive, default=30, metavar="N", help="requests at once")
    parser.add_argument("--model", choices=sorted(MODELS), default="published", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the delays drawn")


def _hedge(chosen: argparse.Namespace) -> int:
    return run_hedge(HedgeLoad(chosen.after, chosen.requests, chosen.at_once, chosen.model, chosen.seed))


def _add_knowledge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passages", type=positive, nargs="+", default=[100, 2000, 20000], metavar="N", help="of a clinic"
    )
    parser.add_argument(
        "--searches", type=positive, default=200, metavar="N", help="of each number of passages"
    )
    parser.add_argument("--dimensions", type=positive, default=1536, metavar="N", help="of the embeddings")
    parser.add_argument("--seed", type=count, default=1, metavar="N", help="of the words drawn")


def _knowledge(chosen: argparse.Namespace) -> int:
    return run_knowledge(Searches(chosen.passages, chosen.searches, chosen.seed, chosen.dimensions))


def _add_redaction(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus", type=Path, default=CORPUS, metavar="DIR", help="a part of it (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="figures to read by program")
    parser.add_argument("--misses", type=count, default=0, metavar="N", help="show the worst N of each kind")
    parser.add_argument(
        "--spacy-model", metavar="NAME", help="a spaCy pipeline for Presidio: package or folder"
    )


def _redaction(chosen: argparse.Namespace) -> int:
    return run_redaction(Options(chosen.corpus, chosen.misses, chosen.json, chosen.spacy_model))


def _add_figures(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=folder, default=Path("bench-figures"), metavar="DIR", help="default: %(default)s"
    )
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=[], metavar="PART", help=f"of {', '.join(NAMES)}"
    )
    parser.add_argument("--skip", nargs="+", choices=NAMES, default=[], metavar="PART")
    parser.add_argument("--quick", action="store_true", help="try each part, at a size that measures nothing")
    parser.add_argument("--again", action="store_true", help="make anew what is there")


def _figures(chosen: argparse.Namespace) -> int:
    figures = Figures(
        folder=chosen.out, only=chosen.only, skip=chosen.skip, quick=chosen.quick, again=chosen.again
    )
    return run_figures(figures)


def _add_validate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="a deployment's public address (default: the demo that runs here)")
    parser.add_argument("--number", help="a number of the carrier's account that no clinic has, for --url")
    parser.add_argument(
        "--carrier",
        choices=sorted(CARRIERS),
        default="twilio",
        help="as which the call is placed; telnyx at the demo alone (default: %(default)s)",
    )
    parser.add_argument(
        "--account-id",
        "--account-sid",
        metavar="ID",
        help="there, which signs the call (default: from the gateway's own variables, as its secret is)",
    )
    parser.add_argument("--text-to", metavar="NUMBER", help="your own telephone: it gets one text, for --url")
    parser.add_argument(
        "--database-url", metavar="URL", help="role gw_app's, to read the transcript too, for --url"
    )
    parser.add_argument(
        "--claims", type=positive, default=20, metavar="N", help="at once (default: %(default)s)"
    )
    parser.add_argument(
        "--ttfb-ms", type=rate, default=TTFB_MS, metavar="MS", help="the p95's bound (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="the report to be read by program")


def _validate(chosen: argparse.Namespace) -> int:
    return run_validate(
        Validation(
            url=chosen.url,
            number=chosen.number,
            carrier=chosen.carrier,
            account_id=chosen.account_id,
            text_to=chosen.text_to,
            database_url=chosen.database_url,
            claims=max(chosen.claims, 2),
            ttfb_ms=chosen.ttfb_ms,
            as_json=chosen.json,
        )
    )


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="all figures, to be read by program")


def _status(chosen: argparse.Namespace) -> int:
    return run_status(as_json=chosen.json)


COMMANDS: Final[Sequence[Command]] = (
    Command("demo", "start everything, place a recorded call, go on serving", _add_demo, _demo),
    Command("call", "place one more call to a demo that runs", _add_call, _call),
    Command("status", "are the demo's promises kept, or those of DATABASE_URL?", _add_status, _status),
    Command(
        "validate",
        "five capabilities of a deployment that runs, on a throw-away org",
        _add_validate,
        _validate,
    ),
    Command("ttfb", "how long a caller waits for each answer, and why", arguments.add_ttfb, arguments.ttfb),
    Command(
        "load", "how many calls at once it holds, and what each costs", arguments.add_load, arguments.load
    ),
    Command(
        "barge-in",
        "how soon an interrupted agent falls silent, and what it takes for heard",
        arguments.add_barge_in,
        arguments.barge_in,
    ),
    Command(
        "ladder",
        "from a batch baseline to the whole design, step by step",
        arguments.add_ladder,
        arguments.ladder,
    ),
    Command(
        "carrier",
        "one call as a carrier places it: what came, which of its rules were broken",
        add_check,
        check,
    ),
    Command("compare", "two results: did the change help?", arguments.add_compare, arguments.compare),
    Command("figures", "the figures of docs/performance.md, one after the other", _add_figures, _figures),
    Command("overhead", "what the gateway adds to a turn and what a call costs it", _add_overhead, _overhead),
    Command("hedge", "what a second request for a late reply wins and costs", _add_hedge, _hedge),
    Command(
        "follow-up",
        "how long after a call's end its text is with the carrier",
        _add_follow_up,
        _follow_up,
    ),
    Command(
        "credentials",
        "what a look-up of a clinic's own keys costs, from each layer",
        _add_credentials,
        _credentials,
    ),
    Command(
        "knowledge",
        "how long a search of a clinic's passages takes, by how many there are",
        _add_knowledge,
        _knowledge,
    ),
    Command("booking", "what a claim of a slot costs beside a bare UPDATE", _add_booking, _booking),
    Command("otp", "how soon a code by text message is handed to the carrier", _add_otp, _otp),
    Command(
        "redaction", "how well and how fast redaction masks a labelled corpus", _add_redaction, _redaction
    ),
)
