"""What crosses module borders inside the pipeline, one frozen dataclass per fact.

Three families: what the recogniser heard (`SttEvent`), what the model said (`LlmEvent`), what the synthesiser
made (`TtsEvent`); and the public record of a call (`JournalEvent`), which holds redacted words only. Instants
are monotonic seconds from the call's `Clock`; durations in the journal are milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# --- what the recogniser heard: raw words, in memory only ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began a turn. May be noise: no words have been recognised yet."""


@dataclass(frozen=True, slots=True)
class InterimTranscript:
    """The whole open turn as heard so far; may still change."""

    text: str


@dataclass(frozen=True, slots=True)
class EagerEndOfTurn:
    """The turn has probably ended; `TurnResumed` or `EndOfTurn` follows. Never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The caller went on after an `EagerEndOfTurn`."""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The turn has ended and these are all its words; empty if it was noise.

    `trigger` says who decided: the recogniser (`model`), its time limit (`timeout`), or us (`forced`).
    """

    text: str
    trigger: Literal["model", "timeout", "forced"] = "model"


SttEvent = SpeechStarted | InterimTranscript | EagerEndOfTurn | TurnResumed | EndOfTurn

# --- what the model said ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the reply to be spoken, verbatim (spaces included)."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A complete tool call. `arguments` is the model's JSON text, unparsed, untrusted; empty means `{}`."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The model's stream ended properly. Token counts are None where the server did not tell."""

    finish_reason: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


LlmEvent = TextDelta | ToolCall | ReplyFinished

# --- what the synthesiser made ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """mu-law (G.711), mono, 8 kHz: 8 bytes a millisecond, no header; any length."""

    mulaw: bytes


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """When each word sounds, in seconds from the first audio of its context."""

    words: tuple[str, ...]
    starts_s: tuple[float, ...]
    ends_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SpeechFinished:
    """All audio of the context has been received."""


TtsEvent = AudioChunk | SpokenWords | SpeechFinished

# --- the public record of a call: redacted before it is made ------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """The caller's whole turn, redacted."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class AgentSaid:
    """One piece of agent speech handed to the line, redacted. `kind` tells replies from stock phrases."""

    turn: int
    text: str
    kind: Literal["reply", "greeting", "filler", "prompt", "apology", "goodbye"] = "reply"


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool call has ended. `outcome` is its error's or result's short name; `detail` holds safe keys."""

    turn: int
    name: str
    outcome: str
    duration_ms: float
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BargedIn:
    """The caller interrupted turn `turn`; `heard` is what was really played of the reply, redacted."""

    turn: int
    heard: str
    clear_ms: float


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """One answered (or failed) turn and where its time went.

    `stages_s`: the instants that occurred, keyed `speech_end eager_end end_of_turn llm_request
    llm_first_token first_clause tts_request tts_first_audio first_audio_sent`. `ttfb_ms`: speech_end to
    first_audio_sent, None if the reply never sounded. `overhead_ms`: what we added between the providers'
    stages.

    `speculated`: the reply had been begun on a guess, at the `eager` end of the turn or from `interim` words;
    all guesses since the turn before were `thrown` away; or `none` was made. `guesses_dropped`: how many
    were thrown away; what those cost: `wasted_tokens` at the model, prompts included, `wasted_characters` at
    the synthesiser.
    """

    turn: int
    stages_s: Mapping[str, float]
    ttfb_ms: float | None
    overhead_ms: float | None
    outcome: Literal["answered", "interrupted", "failed", "silent"]
    speculated: Literal["none", "eager", "interim", "thrown"] = "none"
    wasted_tokens: int = 0
    wasted_characters: int = 0
    guesses_dropped: int = 0


@dataclass(frozen=True, slots=True)
class ProviderFailed:
    """A provider failed and what was done about it. `fault` is a short name, never the provider's text."""

    turn: int
    provider: Literal["stt", "llm", "tts"]
    fault: str
    action: Literal["retried", "reconnected", "apologised", "gave_up"]


@dataclass(frozen=True, slots=True)
class CallFinished:
    """The conversation is over; nothing follows. What is wasted: of guesses that no turn has told of."""

    reason: str
    turns: int
    duration_ms: float
    wasted_tokens: int = 0
    wasted_characters: int = 0


JournalEvent = CallerSaid | AgentSaid | ToolFinished | BargedIn | TurnFinished | ProviderFailed | CallFinished
