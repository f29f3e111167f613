"""`python -m bench demo` and `python -m bench call`: what they do, in order, and the exit codes.

`.env` and `.data` are those of the current folder.

0  the call did what it was for; or, while serving, a stop that was asked for
1  the call failed, or something that was started ended by itself
2  nothing could be started: a setting, a recording, another demo on the same data
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from bench.carrier import Carrier
from bench.demo.asked import AskedUnreadable
from bench.demo.child import ChildEnded, ChildFailed
from bench.demo.clinic import CLINIC_NUMBER
from bench.demo.console import Console
from bench.demo.placed_call import Order, place_call
from bench.demo.plan import PlanImpossible, make_plan
from bench.demo.running import Running, read_running
from bench.demo.supervisor import Supervisor, run_folder
from bench.recording import RecordingUnusable
from bench.stack.process import AlreadyRunning, StackError
from booking.errors import BookingError
from gateway.errors import SettingsInvalid
from gateway.settings import is_local_bench

DEFAULT_RECORDING = Path(__file__).with_name("recordings") / "tuesday.wav"
DONE, FAILED, UNUSABLE = 0, 1, 2
_NOT_STARTED = (
    PlanImpossible,
    SettingsInvalid,
    RecordingUnusable,
    AskedUnreadable,
    StackError,
    BookingError,
    ChildFailed,
)


def run_demo(recording: Path | None, *, once: bool) -> int:
    """Start everything, place the call, then go on serving unless `once`. The exit code."""
    return _run(_demo(recording or DEFAULT_RECORDING, once=once, root=Path.cwd()))


def run_call(recording: Path | None) -> int:
    """One more call to the demo that runs. The exit code."""
    return _run(_another_call(recording or DEFAULT_RECORDING, root=Path.cwd()))


def _run(work: Coroutine[Any, Any, int]) -> int:
    console = Console()
    try:
        with asyncio.Runner() as runner:
            return runner.run(_until_signalled(work))
    except AlreadyRunning:
        console.problem("The demo runs already. Another call to it: .venv/bin/python -m bench call [FILE]")
    except ChildEnded as error:
        console.problem(str(error))
        return FAILED
    except _NOT_STARTED as error:
        console.problem(str(error))
    return UNUSABLE


async def _until_signalled(work: Coroutine[Any, Any, int]) -> int:
    """Ctrl-C and SIGTERM end the work in order, once; what is then under way has its own time limits."""
    loop = asyncio.get_running_loop()
    working = asyncio.ensure_future(work)
    asked: list[int] = []

    def stop(number: int) -> None:
        if not asked:
            working.cancel()
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    try:
        return await working
    except asyncio.CancelledError:
        return FAILED


async def _demo(recording: Path, *, once: bool, root: Path) -> int:
    console = Console()
    order = Order.read(recording)
    environ = {
        name: value for name, value in dotenv_values(root / ".env").items() if value is not None
    } | dict(os.environ)
    console.title("Starting")
    if is_local_bench(environ):
        console.problem("GATEWAY_LOCAL_BENCH is on: carriers are NOT checked; for this machine alone")
    async with Supervisor(make_plan(environ), root, console.started) as supervisor:
        try:
            return await _beside(supervisor.watch(), _session(supervisor, order, root, console, once=once))
        finally:
            console.line("Stopping", style="dim")


async def _session(supervisor: Supervisor, order: Order, root: Path, console: Console, *, once: bool) -> int:
    code = await _call(supervisor.running, supervisor.carrier, order, root, console)
    if once:
        return code
    _tell_where(console, supervisor.running)
    with contextlib.suppress(asyncio.CancelledError):  # the way to stop serving; all above this ends in order
        await asyncio.Event().wait()
    return DONE


async def _beside(watching: Coroutine[Any, Any, None], work: Coroutine[Any, Any, int]) -> int:
    """The result of `work`, which is cancelled if `watching` raises; then that is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            watcher = group.create_task(watching)
            result = await work
            watcher.cancel()
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return result


async def _another_call(recording: Path, *, root: Path) -> int:
    console = Console()
    order = Order.read(recording)
    running = read_running(run_folder(root))
    if running is None:
        console.problem("No demo runs here. Start it with: make run")
        return UNUSABLE
    async with running.carrier() as carrier:
        return await _call(running, carrier, order, root, console)


async def _call(running: Running, carrier: Carrier, order: Order, root: Path, console: Console) -> int:
    console.title(f"Calling {CLINIC_NUMBER} with {order.recording.name}")
    async with console.watching() as watch:
        outcome = await place_call(
            running, carrier, order, root / ".data" / "recordings", show=console.show, watch=watch
        )
    console.summary(outcome)
    return FAILED if outcome.shortcomings else DONE


def _tell_where(console: Console, running: Running) -> None:
    console.title("Serving")
    console.line(f"  Gateway            {running.public_url}  (/healthz, /readyz, /metrics)")
    console.line(f"  Voice webhook      {running.public_url}/twilio/voice")
    console.line("  Another call       .venv/bin/python -m bench call [my.wav]   (in another terminal)")
    console.line("  Does it hold?      .venv/bin/python -m bench status, … bench validate")
    console.line("  Logs               .data/run/gateway.log, .data/run/simulators.log")
    console.line("  Stop               Ctrl-C")
