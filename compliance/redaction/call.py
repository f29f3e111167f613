"""The redactor of a live call, turn by turn."""

from collections.abc import Callable, Iterable
from typing import Literal

from compliance.redaction.masked import masked
from compliance.redaction.stream import Redactor
from compliance.redaction.text.entities import EntityType

Speaker = Literal["caller", "agent"]
OnMasked = Callable[[Speaker, EntityType, str], None]


class CallRedactor:
    """Stands where every transcript passes on its way to terminal, log and store.

    Whole turns in, their public form out; it remembers what the agent asked, because a bare answer needs it.
    `numbered`: placeholders tell the entities of a type apart over the whole call: `[REDACTED: PERSON 2]`.
    `on_masked` is told each value that was masked, before the public form is out; it is to return at once.
    """

    def __init__(
        self,
        *,
        services: Iterable[str] = (),
        keep: Iterable[str] = (),
        numbered: bool = False,
        on_masked: OnMasked = lambda speaker, entity, value: None,
    ) -> None:
        self._redactor = Redactor(services=services, keep=keep, numbered=numbered)
        self._on_masked = on_masked

    def caller(self, text: str) -> str:
        """The public form of one whole caller turn."""
        told = len(self._redactor.spans)
        public = self._redactor.flush(text)
        for span in self._redactor.spans[told:]:
            self._on_masked("caller", span.type, span.value)
        return public

    def agent(self, text: str) -> str:
        """The public form of a piece of agent speech; what it asks for is expected of the caller next."""
        public = self._redactor.hear_agent(text)
        for entity, value in masked(text, public):
            self._on_masked("agent", entity, value)
        return public
