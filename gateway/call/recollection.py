"""What was said in calls that are being put through, until their callers are back or gone.

The caller's own words are in it, so it is in this process's memory alone, for a short time and of a bounded
number of calls. At another replica the agent knows of a caller who comes back only that nobody answered them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from gateway.tools import CallBooking
from pipeline.ports import Message

KEPT_S: Final = 180.0
"""Longer than it rings at the clinic and than the person is told what the caller wants."""
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Recollection:
    """Of one call: what was said, as the model was told; and what was offered, held and proved in it."""

    history: Sequence[Message] = field(repr=False)
    booking: CallBooking = field(repr=False)

    @property
    def org_id(self) -> UUID:
        return self.booking.claim.org_id


class Recollections:
    """Of one process, by the carrier's call id. When there are too many, the oldest goes."""

    def __init__(self, *, kept_s: float = KEPT_S, most: int = MOST) -> None:
        self._kept_s = kept_s
        self._most = most
        self._kept: dict[str, tuple[Recollection, asyncio.TimerHandle]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, recollection: Recollection) -> None:
        """Inside the running loop, whose timer forgets it."""
        call_id = recollection.booking.carrier_call_id
        self.forget(call_id)
        if len(self._kept) >= self._most:
            self.forget(next(iter(self._kept)))
        timer = asyncio.get_running_loop().call_later(self._kept_s, self.forget, call_id)
        self._kept[call_id] = (recollection, timer)

    def take(self, call_id: str, org_id: UUID) -> Recollection | None:
        """Once, and for the call's own org."""
        kept = self._kept.get(call_id)
        if kept is None or kept[0].org_id != org_id:
            return None
        self.forget(call_id)
        return kept[0]

    def forget(self, call_id: str) -> None:
        """The call is over, or its time is."""
        kept = self._kept.pop(call_id, None)
        if kept is not None:
            kept[1].cancel()
