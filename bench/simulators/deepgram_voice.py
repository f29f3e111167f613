"""When someone speaks, pauses and has finished: pure rules over windows and words, in audio time."""

import math
import re
from typing import Final

from bench.simulators.deepgram_hearing import Window

SETTLE_S: Final = (
    0.16  # silence after which it is worth hearing the utterance whole, before its end is decided
)
_ONSET_S: Final = 0.09  # voice shorter than this is a click
_EPSILON_S: Final = 1e-6


class VoiceTracker:
    """Follows voice windows; clicks neither begin speech nor end a silence."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.talking = False
        self.onset = False  # speech was recognised as such in this very window
        self.began_s = 0.0  # when the latest stretch of speech began
        self.last_voice_s = 0.0
        self._run_start_s: float | None = None

    @property
    def silence_s(self) -> float:
        return self.now_s - self.last_voice_s

    @property
    def clear_s(self) -> float:
        """No speech that has not been recognised as such began before this instant."""
        return self.now_s if self._run_start_s is None else self._run_start_s

    def step(self, window: Window) -> None:
        """Take the next window."""
        start_s, self.now_s = self.now_s, window.end_s
        self.onset = False
        if not window.voiced:
            self.talking, self._run_start_s = False, None
            return
        if self._run_start_s is None:
            self._run_start_s = start_s
        if not self.talking and window.end_s - self._run_start_s >= _ONSET_S - _EPSILON_S:
            self.talking = self.onset = True
            self.began_s = self._run_start_s
        if self.talking:
            self.last_voice_s = window.end_s


def at_least(duration_s: float, limit_s: float) -> bool:
    """Has a duration summed from windows reached its limit?"""
    return duration_s >= limit_s - _EPSILON_S


# --- how long to wait after these words ---

COMPLETE_S: Final = 0.32
USUAL_S: Final = 0.5
LINGERING_S: Final = 0.8
UNFINISHED_S: Final = 1.0

_DIGIT: Final = r"(?:\d|zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_DIGIT_RUN: Final = re.compile(rf"(?:^|(?<=\s))(?:{_DIGIT}+[\s,-]*)+$")
_DAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|today|tomorrow"
_TIME: Final = (
    r"\d{1,2}(?::\d\d)?\s*(?:[ap]\.?m\b|o'clock)|\d{1,2}:\d\d|half[- ]past|quarter (?:past|to)|\bat \w+|noon"
)
_YES_NO: Final = re.compile(r"(?:yes|yeah|yep|no|nope|ok|okay|sure|right|correct)(?: please)?")
_CLOSING: Final = re.compile(r"\b(?:please|good-?bye?|bye)$")
_DAY_AND_TIME: Final = re.compile(rf"(?=.*\b(?:{_DAY})\b)(?=.*(?:{_TIME}))")
_DANGLING: Final = re.compile(
    r"(?:^|\s)(?:and|or|but|so|because|if|that|which|the|a|an|my|your|to|for|from|with|at|on|in|of|about|by|until"
    r"|um|uh|er|erm|hmm|well|like|i|i'm|is|it's)$"
)
_LINGERING: Final = re.compile(
    r"(?:hello|hi|hey|hi there|hello there|good (?:morning|afternoon|evening)"
    r"|.*\b(?:thanks|thank you|that's all|that is all|that's everything|that is everything))"
)
_CODE_DIGITS: Final = 6
_SHORTEST_RUN: Final = 3
_PHONE_DIGITS: Final = 10


def patience_s(text: str) -> float:
    """The silence that ends a turn after these words: short when they answer in full, long when they
    dangle, and when they greet or thank, which is seldom the last thing said.
    """
    plain = re.sub(r"[^\w\s':.,-]", "", text.lower()).strip()
    bare = plain.rstrip(".,- ").replace(",", "")
    if not bare:
        return USUAL_S
    if plain.endswith((",", "-")) or _DANGLING.search(bare):
        return UNFINISHED_S
    if digits := trailing_digits(bare):
        return COMPLETE_S if digits == _CODE_DIGITS or digits >= _PHONE_DIGITS else UNFINISHED_S
    if _LINGERING.fullmatch(bare):
        return LINGERING_S
    complete = _YES_NO.fullmatch(bare) or _CLOSING.search(bare) or _DAY_AND_TIME.match(bare)
    return COMPLETE_S if complete or text.rstrip().endswith("?") else USUAL_S


def trailing_digits(text: str) -> int:
    """The length of the digit run that ends a text ("four seven two", "472 9"); 0 for "that one" or "the
    24".
    """
    bare = text.lower().rstrip("., ")
    run = _DIGIT_RUN.search(bare)
    if run is None:
        return 0
    digits = len(re.findall(_DIGIT, run.group()))
    return digits if digits >= _SHORTEST_RUN or run.group() == bare else 0


def end_confidence(silence_s: float, patience: float) -> float:
    """How sure it is that the turn is over, 0 to 1. At the vendor's default threshold of 0.7 the turn ends
    after `patience` seconds; a lower threshold comes sooner, a higher one later, 1 never.
    """
    return 1.0 - math.pow(0.3, max(silence_s, 0.0) / patience)
