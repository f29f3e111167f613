"""What a caller is heard to say through Vapi, on its way to log and live feed: masked, or not at all.

Nothing of it is stored here. Whether a code is out is not known beside the conversation, so whatever digits
the caller says may be one, and none is shown. An org that asks for consent shows no words: the answer cannot
be told without the question, which is not heard.
"""

from uuid import UUID

import structlog

from booking.types import OrgProfile
from compliance.redaction.call import Speaker
from compliance.redaction.entities import EntityType
from compliance.spoken_consent import recording_word
from gateway.call import Desk, profile_redactor
from gateway.code_redactor import CodeRedactor
from gateway.consent import WITHHELD

log = structlog.get_logger("gateway.call")


class HeardWords:
    """One socket's. `call_id`: of its call; Vapi does not tell that by itself, then it is one of our own."""

    def __init__(self, desk: Desk, profile: OrgProfile, call_id: UUID) -> None:
        self._desk = desk
        self._org_id = profile.org_id
        self._call_id = call_id
        inner = profile_redactor(profile, _unkept, numbered=desk.settings.numbers_entities)
        self._redactor = CodeRedactor(inner, awaited=lambda: True)
        self._kept = profile.recording in ("kept", "announced")
        self._turn = 0

    def caller_said(self, text: str) -> None:
        """One whole turn, as it was said. Returns at once. From a refusal to be recorded on, words go."""
        self._turn += 1
        if recording_word(text, None) is False:
            self._kept = False
        public = self._redactor.caller(text) if self._kept else WITHHELD
        log.info("caller_said", call=str(self._call_id), org=str(self._org_id), turn=self._turn, text=public)
        self._desk.feed.publish(
            self._org_id,
            {
                "type": "CallerSaid",
                "call_id": str(self._call_id),
                "at_s": self._desk.clock.now_s(),
                "turn": self._turn,
                "text": public,
            },
        )


def _unkept(speaker: Speaker, entity: EntityType, value: str) -> None:
    """What was masked is kept nowhere."""
