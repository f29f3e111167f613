"""`python -m bench`: the demo, one more call to it, what the gateway adds to a turn, what a claim costs, how
soon a code is handed over, what a look-up of keys costs, how well redaction masks.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.booking import Plan, run_booking
from bench.credentials import Plan as Lookups
from bench.credentials import run_credentials
from bench.demo.command import run_call, run_demo
from bench.harness import arguments
from bench.harness.target import TargetUnusable
from bench.hedge import HedgeLoad, run_hedge
from bench.otp import Load as Codes
from bench.otp import run_otp
from bench.overhead import Load, run_overhead
from bench.redaction.command import CORPUS, Options, run_redaction

Run = Callable[[argparse.Namespace], int]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="start everything, place a recorded call, go on serving")
    demo.add_argument(
        "--call", type=Path, metavar="FILE", help="play this recording (default: the bundled one)"
    )
    demo.add_argument(
        "--once", action="store_true", help="end after the call; 0 only if it did what it was for"
    )
    call = commands.add_parser("call", help="place one more call to a demo that runs")
    call.add_argument("recording", type=Path, nargs="?", metavar="FILE")
    overhead = commands.add_parser(
        "overhead", help="what the gateway adds to a turn and what a call costs it"
    )
    overhead.add_argument("--calls", type=int, nargs="+", default=[1, 20], metavar="N", help="calls at once")
    overhead.add_argument("--turns", type=int, default=10, metavar="N", help="turns of each call")
    booking = commands.add_parser("booking", help="what a claim of a slot costs beside a bare UPDATE")
    booking.add_argument(
        "--connections", type=int, nargs="+", default=[1, 10, 50], metavar="N", help="claims at once"
    )
    booking.add_argument("--claims", type=int, default=2000, metavar="N", help="of each statement")
    booking.add_argument("--orgs", type=int, default=100, metavar="N", help="clinics that the claims fall on")
    booking.add_argument("--practitioners", type=int, default=5, metavar="N", help="of each clinic")
    booking.add_argument(
        "--no-flush", action="store_true", help="commits do not wait for the disk: what is left is computing"
    )
    otp = commands.add_parser("otp", help="how soon a code by text message is handed to the carrier")
    otp.add_argument("--codes", type=int, default=500, metavar="N", help="codes in all")
    otp.add_argument("--at-once", type=int, default=20, metavar="N", help="requests at once")
    credentials = commands.add_parser(
        "credentials", help="what a look-up of a clinic's own keys costs, from each layer"
    )
    credentials.add_argument("--lookups", type=int, default=2000, metavar="N", help="from each layer")
    credentials.add_argument("--callers", type=int, default=500, metavar="N", help="at once, on a miss")
    credentials.add_argument("--rounds", type=int, default=20, metavar="N", help="misses and changes")
    hedge = commands.add_parser("hedge", help="what a second request for a late reply wins and costs")
    hedge.add_argument(
        "--after", type=float, nargs="+", default=[0, 0.6, 0.7, 0.8, 1.0], metavar="S", help="0 is without"
    )
    hedge.add_argument("--requests", type=int, default=1500, metavar="N", help="for each of them")
    hedge.add_argument("--at-once", type=int, default=30, metavar="N", help="requests at once")
    hedge.add_argument("--model", default="published", metavar="NAME", help="of the providers' delays")
    hedge.add_argument("--seed", type=int, default=1, metavar="N", help="of the delays drawn")
    redaction = commands.add_parser(
        "redaction", help="how well and how fast redaction masks a labelled corpus"
    )
    redaction.add_argument(
        "--corpus", type=Path, default=CORPUS, metavar="DIR", help="a part of it (default: %(default)s)"
    )
    redaction.add_argument("--json", action="store_true", help="figures to read by program")
    redaction.add_argument("--misses", type=int, default=0, metavar="N", help="show the worst N of each kind")
    redaction.add_argument(
        "--spacy-model", metavar="NAME", help="a spaCy pipeline for Presidio: package or folder"
    )
    latency = _add_latency(commands)
    chosen = parser.parse_args()
    if chosen.command in latency:
        try:
            return latency[chosen.command](chosen)
        except TargetUnusable as error:
            parser.error(str(error))
    if chosen.command == "redaction":
        return run_redaction(Options(chosen.corpus, chosen.misses, chosen.json, chosen.spacy_model))
    if chosen.command == "credentials":
        return run_credentials(Lookups(chosen.lookups, chosen.callers, chosen.rounds))
    if chosen.command == "hedge":
        return run_hedge(HedgeLoad(chosen.after, chosen.requests, chosen.at_once, chosen.model, chosen.seed))
    if chosen.command == "otp":
        return run_otp(Codes(chosen.codes, chosen.at_once))
    if chosen.command == "overhead":
        return run_overhead([Load(calls, chosen.turns) for calls in chosen.calls])
    if chosen.command == "booking":
        return run_booking(
            Plan(
                chosen.connections,
                chosen.claims,
                durable=not chosen.no_flush,
                orgs=chosen.orgs,
                practitioners=chosen.practitioners,
            )
        )
    if chosen.command == "demo":
        return run_demo(chosen.call, once=chosen.once)
    return run_call(chosen.recording)


def _add_latency(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> Mapping[str, Run]:
    """The commands that time a gateway's answers, by name."""
    known: Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None], Run]] = {
        "ttfb": ("how long a caller waits for each answer, and why", arguments.add_ttfb, arguments.ttfb),
        "load": ("how many calls at once it holds, and what each costs", arguments.add_load, arguments.load),
        "barge-in": (
            "how soon an interrupted agent falls silent, and what it takes for heard",
            arguments.add_barge_in,
            arguments.barge_in,
        ),
        "ladder": (
            "from a batch baseline to the whole design, step by step",
            arguments.add_ladder,
            arguments.ladder,
        ),
        "compare": ("two results: did the change help?", arguments.add_compare, arguments.compare),
    }
    for name, (told, add, _) in known.items():
        add(commands.add_parser(name, help=told))
    return {name: run for name, (_, _, run) in known.items()}


if __name__ == "__main__":
    sys.exit(main())
