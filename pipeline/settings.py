"""What one conversation is told: its words, its limits, its waits. Every wait has a name, a default and a unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Literal

PhraseKind = Literal["filler", "prompt", "apology", "fault", "goodbye"]
"""`filler`: covers a wait. `prompt`: the caller is silent. `apology`: one reply failed, the call goes on.
`fault`: the call cannot go on. `goodbye`: the call ends in order."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stock phrase. `mulaw` is its cached audio (8 kHz); without it the phrase is synthesised when needed."""

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

BACKCHANNELS = frozenset(
    "ah aha alright cool fine gotcha great hm hmm huh mhm mm mmhm mmm okay ok oh right sure uh uhhuh um yeah yep yes".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLimits:
    """The waits of turn taking, in seconds. All counted on the call's own clock."""

    filler_after_s: float = 1.5
    """Silence of ours during a turn that makes us speak a filler."""
    max_fillers: int = 2
    silence_prompt_s: float = 8.0
    """Silence on both sides before "are you still there?"."""
    silence_goodbye_s: float = 8.0
    """Silence after that prompt before the goodbye."""
    max_call_s: float = 900.0
    """Length of a call, after which we say goodbye wherever it stands."""
    closing_s: float = 15.0
    """Longest wait for the last words to be heard before the line is hung up all the same."""
    turn_watchdog_s: float = 6.0
    """No new word in an open caller turn for so long: its end is forced."""
    turn_limit_s: float = 60.0
    """Longest caller turn; then its end is forced."""
    forced_end_s: float = 2.0
    """Wait for the recogniser's answer to a forced end; then the last interim words are the turn."""
    mark_wait_s: float = 1.0
    """How much longer than its own length we wait for queued audio to be confirmed as played."""
    keypad_pause_s: float = 2.0
    """A pause that ends a row of keys; `#` ends it at once."""
    barge_in_voice_s: float = 0.8
    """Voice for so long while we speak interrupts us although no word has been recognised yet."""
    backchannels: frozenset[str] = BACKCHANNELS
    """Words (lower case, letters only) that do not interrupt us."""
    backchannel_words: int = 2
    """At most so many of them; more is an interruption."""
    backchannel_grace_s: float = 1.5
    """A backchannel that ended so shortly before we did was the answer to what we said."""
    max_failed_turns: int = 3
    """So many failed replies in a row end the call."""
    max_resumes: int = 2
    """How often in a row a reply that noise interrupted is taken up again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSettings(TurnLimits):
    """One conversation: its words and its limits (seconds)."""

    system_prompt: str
    greeting: Phrase
    phrases: Mapping[PhraseKind, Phrase] = field(default_factory=lambda: DEFAULT_PHRASES)
    """Those left out are taken from `DEFAULT_PHRASES`."""

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
