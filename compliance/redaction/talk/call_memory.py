"""What turns of one call leave to the next."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from compliance.redaction.talk.cues import Slot
from compliance.redaction.talk.dictation import Dictation
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.numbering import EntityNumbers

Side = Literal["caller", "agent"]


class Said(NamedTuple):
    """A turn that has ended: its number of words, whether it asks something, whether it only asks to go on
    ("mm-hm"), the type of a value that its end cut short, whether it tells of the speaker ("I lost my"), and
    whether a value is the last that is said in it.
    """

    words: int
    question: bool
    continues: bool
    unfinished: Slot | None
    tells: bool = False
    ends_with_value: bool = False


@dataclass(slots=True)
class CallMemory:
    """What turns of one call leave to the next.

    `asked` holds slots with the number of agent turns since; `answered` what the caller gave last;
    `unfinished` the type of a number or date that the end of the caller's turn cut short; `names` the words
    of names masked; `replied`: the caller has spoken since the agent did; `fresh`: the one value that the
    last turn asked for.
    """

    asked: dict[Slot, int] = field(default_factory=dict)
    answered: set[Slot] = field(default_factory=set)
    unfinished: Slot | None = None
    names: set[str] = field(default_factory=set)
    replied: bool = True
    fresh: Slot | None = None
    read_back: set[Slot] = field(default_factory=set)
    """What the agent's last turn held: a reply may correct it."""
    given: set[Slot] = field(default_factory=set)
    """What the turn before held: it may be read back."""
    numbers: EntityNumbers | None = None
    """Of entities, where they are numbered."""
    references: set[str] = field(default_factory=set)
    """The digits of orders, tickets and their like: whoever reads them back gives no number of his own."""
    stale: set[Slot] = field(default_factory=set)
    """Of `asked`: the agent has spoken of something else since, so only a whole value still answers."""
    year_asked: bool = False
    """The last turn asked for a year of birth."""
    allergies: int = 0
    """For so many turns more the talk is of allergies."""
    ailing: int = 0
    """For so many turns more what is told may be of an ailment named before."""
    said: dict[str, EntityType] = field(default_factory=dict)
    """The digits of numbers masked: a part of one may be read back."""
    streets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The names of streets that the caller gave, by their first word: they may be said again."""
    lacks_number: bool = False
    """The last address named a street and no house."""
    staff: bool = False
    """The last turn asked for somebody of the staff."""
    medicines: bool = False
    """The last turn asked what somebody takes."""
    births: list[frozenset[int]] = field(default_factory=list)
    """Days, months and years of the dates of birth masked: they may be said again."""
    dictation: Dictation = field(default_factory=Dictation)
    begun: bool = False
    """A turn has ended."""
    dated: bool = False
    """The last turn asked when something else was than a birth."""
