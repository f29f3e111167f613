"""Values told piece by piece over several turns, and said again by either side.

"Zero one", "Four two", "Outlook dot com" and "j t" are a value's only because of what was said in the turns
before: so of the last value it is kept what it was, how much of it, and whether more is to come.
"""

from dataclasses import dataclass, field
from typing import Final

from compliance.redaction.text.entities import EntityType

_WHOLE_CHARS: Final[dict[EntityType, int]] = {"PHONE": 10, "CARD": 16, "GOV_ID": 9}
_LOCAL_DIGITS: Final = 7
"""A telephone number without its area's code."""
_MOST_VALUES: Final = 4
_TOLD_IN_PIECES: Final = frozenset({"PHONE", "CARD", "GOV_ID", "EMAIL", "DOB"})


@dataclass(slots=True)
class Dictation:
    """The last values of a call. `open`: the type of one of which more is to come; `told`: those of the last
    turn that held any, each with its words.
    """

    open: EntityType | None = None
    told: list[tuple[EntityType, tuple[str, ...]]] = field(default_factory=list)
    _chars: int = 0
    _taken: bool = False
    _last: tuple[EntityType, bool] | None = None

    def took(self, entity: EntityType, words: tuple[str, ...], digits: str, *, whole: bool) -> None:
        """A value was masked, its figures `digits`; `whole`: nothing of it is missing."""
        again = any(words == known for _, known in self.told)
        if not self._taken:
            self.told = []
            self._taken = True
        if len(self.told) < _MOST_VALUES:
            self.told.append((entity, words))
        going_on = self.open == entity
        letters = sum(len(word) == 1 and word.isalpha() for word in words) if entity == "GOV_ID" else 0
        said = 0 if again and going_on else len(digits) + letters
        self._chars = (self._chars if going_on else 0) + said
        self._last = (entity, whole or self._is_whole(entity, digits))

    def _is_whole(self, entity: EntityType, digits: str) -> bool:
        most = _WHOLE_CHARS.get(entity)
        if most is None:
            return False
        local = entity == "PHONE" and self._chars == len(digits) == _LOCAL_DIGITS and digits[0] not in "01"
        return self._chars >= most or local

    def end_turn(self, *, goes_on: bool, ends: bool) -> None:
        """A turn is over. `goes_on`: it held no more than asks for the rest of a value. `ends`: a value was
        the last that was said in it.
        """
        if self._last is not None:
            entity, whole = self._last
            self.open = entity if entity in _TOLD_IN_PIECES and not whole and ends else None
        elif not goes_on:
            self.open = None
            self.told = []
        if self.open is None:
            self._chars = 0
        self._taken, self._last = False, None
