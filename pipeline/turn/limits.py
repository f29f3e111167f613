"""The waits and limits of turn taking: seconds on the call's own clock, each with its default."""

from dataclasses import dataclass
from typing import Literal

Speculation = Literal["off", "eager", "interim"]

BACKCHANNELS = frozenset(
    ["ah", "aha", "alright", "cool", "fine", "gotcha", "great", "hm", "hmm", "huh", "mhm", "mm", "mmhm"]
) | frozenset(["mmm", "oh", "ok", "okay", "right", "sure", "uh", "uhhuh", "um", "yeah", "yep", "yes"])


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLimits:
    """What `TurnMachine` goes by."""

    filler_after_s: float = 1.5
    """Silence of ours during a turn that makes us speak a filler."""
    max_fillers: int = 2
    silence_prompt_s: float = 8.0
    """Silence on both sides before "are you still there?"."""
    silence_goodbye_s: float = 8.0
    """Silence after that prompt before the goodbye."""
    max_call_s: float = 900.0
    """Length of a call after which we say goodbye wherever it stands."""
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

    speculation: Speculation = "eager"
    """When a reply is begun on a guess: never, at the eager end of a turn, or as soon as its words rest."""
    interim_stable_s: float = 0.3
    """Words of an open turn that have not changed for so long are guessed to be all of it (`interim`)."""
    interim_sentence_s: float = 0.02
    """The same of words that end like a sentence, where the recogniser punctuates as it goes."""
    max_speculations_per_turn: int = 3
    """Replies begun in one turn of the caller's at most on each of the two signs: so guesses from words at
    rest never use up those at its eager end."""
    speculation_tokens_per_call: int = 50_000
    """Tokens of thrown-away guesses, prompts included; once those of one sign have cost a call so many, no
    more are made on it."""
