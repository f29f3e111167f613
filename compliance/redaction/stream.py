"""The streaming redactor: words in as they come, public text out, entities to the side.

It keeps the open tail and a little state, and never rescans. A word is published once no rule can still claim
it for an entity, so that no part of a masked entity ever gets out; what is published depends on the words
alone, never on where the chunks were cut. A line is a turn; `Agent:` or `Caller:` before it says whose.

Final words only: an interim transcript may still change, and what was published cannot be taken back.
Interims are never fed and never shown.
"""

from collections.abc import Iterable
from typing import Final

from compliance.redaction.talk.call_memory import CallMemory
from compliance.redaction.text.entities import EntityType, Span
from compliance.redaction.text.lexis import Lexis
from compliance.redaction.text.numbering import EntityNumbers
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
        self._turn: TurnStream | None = None
        self._ended_chars = 0
        self._ended_spans: list[Span] = []

    @property
    def spans(self) -> list[Span]:
        """All entities found in what was fed, in order."""
        return self._ended_spans + (self._turn.spans if self._turn is not None else [])

    def feed(self, text: str) -> str:
        """Take a piece of caller speech, of any size; gives the text that may be published now."""
        *lines, rest = text.split("\n")
        return self._end_lines(lines) + self._open_turn().feed(rest)

    def flush(self, text: str = "") -> str:
        """The caller's turn is over, `text` its last piece; gives the rest of it.

        A whole turn that is given here at once costs less than one that is fed before.
        """
        *lines, rest = text.split("\n")
        return self._end_lines(lines) + self._end_turn(rest)

    def hear_agent(self, text: str) -> str:
        """Take a piece of agent speech, whole sentences, and give its public form.

        What it asks for is expected of the caller's next turn. `spans`, which is about the caller, does not
        change.
        """
        return TurnStream("agent", self._memory, self._lexis).end(text)

    def _end_lines(self, lines: Iterable[str]) -> str:
        """Each line ends a turn."""
        public = ""
        for line in lines:
            public += self._end_turn(line) + "\n"
            self._ended_chars += 1
        return public

    def _end_turn(self, text: str) -> str:
        turn = self._open_turn()
        public = turn.end(text)
        self._ended_spans += turn.spans
        self._ended_chars = turn.end_offset
        self._turn = None
        return public

    def _open_turn(self) -> TurnStream:
        if self._turn is None:
            self._turn = TurnStream("caller", self._memory, self._lexis, self._ended_chars)
        return self._turn


def redact(text: str, *, numbered: bool = False) -> str:
    """The public form of a stored transcript or of one turn. `numbered`: as in `Redactor`."""
    return Redactor(numbered=numbered).flush(text)


def find(text: str) -> list[tuple[int, int, EntityType]]:
    """Where the entities are: (start, end, type), in order, in characters."""
    redactor = Redactor()
    redactor.flush(text)
    return [(span.start, span.end, span.type) for span in redactor.spans]
