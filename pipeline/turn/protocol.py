"""What `TurnMachine` is told and what it orders, one frozen dataclass each. Instants are the call's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pipeline.events import SttEvent
from pipeline.turn.playback import Take

StockKind = Literal["greeting", "filler", "prompt", "apology", "fault", "goodbye"]
GuessedFrom = Literal["eager", "interim"]
Speculated = Literal["none", "eager", "interim", "thrown"]
TurnOutcome = Literal["answered", "interrupted", "failed", "silent"]
EndedBy = Literal["agent", "caller", "fault"]


@dataclass(frozen=True, slots=True)
class CallBegan:
    """The line is open and nobody has spoken."""


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """Sound like voice on the caller's side, by energy alone."""


@dataclass(frozen=True, slots=True)
class VoiceStopped:
    """It ended."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class AudioQueued:
    """Audio of ours has been handed to the line."""

    take: Take
    duration_s: float


@dataclass(frozen=True, slots=True)
class MarkQueued:
    """A mark has been put behind it."""

    name: str


@dataclass(frozen=True, slots=True)
class MarkReached:
    """A mark came back: played or, after a clear, dropped."""

    name: str


@dataclass(frozen=True, slots=True)
class PhraseEnded:
    """All audio of a stock phrase has been handed to the line, or it could not be made."""

    utterance: int


@dataclass(frozen=True, slots=True)
class ReplyEnded:
    """All audio of a reply has been handed to the line. `silent`: it had no words of its own."""

    utterance: int
    outcome: Literal["spoken", "silent", "failed"]
    end_call: bool = False


@dataclass(frozen=True, slots=True)
class SttFailed:
    """We cannot hear the caller any more."""


@dataclass(frozen=True, slots=True)
class LineLost:
    """The caller's line is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class TokensWasted:
    """A reply begun on a guess was thrown away, and this is what the model was asked and said for it."""

    tokens: int
    sign: GuessedFrom


@dataclass(frozen=True, slots=True)
class TimePassed:
    """The deadline that `next_deadline_s` named has come."""


TurnEvent = (
    SttEvent
    | CallBegan
    | VoiceStarted
    | VoiceStopped
    | KeyPressed
    | AudioQueued
    | MarkQueued
    | MarkReached
    | PhraseEnded
    | ReplyEnded
    | SttFailed
    | LineLost
    | TokensWasted
    | TimePassed
)


@dataclass(frozen=True, slots=True)
class Speculate:
    """Begin the reply to a turn that has not ended, behind a gate: nothing of it may show, no effect run.

    `turn` is the number that the turn will have. `StartReply` with the same utterance opens the gate; before
    that, `DropSpeculation` or the end of the call may come. One at a time.
    """

    turn: int
    utterance: int
    text: str
    sign: GuessedFrom = "eager"


@dataclass(frozen=True, slots=True)
class DropSpeculation:
    """The guess was wrong: stop that reply, leave no trace of it."""

    utterance: int


@dataclass(frozen=True, slots=True)
class StartReply:
    """Answer the caller. The turn is committed: effects are allowed.

    `text` is what the caller said; empty if a reply that noise interrupted is to be taken up again.
    `speech_end_s` is known for keys only; of speech the energy detector knows it.
    `speculated`: `eager` or `interim` if the reply has been begun by a `Speculate` on that sign; `thrown` if
    all that were begun since the turn before were dropped; `none` if there were none.
    """

    turn: int
    utterance: int
    text: str
    end_of_turn_s: float
    speech_end_s: float | None = None
    eager_end_s: float | None = None
    speculated: Speculated = "none"


@dataclass(frozen=True, slots=True)
class SayPhrase:
    """Say a stock phrase."""

    turn: int
    utterance: int
    kind: StockKind


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop everything we say: clear the line at once, cancel what is being made, keep what was heard.

    `heard_s`: of each take that reached the line, the seconds that the caller heard. `barge_in` is False when
    it is not the caller who stopped us.
    """

    turn: int
    heard_s: Mapping[Take, float] = field(default_factory=dict)
    barge_in: bool = True


@dataclass(frozen=True, slots=True)
class FinishTurn:
    """The turn is over; nothing of it follows. Once for every `StartReply`."""

    turn: int
    outcome: TurnOutcome


@dataclass(frozen=True, slots=True)
class ForceEndOfTurn:
    """Ask the recogniser to end the open turn."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """The conversation is over; hang up unless the line is gone."""

    reason: str
    ended_by: EndedBy


TurnAction = (
    Speculate | DropSpeculation | StartReply | SayPhrase | Interrupt | FinishTurn | ForceEndOfTurn | EndCall
)
