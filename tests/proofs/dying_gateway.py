"""Forks gateways, one after the other, each to be killed at the turn of its event loop that it is told.

Started once: `dying_gateway worker_dsn org`, with a gateway's environment. An order is a line of JSON,
`{"turns": 57, "calls": [[id, caller], …], "at_report": false}`: how often the loop may turn (null: for ever)
once the gateway serves, or once a report of Vapi's comes in, and calls that it has at that time. A life says
where it serves, and that it is over.
"""

import asyncio
import json
import os
import selectors
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from starlette.types import ASGIApp, Receive, Scope, Send

from booking.calls import close_call, open_call
from booking.db import open_pool
from booking.follow_up import FollowUps, due_follow_ups, note_texts_wanted
from booking.jobs import Sweep, Work, fan_out
from booking.messages import due_messages
from booking.orgs import load_profile
from booking.types import Claim
from booking.vapi_calls import due_vapi_calls
from booking.worker import Pace, working
from compliance.keys import Keyring
from gateway import logs
from gateway.app import build_app
from gateway.call import Desk
from gateway.caller import Ends
from gateway.follow_ups import guide_links
from gateway.inquiry import Inquiry
from gateway.jobs import WatchedJobs
from gateway.records import CallRecords
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
        working(queue, worker_url, work(desk, queue, reports), WatchedJobs(desk.metrics), QUICK),
        asyncio.TaskGroup() as calls,
    ):
        for call_id, caller in order["calls"]:
            calls.create_task(call(desk, claim, UUID(call_id), caller))
        await serving


def work(desk: Desk, queue: Any, reports: Reports) -> Work:
    """What a gateway does of jobs that has to do with texts and with calls at Vapi, at the pace of a test."""
    messages = desk.texts.messages
    engine = FollowUps(messages, guide_links(desk.settings), unsure=UNSURE)
    return Work(
        {"follow_up": engine.go_on, "sms_reconcile": messages.reconcile, "vapi_report": reports.ask},
        [
            Sweep(
                "due_vapi_calls",
                EVERY_SECOND,
                fan_out(desk.pool, "vapi_report", lambda: due_vapi_calls(queue)),
            ),
            Sweep(
                "due_follow_ups",
                EVERY_SECOND,
                fan_out(desk.pool, "follow_up", lambda: due_follow_ups(queue)),
            ),
            Sweep(
                "due_messages", EVERY_SECOND, fan_out(desk.pool, "sms_reconcile", lambda: due_messages(queue))
            ),
        ],
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
