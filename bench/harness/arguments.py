"""The latency commands' arguments: what they share, and what they are turned into."""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.barge_in import MEASURES as BARGE_IN_MEASURES
from bench.barge_in import Plan as Interruptions
from bench.barge_in import run_barge_in
from bench.carrier.credentials import CARRIERS, CredentialsUnusable, account_of
from bench.compare import run_compare
from bench.demo.clinic import CLINIC_NUMBER
from bench.harness.caller import Manners
from bench.harness.figures import MEASURES, Objective, ObjectiveUnreadable, parse_objective
from bench.harness.floor import Policy, Speculation
from bench.harness.providers import Ports
from bench.harness.speech import DEFAULT_VOICE
from bench.harness.target import Address, TargetUnusable, parse_settings
from bench.harness.values import amount, count, latency, port, positive, rate, result_file
from bench.ladder import run_ladder
from bench.load import Ramp, run_load
from bench.simulators.latency import MODELS, LatencyModel, changed
from bench.ttfb import Load, Outputs, Setup, run_ttfb
from gateway.settings import variables

DEFAULT_OBJECTIVE = "over_floor.p95<=50"
"""Of a load: what the gateway adds at the most, whatever the providers take."""
FAILS = "exit status 1 if it is missed"
_SPECULATIONS: Mapping[str, Speculation] = {"off": "off", "eager": "eager", "interim": "interim"}


def add_setup(parser: argparse.ArgumentParser) -> None:
    """What is measured and against what."""
    target = parser.add_argument_group("the gateway (default: our own, as a child on embedded servers)")
    target.add_argument("--url", help="any gateway: ws(s):// its media socket, http(s):// its signed webhook")
    target.add_argument("--number", default=CLINIC_NUMBER, help="dialled at --url (default: %(default)s)")
    target.add_argument(
        "--carrier",
        choices=sorted(CARRIERS),
        default="twilio",
        help="that calls (default: %(default)s)",
    )
    target.add_argument("--account-sid", help="of --url's webhook; its token is read from TWILIO_AUTH_TOKEN")
    target.add_argument(
        "--api-port", type=port, metavar="PORT", help="serve the carrier's REST interface here, for --url"
    )
    target.add_argument("--no-greeting", action="store_true", help="the agent at --url does not speak first")
    target.add_argument(
        "--serve-providers",
        type=port,
        nargs=3,
        metavar=("STT", "LLM", "TTS"),
        help="serve the simulated providers at these ports, for a gateway at --url that uses them",
    )
    target.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of our own"
    )
    target.add_argument("--pin", action="store_true", help="the last CPU is our own gateway's alone")
    providers = parser.add_argument_group("the simulated providers")
    providers.add_argument(
        "--model", choices=sorted(MODELS), default="published", help="default: %(default)s"
    )
    providers.add_argument("--stt", type=latency, metavar="DELAY", help="end of speech to end of turn")
    providers.add_argument(
        "--eager-before-ms", type=amount, metavar="MS", help="the guess comes so much earlier"
    )
    providers.add_argument("--llm", type=latency, metavar="DELAY", help="request to first token")
    providers.add_argument("--tokens-per-s", type=rate, metavar="N")
    providers.add_argument("--tts", type=latency, metavar="DELAY", help="text to first audio")
    providers.add_argument("--seed", type=int, default=1, help="of the delays (default: %(default)s)")
    parser.add_argument(
        "--voice", type=Path, default=DEFAULT_VOICE, metavar="FILE", help="what the caller says"
    )


def setup_of(chosen: argparse.Namespace) -> Setup:
    """Raises `TargetUnusable`."""
    settings = parse_settings(chosen.set)
    address = _address(chosen)
    return Setup(
        model=_model(chosen),
        seed=chosen.seed,
        address=address,
        ports=Ports(*chosen.serve_providers) if chosen.serve_providers else None,
        settings=settings,
        carrier=chosen.carrier,
        policy=policy_of(settings),
        voice=chosen.voice,
        manners=Manners(
            greeted=not chosen.no_greeting, marked=address is None or chosen.serve_providers is not None
        ),
        pinned=chosen.pin,
    )


def policy_of(settings: Mapping[str, str]) -> Policy:
    """How our gateway goes about a turn under these settings, as far as it can be set."""
    known = {variable.name: variable.default or "" for variable in variables()}
    values = known | dict(settings)
    return Policy(
        speculation=_SPECULATIONS.get(values.get("SPECULATION", "off"), "off"),
        hedge_after_ms=_ms(values.get("LLM_HEDGE_AFTER_S", "off")),
        interim_stable_ms=_ms(values.get("INTERIM_SENTENCE_S", "0")) or 0.0,
    )


def _ms(seconds: str) -> float | None:
    """None for what is switched off; what is no number the gateway refuses itself."""
    try:
        return float(seconds) * 1000
    except ValueError:
        return None


def add_outputs(parser: argparse.ArgumentParser, missed: str = FAILS) -> None:
    """`missed`: what comes of an objective that is."""
    parser.add_argument("--json", type=result_file, metavar="FILE", help="write the result")
    parser.add_argument(
        "--html", type=result_file, metavar="FILE", help="write a page that opens without a network"
    )
    _add_slo(parser, MEASURES, f"p95<800 (of the TTFB), overhead.p50<=5; {missed}")


