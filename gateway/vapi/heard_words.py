"""What a caller is heard to say through Vapi, on its way to log and live feed: masked, or not at all.

Nothing of it is stored here. Whether a code is out is not known beside the conversation, so whatever digits
the caller says may be one, and none is shown. An org that asks for consent shows no words: the answer cannot
be told without the question, which is not heard. A refusal to be recorded that the caller said here, or that
the call's record knows of, holds from that turn on; while the record cannot be read, nothing is shown.
"""

import asyncio
from collections import deque
from typing import Final
from uuid import uuid4

import structlog

from booking.errors import BookingError
from booking.types import Claim, OrgProfile
from compliance.redaction.call import Speaker
from compliance.redaction.text.entities import EntityType
from compliance.spoken_consent import recording_word
from gateway.call import Desk, profile_redactor
from gateway.code_redactor import CodeRedactor
from gateway.consent import WITHHELD
from gateway.vapi.sharing import call_id_of
from gateway.vapi.tools import has_refused

log = structlog.get_logger("gateway.call")

_MOST_WAITING: Final = 100


class HeardWords:
    """One socket's. `vapi_id`: Vapi's id of its call, "" where the address does not name it."""

    def __init__(self, desk: Desk, profile: OrgProfile, vapi_id: str) -> None:
        self._desk = desk
        self._claim = Claim(profile.org_id)
        self._vapi_id = vapi_id
        self._call_id = call_id_of(profile.org_id, vapi_id) if vapi_id else uuid4()
        inner = profile_redactor(profile, _unkept, numbered=desk.settings.numbers_entities)
        self._redactor = CodeRedactor(inner, awaited=lambda: True)
        self._may_show = profile.keeps_unasked
        self._waiting: deque[str] = deque()
        self._some = asyncio.Event()
        self._turn = 0

    def caller_said(self, text: str) -> None:
        """One whole turn, as it was said. Returns at once. Behind a slow database the newest go untold."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(text)
            self._some.set()

    async def tell(self) -> None:
        """Turn after turn, until cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            await self.tell_rest()

    async def tell_rest(self) -> None:
        """What has not been told. Time-boxed by whoever asks; a fault is no reason not to hear on."""
        while self._waiting:
            try:
                await self._tell(self._waiting[0])
            except Exception as error:
                log.error("words_untold", call=str(self._call_id), exc_info=error)
            self._waiting.popleft()

    async def _tell(self, text: str) -> None:
        if recording_word(text, None) is False:
            self._may_show = False
        may_show = self._may_show and not await self._refused()
        self._turn += 1
        public = self._redactor.caller(text) if may_show else WITHHELD
        call, org_id = str(self._call_id), self._claim.org_id
        log.info("caller_said", call=call, org=str(org_id), turn=self._turn, text=public)
        said = {"turn": self._turn, "text": public}
        head = {"type": "CallerSaid", "call_id": call, "at_s": self._desk.clock.now_s()}
        self._desk.feed.publish(org_id, head | said)

    async def _refused(self) -> bool:
        """Whether the call's record says so: the model may have understood what the rules did not."""
        if not self._vapi_id:
            return False
        try:
            return await has_refused(self._desk, self._claim, self._vapi_id, None)
        except BookingError as error:
            log.warning("consent_unknown", call=str(self._call_id), error=type(error).__name__)
            return True


def _unkept(speaker: Speaker, entity: EntityType, value: str) -> None:
    """What was masked is kept nowhere."""
