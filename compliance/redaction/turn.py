"""One turn as it streams: the open tail, the rules, and what may be published already."""

from collections.abc import Callable
from typing import Final

from compliance.redaction import kinds
from compliance.redaction.addresses import address, free_address
from compliance.redaction.answers import is_lead, whole_answer
from compliance.redaction.cards import expiry
from compliance.redaction.codes import alphanumeric
from compliance.redaction.dates import date_of_birth
from compliance.redaction.dialogue import STRONG, CallMemory, Expectation, Said, Side, Slot
from compliance.redaction.emails import LOCAL_STARTS, spoken_email
from compliance.redaction.entities import EntityType, Span, placeholder
from compliance.redaction.lexicon import word_list
from compliance.redaction.lexis import Lexis
from compliance.redaction.medical import medical, phrase
from compliance.redaction.name_words import lasting_names
from compliance.redaction.names import name
from compliance.redaction.numbers import number
from compliance.redaction.patterns import written_email, written_safe
from compliance.redaction.tokens import FIRST_TOKEN, UNIT_CHARS, Tail
from compliance.redaction.view import GUESSED, Match, View
from compliance.redaction.vocabulary import IDIOMS

Rule = Callable[[View, int], Match | None]

_FIGURES: Final = kinds.DIGITS | kinds.NUMERAL
_CODED: Final = kinds.SPELLED | kinds.PAIR | kinds.REPEAT
_MEDICAL: Final = kinds.TERM | kinds.BODY | kinds.MODIFIER | kinds.UNKNOWN | kinds.HARM
_LISTED: Final = kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN | kinds.LETTER
_NAMES: Final = _LISTED | kinds.TITLE | kinds.DOCTOR | kinds.RELATIVE
_STREETS: Final = kinds.TOWN | kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN | kinds.COMMON
_RULES: Final[tuple[tuple[int, Rule], ...]] = (
    (kinds.AT, written_email),
    (kinds.MONTH | kinds.ORDINAL | kinds.ARTICLE | _FIGURES, date_of_birth),
    (kinds.DWELLING | kinds.LETTER | _FIGURES | kinds.REPEAT, address),
    (kinds.DIGITS | kinds.MARK, written_safe),
    (_CODED, alphanumeric),
    (kinds.NUMBER | kinds.MARK, number),
    (_STREETS, free_address),
    (_MEDICAL, medical),
    (_NAMES, name),
)
"""Which kinds of tokens each rule looks at, in the order of precedence."""
_AWAITING_RULES: Final[tuple[tuple[int, Rule], ...]] = (
    (kinds.AT, written_email),
    (_FIGURES | kinds.MONTH, expiry),
    (kinds.MONTH | kinds.ORDINAL | kinds.ARTICLE | kinds.IDIOM | _FIGURES, date_of_birth),
    (kinds.WORD | kinds.DIGITS, address),
    (kinds.DIGITS | kinds.MARK, written_safe),
    (_CODED | _FIGURES | kinds.HOMOPHONE | kinds.UNKNOWN, alphanumeric),
    (kinds.NUMBER | kinds.MARK, number),
    (_STREETS, free_address),
    (_MEDICAL, medical),
    (_NAMES | kinds.PHONETIC, name),
)
"""The same where something was named or asked for."""
_CONTINUERS: Final = word_list("continuers")
"""A turn of these alone asks to go on."""
_IN_EMAIL: Final = kinds.WORD | kinds.DIGITS
_IN_EMAIL_TOO: Final = kinds.LETTER | kinds.SIGN
_LABELS: Final[dict[str, Side]] = {
    **dict.fromkeys(("agent", "assistant", "receptionist", "clinic", "bot", "operator", "ai"), "agent"),
    **dict.fromkeys(("caller", "patient", "customer", "client", "user"), "caller"),
}


