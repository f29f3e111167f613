"""Takes the guards of every sink away, one by one, and says which tests notice:

python -m tests.proofs.unguarded [NAME …]

Each guard is cut out of a copy of the checkout, in which the tests then run that are to notice. The table
says killed (by which test), survived, equivalent (survived, and which other guard keeps it) or failed (the
tests could not run). Exit status 0 if every guard is missed or has another behind it, and (unless guards are
named) the same tests pass with all of them.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.proofs.guards import GUARDS, Guard
from tests.proofs.judging import ROOT, Result, judged, show_all, untouched


def without(guard: Guard, root: Path) -> None:
    """Take it from the checkout at `root`. Raises `PieceGone`."""
    for edit in guard.edits:
        path = root / edit.path
        path.write_text(edit.applied(path.read_text()))


def copy_checkout(to: Path) -> None:
    """All files that belong to it, as they are now."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def judge(guard: Guard) -> Result:
    with tempfile.TemporaryDirectory(prefix="unguarded-") as folder:
        Path(folder).chmod(0o711)  # the embedded servers pass through it
        copy_checkout(Path(folder))
        without(guard, Path(folder))
        return judged(guard.name, guard.proofs, equivalent=guard.equivalent, root=Path(folder))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.unguarded", description="See the module.")
    parser.add_argument("names", nargs="*", help="guards, by (the beginning of) their name; else all")
    parser.add_argument("--jobs", type=int, default=1, help="guards at once")
    asked = parser.parse_args()
    chosen = [each for each in GUARDS if not asked.names or each.name.startswith(tuple(asked.names))]
    proofs = list(dict.fromkeys(proof for each in chosen for proof in each.proofs))
    before = [] if asked.names else [untouched(proofs)]
    return 0 if show_all(judge, chosen, before, jobs=asked.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
