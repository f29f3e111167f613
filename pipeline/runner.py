"""The conductor: one call's ports and its `TurnMachine`, in one task group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.ports import Clock, Journal, LanguageModel, Line, Redactor, SttSession, TextToSpeech, Tool
from pipeline.settings import DEFAULT_PHRASES, ConversationSettings, Phrase, PhraseKind

__all__ = [
    "DEFAULT_PHRASES",
    "CallOutcome",
    "CallPorts",
    "CallRunner",
    "ConversationSettings",
    "Phrase",
    "PhraseKind",
]


@dataclass(frozen=True, slots=True)
class CallPorts:
    """Everything a conversation touches."""

    stt_session: SttSession
    llm: LanguageModel
    tts: TextToSpeech
    tools: Sequence[Tool]
    line: Line
    redactor: Redactor
    journal: Journal
    clock: Clock


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a conversation ended.

    `reason`: `goodbye silence time_limit` (we ended it in order), `stt_failed replies_failed` (a fault), or
    what `line_closed` was told. `ended_by` says which of the three it was.
    """

    reason: str
    ended_by: Literal["agent", "caller", "fault"]
    turns: int
    duration_s: float


class CallRunner:
    """One call's conversation. Made when the line is open, run once."""

    def __init__(self, ports: CallPorts, settings: ConversationSettings) -> None:
        self._ports = ports
        self._settings = settings

    async def run(self) -> CallOutcome:
        """The whole conversation, from the greeting to the hang-up. Leaves no task behind.

        Cancelling it ends the call: an effect that has begun is finished first, everything else is dropped.
        """
        raise NotImplementedError

    async def caller_audio(self, mulaw: bytes) -> None:
        """One inbound frame as it came (mu-law, 8 kHz)."""
        raise NotImplementedError

    def dtmf(self, digit: str) -> None:
        """One key: 0-9, * or #."""
        raise NotImplementedError

    def mark_reached(self, name: str) -> None:
        """A mark came back from the carrier: played or, after a clear, dropped."""
        raise NotImplementedError

    def line_closed(self, reason: str) -> None:
        """The caller or the carrier ended the call; `reason` becomes the outcome's."""
        raise NotImplementedError
