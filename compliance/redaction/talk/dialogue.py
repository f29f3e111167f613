"""What the next value will be: named by the speaker ("my mobile is"), or asked for by the other side before.

A bare answer ("14 December 1955") carries no mark of its own; only the question tells what it is. What is
named holds for some words; what was asked holds until it is answered or the talk has moved on: it outlives
fillers, side remarks and "could you repeat that?". Once the agent has asked for something else, or spoken of
prices, times or dates, only a whole value still answers it. A value read back by the agent may be corrected
next.
"""

from collections.abc import Sequence
from typing import Final

from compliance.redaction.talk.call_memory import CallMemory, Said, Side
from compliance.redaction.talk.cues import (
    AILMENT,
    ALLERGY,
    ASKS,
    CUE_WORDS,
    DATED,
    DIARY,
    HOUSED,
    MEDICINES,
    PLACE,
    STAFF,
    STRONG,
    THING,
    TROUBLING,
    WEAK,
    Slot,
    Told,
)
from compliance.redaction.talk.questions import HOW, OF_HOSTS, OF_NAMES, OF_PLACES, asks_whose, the_one
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.tokens import Tail

_CHARS_HELD: Final = 64
_CHARS_AWAITED: Final = 240
"""So far into a turn, or behind a value in it, what was asked for before may still be told bare."""
_SHORT_TURN: Final = 3
_ZIP_CHARS: Final = 24
_PLAIN_WORDS: Final = 16
_BRIEF_WORDS: Final = 6
_BARE_WORDS: Final = 6
"""A turn of so many words that names a value and gives none asks for it."""
_MOST_AGE: Final = 2
_OF_AILMENTS: Final = 2
"""Turns after the one that named an ailment."""
_OF_ALLERGIES: Final = 3
"""Turns after the one that named an allergy."""
_LEAST_REFERENCE: Final = 5
_MOST_REFERENCES: Final = 8

_BACK: Final = frozenset({"it", "that", "this", "one", "again", "them", "there", "hear", "hand", "slower"})
"""A question with one of these is about the value asked for before: "do you have it to hand?"."""
_YEAR_OF_IT: Final = frozenset({("what", "year"), ("which", "year"), ("what", "month"), ("which", "month")})
"""In a turn of a few words these ask for the rest of a date of birth."""
_MOVING: Final = frozenset({"when", "how", "day", "time", "times"})
"""A question with one of these is about something else all the same: "when would you like it?"."""
_QUESTION_TOKENS: Final = 8
"""So many words before a question mark tell what the question is about."""


_LABELS_OF_PLACES: Final[tuple[tuple[str, Slot], ...]] = (("name", "PERSON"), ("number", "PHONE"))
"""What the name and the number of a street or a house look like before that is named."""
_PLACED: Final[frozenset[Slot]] = frozenset({"ADDRESS", "POSTCODE"})
_PLAIN_NUMBERS: Final = frozenset(
    {(word, "number") for word in ("a", "the", "your", "that", "which", "what")}
)
"""Of whatever was named just before."""
_NUMBERED: Final[tuple[Slot, ...]] = ("CARD", "GOV_ID")
_LAST_DIGITS: Final = ("last", "three", "digits")
"""Of a card's back, or of any number."""
_ANY_CARD: Final = frozenset({("card",)})
_SIDES: Final = frozenset({("on", "the", "back"), ("on", "the", "front")})
"""Of a card, or of what a reference was named of: "the ticket number's on the back"."""
_DIGITS_AGAIN: Final = frozenset(
    [("last", many) for many in ("two", "three", "four", "digits")] + [_LAST_DIGITS, ("first", "four")]
)
_ONCE_MORE: Final[frozenset[Slot]] = frozenset({"DOB", "EMAIL", "PHONE", "ADDRESS", "POSTCODE"})