def _add_slo(parser: argparse.ArgumentParser, measures: Sequence[str], told: str) -> None:
    parser.add_argument(
        "--slo",
        type=partial(_objective, measures),
        action="append",
        default=[],
        metavar="OBJECTIVE",
        help=told,
    )


def _objective(measures: Sequence[str], text: str) -> Objective:
    try:
        return parse_objective(text, measures)
    except ObjectiveUnreadable as error:  # argparse would show nothing of its words
        raise argparse.ArgumentTypeError(str(error)) from None


def outputs_of(chosen: argparse.Namespace) -> Outputs:
    objectives: list[Objective] = chosen.slo
    return Outputs(chosen.json, chosen.html, objectives)


def add_ttfb(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--turns", type=positive, default=30, metavar="N", help="in all (default: %(default)s)"
    )
    parser.add_argument(
        "--per-call", type=positive, default=10, metavar="N", help="of one call (default: %(default)s)"
    )
    parser.add_argument(
        "--at-once", type=positive, default=1, metavar="N", help="calls at once (default: %(default)s)"
    )
    add_setup(parser)
    add_outputs(parser)


def ttfb(chosen: argparse.Namespace) -> int:
    load = Load(chosen.turns, chosen.per_call, chosen.at_once)
    return run_ttfb(setup_of(chosen), load, outputs_of(chosen))


def add_load(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--steps",
        type=positive,
        nargs="+",
        default=[1, 10, 25, 50, 75, 100],
        metavar="N",
        help="calls at once",
    )
    parser.add_argument("--turns", type=positive, default=4, metavar="N", help="of each call (default: 4)")
    parser.add_argument(
        "--gaps",
        type=amount,
        default=0.0,
        metavar="N",
        help="playback gaps allowed per 1,000 turns (default: 0)",
    )
    parser.add_argument(
        "--hold",
        type=positive,
        metavar="N",
        help="exit status 1 unless so many calls at once are held (default: those of the first step)",
    )
    parser.add_argument(
        "--soak",
        type=count,
        default=0,
        metavar="CALLS",
        help="then so many calls of one turn: memory per call",
    )
    parser.add_argument("--soak-at-once", type=positive, default=20, metavar="N")
    add_setup(parser)
    add_outputs(parser, f"a step that misses it is broken (default: {DEFAULT_OBJECTIVE})")


def load(chosen: argparse.Namespace) -> int:
    ramp = Ramp(
        steps=chosen.steps,
        turns=chosen.turns,
        objectives=chosen.slo or [parse_objective(DEFAULT_OBJECTIVE)],
        gaps_per_1000=chosen.gaps,
        hold=chosen.hold,
        soak_calls=chosen.soak,
        soak_at_once=chosen.soak_at_once,
        json=chosen.json,
        html=chosen.html,
    )
    return run_load(setup_of(chosen), ramp)


def add_barge_in(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--interruptions", type=positive, default=30, metavar="N", help="in all (default: 30)"
    )
    parser.add_argument(
        "--per-call", type=positive, default=10, metavar="N", help="of one call (default: 10)"
    )
    parser.add_argument("--at-once", type=positive, default=1, metavar="N", help="calls at once (default: 1)")
    add_setup(parser)
    parser.add_argument("--json", type=result_file, metavar="FILE", help="write the result")
    _add_slo(parser, BARGE_IN_MEASURES, f"event_to_clear.p95<=5, beyond_a_word.mean<=0.01; {FAILS}")


def barge_in(chosen: argparse.Namespace) -> int:
    setup = replace(setup_of(chosen), long_replies=True)
    plan = Interruptions(chosen.interruptions, chosen.per_call, chosen.at_once)
    return run_barge_in(setup, plan, Outputs(chosen.json, objectives=chosen.slo))


def add_compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", type=Path, metavar="A.json")
    parser.add_argument("after", type=Path, metavar="B.json")
    parser.add_argument(
        "--worse-than",
        type=rate,
        metavar="FACTOR",
        help="exit status 1 if the TTFB has surely grown by more",
    )


def compare(chosen: argparse.Namespace) -> int:
    return run_compare(chosen.before, chosen.after, chosen.worse_than)


def add_ladder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--turns", type=positive, default=60, metavar="N", help="of each step (default: 60)")
    parser.add_argument(
        "--per-call", type=positive, default=10, metavar="N", help="of one call (default: 10)"
    )
    parser.add_argument("--at-once", type=positive, default=4, metavar="N", help="calls at once (default: 4)")
    parser.add_argument(
        "--only", type=int, nargs="+", default=[], metavar="STEP", help="these steps, from 0 on"
    )
    add_setup(parser)
    add_outputs(parser)


def ladder(chosen: argparse.Namespace) -> int:
    load = Load(chosen.turns, chosen.per_call, chosen.at_once)
    return run_ladder(setup_of(chosen), load, chosen.only, outputs_of(chosen))


def _model(chosen: argparse.Namespace) -> LatencyModel:
    return changed(
        MODELS[chosen.model],
        stt_end=chosen.stt,
        eager_before_ms=chosen.eager_before_ms,
        llm=chosen.llm,
        tokens_per_s=chosen.tokens_per_s,
        tts=chosen.tts,
    )


def _address(chosen: argparse.Namespace) -> Address | None:
    if chosen.url is None:
        return None
    try:
        account = account_of(chosen.carrier, chosen.account_sid, None, os.environ)
    except CredentialsUnusable as error:
        raise TargetUnusable(str(error)) from None
    return Address(chosen.url, chosen.number, account, chosen.api_port)
