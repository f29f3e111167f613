"""The redactor of a live call, turn by turn."""

from collections.abc import Iterable

from compliance.redaction.stream import Redactor


class CallRedactor:
    """Stands where every transcript passes on its way to terminal, log and store.

    Whole turns in, their public form out; it remembers what the agent asked, because a bare answer needs it.
    """

    def __init__(self, *, services: Iterable[str] = (), keep: Iterable[str] = ()) -> None:
        self._redactor = Redactor(services=services, keep=keep)

    def caller(self, text: str) -> str:
        """The public form of one whole caller turn."""
        return self._redactor.feed(text) + self._redactor.flush()

    def agent(self, text: str) -> str:
        """The public form of a piece of agent speech; what it asks for is expected of the caller next."""
        return self._redactor.hear_agent(text)
