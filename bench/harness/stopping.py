"""A run that is told to end takes its servers and folders along, as one does that is broken off by Ctrl-C."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

INTERRUPTED: Final = 130
"""The exit status: 128 and the number of SIGINT, as shells have it."""


def interrupt() -> None:
    """This process, as Ctrl-C does."""
    signal.raise_signal(signal.SIGINT)


@contextmanager
def at_termination(act: Callable[[], None]) -> Iterator[None]:
    """SIGTERM does this while the body runs. Nothing is changed in another thread than the main one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
