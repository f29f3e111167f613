"""The public record of what one utterance says: sentence by sentence, redacted, from when it sounds."""

from typing import Literal

from pipeline.events import AgentSaid
from pipeline.gate import Gate
from pipeline.ports import Journal, Redactor

SpeechKind = Literal["reply", "greeting", "filler", "prompt", "apology", "goodbye"]

_SENTENCE_ENDS = (".", "!", "?", "\N{HORIZONTAL ELLIPSIS}", "\n")


class Transcript:
    """Redacts whole sentences, never clauses: a number may be spoken over several of them."""

    def __init__(
        self, redactor: Redactor, journal: Journal, turn: int, kind: SpeechKind, gate: Gate | None = None
    ) -> None:
        self._gate = gate or Gate()
        self._redactor = redactor
        self._journal = journal
        self._turn = turn
        self._kind = kind
        self._open = ""
        self._sentences: list[tuple[str, str]] = []
        self._recorded = 0
        self._sounding = False

    def add(self, clause: str) -> None:
        """The next clause, verbatim."""
        self._open += clause
        if self._open.rstrip(" \"')").endswith(_SENTENCE_ENDS):
            self.end_sentence()

    def end_sentence(self) -> None:
        """Nothing is added to the sentence begun."""
        if self._open.strip():
            sentence, self._open = self._open, ""
            self._gate.then(lambda: self._redact(sentence))

    def sounds(self) -> None:
        """Audio has gone out: what is said from now on is said indeed."""
        if not self._sounding:
            self._sounding = True
            self._record()

    def heard(self, length: int) -> str:
        """The public form of the first `length` characters. A sentence with something masked is not cut."""
        self.end_sentence()
        parts = []
        for raw, public in self._sentences:
            if length <= 0:
                break
            parts.append(raw[:length].strip() if raw.strip() == public else public)
            length -= len(raw)
        return " ".join(parts)

    def _redact(self, sentence: str) -> None:
        """The redactor is told in the order in which the call is held: never of what may not be said."""
        self._sentences.append((sentence, self._redactor.agent(sentence.strip())))
        self._record()

    def _record(self) -> None:
        if not self._sounding:
            return
        for _, public in self._sentences[self._recorded :]:
            self._journal.record(AgentSaid(self._turn, public, self._kind))
        self._recorded = len(self._sentences)