class TurnStream:
    """Takes one turn in pieces of any size. `offset` is where the turn begins in the whole."""

    def __init__(self, side: Side, memory: CallMemory, lexis: Lexis, offset: int = 0) -> None:
        self._side: Side = side
        self._memory = memory
        self._lexis = lexis
        self._offset = offset
        self._tail = Tail()
        self._at = FIRST_TOKEN
        self._published = 0
        self._begun = False
        self._view = View(self._tail, Expectation(side, memory), lexis, memory.names)
        self._words = 0
        self._question = False
        self._continues = True
        self._unfinished: Slot | None = None
        self._overflow: EntityType | None = None
        self.spans: list[Span] = []

    @property
    def end_offset(self) -> int:
        """Where the turn, as fed so far, ends in the whole."""
        return self._offset + self._tail.length

    def feed(self, text: str) -> str:
        """Take a piece; gives what may be published now."""
        self._tail.append(text)
        return self._advance()

    def end(self) -> str:
        """The turn is over; gives what is left of it."""
        self._tail.finish()
        public = self._advance()
        if self._begun:
            self._view.expects.end_turn(
                Said(self._words, self._question, self._continues and not self.spans, self._unfinished)
            )
        return public

    def _advance(self) -> str:
        """Decide on token after token until one needs words that have not come yet."""
        public: list[str] = []
        while True:
            if self._tail.read(self._at):
                self._decide(public)
            elif self._tail.is_full(self._at):
                self._force(public)
            else:
                break
        stop = self._tail.decided(self._at)
        public.append(self._tail.between(self._published, stop))
        self._published = stop
        self._at = self._tail.trim(self._at)
        return "".join(public)

    def _decide(self, public: list[str]) -> None:
        """Decide on all tokens that do not depend on others to come."""
        try:
            if not self._begun:
                self._begin()
            while not self._tail.marks[self._at] & kinds.END:
                self._step(public)
        except IndexError:
            if self._tail.ended:
                raise

    def _force(self, public: list[str]) -> None:
        """Decide on one token as if the turn ended with its window: what reaches that far is of no use.

        An entity up to there may go on: what is joined to it, or goes on like it, is masked with it.
        """
        view = self._view
        left = view.no_email_before, view.no_street_before
        edge = len(self._tail.words)
        found = len(self.spans)
        self._tail.close()
        if not self._begun:
            self._begin()
        else:
            self._step(public)
        self._tail.reopen()
        view.no_email_before, view.no_street_before = left
        self._unfinished = None
        if self._at >= edge and len(self.spans) > found:
            self._overflow = self.spans[-1].type
        self._at = min(self._at, edge)

    def _begin(self) -> None:
        """At the first word: whose turn this is, if it has a label ("Agent:")."""
        tail = self._tail
        if tail.marks[FIRST_TOKEN] & kinds.END:
            return
        side = _LABELS.get(tail.words[FIRST_TOKEN])
        labelled = side and tail.words[FIRST_TOKEN + 1] == ":" and tail.glued[FIRST_TOKEN + 1]
        self._view.expects = Expectation(side if side and labelled else self._side, self._memory)
        self._at = FIRST_TOKEN + (2 if labelled else 0)
        self._begun = True

    def _step(self, public: list[str]) -> None:
        at = self._at
        overflows = self._overflow is not None or self._tail.marks[at] & kinds.AT
        match = (self._overflowing(at) if overflows else None) or self._match(at)
        if match is None:
            self._pass(at)
            self._at = at + 1
            return
        begin = match.begin if match.begin >= 0 else at
        for passed in range(at, begin):
            self._pass(passed)
        if match.type is None:
            if self._tail.marks[at] & _FIGURES and (match.end > at + 1 or self._tail.words[at] != "one"):
                self._view.expects.counted()
            self._view.expects.name_open = 0
            self._view.expects.answer = None
        else:
            self._take(begin, match, match.type, public)
        self._at = match.end

    def _overflowing(self, at: int) -> Match | None:
        """What a masked entity longer than the window goes on with, or a word too long to be known as one."""
        tail = self._tail
        if tail.marks[at] & kinds.AT and tail.marks[at] & kinds.WORD and len(tail.words[at]) >= UNIT_CHARS:
            self._overflow = self._overflow or "MEDICAL"
            return Match(at + 1, self._overflow, GUESSED)
        if self._overflow is None:
            return None
        end = self._end_of_overflow(at)
        if end > at:
            return Match(end, self._overflow, GUESSED)
        self._overflow = None
        return None

    def _end_of_overflow(self, at: int) -> int:
        """Behind the last word or figure that is joined to what stands before; behind all figures."""
        tail = self._tail
        end = here = at
        while tail.glued[here] or tail.marks[here] & (kinds.DIGITS | kinds.NUMERAL | kinds.REPEAT):
            here += 1
            if tail.marks[here - 1] & (kinds.WORD | kinds.DIGITS):
                end = here
        return end

    def _match(self, at: int) -> Match | None:
        view = self._view
        tail = self._tail
        kind = tail.marks[at]
        expects = view.expects
        if self._lexis.kept and kind & kinds.WORD:
            kept = phrase(tail, at, self._lexis.kept)
            if kept is not None and (expects.name_open != STRONG or kept > at + 1):
                return Match(kept, None)
        return self._match_rules(view, at, kind)

    def _match_rules(self, view: View, at: int, kind: int) -> Match | None:
        expects = view.expects
        expects.place = view.tail.starts[at]
        if kind & kinds.IDIOM and not expects.awaits("DOB"):
            idiom = phrase(view.tail, at, IDIOMS)
            if idiom is not None:
                return Match(idiom, None)
        if expects.answer is not None and not is_lead(view.tail, at, expects.answer):
            answer = None if expects.names_other(expects.answer) else whole_answer(view, at, expects.answer)
            expects.answer = None
            expects.place = view.tail.starts[at]
            if answer is not None:
                return answer
        return self._match_early(view, at, kind) or _match_table(view, at, kind)

    def _match_early(self, view: View, at: int, kind: int) -> Match | None:
        """What goes before the table: e-mail, terms that begin with a number, names where one may follow."""
        starts = not kind & kinds.STOP or kind & _IN_EMAIL_TOO or view.tail.words[at] in LOCAL_STARTS
        if kind & _IN_EMAIL and starts:
            email = spoken_email(view, at)
            if email is not None:
                return email
        if kind & kinds.TERM and kind & _FIGURES:
            return medical(view, at)
        if not kind & kinds.WORD:
            return None
        if view.lexis.near:
            found = medical(view, at)
            if found is not None:
                return found
        if not (view.expects.name_open or view.names):
            return None
        code = alphanumeric(view, at) if kind & _CODED else None
        return code or name(view, at)

    def _pass(self, at: int) -> None:
        """The token is published as it is."""
        tail = self._tail
        kind = tail.marks[at]
        expects = self._view.expects
        if kind & kinds.WORD:
            self._words += 1
            self._continues = self._continues and tail.words[at] in _CONTINUERS
            if expects.name_open and not kind & (kinds.LEAD | kinds.DOCTOR):
                expects.name_open = 0
            if kind & kinds.CUE:
                expects.note(tail, at)
        elif tail.words[at] == "?":
            self._question = True
            expects.note_question(tail, at)

    def _take(self, at: int, match: Match, entity: EntityType, public: list[str]) -> None:
        """The tokens from `at` to the end of the match are an entity."""
        tail = self._tail
        start, end = tail.starts[at], tail.ends[match.end - 1]
        if entity == "PERSON":
            self._memory.names.update(lasting_names(tail.words[at : match.end]))
            self._view.person_end = end
        self._unfinished = entity if match.runs_on else None
        self._view.expects.took(entity, tail.ends[match.end - 1])
        self._view.expects.name_open = 0
        self._view.expects.answer = None
        value = tail.between(start, end)
        numbers = self._memory.numbers
        number = None if numbers is None else numbers.number_of(entity, value)
        place = (self._offset + start, self._offset + end)
        self.spans.append(Span(entity, *place, value, match.confidence, number))
        public += (tail.between(self._published, start), placeholder(entity, number))
        self._published = end


def _match_table(view: View, at: int, kind: int) -> Match | None:
    rules = _RULES_OF if not view.expects.waiting() else _AWAITING_RULES_OF
    applied = rules.get(kind)
    if applied is None:
        table = _RULES if rules is _RULES_OF else _AWAITING_RULES
        applied = rules[kind] = tuple(rule for looked_at, rule in table if _applies(rule, looked_at, kind))
    for rule in applied:
        match = rule(view, at)
        if match is not None:
            return match
    return None


def _applies(rule: Rule, looked_at: int, kind: int) -> bool:
    """No street begins with a word that builds sentences but for "the"."""
    builds = rule is free_address and kind & kinds.STOP and not kind & kinds.ARTICLE
    return bool(kind & looked_at) and not builds


_RULES_OF: Final[dict[int, tuple[Rule, ...]]] = {}
"""The rules that look at a token, by its kinds, filled as they come: some hundreds."""
_AWAITING_RULES_OF: Final[dict[int, tuple[Rule, ...]]] = {}
