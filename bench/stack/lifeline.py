"""`python -m bench.stack.lifeline PID SIGNAL COMMAND…`: become the command, and end with the process PID.

Linux sends SIGNAL when the parent dies, however it dies. Elsewhere this only becomes the command, and what a
killed owner left is stopped by the next.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def tied(command: Sequence[str], number: signal.Signals) -> list[str]:
    """The command line that ends with us."""
    return [sys.executable, "-I", __file__, str(os.getpid()), str(int(number)), *command]


def main() -> None:
    owner, number, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != int(owner):  # it died before we asked
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the command is our caller's


if __name__ == "__main__":
    main()
