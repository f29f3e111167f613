"""A shell that signals a server once its own standard input ends.

The server's owner alone holds the other end of that pipe, so the kernel ends it with the owner, however that
dies. A server under another uid, or started from a thread, could not be tied to its owner by a signal of its
own.
"""

import signal
import subprocess

NAME = "embedded-server-watcher"


def watch_over(pid: int, number: signal.Signals) -> "subprocess.Popen[bytes]":
    """A watcher of the server `pid`; dismiss it before the server is stopped in order."""
    return subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; kill -s "$1" "$2"', NAME, number.name.removeprefix("SIG"), str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def dismiss(watcher: "subprocess.Popen[bytes]") -> None:
    watcher.kill()
    watcher.wait()
    if watcher.stdin is not None:
        watcher.stdin.close()
