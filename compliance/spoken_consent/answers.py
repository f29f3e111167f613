"""A bare yes or no to the question whether the call may be recorded, over plain words."""

import re
from typing import Final

from compliance.spoken_consent.plain import plain_words
from compliance.spoken_consent.question import Asked

_LEADS: Final = (
    r"(?:(?:well|oh|hi|hello|hey|so|right|ah|look|sorry|actually|i mean|you know|honestly|and|but|[.?]) )*"
)
_NO: Final = re.compile(
    _LEADS + r"(?:no\b(?! (?:problem|worries|bother|objection|issue))|nope|nah|(?:i'd |i )?(?:rather"
    r"|prefer|sooner) not|please don't|don't\b|absolutely not|definitely not|certainly not|of course not"
    r"|never|i don't (?:think so|consent|agree|want|like|give)|i'm not\b|i do mind|i mind\b|it's not"
    r"|that's not|it isn't|that isn't|i refuse|i decline|i object|better not|not\b)"
)
_YES: Final = re.compile(
    _LEADS + r"(?:yes|yeah|yep|yup|yah|sure|ok|okay|of course|fine|all right|alright|absolutely|certainly"
    r"|definitely|go ahead|go on|please do|by all means|be my guest|happy to|fair enough|uh huh|mhm|mm hm"
    r"|mm hmm|good|perfect|great|no (?:problem|worries|bother|objections?|issue)|i (?:do )?(?:agree"
    r"|consent)|i do|(?:that's|it's|that is|that'll be|that would be) (?:\w+ )?(?:fine|ok|okay|all right"
    r"|alright|good|cool)|i'm (?:\w+ )?(?:happy|fine|ok|okay|all right|alright|good|cool)|i don't mind"
    r"|you (?:can|may)|i suppose so|i guess(?: so)?)\b"
)
_TAKEN_BACK: Final = re.compile(
    r"[ .]*(?:but |actually |no\b|not\b|don't|please don't|i mind|i do mind|i'd rather|i'd prefer)"
)
_NOT_AT_ALL: Final = re.compile(
    _LEADS + r"(?:not at all|of course not|not in the slightest|no not at all|nope|nah|no\b|i don't\b)"
)
_AND_YET: Final = re.compile(
    r"[ .]*(?:i'd rather|i'd prefer|i'd sooner|please don't|don't|not (?:ok|okay|happy|comfortable)"
    r"|i'm not|i do\b|i don't (?:want|like|agree|consent)|i'd like (?:it|you) not|no\b(?! (?:problem"
    r"|worries|that's|it's)))"
)
_PLAIN_YES: Final = re.compile(r"\b(?:yes|yeah|yep|yup|yah|i do|absolutely|certainly|definitely|of course)$")
_FINE_AFTER_ALL: Final = re.compile(
    r"[ .]*(?:that's|it's|that is|go ahead|go on|sure|no problem|you can|of course|fine|please do"
    r"|i don't mind|not at all|okay|ok)\b"
)
_HESITATION: Final = re.compile(
    r"[ .?]*(?:(?:sorry|pardon|what|hello|hi|hey|hang on|one moment|one second|wait|a moment|what was that"
    r"|well|so|oh|say that again|come again|i didn't (?:hear|catch)(?: that| you)?|can you repeat that"
    r"|let me think|excuse|me)[ .?]*)*"
)


def answer_of(said: str, asked: Asked) -> bool | None:
    """Whether the call may be recorded, by what plain words answer to the question; None if by nothing."""
    return _answer_to_may(said) if asked == "may" else _answer_to_mind(said)


def is_hesitation(text: str) -> bool:
    """Whether the caller says nothing yet, or did not hear: the question stands."""
    return _HESITATION.fullmatch(plain_words(text)) is not None


def _answer_to_may(said: str) -> bool | None:
    """A yes that is taken back in the same breath is none."""
    if _NO.match(said):
        return False
    yes = _YES.match(said)
    return None if yes is None else _TAKEN_BACK.match(said, yes.end()) is None


def _answer_to_mind(said: str) -> bool | None:
    """A plain yes says that they mind, unless more follows: "yes, go ahead"."""
    not_at_all = _NOT_AT_ALL.match(said)
    if not_at_all is not None:
        return _AND_YET.match(said, not_at_all.end()) is None
    if _NO.match(said):
        return False
    yes = _YES.match(said)
    if yes is None:
        return None
    return _PLAIN_YES.search(yes[0]) is None or _FINE_AFTER_ALL.match(said, yes.end()) is not None
