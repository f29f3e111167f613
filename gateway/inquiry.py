"""What a caller asks about, as a follow-up will need to know: a service, by its id alone.

It is found in the caller's own words, before they are masked, and beside the turn: a task of the call looks
through what was said since it last looked. Words wait in memory and are gone once they are looked through.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from booking.errors import BookingError, ServiceUnknown
from booking.follow_up import call_goes_on, note_asked
from booking.follow_up_procedure import Procedures
from booking.types import Claim, Service
from pipeline.ports import Redactor

log = structlog.get_logger("gateway.call")

AGAIN_S: Final = 1.0
GOES_ON_EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class HearingRedactor:
    """Around a call's redactor: tells `heard` of the caller's words as they were said."""

    inner: Redactor
    heard: Callable[[str], None]

    def caller(self, text: str) -> str:
        self.heard(text)
        return self.inner.caller(text)

    def agent(self, text: str) -> str:
        return self.inner.agent(text)


class Inquiry:
    """One call's. A service that is no more offered by the time it is noted counts as not asked about."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        claim: Claim,
        call_id: UUID,
        services: Sequence[Service],
        again_s: float = AGAIN_S,
    ) -> None:
        self._pool = pool
        self._claim = claim
        self._call_id = call_id
        self._procedures = Procedures(services)
        self._again_s = again_s
        self._words: deque[str] = deque()
        self._asked: UUID | None = None
        self._noted: UUID | None = None
        self._some = asyncio.Event()

    def heard(self, said: str) -> None:
        """The caller has said this. Returns at once."""
        self._words.append(said)
        self._some.set()

    async def keep(self) -> None:
        """Note what is asked about as it changes, until cancelled. A database that is away is asked again."""
        while True:
            await self._some.wait()
            self._some.clear()
            if not await self._kept():
                await asyncio.sleep(self._again_s)
                self._some.set()

    async def flush(self) -> None:
        """The caller has said their last word. Time-boxed by whoever asks."""
        if not await self._kept():
            log.warning("inquiry_unkept", call=str(self._call_id))

    async def keep_going(self) -> None:
        """Say again and again that the call goes on, until cancelled: else it would count as lost."""
        while True:
            await asyncio.sleep(GOES_ON_EVERY_S)
            try:
                await call_goes_on(self._pool, self._claim, call_id=self._call_id)
            except BookingError as error:
                log.debug("call_unsaid", call=str(self._call_id), error=type(error).__name__)

    async def _kept(self) -> bool:
        """Whether there is nothing left to note."""
        while self._words:
            self._asked = self._procedures.asked(self._words.popleft()) or self._asked
        if self._asked is None or self._asked == self._noted:
            return True
        asked = self._asked
        try:
            await note_asked(self._pool, self._claim, call_id=self._call_id, service_id=asked)
        except ServiceUnknown:
            self._asked = self._noted
            return True
        except BookingError:
            return False
        self._noted = asked
        return True
