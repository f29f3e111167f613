"""Whether the agent has just asked if the call may be recorded, and which way round."""

import re
from typing import Final, Literal

from compliance.spoken_consent.plain import plain_words, sentences

Asked = Literal["may", "mind"]
"""What a yes would mean: that the call may be recorded ("may we …?") or may not ("do you mind …?")."""

_STEM: Final = re.compile(r"\b(?:record|tap(?:e|ed|ing)\b|transcri)")
_MAY_WE: Final = re.compile(
    r"\b(?:may|can|could|shall|should|ok|okay|all right|alright|happy|fine|comfortable|mind|consent|agree"
    r"|permission|objections?|object|want (?:us|me)|like (?:us|me)|do you want|would you like|prefer)\b"
)
_IS_THAT_ALL_RIGHT: Final = re.compile(
    r"(?:and |so )?(?:is|are|would|do|does|may|shall|any) (?:(?:that|this|it|you|we|everyone) )?"
    r"(?:(?:be|all|quite|really|happy|have|any|with) ){0,3}"
    r"(?:ok|okay|right|all right|alright|happy|fine|comfortable|mind|consent|agree|object|objections?)\b"
)
_MIND: Final = re.compile(
    r"\b(?:mind|objections?|object|opposed|rather (?:we|i|you)|prefer (?:we|i|not)|stop|not to|not be"
    r"|not record|turn off|opt out|without)\b|n't record\b"
)
_OTHER_RECORDS: Final = re.compile(
    r"\b(?:your|our|medical|health|patient|their|his|her|on|for the|the|gp) records?\b"
    r"|\brecord of (?!this (?:call|conversation)|the (?:call|conversation)|our|what)"
    r"|\brecord (?:your|his|her|their|an?|that (?:as|on|in)|the (?!call|conversation|chat))\b"
)


def recording_question(text: str, before: str = "") -> Asked | None:
    """How this piece of agent speech asks whether the call may be recorded; None if it ends otherwise.

    `before`: what the agent said just before, which may tell what is asked ("Calls are recorded. Is that all
    right?").
    """
    told, asks = (["", "", *sentences(plain_words(f"{before} {text}"))])[-2:]
    if not asks.endswith("?"):
        return None
    told, asks = _OTHER_RECORDS.sub(" ", told), _OTHER_RECORDS.sub(" ", asks)
    named = _STEM.search(asks) and _MAY_WE.search(asks)
    if named or (_STEM.search(told) and _IS_THAT_ALL_RIGHT.match(asks)):
        return "mind" if _MIND.search(asks) else "may"
    return None


def asks_something(text: str) -> bool:
    """Whether this piece of agent speech ends by asking, whatever it is."""
    return text.rstrip(" \"'\N{RIGHT DOUBLE QUOTATION MARK}").endswith("?")
