"""The status for the operators' page: asked when somebody looks, once in a while for all who look."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from gateway.status.access import Access
from gateway.status.asked import Question, ask
from gateway.status.judged import Status

KEPT_S: Final = 10.0
_GLANCE: Final = Question(chain_s=0.2, within_s=10.0)
"""Long chains are verified whole by `python -m gateway.status`."""


@dataclass(slots=True)
class Board:
    """What it has access to outlives it."""

    access: Access
    kept_s: float = KEPT_S
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _kept: Status | None = None
    _kept_at_s: float = 0.0

    async def status(self) -> Status | None:
        """None where the worker's role is not known. Raises `BookingError` if it cannot be asked."""
        if not self.access.known:
            return None
        async with self._one:
            if self._kept is None or time.monotonic() - self._kept_at_s > self.kept_s:
                self._kept = await ask(await self.access.sources(), _GLANCE)
                self._kept_at_s = time.monotonic()
            return self._kept
