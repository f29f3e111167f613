"""What the next value will be: named by the speaker ("my mobile is"), or asked for by the agent just before.

A bare answer ("14 December 1955") carries no mark of its own; only the question tells what it is. What is
named holds for a few words, what was asked holds for the caller's next turn.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from compliance.redaction.entities import EntityType

Slot = EntityType | Literal["CODE"]
Side = Literal["caller", "agent"]

_WORDS_HELD: Final = 10
_PHRASE_WORDS: Final = 3

_PHRASES: Final[dict[Slot, str]] = {
    "PHONE": """
        phone; mobile; telephone; landline; whatsapp; my number; your number; contact number; best number;
        a number; me on; reach you
    """,
    "POSTCODE": "postcode; post code; postal code; zip; zip code",
    "CARD": "card; visa; mastercard; security code; cvv",
    "GOV_ID": "nhs; national insurance; social security; ssn; ni number; passport",
    "DOB": "of birth; birth date; birthday; born; dob",
    "PERSON": "name is; name's; am called; i'm called",
    "CODE": "order number; booking number; reference; ticket; invoice; code; pin",
}
_ASKED_PHRASES: Final[dict[Slot, str]] = {
    "PERSON": "your name; full name; first name; last name; surname; i speaking",
}


def _by_phrase(table: dict[Slot, str]) -> dict[str, Slot]:
    return {phrase.strip(): slot for slot, block in table.items() for phrase in block.split(";")}


_NAMED: Final = _by_phrase(_PHRASES)
_ASKED: Final = _by_phrase(_ASKED_PHRASES)


@dataclass(slots=True)
class CallMemory:
    """What turns of one call leave to the next: what was asked for, and the words of names masked so far."""

    asked: set[Slot] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


class Expectation:
    """What is expected within one turn; fed with every word that is passed over."""

    def __init__(self, side: Side, memory: CallMemory) -> None:
        self.side: Side = side
        self._memory = memory
        self._answers: frozenset[Slot] = frozenset() if side == "agent" else frozenset(memory.asked)
        self._mentioned: set[Slot] = set()
        self._recent: tuple[str, ...] = ()
        self._named: Slot | None = None
        self._words_left = 0
        self.name_may_follow = "PERSON" in self._answers

    def awaits(self, slot: Slot) -> bool:
        """Named just now in this turn, or asked for before it."""
        return slot in self._answers or (self._named == slot and self._words_left > 0)

    def note(self, word: str) -> None:
        """One lower-case word that is no entity."""
        self._recent = (*self._recent, word)[-_PHRASE_WORDS:]
        self._words_left -= 1
        for length in range(1, len(self._recent) + 1):
            phrase = " ".join(self._recent[-length:])
            slot = _NAMED.get(phrase)
            if slot is not None:
                self._named, self._words_left = slot, _WORDS_HELD
                self._mentioned.add(slot)
                self.name_may_follow = self.name_may_follow or (slot == "PERSON" and self.side == "caller")
            if phrase in _ASKED:
                self._mentioned.add(_ASKED[phrase])

    def end_turn(self, *, question: bool, unfinished: Slot | None) -> None:
        """Leave to the next turn what it needs; `unfinished`: the type of a number cut short."""
        if self.side == "caller":
            self._memory.asked = {unfinished} if unfinished else set()
        if self.side == "agent" or question:
            self._memory.asked |= self._mentioned
