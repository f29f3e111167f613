"""What a call asks of whoever collects spans. Nobody has to: `gateway.tracing` is an extra."""

from typing import Protocol
from uuid import UUID

from pipeline.events import JournalEvent


class Spans(Protocol):
    """One call's."""

    def take(self, event: JournalEvent) -> None:
        """Take what the journal takes. Returns at once."""

    def end(self, reason: str) -> None:
        """The call is over; `reason` is a word of ours."""


class Traces(Protocol):
    """All calls'."""

    def call(self, call_id: UUID, org_id: UUID, model: str) -> Spans:
        """Of a call that begins now and thinks with `model`."""
