"""Do these tests notice? What the commands share that take something away and look whether any test fails."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
TIMEOUT_S = 600
_FAILED = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)
_ALL_PASSED, _SOME_FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Result:
    """`verdict`: killed, survived, equivalent, passed, failed, or "noticed, though equivalent"."""

    name: str
    verdict: str
    told_by: str
    seconds: float

    @property
    def good(self) -> bool:
        return self.verdict in ("killed", "equivalent", "passed")

    def show(self) -> None:
        line = f"{self.verdict:<11} {self.seconds:5.1f} s  {self.name:<55} {self.told_by}\n"
        sys.stdout.write(line)
        sys.stdout.flush()


def judged(
    name: str, proofs: Sequence[str], options: Sequence[str] = (), *, equivalent: str = "", root: Path = ROOT
) -> Result:
    """Whether one of the proofs fails, tried one after the other, in the checkout at `root`."""
    began = time.monotonic()
    verdict, told_by = _verdict(proofs, options, equivalent, root)
    return Result(name, verdict, told_by, time.monotonic() - began)


def _verdict(proofs: Sequence[str], options: Sequence[str], equivalent: str, root: Path) -> tuple[str, str]:
    for proof in proofs:
        status, output = _pytest(root, proof, *options)
        failed = _FAILED.search(output)
        if status == _SOME_FAILED and failed:
            return ("noticed, though equivalent" if equivalent else "killed"), _short(failed[1])
        if status != _ALL_PASSED:
            return "failed", output.strip().rpartition("\n")[2][:200]
    return ("equivalent", equivalent) if equivalent else ("survived", ", ".join(proofs))


def untouched(proofs: Sequence[str]) -> Result:
    """The same tests with everything in its place."""
    began = time.monotonic()
    status, output = _pytest(ROOT, *proofs)
    verdict = "passed" if status == _ALL_PASSED else "failed"
    told_by = output.strip().rpartition("\n")[2]
    return Result("(nothing taken away)", verdict, told_by, time.monotonic() - began)


def show_all(
    judge: Callable[[T], Result], chosen: Sequence[T], before: Iterable[Result] = (), *, jobs: int
) -> bool:
    """Judge them, so many at once, and show each as it comes; whether all are good."""
    results = list(before)
    for result in results:
        result.show()
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(judge, chosen):
            result.show()
            results.append(result)
    verdicts = [result.verdict for result in results]
    sys.stdout.write(f"{len(chosen)} mutants: { {each: verdicts.count(each) for each in set(verdicts)} }\n")
    return all(result.good for result in results)


def _pytest(root: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
    environment = {**os.environ, "COLUMNS": "300", "PYTHONPATH": str(root)}
    try:
        run = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            env=environment,
            cwd=root,
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer within {TIMEOUT_S} s"
    return run.returncode, run.stdout + run.stderr


def _short(node: str) -> str:
    return node.removeprefix("tests/").replace("proofs/", "")
