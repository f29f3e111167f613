"""The streaming redactor: words in as they come, public text out, entities to the side.

It keeps the open tail and a little state, and never rescans. A word is published once no rule can still claim
it for an entity, so that no part of a masked entity ever gets out; what is published depends on the words
alone, never on where the chunks were cut. A line is a turn; `Agent:` or `Caller:` before it says whose.

Final words only: an interim transcript may still change, and what was published cannot be taken back.
Interims are never fed and never shown.
"""

from collections.abc import Iterable
from typing import Final

from compliance.redaction.dialogue import CallMemory, Side
from compliance.redaction.entities import EntityType, Span
from compliance.redaction.lexis import Lexis
from compliance.redaction.numbering import EntityNumbers
from compliance.redaction.turn import TurnStream

_BUILT_IN: Final = Lexis()


class Redactor:
    """One call's redactor. Pure: no clock, no I/O. Not for use by two tasks at once.

    `services` are the org's names of services, MEDICAL beside the built-in list; `keep` are names that are
    never masked (practitioners, the clinic). `numbered`: placeholders tell the entities of a type apart, by
    both sides and over all turns: `[REDACTED: PERSON 2]`.
    """

    def __init__(
        self, *, services: Iterable[str] = (), keep: Iterable[str] = (), numbered: bool = False
    ) -> None:
        self._lexis = Lexis(services, keep) if services or keep else _BUILT_IN
        self._memory = CallMemory(numbers=EntityNumbers() if numbered else None)
        self._turn = self._new_turn("caller", 0)
        self._ended_spans: list[Span] = []

    @property
    def spans(self) -> list[Span]:
        """All entities found in what was fed, in order."""
        return self._ended_spans + self._turn.spans

    def feed(self, text: str) -> str:
        """Take a piece of caller speech, of any size; gives the text that may be published now."""
        first, *others = text.split("\n")
        public = [self._turn.feed(first)]
        for line in others:
            public += (self._end_turn(newline=True), "\n", self._turn.feed(line))
        return "".join(public)

    def flush(self) -> str:
        """The caller's turn is over; gives the rest of it."""
        return self._end_turn(newline=False)

    def hear_agent(self, text: str) -> str:
        """Take a piece of agent speech, whole sentences, and give its public form.

        What it asks for is expected of the caller's next turn. `spans`, which is about the caller, does not
        change.
        """
        turn = self._new_turn("agent", 0)
        return turn.feed(text) + turn.end()

    def _end_turn(self, *, newline: bool) -> str:
        public = self._turn.end()
        self._ended_spans += self._turn.spans
        self._turn = self._new_turn("caller", self._turn.end_offset + newline)
        return public

    def _new_turn(self, side: Side, offset: int) -> TurnStream:
        return TurnStream(side, self._memory, self._lexis, offset)


def redact(text: str, *, numbered: bool = False) -> str:
    """The public form of a stored transcript or of one turn. `numbered`: as in `Redactor`."""
    redactor = Redactor(numbered=numbered)
    return redactor.feed(text) + redactor.flush()


def find(text: str) -> list[tuple[int, int, EntityType]]:
    """Where the entities are: (start, end, type), in order, in characters."""
    redactor = Redactor()
    redactor.feed(text)
    redactor.flush()
    return [(span.start, span.end, span.type) for span in redactor.spans]