class Expectation:
    """What is expected within one turn; fed with every cue word that is passed over."""

    __slots__ = (
        "_about",
        "_back",
        "_counted",
        "_digits_again",
        "_first",
        "_memory",
        "_mentioned",
        "_moves",
        "_named",
        "_number",
        "_referring",
        "_repeat",
        "_until",
        "_whose",
        "_year",
        "_year_of_it",
        "ailing",
        "allergies",
        "answer",
        "answered",
        "asked",
        "code_end",
        "dated",
        "dictation",
        "found",
        "given",
        "medicines",
        "name_open",
        "place",
        "placed",
        "read_back",
        "side",
        "staff",
        "stale",
        "told",
        "waits_until",
        "year_of_birth",
    )

    def __init__(self, side: Side, memory: CallMemory) -> None:
        self.side: Side = side
        self.place = 0
        """Where the rule looks now, in characters of the turn."""
        self.code_end = -_CHARS_HELD
        """Where the last postcode or ZIP ended, in characters of the turn."""
        self.found: set[Slot] = set()
        self._memory = memory
        self.asked: frozenset[Slot] = frozenset()
        self.stale: frozenset[Slot] = frozenset()
        """Asked for before the agent spoke of something else."""
        if side == "caller" and (memory.asked or memory.stale or memory.unfinished):
            also = {memory.unfinished} if memory.unfinished else set()
            self.stale = frozenset(memory.stale - also)
            self.asked = frozenset(memory.asked.keys() - self.stale) | also
        self.name_open = STRONG if "PERSON" in self.asked else WEAK if "PERSON" in self.stale else 0
        """A name may stand here: `WEAK` or `STRONG`; 0 if none is expected."""
        self._mentioned: set[Slot] = set()
        self._number = False
        self._first: Slot | None = None
        self._named: Slot | None = None
        self._until = -1
        self._about = 0
        self._back = False
        self._counted = False
        self._moves = False
        self.waits_until = _CHARS_AWAITED if self.asked else -1
        """Something was asked for, or named just now: up to this place in characters of the turn."""
        self.answer: Slot | None = memory.fresh if side == "caller" else None
        """The one value just asked for, until the answer has begun."""
        self._referring = False
        self._repeat = False
        self._digits_again = False
        self.read_back = frozenset(memory.read_back) if side == "caller" else frozenset()
        self.given = frozenset(memory.given)
        self.placed = not _PLACED.isdisjoint(self.given | self.read_back) or "ADDRESS" in self.asked
        """An address or a postcode was given or read back, or an address asked for, right before."""
        self.answered = frozenset(memory.answered)
        self.year_of_birth = memory.year_asked and "DOB" in self.asked
        """The caller was asked for the year of birth."""
        self._year = False
        self._year_of_it = False
        self._whose = False
        self.allergies = memory.allergies > 0
        """The talk is of allergies."""
        self.ailing = memory.ailing > 0
        """An ailment, or a part of the body, was named just before."""
        self.staff = memory.staff
        """Somebody of the staff was asked for: a bare name is his."""
        self.dictation = memory.dictation
        self.dated = memory.dated
        """The turn before asked when something else was than a birth."""
        self.medicines = memory.medicines and side == "caller"
        """Somebody was asked just now what is taken."""
        self.told = self.placed or self.allergies or self.ailing or self.medicines
        """One of these is so."""

    def in_play(self, slot: Slot) -> bool:
        """A value of this type was said in this turn or the one before: it may be corrected or read back."""
        return slot in self.found or slot in self.read_back or slot in self.given or slot in self.asked

    def unfinished(self, slot: Slot) -> bool:
        """The caller's last turn was cut short within a value of this type."""
        return self.side == "caller" and self._memory.unfinished == slot

    def awaits(self, slot: Slot) -> bool:
        """Named just now in this turn, or asked for before it and nothing else named since."""
        if self._named is not None and self.place <= self._until:
            return self._named == slot or (slot in self.asked and self._named != "CODE")
        return slot in self.asked and self.place <= self.waits_until

    def awaits_any(self, slots: Sequence[Slot]) -> bool:
        """One of these is named or asked for."""
        return self.waiting() and any(self.awaits(slot) for slot in slots)

    def waiting(self) -> bool:
        """Something was named just now or asked for."""
        return self.place <= self.waits_until

    def named_allergy(self) -> None:
        """An allergy was named: what it is to may follow, now or in the turns to come."""
        self.allergies = self.told = True
        self._memory.allergies = _OF_ALLERGIES + 1

    def named_ailment(self, of: Sequence[str] = ()) -> None:
        """An ailment or a part of the body was named: how it is may follow, now or in the turns to come.

        Behind "the name of the" it is the ailment, the test or the drug that has a name, nobody.
        """
        if "name" in of:
            self._about |= THING
        self.ailing = self.told = True
        self._memory.ailing = _OF_AILMENTS + 1

    def took(self, entity: EntityType, end: int) -> None:
        """An entity was found up to this place; a postcode or ZIP follows an address."""
        self.found.add(entity)
        if self.asked:
            self.waits_until = end + _CHARS_AWAITED
        if entity == "CARD" and (self._named == "EXPIRY" or "EXPIRY" in self.asked):
            self.found.add("EXPIRY")
        if entity == "PHONE" and self.named("ADDRESS"):
            self._mentioned.discard("ADDRESS")  # "the house is oh one six three two"
        if entity == "ADDRESS":
            self._name("POSTCODE", end + _ZIP_CHARS)
        if entity == "POSTCODE":
            self.code_end = end

    def _name(self, slot: Slot, until: int) -> None:
        """This is named, up to a place in the turn."""
        self._named, self._until = slot, until
        self.waits_until = max(self.waits_until, until) if self.asked else until

    def named(self, slot: Slot) -> bool:
        """Named just now in this turn."""
        return self._named == slot and self.place <= self._until

    def names_other(self, slot: Slot) -> bool:
        """Something else than this was named just now in this turn."""
        return self._named not in (None, slot) and self.place <= self._until

    def note(self, tail: Tail, at: int) -> None:
        """The word at `at`, which may end a cue, is no part of an entity."""
        known = CUE_WORDS.get(tail.words[at])
        if known is None:
            return
        longer = known.behind.get(tail.words[at - 1])
        told = known.alone if longer is None else longer.at(tail, at)
        if told is not None:
            self._take(told, tail.end(at))
        if known.about:
            self._about |= known.about
            if known.about & ALLERGY:
                self.named_allergy()

    @property
    def diary(self) -> bool:
        """This turn speaks of appointments: "do you have anything on"."""
        return bool(self._about & DIARY)

    def _take(self, told: Told, place: int) -> None:
        """Cues that end at this place tell this."""
        if told.opens:
            self.name_open = max(self.name_open, told.opens) if self.side == "caller" else told.opens
        of_thing = self._referring and self.named("CODE") and told.phrases <= _SIDES
        if told.named is not None and not of_thing:
            self._name(told.named, place + _CHARS_HELD)
        asked = self._asked_for(told)
        if asked == "CODE":
            self._referring = told.last_word != "code"
        if asked == "PHONE":
            self._number = not _PLAIN_NUMBERS.isdisjoint(told.phrases)
        if asked is not None:
            self._first = self._first or asked
            self._mentioned.add(asked)
        elif told.parts and not told.parts <= _YEAR_OF_IT and self._is_of_birth():
            self._mentioned.add("DOB")
        self._year = self._year or "year" in told.words
        self._year_of_it = self._year_of_it or not _YEAR_OF_IT.isdisjoint(told.phrases)
        self._repeat = self._repeat or told.repeat
        self._digits_again = self._digits_again or not _DIGITS_AGAIN.isdisjoint(told.phrases)
        if told.asks:
            self._about |= ASKS

    def _has_card(self) -> bool:
        """A card is what the talk is of: "and the three digits?"."""
        memory = self._memory
        return "CARD" in memory.answered or "CARD" in memory.asked or "CARD" in self._mentioned

    def _note_number(self, said: Said) -> None:
        """ "the number please" is of what was named just before; "the last four?" of a telephone."""
        open_slots = self._mentioned | (self._memory.asked.keys() - self._memory.stale)
        other = next((slot for slot in _NUMBERED if slot in open_slots), None)
        if "PHONE" in self._mentioned and self._number and other is not None:
            self._mentioned.remove("PHONE")
            self._mentioned.add(other)
        first = not (self._memory.begun or self._mentioned or self.found)
        if self._digits_again and first and said.words <= _PLAIN_WORDS:
            self._memory.asked["PHONE"] = 0

    def _asked_for(self, told: Told) -> Slot | None:
        """What these cues ask for: something else than it seems where the talk is of an address."""
        slot = told.named or told.asked
        if slot == "CARD" and not self._has_card() and _LAST_DIGITS in told.phrases:
            return None
        if slot == "PERSON" and told.repeat:
            if "EMAIL" in self._mentioned:
                return None  # "how is your email spelled" asks for no name
            return "ADDRESS" if self._is_of_place() else slot
        if slot == "CARD" and self._referring and told.phrases == _ANY_CARD:
            return None  # "the member ID on your card"
        if slot == "PHONE" and self._memory.lacks_number and told.last_word == "number":
            return "ADDRESS"
        if slot == "ADDRESS":
            other = {other for word, other in _LABELS_OF_PLACES if word in told.words}
            self._mentioned -= other
            self._first = None if self._first in other else self._first
        return slot

    def _is_of_place(self) -> bool:
        """An address, and no name, is what the talk is about."""
        answered = self._memory.answered
        return "ADDRESS" in answered and not answered & {"PERSON", "EMAIL"}

    def _is_of_birth(self) -> bool:
        """A date of birth is what the talk is about."""
        memory = self._memory
        return "DOB" in memory.answered or "DOB" in memory.asked or "DOB" in self._mentioned

    def note_question(self, tail: Tail, at: int) -> None:
        """A question mark stands at `at`."""
        asked = tail.words[at - _QUESTION_TOKENS : at]
        if asked[-2:] == ["you", "are"] and asked[-3] in ("and", "", ":", ",", "sorry"):
            self._mentioned.add("PERSON")
        if asked[-1] in OF_NAMES and asked[-2] in ("and", "the", "your", "his", "her", "", ":"):
            self._mentioned.add("PERSON")
        if asked[-1] in OF_PLACES and asked[-2] in ("and", "the", "your", "cross", "", ":"):
            self._mentioned.add("ADDRESS")
        if not HOW.isdisjoint(asked):
            self._mentioned.discard("ADDRESS")
        self._whose = self._whose or asks_whose(asked[-1])
        if "EMAIL" in self._memory.answered and asked[-1] in OF_HOSTS:
            self._mentioned.add("EMAIL")
        self._back = self._back or not _BACK.isdisjoint(asked)
        self._moves = self._moves or not _MOVING.isdisjoint(asked)

    @property
    def references(self) -> set[str]:
        """The digits of references that were said in the call."""
        return self._memory.references

    def referred(self, digits: str) -> None:
        """A reference of at least five digits was passed over; few are remembered."""
        if len(digits) >= _LEAST_REFERENCE and len(self._memory.references) < _MOST_REFERENCES:
            self._memory.references.add(digits)

    def said(self, digits: str, entity: EntityType) -> None:
        """A number was masked; few are remembered."""
        if len(digits) >= _LEAST_REFERENCE and len(self._memory.said) < _MOST_REFERENCES:
            self._memory.said[digits] = entity

    def gave_street(self, words: tuple[str, ...], *, numbered: bool) -> None:
        """The caller lives in this street, or somebody of the caller's; few are remembered."""
        self._memory.lacks_number = bool(words) and not numbered
        if words and self.side == "caller" and len(self._memory.streets) < _MOST_REFERENCES:
            self._memory.streets[words[0]] = words

    def street_given(self, word: str) -> tuple[str, ...]:
        """The name of a street given in this call that begins with this word; empty if none does."""
        return self._memory.streets.get(word, ())

    def part_of_said(self, digits: str) -> EntityType | None:
        """The type of the number that was said in this call and that these are a part of."""
        found = (entity for known, entity in self._memory.said.items() if digits in known)
        return next(found, None)

    def born(self, figures: frozenset[int]) -> None:
        """A date of birth was masked; few are remembered."""
        if len(figures) > 1 and len(self._memory.births) < _MOST_REFERENCES:
            self._memory.births.append(figures)

    def is_birth(self, figures: frozenset[int]) -> bool:
        """These are of a date of birth that was said in this call."""
        return any(figures <= known for known in self._memory.births)

    def counted(self) -> None:
        """A price, a time, a date or another number of no person was passed over."""
        self._counted = True

    def end_turn(self, said: Said) -> None:
        """Leave to the next turn what it needs."""
        self._note_asked(said)
        self._memory.ailing = max(0, self._memory.ailing - 1)
        self._memory.allergies = max(0, self._memory.allergies - 1)
        if self._about & (AILMENT | TROUBLING) == AILMENT and self.side == "agent":
            self._memory.ailing = _OF_AILMENTS
        elif self._about & TROUBLING and "MEDICAL" not in self.found:
            self._memory.ailing = 0
        asks = said.question or self.side == "agent" or bool(self._about & ASKS)
        self._memory.dated = bool(self._about & (DATED | DIARY)) and "DOB" not in self._mentioned
        self._memory.staff = bool(self._about & STAFF) and said.question and "PERSON" not in self._mentioned
        self._memory.medicines = bool(self._about & MEDICINES) and asks
        self._memory.year_asked = "DOB" in self._mentioned and self._year and "DOB" not in self.found
        if self.side == "caller":
            self._end_caller(said)
        else:
            self._end_agent(said)
        self._memory.begun = True
        if self._memory.dictation.told:
            self._memory.dictation.end_turn(goes_on=self._goes_on(said), ends=said.ends_with_value)
        if self._about & THING and said.question and "PERSON" not in self._mentioned:
            self._memory.asked.pop("PERSON", None)

    def _note_asked(self, said: Said) -> None:
        """What the turn asks for besides what its cues say, and what it does not."""
        if "CODE" in self._mentioned and self._number and self._first == "PHONE":
            self._mentioned.discard("PHONE")  # "the number on the letter"
            self._first = "CODE"
        if self._about & (PLACE | HOUSED) and "EMAIL" not in self._mentioned and not self.found:
            self._note_place(said)
        if self._repeat or self._number:
            self._note_number(said)
        if self._about & DATED and "CARD" in self._memory.answered and said.words <= _BRIEF_WORDS:
            self._mentioned.add("EXPIRY")
        if self._repeat and "EMAIL" in self._mentioned:
            self._mentioned.discard("PERSON")  # "could you spell that email out"
        asks_year = self._year_of_it and said.words <= _BRIEF_WORDS
        first = self._year and said.words <= _SHORT_TURN and not self._memory.begun
        if asks_year and (self._is_of_birth() or first):
            self._mentioned.add("DOB")

    def _goes_on(self, said: Said) -> bool:
        """The turn only asks for more of a value, or waits for it."""
        if said.continues or not said.words:
            return True
        if self._repeat:
            return said.words <= _QUESTION_TOKENS
        asks_other = self._moves or self._about & (ASKS | DATED | DIARY) or self._mentioned
        return said.words < _SHORT_TURN and not (asks_other or said.tells)

    def _note_place(self, said: Said) -> None:
        """A part of an address was asked for, the number of a house, or how a street is spelled."""
        housed = self._memory.lacks_number and not self._mentioned
        if said.words <= _SHORT_TURN and (self._about & PLACE or housed):
            self._mentioned.add("ADDRESS")
        if self._repeat and self._about & PLACE and said.words <= _QUESTION_TOKENS:
            self._mentioned = (self._mentioned - {"PERSON"}) | {"ADDRESS"}

    def _end_caller(self, said: Said) -> None:
        memory = self._memory
        if (self._repeat or said.continues) and not self.found:
            memory.asked.update(dict.fromkeys(memory.answered, 0))
        memory.unfinished = said.unfinished or self._still_unfinished(said)
        memory.replied = True
        brief = said.words <= (_SHORT_TURN if self.found or said.tells else _BARE_WORDS)
        asks = said.question or self._about & ASKS or brief
        memory.fresh = self._asks_one(said) if asks else None
        memory.given = self.found - {"MEDICAL", "PERSON"}
        if self.found:
            memory.answered = set(self.found)
        for slot in self.found:
            memory.asked.pop(slot, None)
        memory.read_back = memory.given if said.question else set()
        memory.asked.update(dict.fromkeys(memory.read_back, 0))
        open_slots = self._mentioned - self.found
        if not (said.question or self._repeat):
            open_slots.discard("PERSON")
        if "CODE" in open_slots and asks:
            memory.asked.clear()
        memory.asked.update(dict.fromkeys(open_slots, 0))

    def _still_unfinished(self, said: Said) -> Slot | None:
        """What was cut short, if this turn only asks for the rest of it: no label tells who spoke."""
        brief = said.words <= _SHORT_TURN and (said.question or said.continues) and not self.found
        return self._memory.unfinished if brief else None

    def _end_agent(self, said: Said) -> None:
        memory = self._memory
        memory.fresh = self._asks_one(said) or (memory.fresh if not memory.replied else None)
        if self._about & THING:
            self._mentioned.discard("PERSON")
        if self._whose and said.words <= _BARE_WORDS:
            self._mentioned |= memory.answered & _ONCE_MORE
        read_back = self.found - {"MEDICAL"}
        memory.read_back = read_back - {"PERSON"}
        if self._mentioned or self._repeat or read_back:
            again = memory.answered if self._repeat or not self._mentioned else set[Slot]()
            kept = {} if "CODE" in self._mentioned else self._older()
            fresh = self._mentioned | read_back | again
            memory.stale |= kept.keys() - fresh if self._mentioned and not self._repeat else set()
            memory.stale -= fresh
            memory.asked = kept | dict.fromkeys(fresh, 0)
        elif said.continues or (said.words <= _SHORT_TURN and not said.question and not self._counted):
            memory.asked |= dict.fromkeys(memory.answered, 0)
        else:
            memory.asked = self._older()
            memory.stale |= memory.asked.keys() if self._moves_on(said) else set()
        memory.stale &= memory.asked.keys()
        memory.replied = False
        memory.given = set()

    def _moves_on(self, said: Said) -> bool:
        """The agent has had a reply and speaks of something else now."""
        asks = said.question and (self._moves or not self._back)
        return self._memory.replied and (asks or self._counted)

    def _asks_one(self, said: Said) -> Slot | None:
        """The value asked for if it is one alone, asked plainly, and not given in the same breath."""
        if said.words > (_PLAIN_WORDS if said.question or self._about & ASKS else _BRIEF_WORDS):
            return None
        asked = self._mentioned - ({"PERSON"} if self._about & THING else set())
        if not asked or self.found - {"MEDICAL", "PERSON"}:
            return None
        return the_one(asked, self._first, spelled=self._repeat)

    def _older(self) -> dict[Slot, int]:
        """What was asked before and is still open, one agent turn later."""
        step = int(self._memory.replied)
        return {slot: age + step for slot, age in self._memory.asked.items() if age + step < _MOST_AGE}
