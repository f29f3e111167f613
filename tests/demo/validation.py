"""`python -m bench validate` and `status` of a demo that serves: run to the end, run and interrupted."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from bench.demo.running import read_running
from bench.demo.supervisor import run_folder

PATIENT_S = 120.0


@dataclass(frozen=True)
class Validation:
    """The command's end, its report, and which orgs there were before and after; `most_at_once` meanwhile."""

    code: int | None
    report: Mapping[str, Any]
    error: str
    before: list[UUID]
    after: list[UUID]
    most_at_once: int = 0

    def of(self, name: str) -> Mapping[str, Any]:
        check: Mapping[str, Any] = next(each for each in self.report["checks"] if each["name"] == name)
        return check


def orgs(folder: Path) -> list[UUID]:
    """Those that the demo has, as its worker knows them."""
    running = read_running(run_folder(folder))
    assert running is not None
    assert running.worker_url is not None
    return asyncio.run(_orgs(running.worker_url))


async def _orgs(url: str) -> list[UUID]:
    worker = await asyncpg.connect(url)
    try:
        return [row[0] for row in await worker.fetch("select app.org_ids(null, 1000)")]
    finally:
        await worker.close()


def validated(folder: Path, environ: Mapping[str, str], *arguments: str) -> Validation:
    before = orgs(folder)
    process = _started(folder, environ, "--json", *arguments)
    out, err = process.communicate(timeout=PATIENT_S)
    return Validation(process.returncode, json.loads(out or "{}"), err, before, orgs(folder))


def interrupted(folder: Path, environ: Mapping[str, str]) -> Validation:
    """Ctrl-C as soon as both orgs are there."""
    before = orgs(folder)
    process = _started(folder, environ)
    give_up_s = time.monotonic() + PATIENT_S
    while len(found := orgs(folder)) < len(before) + 2:
        assert process.poll() is None
        assert time.monotonic() < give_up_s
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENT_S)
    return Validation(process.returncode, {}, err, before, orgs(folder), most_at_once=len(found))


def _started(folder: Path, environ: Mapping[str, str], *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "bench", "validate", *arguments],
        cwd=folder,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
