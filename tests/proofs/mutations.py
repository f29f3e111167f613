"""Takes the schema apart piece by piece and says which proofs notice:

python -m tests.proofs.mutations [NAME …]

Each mutant gets a server of its own, migrated, with its piece taken out, and the tests that are to notice.
The table says killed (by which test), survived, equivalent (survived, and why nothing can tell) or failed
(the tests could not run, or the piece is not there any more). Exit status 0 if every mutant was killed or is
equivalent, and (unless mutants are named) the same tests pass on the schema as it is.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.mutants import MUTANTS, Mutant

_FAILED = re.compile(r"^FAILED (.+?)(?: - .*)?$", re.MULTILINE)
_ALL_PASSED, _SOME_FAILED = 0, 1
ROOT = Path(__file__).parents[2]
TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Result:
    mutant: str
    verdict: str
    told_by: str
    seconds: float

    @property
    def good(self) -> bool:
        return self.verdict in ("killed", "equivalent", "passed")


def judge(mutant: Mutant) -> Result:
    began = time.monotonic()
    verdict, told_by = _verdict(mutant)
    return Result(mutant.name, verdict, told_by, time.monotonic() - began)


def _verdict(mutant: Mutant) -> tuple[str, str]:
    for proof in mutant.proofs:
        status, output = _pytest(proof, "-p", "tests.proofs.mutated_stack", "--mutant", mutant.name)
        failed = _FAILED.search(output)
        if status == _SOME_FAILED and failed:
            return ("noticed, though equivalent" if mutant.equivalent else "killed"), _short(failed[1])
        if status != _ALL_PASSED:
            return "failed", output.strip().rpartition("\n")[2][:200]
    return ("equivalent", mutant.equivalent) if mutant.equivalent else ("survived", ", ".join(mutant.proofs))


def untouched(proofs: Sequence[str]) -> Result:
    """The same tests on the schema as it is."""
    began = time.monotonic()
    status, output = _pytest(*proofs)
    verdict = "passed" if status == _ALL_PASSED else "failed"
    return Result(
        "(nothing taken away)", verdict, output.strip().rpartition("\n")[2], time.monotonic() - began
    )


def _pytest(*arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
    environment = {**os.environ, "COLUMNS": "300"}
    try:
        run = subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            env=environment,
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired:
        return -1, f"no answer within {TIMEOUT_S} s"
    return run.returncode, run.stdout + run.stderr


def _short(node: str) -> str:
    return node.removeprefix("tests/").replace("proofs/", "")


def _show(result: Result) -> None:
    line = f"{result.verdict:<11} {result.seconds:5.1f} s  {result.mutant:<55} {result.told_by}\n"
    sys.stdout.write(line)
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.mutations", description="See the module.")
    parser.add_argument("names", nargs="*", help="mutants, by (the beginning of) their name; else all")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once")
    asked = parser.parse_args()
    chosen = [each for each in MUTANTS if not asked.names or each.name.startswith(tuple(asked.names))]
    proofs = list(dict.fromkeys(proof for each in chosen for proof in each.proofs))
    results = [] if asked.names else [untouched(proofs)]
    for result in results:
        _show(result)
    with ThreadPoolExecutor(asked.jobs) as pool:
        for result in pool.map(judge, chosen):
            _show(result)
            results.append(result)
    counts = {
        verdict: [r.verdict for r in results].count(verdict) for verdict in {r.verdict for r in results}
    }
    sys.stdout.write(f"{len(chosen)} mutants: {counts}\n")
    return 0 if all(result.good for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
