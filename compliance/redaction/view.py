"""What every rule looks at, and how it answers.

A rule looks at the open tokens from one position and answers with a `Match`, with `WAIT` (this may be the
beginning of an entity and the words so far cannot tell) or with None. An answer other than `WAIT` never
changes when more words come; that alone makes streaming and one-shot redaction agree. Every rule waits for a
bounded number of tokens.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from compliance.redaction.entities import EntityType
from compliance.redaction.expectation import Expectation
from compliance.redaction.lexicon import Phrases
from compliance.redaction.near import NearTerms
from compliance.redaction.tokens import Token


@dataclass(frozen=True, slots=True)
class Match:
    """Tokens up to index `end` are one entity, or (`type` None) are to be passed as they are.

    `runs_on`: a number too short to be whole, at the very end of the turn.
    """

    end: int
    type: EntityType | None
    runs_on: bool = False


WAIT: Final = Match(-1, None)


@dataclass(slots=True)
class View:
    """What a rule may look at: the open tokens, their raw text, and what is known of the call.

    `raw` begins at position `offset` of the whole. `heard_names` are the words of names masked earlier in the
    call.
    """

    tokens: list[Token]
    raw: str
    offset: int
    ended: bool
    expectation: Expectation
    medical: Phrases
    kept: Phrases
    near: NearTerms
    heard_names: set[str] = field(default_factory=set)

    def unit_match(self, pattern: re.Pattern[str], at: int) -> int | None:
        """The token index behind what `pattern` matches at token `at`, within its unit."""
        token = self.tokens[at]
        found = pattern.match(self.raw, token.start - self.offset, token.unit_end - self.offset)
        if found is None:
            return None
        end = found.end() + self.offset
        while at < len(self.tokens) and self.tokens[at].start < end:
            at += 1
        return at

    def limit(self, at: int, most: int) -> tuple[int, bool]:
        """Where looking ahead by at most `most` tokens ends, and whether all there is to see is there."""
        end = at + most
        return min(end, len(self.tokens)), self.ended or end <= len(self.tokens)
