"""Runs a latency command on the fast event loop, and turns what makes it impossible into one line and an exit
code.
"""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, Final

import uvloop

from bench.carrier.errors import InterfaceUnusable, NobodyListens
from bench.demo.child import ChildFailed
from bench.demo.plan import PlanImpossible
from bench.harness.speech import NothingSaid
from bench.harness.stopping import INTERRUPTED
from bench.harness.target import TargetUnusable
from bench.recording import RecordingUnusable
from bench.stack.process import StackError
from booking.errors import BookingError
from gateway.errors import SettingsInvalid

UNUSABLE: Final = 2
NOT_RUN: Final = (
    ChildFailed,
    InterfaceUnusable,
    NobodyListens,
    PlanImpossible,
    NothingSaid,
    TargetUnusable,
    RecordingUnusable,
    StackError,
    BookingError,
    SettingsInvalid,
)
"""What keeps a command from being run; each tells it in its own words."""


def run(work: Coroutine[Any, Any, int]) -> int:
    """The exit code: the command's own, or `UNUSABLE`."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except NOT_RUN as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED
