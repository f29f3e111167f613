"""Takes the schema apart piece by piece and says which proofs notice:

python -m tests.proofs.mutations [NAME …]

Each mutant gets a server of its own, migrated, with its piece taken out, and the tests that are to notice.
The table says killed (by which test), survived, equivalent (survived, and why nothing can tell) or failed
(the tests could not run, or the piece is not there any more). Exit status 0 if every mutant was killed or is
equivalent, and (unless mutants are named) the same tests pass on the schema as it is.
"""

import argparse
import sys

from tests.proofs.judging import Result, judged, show_all, untouched
from tests.proofs.mutants import MUTANTS, Mutant


def judge(mutant: Mutant) -> Result:
    options = ("-p", "tests.proofs.mutated_stack", "--mutant", mutant.name)
    return judged(mutant.name, mutant.proofs, options, equivalent=mutant.equivalent)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.mutations", description="See the module.")
    parser.add_argument("names", nargs="*", help="mutants, by (the beginning of) their name; else all")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once")
    asked = parser.parse_args()
    chosen = [each for each in MUTANTS if not asked.names or each.name.startswith(tuple(asked.names))]
    proofs = list(dict.fromkeys(proof for each in chosen for proof in each.proofs))
    before = [] if asked.names else [untouched(proofs)]
    return 0 if show_all(judge, chosen, before, jobs=asked.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
