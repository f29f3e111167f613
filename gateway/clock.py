"""The process's clocks: seconds that only go forward, and the time of day."""

import time
from datetime import UTC, datetime


class MonotonicClock:
    """Satisfies `pipeline.ports.Clock`."""

    def now_s(self) -> float:
        return time.monotonic()


def utc_now() -> datetime:
    return datetime.now(UTC)
