"""`python -m bench carrier`: places one call on any gateway, as one of four carriers would, and says what
happened and which of the carrier's rules were broken.

Exit codes: 0 the call was taken, something was heard and no rule was broken (with a bad signature: the call
was refused); 1 not so; 2 it could not be run; 3 nobody listens there, so no call was placed.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.caller import Manners, hold_conversation
from bench.carrier.call import LiveCall
from bench.carrier.dialect import Account
from bench.carrier.errors import CallOver, NobodyListens
from bench.carrier.faults import NO_FAULTS, LineFaults
from bench.carrier.listening import has_port, require_listener
from bench.carrier.report import Report, report_of
from bench.carrier.rest import Exchange, Place, exchange
from bench.carrier.telnyx import TelnyxAccount
from bench.harness.running import run
from bench.harness.target import TargetUnusable
from bench.recording import read_recording, split_turns

GOOD, BAD, NOBODY = 0, 1, 3
USUAL_MANNERS: Final = Manners()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One call. `url`: a gateway's public address, whose routes are those of ours, or the number's webhook;
    `ws(s)://`: a media socket, called without a webhook. `connect_url`: where the gateway really listens;
    `api_port`: where the carrier's REST interface is served for it.
    """

    account: Account
    url: str
    number: str
    caller: str
    connect_url: str | None = None
    status_url: str | None = None
    api_host: str = "127.0.0.1"
    api_port: int = 0
    audio: Path | None = None
    manners: Manners = USUAL_MANNERS
    faults: LineFaults = NO_FAULTS
    json: Path | None = None
    wav: Path | None = None

    def place(self) -> Place:
        """Raises `TargetUnusable`."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname or not has_port(parts):
            raise TargetUnusable(f"{self.url!r} is no ws, wss, http or https address")
        socket = parts.scheme in ("ws", "wss")
        public = parts._replace(scheme=parts.scheme.replace("ws", "http"), path="", query="").geturl()
        if socket and self.account.name == "telnyx" and self.faults.signature != "good":
            raise TargetUnusable("Telnyx signs no upgrade: there is nothing to forge at a media socket")
        own_routes = not socket and parts.path in ("", "/")
        return Place(
            public,
            connect_url=self.connect_url,
            voice_url=None if socket or own_routes else self.url,
            status_url=self.status_url,
            media_url=self.url if socket else None,
            api_host=self.api_host,
            api_port=self.api_port,
        )


def run_check(check: Check) -> int:
    """Call, print, write. The exit code."""
    return run(checked(check))


async def checked(check: Check) -> int:
    """The same in a loop that runs."""
    turns = [] if check.audio is None else split_turns(read_recording(check.audio))
    place = check.place()
    try:
        await require_listener(check.connect_url or check.url)
    except NobodyListens as error:
        print(f"{error}; start the gateway, or correct --url and --connect-url", file=sys.stderr)
        return NOBODY
    async with exchange(check.account, place) as calling:
        _tell_before(check, calling)
        report = await placed(calling, check, turns)
    print_report(report)
    if check.json is not None:
        check.json.parent.mkdir(parents=True, exist_ok=True)
        check.json.write_text(json.dumps(report.as_json(), indent=2) + "\n")
    return GOOD if report.is_good else BAD


async def placed(calling: Exchange, check: Check, turns: Sequence[bytes]) -> Report:
    """One call, from dialling to its end."""
    dial = calling.carrier.call(
        check.number, caller=check.caller, strict=False, wait_for_stream=False, faults=check.faults
    )
    answers_ms: list[int] = []
    async with dial as live:
        try:
            await live.streaming()
            await _line_came_back(live, check)
            answers_ms = (await hold_conversation(live, turns, check.manners)).gaps_ms
        except CallOver:
            pass
        live.hang_up()
        record = await live.ended()
    if check.wav is not None and record.now_ms:
        record.write_wav(check.wav)
    return report_of(check.account.name, record, check.faults, answers_ms)


async def _line_came_back(live: LiveCall, check: Check) -> None:
    """A caller whose line is torn by plan says nothing before it is whole again."""
    if check.faults.close is None:
        return
    try:
        async with asyncio.timeout(check.faults.close / 1000 + check.manners.patience_s):
            await live.until(lambda record: record.streams > 1)
    except TimeoutError:
        return


def _tell_before(check: Check, calling: Exchange) -> None:
    if calling.api_url:
        print(f"{check.account.name}'s REST interface: {calling.api_url}")
    if isinstance(check.account, TelnyxAccount):
        print(f"its webhooks are signed for the public key {check.account.public_key}")


def print_report(report: Report) -> None:
    """For people."""
    print(f"{report.carrier} call {report.call_id}: {'taken' if report.taken else 'not taken'}")
    for step in report.steps:
        print("  " + " ".join(f"{name}={value}" for name, value in step.items()))
    print(
        f"  answered after {_shown(report.answered_ms)}, streaming after {_shown(report.streamed_ms)}, "
        f"first audio {_shown(report.first_audio_ms)} later"
    )
    print(
        f"  {report.caller_ms} ms in {report.streams} stream(s), {report.agent_audible_ms} ms of the agent, "
        f"marks {report.marks_sent} out {report.marks_returned} back ({report.marks_flushed} flushed), "
        f"{len(report.clears)} clear(s), {len(report.gaps_ms)} gap(s), ended by {report.end_reason}"
    )
    if report.faults_struck:
        print("  faults: " + ", ".join(f"{name} {count}" for name, count in report.faults_struck.items()))
    for violation in report.violations:
        at = "" if violation.at_ms is None else f" at {violation.at_ms} ms"
        print(f"  VIOLATION {violation.rule.code}{at}: {violation.fact}")
        print(f"    rule: {violation.rule.says} ({violation.rule.source})")
    print("good" if report.is_good else "not good")


def _shown(ms: float | None) -> str:
    return "-" if ms is None else f"{ms:g} ms"
