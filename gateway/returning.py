"""Whether whoever calls has been here before: asked while the call connects, by the number that it shows.

A shown number can be forged and shared, so what is found here greets and guides, and opens nothing: it goes
into the model's instructions and nowhere else. Found late or not at all, the caller is somebody new.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg

from booking.contacts import recognise_caller
from booking.errors import BookingError
from booking.ports import Sealer
from booking.types import Claim, ReturningCaller
from gateway.metrics import Metrics
from pipeline.ports import Clock, Redactor

HIDDEN: Final = "[REDACTED: PERSON]"


@dataclass(frozen=True, slots=True)
class ReturningCallers:
    """All orgs' contacts, as calls ask for them."""

    pool: asyncpg.Pool
    sealer: Sealer
    clock: Clock
    metrics: Metrics
    deadline_s: float

    async def find(self, org_id: UUID, number: str, call_id: UUID) -> ReturningCaller | None:
        """Whose number (E.164) it is, None if nobody's. Never raises, never takes longer."""
        began_s = self.clock.now_s()
        found: ReturningCaller | None = None
        try:
            async with asyncio.timeout(self.deadline_s):
                found = await recognise_caller(
                    self.pool, Claim(org_id), self.sealer, phone=number, call_id=call_id
                )
            outcome = "new" if found is None else "known"
        except TimeoutError:
            outcome = "late"
        except BookingError:
            outcome = "failed"
        self.metrics.callers.labels(outcome).observe(self.clock.now_s() - began_s)
        return found


@dataclass(frozen=True, slots=True)
class NameRedactor:
    """Around a call's redactor: hides the one name that the model was told, whatever word it is ("Will").

    Satisfies `pipeline.ports.Redactor`.
    """

    inner: Redactor
    name: re.Pattern[str]

    def caller(self, text: str) -> str:
        return self.name.sub(HIDDEN, self.inner.caller(text))

    def agent(self, text: str) -> str:
        return self.name.sub(HIDDEN, self.inner.agent(text))


def without_name(redactor: Redactor, caller: ReturningCaller | None) -> Redactor:
    """The redactor, which hides this caller's name too."""
    if caller is None or caller.first_name is None:
        return redactor
    return NameRedactor(redactor, re.compile(rf"\b{re.escape(caller.first_name)}\b"))
