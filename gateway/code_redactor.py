"""Codes that are spoken, kept out of every transcript.

A one-time code is no personal fact, so redaction proper lets it stand; it is a secret all the same as long as
it is good. While one is out, no number that the caller says is published, whether it comes whole or in pieces
over several turns. Of our own words only what is as long as a code is hidden: times are to be read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from compliance.redaction.call import OnMasked, Speaker
from compliance.redaction.text.entities import EntityType
from gateway.tools.spoken_digits import NUMBER_WORDS, digits_said
from pipeline.ports import Redactor

HIDDEN: Final = "[REDACTED: CODE]"
_LONGEST_CODE: Final = 7  # with one digit too many; phone numbers are longer
_LONGEST_SAID: Final = 4  # digits of a time, as the agent says it: "ten twenty"
_WORD: Final = rf"(?:[0-9]+|\b(?:{'|'.join(sorted(NUMBER_WORDS))})\b)"
_RUN: Final = re.compile(rf"\[REDACTED[^\]]*\]|{_WORD}(?:[\s,.\u2013-]*{_WORD})*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CodeRedactor:
    """Around a call's redactor; satisfies `pipeline.ports.Redactor`. `awaited`: a code is out."""

    inner: Redactor
    awaited: Callable[[], bool]

    def caller(self, text: str) -> str:
        public = self.inner.caller(text)
        return _hidden(public, longer_than=0) if self.awaited() else public

    def agent(self, text: str) -> str:
        public = self.inner.agent(text)
        return _hidden(public, longer_than=_LONGEST_SAID) if self.awaited() else public


def without_codes(on_masked: OnMasked, awaited: Callable[[], bool]) -> OnMasked:
    """Tells of all that was masked but what may be the code: redaction takes it for a phone number, and it is
    not to be kept even sealed.
    """

    def told(speaker: Speaker, entity: EntityType, value: str) -> None:
        if entity != "PHONE" or not awaited() or len(digits_said(value)) > _LONGEST_CODE:
            on_masked(speaker, entity, value)

    return told


def _hidden(text: str, *, longer_than: int) -> str:
    def hide(found: re.Match[str]) -> str:
        run = found[0]
        return run if run.startswith("[") or len(digits_said(run)) <= longer_than else HIDDEN

    return _RUN.sub(hide, text)
