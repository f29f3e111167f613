"""The first line of a run: servers take a while to start, and what follows is silent until something is
measured.
"""

import sys

from bench.tree import commit


def say_starting() -> None:
    """On standard error, at once, with the commit that is about to be measured."""
    print(f"starting servers (measured: {commit() or 'no repository'})", file=sys.stderr, flush=True)
