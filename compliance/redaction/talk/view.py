"""What every rule looks at, and how it answers.

A rule looks at the open tokens from one position and answers with a `Match` or None. To look at a token that
has not come yet raises `IndexError` (see `Tail`): then the decision waits for more words. An answer that was
given has therefore seen all it depends on and never changes; that alone makes streaming and one-shot
redaction agree. Every rule looks ahead over a bounded number of tokens.
"""

import re
from typing import Final, NamedTuple

from compliance.redaction.talk.dialogue import Expectation
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexis import Lexis
from compliance.redaction.text.tokens import Tail

SURE: Final = 0.99
LIKELY: Final = 0.9
GUESSED: Final = 0.7


class Match(NamedTuple):
    """Tokens up to index `end` are one entity, or (`type` None) are to be passed as they are.

    `begin`: the entity starts later than where it was looked for; the words before are passed. `runs_on`: a
    number too short to be whole, at the very end of the turn. `whole`: nothing of the value seems to be
    missing.
    """

    end: int
    type: EntityType | None
    confidence: float = LIKELY
    begin: int = -1
    runs_on: bool = False
    whole: bool = True


class View:
    """What a rule may look at: the open tokens, what is expected, the org's words, the names heard."""

    __slots__ = (
        "expects",
        "lexis",
        "names",
        "no_email_before",
        "no_street_before",
        "person_end",
        "tail",
        "told_end",
    )

    def __init__(self, tail: Tail, expects: Expectation, lexis: Lexis, names: set[str]) -> None:
        self.tail = tail
        self.expects = expects
        self.lexis = lexis
        self.names = names
        self.no_email_before = 0
        """Place in the turn before which no spoken e-mail address begins."""
        self.no_street_before = 0
        """The same for an address without a number."""
        self.person_end = -1
        """Place in the turn where the last person's name ended."""
        self.told_end = -1
        """The same of a name, an address or a postcode: what a date of birth is told beside."""

    def unit_match(self, pattern: re.Pattern[str], at: int) -> int | None:
        """The token index behind what `pattern` matches at token `at`, within its unit."""
        tail = self.tail
        start = tail.starts[at]
        found = pattern.match(tail.between(start, tail.unit_end(at)))
        return None if found is None else tail.index_from(at, start + found.end())
