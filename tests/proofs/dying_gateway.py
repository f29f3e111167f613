"""Forks gateways, one after the other, each to be killed at the turn of its event loop that it is told.

Started once: `dying_gateway worker_dsn org`, with a gateway's environment. An order is a line of JSON,
`{"turns": 57, "calls": [[id, caller], …], "placed": [[id, number], …], "at_report": false}`: how often the
loop may turn (null: for ever) once the gateway serves, or once a report of Vapi's comes in; calls that it has
at that time, and calls that its clinic asks for then. A life says where it serves, and that it is over.
"""

import asyncio
import json
import os
import selectors
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from starlette.types import ASGIApp, Receive, Scope, Send

from booking.calls import close_call, open_call
from booking.contacts import Person, save_contact
from booking.db import fetch, open_pool
from booking.follow_up import FollowUps, due_follow_ups, note_texts_wanted
from booking.jobs import Kind, Sweep, Work, fan_out
from booking.messages import due_messages
from booking.orgs import load_profile
from booking.placed_calls import ask_for_call, due_placed_calls
from booking.placing import Placing
from booking.types import OPERATOR, Claim
from booking.vapi_calls import due_vapi_calls
from booking.worker import Pace, working
from compliance.keys import Keyring
from gateway import logs
from gateway.app import build_app
from gateway.call import Desk
from gateway.caller import Ends
from gateway.follow_ups import guide_links
from gateway.inquiry import Inquiry
from gateway.jobs import Found, WatchedJobs
from gateway.placing import open_placing
from gateway.records import CallRecords
from gateway.sealing import VaultSealer
from gateway.server import GatewayServer
from gateway.settings import load
from gateway.vapi.reports import Reports, open_reports
from tests.proofs.killing import UNSURE

QUICK = Pace(first_retry_s=0.05, longest_retry_s=0.2, poll_s=0.1)
EVERY_SECOND = "* * * * * *"


class Mortal(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """A loop asks its selector once in each turn: whatever waits for anything is between two steps then."""

    turns: int | None = None

    def select(self, timeout: float | None = None) -> Any:
        if self.turns is not None:
            self.turns -= 1
            if self.turns < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().select(timeout)


@dataclass(frozen=True)
class AtReport:
    """Has the turns counted from when Vapi's first report comes in."""

    app: ASGIApp
    selector: Mortal
    turns: int

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path", "").endswith("/call-ended") and self.selector.turns is None:
            self.selector.turns = self.turns
        await self.app(scope, receive, send)


async def live(order: Mapping[str, Any], worker_url: str, org: str, selector: Mortal) -> None:
    settings = load(env_file=None)
    app = build_app(settings)
    if order["at_report"]:
        app.add_middleware(AtReport, selector=selector, turns=order["turns"])
    server = GatewayServer(app, settings)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  it has no event to wait for
        await asyncio.sleep(0.005)
    desk, claim = app.state.edge.desk, Claim(UUID(org))
    if not order["at_report"]:
        selector.turns = order["turns"]
    async with (
        await open_pool(worker_url, max_size=3) as queue,
        open_reports(settings, desk.pool, desk.vault, desk.metrics) as reports,
        open_placing(settings, desk.pool, desk.vault, desk.metrics) as placing,
        working(queue, worker_url, work(desk, queue, reports, placing), WatchedJobs(desk.metrics), QUICK),
        asyncio.TaskGroup() as calls,
    ):
        for call_id, caller in order["calls"]:
            calls.create_task(call(desk, claim, UUID(call_id), caller))
        for placed_id, number in order["placed"]:
            calls.create_task(ask(desk, claim, UUID(placed_id), number))
        await serving


def work(desk: Desk, queue: asyncpg.Pool, reports: Reports, placing: Placing) -> Work:
    """What a gateway does of jobs that has to do with texts, placed calls and calls at Vapi, at the pace of a
    test.
    """
    messages = desk.texts.messages
    engine = FollowUps(messages, guide_links(desk.settings), unsure=UNSURE)

    def every_second(kind: Kind, due: Callable[[asyncpg.Pool], Found]) -> Sweep:
        return Sweep(f"due_{kind}", EVERY_SECOND, fan_out(desk.pool, kind, lambda: due(queue)))

    return Work(
        {
            "follow_up": engine.go_on,
            "sms_reconcile": messages.reconcile,
            "place_call": replace(placing, unsure=UNSURE).go_on,
            "vapi_report": reports.ask,
        },
        [
            every_second("follow_up", due_follow_ups),
            every_second("sms_reconcile", due_messages),
            every_second("place_call", due_placed_calls),
            every_second("vapi_report", due_vapi_calls),
        ],
    )


async def ask(desk: Desk, claim: Claim, placed_id: UUID, number: str) -> None:
    """The clinic has somebody called who has agreed to that."""
    contact_id = await save_contact(desk.pool, claim, VaultSealer(desk.vault), Person(number))
    await fetch(
        desk.pool, claim, "record_consent", "calls", True, "staff", contact_id, None, "operator", None
    )
    await ask_for_call(
        desk.pool, claim, placed_id=placed_id, contact_id=contact_id, campaign_id=None, actor=OPERATOR
    )


async def call(desk: Desk, claim: Claim, call_id: UUID, caller: str) -> None:
    """The end of a call as `gateway.call` has it, from the caller's last words on."""
    profile = await load_profile(desk.pool, claim)
    assert profile is not None
    records = CallRecords(desk.pool, claim, call_id, Keyring.of(desk.vault), Ends(caller, ""))
    inquiry = Inquiry(desk.pool, claim, call_id, profile.services)
    now = datetime.now(UTC)
    await open_call(
        desk.pool,
        claim,
        call_id=call_id,
        carrier="twilio",
        carrier_call_id=f"CA{call_id.hex}",
        started_at=now,
    )
    keeping = [asyncio.create_task(records.keep()), asyncio.create_task(inquiry.keep())]
    inquiry.heard("I wonder about a nose job")
    await note_texts_wanted(desk.pool, claim, call_id=call_id, wanted=True)
    for task in keeping:
        task.cancel()
    await inquiry.flush()
    await records.flush()
    await close_call(
        desk.pool, claim, call_id=call_id, end_reason="caller_hung_up", ended_at=now, keep_hold=False
    )


def run(order: Mapping[str, Any], worker_url: str, org: str) -> None:
    """A life."""
    selector = Mortal()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(live(order, worker_url, org, selector))
    os._exit(0)


def main(worker_url: str, org: str) -> None:
    logs.configure("error")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(json.loads(line), worker_url, org)
        sys.stdout.write(json.dumps({"pid": child}) + "\n")
        sys.stdout.flush()
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"over": status}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
