"""Phrases that tell what comes next ("my mobile is"), and words that tell what a turn is about."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import mark_cues

Slot = EntityType | Literal["CODE", "EXPIRY"]

_NAMED: Final[tuple[Slot, ...]] = (
    "PHONE",
    "POSTCODE",
    "CARD",
    "EXPIRY",
    "GOV_ID",
    "DOB",
    "EMAIL",
    "ADDRESS",
    "CODE",
)
_ASKED: Final[tuple[Slot, ...]] = ("PERSON", "ADDRESS", "PHONE", "DOB", "EXPIRY", "EMAIL")
WEAK: Final = 1
STRONG: Final = 2


def _phrases(name: str) -> set[tuple[str, ...]]:
    return {tuple(phrase.replace("-", " - ").split()) for phrase in word_list(name)}


_CUES: Final[dict[str, Slot]] = {f"cue_{slot.lower()}": slot for slot in _NAMED}
_QUESTIONS: Final[dict[str, Slot]] = {f"ask_{slot.lower()}": slot for slot in _ASKED}


def _with_is(phrases: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """And as "my mobile's", "d o b's"."""
    nouns = (words for words in phrases if words[-1].isalpha() and words[-1] not in _NO_NOUNS)
    return phrases | {(*words[:-1], f"{words[-1]}'s") for words in nouns}


_NO_NOUNS: Final = frozenset({"is", "was", "on", "in", "at", "of", "born", "until", "live", "expires"})


class Cue(NamedTuple):
    """A phrase and what it tells: a type named or asked for, a name that may follow, a part, a repetition."""

    words: tuple[str, ...]
    named: Slot | None = None
    asked: Slot | None = None
    opens: int = 0
    part: bool = False
    repeat: bool = False
    asks: bool = False


def _cues() -> Iterator[Cue]:
    for name, slot in _CUES.items():
        yield from (Cue(words, named=slot) for words in _with_is(_phrases(name)))
    for name, slot in _QUESTIONS.items():
        yield from (Cue(words, asked=slot) for words in _phrases(name))
    strong = _phrases("cue_name")
    yield from (Cue(words, opens=STRONG) for words in strong)
    yield from (Cue(words, opens=WEAK) for words in _phrases("cue_name_maybe") - strong)
    yield from (Cue(words, part=True) for words in _phrases("ask_dob_part"))
    yield from (Cue(words, repeat=True) for words in _phrases("ask_again"))
    yield from (Cue(words, asks=True) for words in _phrases("ask_plainly"))


class Told(NamedTuple):
    """What cues that end with one word tell together: of each kind what the longest says."""

    last_word: str
    phrases: frozenset[tuple[str, ...]]
    """The cues themselves."""
    words: frozenset[str]
    """Of all of them."""
    named: Slot | None
    asked: Slot | None
    opens: int
    repeat: bool
    asks: bool
    parts: frozenset[tuple[str, ...]]
    """Those that ask for a part of a date."""


class Longer:
    """The cues that end with two words, the longest first; what those that fit tell is worked out once."""

    def __init__(self, cues: Sequence[Cue], alone: Sequence[Cue]) -> None:
        self._cues = tuple(cues)
        self._alone = tuple(alone)
        self._told: dict[int, Told | None] = {}

    def at(self, tail: Tail, at: int) -> Told | None:
        """What the cues tell that end with the word at `at`."""
        fitting = 0
        for number, cue in enumerate(self._cues):
            if _ends_with(tail, at, cue.words):
                fitting |= 1 << number
        if fitting not in self._told:
            cues = [cue for number, cue in enumerate(self._cues) if fitting >> number & 1]
            self._told[fitting] = _told((*cues, *self._alone))
        return self._told[fitting]


def _told(cues: Sequence[Cue]) -> Told | None:
    if not cues:
        return None
    return Told(
        last_word=cues[0].words[-1],
        phrases=frozenset(cue.words for cue in cues),
        words=frozenset(word for cue in cues for word in cue.words),
        named=next((cue.named for cue in cues if cue.named), None),
        asked=next((cue.asked for cue in cues if cue.asked), None),
        opens=next((cue.opens for cue in cues if cue.opens), 0),
        repeat=any(cue.repeat for cue in cues),
        asks=any(cue.asks for cue in cues),
        parts=frozenset(cue.words for cue in cues if cue.part),
    )


class CueWord(NamedTuple):
    """A word's part in cues: those that it ends, by the word before it; what it tells alone; and what a turn
    that holds it is about.
    """

    behind: Mapping[str, Longer]
    alone: Told | None
    about: int


THING: Final = 1
"""What else has a name: "what's the clinic's name?"."""
ASKS: Final = 2
PLACE: Final = 4
"""In a turn of a few words these ask for a part of an address."""
DIARY: Final = 8
"""Of appointments."""
MEDICINES: Final = 16
"""Of what somebody takes."""
STAFF: Final = 64
"""Of whoever treats."""
ALLERGY: Final = 32
"""Of what somebody cannot bear."""
AILMENT: Final = 128
"""Of what is wrong with somebody."""
TROUBLING: Final = 256
"""Of a thing that is out of order: "a problem with the portal"."""
HOUSED: Final = 1024
"""Alone it asks for the house in a street that was given."""
DATED: Final = 512
"""Of when something is, or was."""
_THINGS: Final = frozenset(
    [
        "medication",
        "medicine",
        "antidepressant",
        "antibiotic",
        "antibiotics",
        "painkiller",
        "inhaler",
        "drops",
        "injection",
        "pill",
        "ointment",
        "supplement",
        "tablet",
        "tablets",
        "drug",
        "doctor",
        "gp",
        "clinic",
        "practice",
        "treatment",
        "procedure",
        "insurer",
        "insurance",
        "company",
        "pharmacy",
        "hospital",
        "consultant",
        "dentist",
        "school",
        "product",
        "dog",
        "cream",
        "condition",
        "illness",
        "operation",
    ]
)
_ASK_WORDS: Final = frozenset(
    {
        "your",
        "what",
        "what's",
        "whats",
        "who",
        "who's",
        "where",
        "which",
        "patient's",
        "please",
        "can",
        "could",
        "when",
    }
)
_TAKEN: Final = frozenset({"medication", "medications", "medicine", "medicines", "tablets", "meds", "taking"})
_REACTING: Final = frozenset({"intolerant", "react", "reacts", "reacted", "allergic"})
_PLACES: Final = frozenset(
    ["street", "town", "road", "city", "county", "address", "apartment", "apt", "unit", "flat", "suite"]
) | frozenset({"village", "building", "townland", "estate", "lane"})
_ABOUT: Final = (
    (_THINGS, THING),
    (_ASK_WORDS, ASKS),
    (_PLACES, PLACE),
    (frozenset({"number", "number's"}), HOUSED),
    (word_list("diary_words"), DIARY),
    (_TAKEN, MEDICINES),
    (frozenset({"doctor", "consultant", "surgeon", "dentist", "physio", "gp", "hygienist"}), STAFF),
    (_REACTING, ALLERGY),
    (word_list("ask_ailment"), AILMENT),
    (word_list("troubling_things"), TROUBLING),
    (frozenset({"when", "when's", "when'd", "date", "day", "last", "accident"}), DATED),
)


def _cue_words() -> dict[str, CueWord]:
    ending: dict[str, dict[str, list[Cue]]] = {}
    for cue in sorted(_cues(), key=lambda each: -len(each.words)):
        before = cue.words[-2] if len(cue.words) > 1 else ""
        ending.setdefault(cue.words[-1], {}).setdefault(before, []).append(cue)
    told = {word for words, _ in _ABOUT for word in words}
    return {word: _cue_word(word, ending.get(word, {})) for word in ending.keys() | told}


def _cue_word(word: str, ending: dict[str, list[Cue]]) -> CueWord:
    alone = ending.get("", [])
    behind = {before: Longer(cues, alone) for before, cues in ending.items() if before}
    about = sum(mark for words, mark in _ABOUT if word in words)
    return CueWord(behind, _told(alone), about)


CUE_WORDS: Final = _cue_words()
mark_cues(CUE_WORDS)


def _ends_with(tail: Tail, at: int, words: tuple[str, ...]) -> bool:
    """The tokens up to `at`, the last two of which are known to fit, are these words."""
    length = len(words)
    return length == 2 or tuple(tail.words[at - length + 1 : at - 1]) == words[:-2]
