"""The caller speaks while we do: an interruption, or only "mm-hm"?"""

from pipeline.turn.limits import TurnLimits

FAREWELLS = frozenset(["bye", "byebye", "cheers", "goodbye", "thank", "thanks", "too", "you"])
MAX_FAREWELL_WORDS = 5


def is_backchannel(text: str, limits: TurnLimits) -> bool:
    """A few words that only say "I listen". No words at all are none."""
    words = _words(text)
    return 0 < len(words) <= limits.backchannel_words and limits.backchannels.issuperset(words)


def is_farewell(text: str, limits: TurnLimits) -> bool:
    """What is said back to a goodbye."""
    words = _words(text)
    return 0 < len(words) <= MAX_FAREWELL_WORDS and (FAREWELLS | limits.backchannels).issuperset(words)


def interrupts(text: str, limits: TurnLimits, *, leaving: bool = False) -> bool:
    """These words, so far, are meant to stop us. `leaving`: what we say is our goodbye."""
    if not _words(text) or is_backchannel(text, limits):
        return False
    return not (leaving and is_farewell(text, limits))


def voice_interrupts_at_s(opened_s: float, voiced_since_s: float | None, limits: TurnLimits) -> float | None:
    """When a voice without recognised words has lasted long enough to stop us; None while there is none."""
    if voiced_since_s is None:
        return None
    return max(opened_s, voiced_since_s) + limits.barge_in_voice_s


def _words(text: str) -> list[str]:
    bare = ("".join(filter(str.isalnum, word)).lower() for word in text.split())
    return [word for word in bare if word]
