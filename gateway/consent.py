"""Whether a call's words are kept: how its org has consent, and what the caller says of being recorded.

It hears both sides before they are masked, beside the turn and never in its way: from the turn in which the
caller refuses, nothing that is said is logged, shown or stored any more, and what was kept of this call is
cleared; from the turn in which they agree, it is kept again. Nothing else changes: the conversation and the
booking go on. Each word is noted in the database, in order, before anything else is written of the call, and
again and again while the database is away.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import structlog

from booking.db import org_transaction
from booking.errors import BookingError
from booking.types import KEPT_UNASKED, Claim, Recording
from compliance.consent import SpokenConsent, note_call_consent, refused_before, withhold_words
from compliance.keys import Keyring
from compliance.spoken_consent import (
    Asked,
    asks_something,
    is_hesitation,
    recording_question,
    recording_word,
)
from gateway.metrics import Metrics
from pipeline.events import AgentSaid, BargedIn, CallerSaid, JournalEvent
from pipeline.ports import Redactor

log = structlog.get_logger("gateway.call")

AGAIN_S: Final = 1.0
WITHHELD: Final = "[WITHHELD]"


class Withholds(Protocol):
    """What a writer of the call's words asks."""

    @property
    def withheld(self) -> bool:
        """Nothing of what is said now may be kept."""

    async def noted(self) -> None:
        """Returns once all that the caller said of it stands in the database. Raises `BookingError`."""


class AllKept:
    """All words are kept: for records of which no caller has a say. Satisfies `Withholds`."""

    withheld: Final = False

    async def noted(self) -> None:
        """Nothing was said."""


@dataclass(frozen=True, slots=True)
class CallLine:
    """How the carrier names the call, and the number that it shows, E.164, if it does: that is personal."""

    carrier: str
    carrier_call_id: str
    caller: str | None = field(repr=False)


class CallConsent:
    """One call's. Satisfies `Withholds`."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        claim: Claim,
        call_id: UUID,
        keys: Keyring,
        recording: Recording,
        line: CallLine,
        metrics: Metrics,
        again_s: float = AGAIN_S,
    ) -> None:
        self._pool = pool
        self._claim = claim
        self._call_id = call_id
        self._keys = keys
        self._recording = recording
        self._line = line
        self._metrics = metrics
        self._again_s = again_s
        self._agreed = recording in KEPT_UNASKED
        self._looked = not self._agreed  # elsewhere nothing is kept without a word in this very call
        self._word: bool | None = None
        self._asked: Asked | None = None
        self._told = ""
        self._forgetting: list[Callable[[], None]] = []
        self._beginning: list[Callable[[], None]] = []
        self._unnoted: deque[SpokenConsent | None] = deque()  # None: withheld without a word of this call
        self._noting = asyncio.Lock()
        self._some = asyncio.Event()
        self._some.set()

    @property
    def withheld(self) -> bool:
        return self._recording == "off" or not self._agreed

    @property
    def keeps_sound(self) -> bool:
        """The sound of what is said now may be kept too: callers are told that they are recorded or asked
        whether they may be, or this one has agreed unasked. None who does not know is.
        """
        knows = self._recording in ("announced", "asked") or self._word is True
        return knows and not self.withheld

    def when_refused(self, forget: Callable[[], None]) -> None:
        """`forget` is called at once when the caller refuses: it drops words that are not written yet."""
        self._forgetting.append(forget)

    def when_agreed(self, begin: Callable[[], None]) -> None:
        """`begin` is called at once when the caller agrees, if sound may be kept then."""
        self._beginning.append(begin)

    def caller_said(self, text: str) -> None:
        """One whole turn of the caller's, as it was said. Returns at once."""
        word = recording_word(text, self._asked)
        self._told = ""
        if not is_hesitation(text):
            self._asked = None
        if word is not None and word is not self._word:
            self._take(word)

    def refuse(self) -> None:
        """The caller refuses, in words that the model understood. Returns at once."""
        if self._word is not False:
            self._take(False)

    def agent_said(self, text: str) -> None:
        """A piece of agent speech, whole sentences, as it is said. Returns at once."""
        if asks_something(text):
            self._asked = recording_question(text, self._told)
        self._told = text

    async def keep(self) -> None:
        """Note each word as it comes, until cancelled. A database that is away is asked again."""
        while True:
            await self._some.wait()
            self._some.clear()
            try:
                await self.noted()
            except BookingError as error:
                log.debug("consent_waits", call=str(self._call_id), error=type(error).__name__)
                await asyncio.sleep(self._again_s)
                self._some.set()

    async def noted(self) -> None:
        """All that was said of it stands in the database, also what was said before this call is known.

        Raises `BookingError`; then the rest waits.
        """
        async with self._noting:
            await self._look_up()
            while self._unnoted:
                await self._note(self._unnoted[0])
                self._unnoted.popleft()

    def unnoted(self) -> int:
        """How many words have not been noted; told once, at the end."""
        if self._unnoted:
            log.error("consents_unnoted", call=str(self._call_id), count=len(self._unnoted))
        return len(self._unnoted)

    def _take(self, word: bool) -> None:
        self._word = self._agreed = word
        self._metrics.recording_words.labels("agreed" if word else "refused").inc()
        log.info("recording_agreed" if word else "recording_refused", call=str(self._call_id))
        self._write(SpokenConsent(word))
        if not word:
            self._forget()
        elif self.keeps_sound:
            self._begin()

    def _begin(self) -> None:
        for begin in self._beginning:
            begin()

    def _write(self, word: SpokenConsent | None) -> None:
        self._unnoted.append(word)
        self._some.set()

    def _forget(self) -> None:
        for forget in self._forgetting:
            forget()

    async def _look_up(self) -> None:
        """A no from before holds until the caller says otherwise in this call."""
        if self._looked:
            return
        async with org_transaction(self._pool, self._claim) as connection:
            refused = await refused_before(
                connection,
                self._keys,
                self._claim.org_id,
                carrier=self._line.carrier,
                carrier_call_id=self._line.carrier_call_id,
                caller=self._line.caller,
            )
        self._looked = True
        if refused and self._word is None:
            self._agreed = False
            self._metrics.recording_words.labels("refused_before").inc()
            log.info("recording_refused_before", call=str(self._call_id))
            self._write(None)
            self._forget()

    async def _note(self, word: SpokenConsent | None) -> None:
        org_id = self._claim.org_id
        async with org_transaction(self._pool, self._claim) as connection:
            if word is None:
                await withhold_words(connection, org_id, self._call_id)
            else:
                await note_call_consent(connection, org_id, self._call_id, word)


@dataclass(frozen=True, slots=True)
class ConsentRedactor:
    """Around a call's redactor: its consent hears both sides first. Satisfies `pipeline.ports.Redactor`."""

    inner: Redactor
    consent: CallConsent

    def caller(self, text: str) -> str:
        self.consent.caller_said(text)
        return self.inner.caller(text)

    def agent(self, text: str) -> str:
        self.consent.agent_said(text)
        return self.inner.agent(text)


def without_words(event: JournalEvent) -> JournalEvent:
    """The event with none of what was said."""
    match event:
        case CallerSaid() | AgentSaid():
            return replace(event, text=WITHHELD)
        case BargedIn():
            return replace(event, heard=WITHHELD if event.heard else "")
    return event
