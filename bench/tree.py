"""The source tree that this process runs from: children run from the same, and results name its commit.

An installed checkout may be another one than the checkout at hand, and a child without a word on it imports
what is installed.
"""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

TREE: Final = Path(__file__).resolve().parents[1]
_PACKAGES: Final = ("bench", "booking", "compliance", "gateway", "pipeline")
_GIT_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Commit:
    """What the tree was made from. `dirty`: its packages differ from that."""

    hash: str
    dirty: bool

    def __str__(self) -> str:
        return f"{self.hash[:12]}{' (dirty)' if self.dirty else ''}"


def of_this_tree(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a Python child that imports from `TREE` first, whatever is installed or lies in
    its working folder.
    """
    paths = [str(TREE), *filter(None, [environ.get("PYTHONPATH")])]
    return dict(environ) | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}


@cache
def commit() -> Commit | None:
    """As of the first time that it was asked; None where the tree is no repository, or git cannot tell."""
    where = _git("rev-parse", "--show-toplevel", "HEAD")
    changed = _git("status", "--porcelain", "--", *_PACKAGES)
    if where is None or changed is None:
        return None
    top, found = where.splitlines()
    return Commit(found, bool(changed)) if Path(top).resolve() == TREE else None


def _git(*arguments: str) -> str | None:
    try:
        ran = subprocess.run(
            ["git", "-C", str(TREE), *arguments],
            check=False, capture_output=True, text=True, timeout=_GIT_WITHIN_S,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.strip() if ran.returncode == 0 else None
