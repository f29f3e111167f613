"""A child process of the supervisor: its log, its readiness, its pid file, its end."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import psutil

from bench.stack.lifeline import tied
from bench.tree import of_this_tree

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 8.0
LAST_WORDS_CHARS = 1500


class ChildFailed(Exception):
    """A child did not start; the message says which, how, and its last words."""


class ChildEnded(ChildFailed):
    """A child that ran ended by itself."""


class Child:
    """One process. Signals of the terminal do not reach it: only its supervisor stops it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.output = folder / f"{name}.out"
        self._pid_file = folder / f"{name}.pid"
        self._process: asyncio.subprocess.Process | None = None

    async def start(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        cwd: Path,
        ready: Callable[[], Awaitable[bool]],
    ) -> None:
        """Run `command`, Python from this tree, until `ready`. Raises `ChildFailed`, after which nothing
        runs.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log, self.output.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *tied(command, signal.SIGTERM),
                env=of_this_tree(environ),
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,
            )
        self._remember(self._process.pid)
        try:
            await self._await(ready)
        except BaseException:
            await self.stop()
            raise

    @property
    def has_spoken(self) -> bool:
        """Has it written a whole line on its standard output?"""
        return b"\n" in self.output.read_bytes()

    async def watch(self) -> None:
        """Wait for as long as it runs. Raises `ChildEnded`."""
        code = await self._running().wait()
        raise ChildEnded(self._fact(f"ended with {code}"))

    async def stop(self) -> None:
        """Ask it to end, then insist. Does nothing if it does not run."""
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_WITHIN_S):
                    await process.wait()
            except TimeoutError:
                _kill_family(process.pid)
                await process.wait()
        self._pid_file.unlink(missing_ok=True)

    def stop_leftover(self) -> None:
        """End what a killed supervisor left running, if it is still that process. Blocks a moment."""
        try:
            record = json.loads(self._pid_file.read_text())
            process = psutil.Process(record["pid"])
            if process.create_time() == record["created"]:
                _kill_family(process.pid, kindly=True)
        except (FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
            pass
        self._pid_file.unlink(missing_ok=True)

    async def _await(self, ready: Callable[[], Awaitable[bool]]) -> None:
        process = self._running()
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await ready():
                    if process.returncode is not None:
                        raise ChildFailed(self._fact(f"ended at once with {process.returncode}"))
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise ChildFailed(self._fact(f"is not ready after {READY_WITHIN_S:.0f} s")) from None

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise ChildFailed(f"the {self.name} was never started")
        return self._process

    def _remember(self, pid: int) -> None:
        created = psutil.Process(pid).create_time()
        self._pid_file.write_text(json.dumps({"pid": pid, "created": created}))

    def _fact(self, fact: str) -> str:
        said = "\n".join(path.read_text(errors="replace").strip() for path in (self.output, self.log))
        last_words = said.strip()[-LAST_WORDS_CHARS:] or "(it said nothing)"
        return f"the {self.name} {fact}; from {self.log}:\n{last_words}"


def _kill_family(pid: int, *, kindly: bool = False) -> None:
    """End a process and its children; with `kindly` it is asked first."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    if kindly:
        _signal(family[0], signal.SIGTERM)
        psutil.wait_procs(family[:1], timeout=STOP_WITHIN_S)
    for member in family:
        _signal(member, signal.SIGKILL)
    psutil.wait_procs(family, timeout=STOP_WITHIN_S)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    if process.pid == os.getpid():
        return
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
