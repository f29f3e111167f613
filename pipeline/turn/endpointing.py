"""Has the caller finished? The recogniser says so; here it is watched, and keys are collected into a turn."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from pipeline.turn.limits import TurnLimits
from pipeline.turn.protocol import GuessedFrom

MAX_KEYS = 32
TRAILING_FILLERS: Final = frozenset(["ah", "eh", "em", "er", "erm", "hm", "hmm", "mm", "uh", "uhm", "um"])
SENTENCE_ENDS: Final = (".", "?", "!")

_KEYPAD: Final = "(keypad) "


@dataclass(slots=True)
class CallerTurn:
    """A turn that the recogniser has open."""

    started_s: float
    news_s: float
    """When we last learned something of it."""
    text: str = ""
    words_s: float = 0.0
    """When its words last changed."""
    eager_end_s: float | None = None
    forced_s: float | None = None
    guesses: Counter[GuessedFrom] = field(default_factory=Counter)
    """Replies begun before its end, by their sign."""
    guessed: str = ""
    """The words that the last of them answers."""

    def heard(self, text: str, now_s: float) -> None:
        if text == self.text:
            return
        if not same_words(text, self.text):
            self.words_s = now_s
        self.text, self.news_s = text, now_s

    def rests_at_s(self, limits: TurnLimits) -> float:
        """When its words will have rested for long enough to be taken for all of it."""
        is_sentence = self.text.rstrip().endswith(SENTENCE_ENDS)
        return self.words_s + (limits.interim_sentence_s if is_sentence else limits.interim_stable_s)

    def watchdog_s(self, limits: TurnLimits) -> float:
        """When to stop waiting: for the end first, then for the answer to forcing it."""
        if self.forced_s is not None:
            return self.forced_s + limits.forced_end_s
        return min(self.news_s + limits.turn_watchdog_s, self.started_s + limits.turn_limit_s)


@dataclass(slots=True)
class Keypad:
    """Keys pressed so far and not yet part of a turn."""

    digits: str = ""
    pressed_s: float = 0.0
    complete: bool = False

    def press(self, digit: str, now_s: float) -> None:
        self.pressed_s = now_s
        if digit == "#" and self.digits:
            self.complete = True
            return
        self.digits += digit
        self.complete = digit == "#" or len(self.digits) >= MAX_KEYS

    def ends_at_s(self, limits: TurnLimits) -> float | None:
        """When the row of keys is over; None if there is none."""
        if not self.digits:
            return None
        return self.pressed_s if self.complete else self.pressed_s + limits.keypad_pause_s

    def take(self) -> str:
        """The keys as the words of a turn; empty if there are none. The keypad starts anew."""
        said = f"{_KEYPAD}{self.digits}" if self.digits else ""
        self.digits, self.complete = "", False
        return said


def same_words(one: str, other: str) -> bool:
    """Whether a reply to the one is a reply to the other: case, punctuation and a trailing "um" apart.

    >>> same_words("Tuesday at ten, um", "tuesday at ten."), same_words("Tuesday", "Tuesday at ten")
    (True, False)
    """
    return one == other or _bare_words(one) == _bare_words(other)


def _bare_words(text: str) -> list[str]:
    bare = ("".join(filter(str.isalnum, word)).casefold() for word in text.split())
    words = [word for word in bare if word]
    while len(words) > 1 and words[-1] in TRAILING_FILLERS:
        words.pop()
    return words


def keys_hidden(text: str) -> str:
    """A turn's text as it may be published: keys are codes and numbers, so only how many there were.

    >>> keys_hidden("my code (keypad) 4729")
    'my code (keypad) ****'
    """
    said, keypad, keys = text.rpartition(_KEYPAD)
    return said + keypad + "*" * len(keys) if keypad else text
