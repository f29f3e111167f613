"""What is made to go wrong in a simulated vendor, and how often; shared by all simulators.

A `Faults` is a plan that a test holds and changes while the server runs. The server asks it at the point
where a fault would strike, with the kind of fault that point can have; a simulator with faults of its own
kind defines more frozen dataclasses and hands them to the same plan.

    faults = Faults()
    faults.add(DropSocket(after_audio_ms=800))               # strikes once
    faults.add(Refuse(status=429), times=None)               # strikes until cleared
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer the request or upgrade with this HTTP status (400-599) and do nothing else."""

    status: int = 503
    message: str = "refused by plan"
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class SlowUpgrade:
    """Answer the request or upgrade only after this long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class DropSocket:
    """End the connection once it has carried this much caller audio.

    Without a `code` the TCP connection is cut (the peer sees 1006), with one a close frame is sent.
    """

    after_audio_ms: float = 0.0
    code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stall:
    """Keep the connection open but never answer on it again; with `reading` false, stop reading as well."""

    after_audio_ms: float = 0.0
    reading: bool = True


@dataclass(frozen=True, slots=True)
class Inject:
    """Send this frame, verbatim, between the proper ones: garbage, unknown types, an early error."""

    frame: str | bytes
    after_audio_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class DelayMessages:
    """Hold every message of a connection back by this long before it is sent."""

    seconds: float


@dataclass(slots=True)
class _Entry:
    fault: object
    left: int | None


class Faults:
    """A plan of faults. Not thread-safe: it belongs to one event loop."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self.struck: list[object] = []

    def add(self, fault: object, *, times: int | None = 1) -> None:
        """Let `fault` strike `times` times; None means until `clear`."""
        if times is not None and times < 1:
            raise ValueError("a fault strikes at least once")
        self._entries.append(_Entry(fault, times))

    def clear(self) -> None:
        """Nothing goes wrong from now on. What has struck stays in `struck`."""
        self._entries.clear()

    def take(self, kind: type[F], due: Callable[[F], bool] = lambda _: True) -> F | None:
        """The oldest fault of this kind that is due, counted as struck; None if there is none."""
        for entry in self._entries:
            if isinstance(entry.fault, kind) and due(entry.fault):
                self._count(entry)
                self.struck.append(entry.fault)
                return entry.fault
        return None

    def _count(self, entry: _Entry) -> None:
        if entry.left is None:
            return
        entry.left -= 1
        if entry.left == 0:
            self._entries.remove(entry)
