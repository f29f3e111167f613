"""What the runner holds of everything that is being said, a reply or a stock phrase."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.conversation import Conversation
from pipeline.errors import ProviderError
from pipeline.events import ProviderFailed
from pipeline.floor import Floor
from pipeline.gate import Gate
from pipeline.ports import Clock, Journal, LanguageModel, Redactor, TextToSpeech
from pipeline.settings import ConversationSettings
from pipeline.speech import SpeechParts
from pipeline.toolbox import Toolbox
from pipeline.transcript import SpeechKind, Transcript
from pipeline.turn.playback import Take
from pipeline.turn.protocol import PhraseEnded, ReplyEnded
from pipeline.turn.timeline import Timeline


class Utterance(Protocol):
    """Something we say. `run` is its task."""

    async def run(self) -> ReplyEnded | PhraseEnded:
        """Make it and send it; returns when the last of its audio is with the line. Raises `Silenced`."""

    def stop(self) -> None:
        """Nothing more of it. The runner cancels its task too."""

    def keep_heard(self, heard_s: Mapping[Take, float]) -> str:
        """Cut the history to what was heard of it; the public form of that."""


@dataclass(frozen=True, slots=True)
class CallParts:
    """What the utterances of one call share. `spawn` starts a task in the call's group."""

    llm: LanguageModel
    tts: TextToSpeech
    redactor: Redactor
    journal: Journal
    clock: Clock
    settings: ConversationSettings
    conversation: Conversation
    toolbox: Toolbox
    floor: Floor
    spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

    def speech(
        self, turn: int, kind: SpeechKind, timeline: Timeline, gate: Gate | None = None
    ) -> SpeechParts:
        gate = gate or Gate()
        return SpeechParts(
            tts=self.tts,
            floor=self.floor,
            clock=self.clock,
            settings=self.settings,
            transcript=self.transcript(turn, kind, gate),
            timeline=timeline,
            gate=gate,
            on_retry=lambda fault: gate.then(lambda: self.record_fault(turn, fault, retried=True)),
        )

    def transcript(self, turn: int, kind: SpeechKind, gate: Gate | None = None) -> Transcript:
        return Transcript(self.redactor, self.journal, turn, kind, gate)

    def record_fault(self, turn: int, fault: ProviderError, *, retried: bool) -> None:
        self.journal.record(
            ProviderFailed(turn, fault.provider, fault.fault, "retried" if retried else "apologised")
        )
