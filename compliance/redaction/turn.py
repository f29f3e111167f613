"""One turn as it streams: the open tail, the rules, and what may be published already."""

from dataclasses import dataclass
from typing import Final

from compliance.redaction.codes import alphanumeric
from compliance.redaction.emails import spoken_email
from compliance.redaction.entities import EntityType, Span, placeholder
from compliance.redaction.expectation import CallMemory, Expectation, Side, Slot
from compliance.redaction.lexicon import Phrases
from compliance.redaction.medical import medical, phrase
from compliance.redaction.near import NearTerms
from compliance.redaction.numbers import number
from compliance.redaction.patterns import written_email, written_safe
from compliance.redaction.personal import address, closes_name, date_of_birth, lasting_names, name
from compliance.redaction.tokens import Token, complete_length, tokenize
from compliance.redaction.view import WAIT, Match, View

_RULES: Final = (
    written_email,
    spoken_email,
    date_of_birth,
    written_safe,
    address,
    alphanumeric,
    number,
    medical,
    name,
)
_LABELS: Final[dict[str, Side]] = {
    "agent": "agent",
    "assistant": "agent",
    "caller": "caller",
    "patient": "caller",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What is medical for this org, the names that are never masked, and the org's own services."""

    medical: Phrases
    kept: Phrases
    near: NearTerms


class TurnStream:
    """Takes one turn in pieces of any size. `offset` is where the turn begins in the whole."""

    def __init__(self, side: Side, memory: CallMemory, terms: Terms, offset: int = 0) -> None:
        self._side = side
        self._memory = memory
        self._terms = terms
        self._expectation = Expectation(side, memory)
        self._begun = False
        self._pending = ""
        self._raw = ""
        self._offset = offset
        self._tokens: list[Token] = []
        self._glue = ""
        self._unfinished: Slot | None = None
        self._question = False
        self.spans: list[Span] = []

    def feed(self, text: str) -> str:
        """Take a piece; gives what may be published now."""
        self._pending += text
        return self._advance(ended=False)

    def end(self) -> str:
        """The turn is over; gives what is left of it."""
        public = self._advance(ended=True)
        if self._begun:
            self._expectation.end_turn(question=self._question, unfinished=self._unfinished)
        return public

    @property
    def end_offset(self) -> int:
        """Where the turn, as fed so far, ends in the whole."""
        return self._offset + len(self._raw) + len(self._pending)

    def _advance(self, *, ended: bool) -> str:
        self._tokenize(ended=ended)
        at = self._begin()
        view = self._view(ended=ended)
        cursor = self._offset
        public: list[str] = []
        while at < len(self._tokens):
            match = _match(view, at)
            if match is WAIT:
                break
            if match is None:
                self._pass(self._tokens[at])
                at += 1
                continue
            if match.type is not None:
                span = self._take(at, match, match.type)
                public += (self._text(cursor, span.start), placeholder(span.type))
                cursor = span.end
            at = match.end
        stop = self._tokens[at].start if at < len(self._tokens) else self._offset + len(self._raw)
        public.append(self._text(cursor, stop))
        self._drop(at, stop)
        return "".join(public)

    def _tokenize(self, *, ended: bool) -> None:
        ready = complete_length(self._pending, ended=ended)
        text = self._pending[:ready]
        self._tokens.extend(tokenize(text, self._offset + len(self._raw), before=self._glue))
        self._glue = text[-1:].strip() or ("" if text else self._glue)
        self._raw += text
        self._pending = self._pending[ready:]

    def _begin(self) -> int:
        """At the first word: whose turn this is. Gives how many tokens are its label ("Agent:")."""
        if self._begun or not self._tokens:
            return 0
        self._begun = True
        label = self._tokens[0]
        side = _LABELS.get(label.lower) if self._text(label.end, label.end + 1) == ":" else None
        self._expectation = Expectation(side or self._side, self._memory)
        return 2 if side else 0

    def _view(self, *, ended: bool) -> View:
        return View(
            tokens=self._tokens,
            raw=self._raw,
            offset=self._offset,
            ended=ended,
            expectation=self._expectation,
            medical=self._terms.medical,
            kept=self._terms.kept,
            near=self._terms.near,
            heard_names=self._memory.names,
        )

    def _pass(self, token: Token) -> None:
        self._question = token.text == "?"
        if token.is_word:
            if closes_name(token):
                self._expectation.name_may_follow = False
            self._expectation.note(token.lower)

    def _take(self, at: int, match: Match, entity: EntityType) -> Span:
        words = self._tokens[at : match.end]
        start, end = words[0].start, words[-1].end
        if entity == "PERSON":
            self._memory.names.update(lasting_names(words))
        self._unfinished = entity if match.runs_on else None
        self._question = False
        span = Span(entity, start, end, self._text(start, end))
        self.spans.append(span)
        return span

    def _text(self, start: int, end: int) -> str:
        return self._raw[start - self._offset : end - self._offset]

    def _drop(self, at: int, stop: int) -> None:
        del self._tokens[:at]
        self._raw = self._raw[stop - self._offset :]
        self._offset = stop


def _match(view: View, at: int) -> Match | None:
    kept = phrase(view, at, view.kept)
    if kept is not None:
        return kept
    for rule in _RULES:
        match = rule(view, at)
        if match is not None:
            return match
    return None
