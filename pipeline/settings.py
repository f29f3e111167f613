"""What one conversation is told: its words, limits and waits. Every wait has a name, a default and a unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Literal

from pipeline.ports import Message
from pipeline.turn.limits import TurnLimits

PhraseKind = Literal["filler", "prompt", "apology", "fault", "goodbye"]
"""`filler`: covers a wait. `prompt`: the caller is silent. `apology`: one reply failed, the call goes on.
`fault`: the call cannot go on. `goodbye`: the call ends in order."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stock phrase. `mulaw` is its cached audio (8 kHz); without it, it is synthesised when needed."""

    text: str
    mulaw: bytes | None = None


DEFAULT_PHRASES: Mapping[PhraseKind, Phrase] = MappingProxyType(
    {
        "filler": Phrase("One moment, please."),
        "prompt": Phrase("Are you still there?"),
        "apology": Phrase("I'm sorry, something went wrong. Could you say that again, please?"),
        "fault": Phrase("I'm sorry, we have a technical problem. Please call again a little later. Goodbye."),
        "goodbye": Phrase("Thank you for calling. Goodbye."),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSettings(TurnLimits):
    """One conversation: its words and its limits (seconds)."""

    system_prompt: str
    greeting: Phrase
    earlier: Sequence[Message] = ()
    """What was said in the call before this conversation of it, as `CallRunner.history` told it."""
    phrases: Mapping[PhraseKind, Phrase] = field(default_factory=lambda: DEFAULT_PHRASES)
    """Those left out are taken from `DEFAULT_PHRASES`."""

    clause_streaming: bool = True
    """A clause is spoken as soon as it is one; without, once the model has ended its reply."""
    llm_first_clause_s: float = 4.0
    """Request to first speakable clause (or tool call); then the request is sent once more."""
    llm_between_tokens_s: float = 3.0
    """Longest pause inside the model's stream after that."""
    tts_first_audio_s: float = 3.0
    """Text to first audio; then the text is sent once more on a new context."""
    tts_idle_s: float = 4.0
    """Longest pause of a context that owes us audio. Not below `llm_between_tokens_s`."""
    tool_s: float = 6.0
    """Longest run of a tool without effect."""
    effect_s: float = 12.0
    """Longest run of a tool with an effect: cut off only then, whatever the caller does meanwhile."""
    max_tool_rounds: int = 6
    """Model requests in one turn; more is a loop."""
    reply_limit_s: float = 60.0
    """Longest making of one reply, tools included."""
    speculation_held_s: float = 10.0
    """Audio that a reply begun on a guess may have waiting; then its synthesiser waits too."""
    teardown_step_s: float = 2.0
    """Longest of each step of tear-down: closing a stream, a context, the line."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name.endswith("_s") and not value > 0:
                raise ValueError(f"{each.name} must be above 0 seconds")
        if self.tts_idle_s < self.llm_between_tokens_s:
            raise ValueError("tts_idle_s must not be below llm_between_tokens_s")

    def phrase(self, kind: PhraseKind) -> Phrase:
        return self.phrases.get(kind) or DEFAULT_PHRASES[kind]
