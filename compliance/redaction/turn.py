"""One turn as it streams: the open tail, the rules, and what may be published already."""

from typing import Final

from compliance.redaction.addresses.said_back import street_in
from compliance.redaction.answers.answers import is_lead, whole_answer
from compliance.redaction.answers.pieces import is_piece_lead, said_piece
from compliance.redaction.emails.email_pieces import has_host
from compliance.redaction.medical.contracted import is_verb
from compliance.redaction.names.name_words import lasting_names
from compliance.redaction.numbers.told_births import figures_of_date
from compliance.redaction.plans import AILING, AWAITING, KEPT, NAMING, NEAR, PLACED, TAKING, Plan, plan_of
from compliance.redaction.talk.call_memory import CallMemory, Said, Side
from compliance.redaction.talk.cues import Slot
from compliance.redaction.talk.dialogue import Expectation
from compliance.redaction.talk.passed import idiom, kept
from compliance.redaction.talk.view import GUESSED, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType, Span, placeholder
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.lexis import Lexis
from compliance.redaction.text.spoken import digits_in
from compliance.redaction.text.tokens import FIRST_TOKEN, UNIT_CHARS, Tail
from compliance.redaction.text.vocabulary import mark_words

_FIGURES: Final = kinds.DIGITS | kinds.NUMERAL
mark_words(word_list("continuers"), kinds.CONTINUES)
mark_words(["i", "i'm", "i've", "i'd", "my", "we", "we're", "our", "it's", "it"], kinds.SPEAKER)
_NOTED: Final = kinds.SPEAKER | kinds.CUE | kinds.BODY
_LABELS: Final[dict[str, Side]] = {
    **dict.fromkeys(("agent", "assistant", "receptionist", "clinic", "bot", "operator", "ai"), "agent"),
    **dict.fromkeys(("caller", "patient", "customer", "client", "user"), "caller"),
}
_PARTS: Final = word_list("body_distinct")
_WHOSE: Final = frozenset({"the", "your", "my", "that", "his", "her", "which", "left", "right", "this"})
_BESIDE_BIRTHS: Final = frozenset({"PERSON", "ADDRESS", "POSTCODE"})
_OF_FIGURES: Final = frozenset({"PHONE", "CARD", "GOV_ID"})
_POSSESSIVE: Final = ("'s", "\u2019s")
"""Behind a name or an ailment it is no part of it, and stays: "[REDACTED: PERSON]'s knee"."""
_NO_MODE: Final = -1
_FEW_WORDS: Final = 2
"""So many behind a value do not tell that it was all of it: "oh seven, hang on"."""
_ALLERGIES: Final = frozenset(
    [
        "hives",
        "allergic",
        "allergy",
        "allergies",
        "intolerant",
        "intolerance",
        "intolerances",
        "reaction",
        "reactions",
    ]
)


def _told_mode(expects: Expectation) -> int:
    """What the talk before tells."""
    mode = TAKING if expects.allergies or expects.medicines else 0
    return mode | (AILING if expects.ailing else 0) | (PLACED if expects.placed else 0)


class TurnStream:
    """Takes one turn in pieces of any size. `offset` is where the turn begins in the whole."""

    __slots__ = (
        "_at",
        "_begins",
        "_begun",
        "_continues",
        "_is_special",
        "_lexis",
        "_memory",
        "_mode",
        "_offset",
        "_overflow",
        "_plan",
        "_published",
        "_question",
        "_side",
        "_tail",
        "_tells",
        "_told_words",
        "_unfinished",
        "_view",
        "_words",
        "spans",
    )

    def __init__(self, side: Side, memory: CallMemory, lexis: Lexis, offset: int = 0) -> None:
        self._side: Side = side
        self._memory = memory
        self._lexis = lexis
        self._offset = offset
        self._tail = Tail()
        self._at = FIRST_TOKEN
        self._published = 0
        self._begins = False
        self._begun = False
        self._is_special = False
        self._told_words = -_FEW_WORDS - 1
        self._view: View
        self._plan: Plan
        self._mode = _NO_MODE
        self._words = 0
        self._question = False
        self._tells = False
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

    def end(self, text: str = "") -> str:
        """The turn is over, `text` its last piece; gives what is left of it."""
        self._tail.append(text)
        self._tail.finish()
        public = self._advance()
        if self._begun:
            self._view.expects.end_turn(
                Said(
                    self._words,
                    self._question,
                    self._continues and not self.spans,
                    self._unfinished,
                    self._tells,
                    self._words - self._told_words <= _FEW_WORDS,
                )
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
        self._mode = _NO_MODE
        try:
            if not self._begun:
                self._begin()
            if self._begun:
                self._step(public, self._tail.stop)
        except IndexError:
            if self._tail.ended:
                raise

    def _force(self, public: list[str]) -> None:
        """Decide on one token as if the turn ended with its window: what reaches that far is of no use.

        An entity up to there may go on: what is joined to it, or goes on like it, is masked with it.
        """
        edge = len(self._tail.words)
        found = len(self.spans)
        self._tail.close()
        if not self._begun:
            self._begin()
        else:
            view = self._view
            left = view.no_email_before, view.no_street_before
            self._step(public, self._at + 1)
            view.no_email_before, view.no_street_before = left
        self._tail.reopen()
        self._unfinished = None
        if self._at >= edge and len(self.spans) > found:
            self._overflow = self.spans[-1].type
            self._is_special = True
        self._at = min(self._at, edge)

    def _begin(self) -> None:
        """At the first word: whose turn this is, if it has a label ("Agent:")."""
        tail = self._tail
        if tail.marks[FIRST_TOKEN] & kinds.END:
            return
        side = _LABELS.get(tail.words[FIRST_TOKEN])
        labelled = side and tail.words[FIRST_TOKEN + 1] == ":" and tail.glued[FIRST_TOKEN + 1]
        expects = Expectation(side if side and labelled else self._side, self._memory)
        self._begins = bool(expects.dictation.told)
        self._view = View(tail, expects, self._lexis, self._memory.names)
        self._at = FIRST_TOKEN + (2 if labelled else 0)
        self._is_special = self._begins or expects.answer is not None
        self._begun = True

    def _step(self, public: list[str], stop: int) -> None:
        """Decide on the tokens before index `stop`, in order."""
        view, tail = self._view, self._tail
        expects, names, marks, starts = view.expects, view.names, tail.marks, tail.starts
        at = self._at
        while at < stop:
            kind = marks[at]
            expects.place = place = starts[at]
            match = self._special(at) if self._is_special or kind & kinds.AT else None
            if match is None:
                mode = AWAITING if place <= expects.waits_until else 0
                if expects.name_open or names:
                    mode |= NAMING
                if expects.told:
                    mode |= _told_mode(expects)
                if mode != self._mode:
                    self._mode = mode
                    self._plan = plan_of(mode | self._org_mode(), tail.held)
                for rule in self._plan[kind]:
                    match = rule(view, at)
                    if match is not None:
                        break
                else:
                    self._pass(at, kind)
                    self._at = at = at + 1
                    continue
            self._accept(at, match, public)
            at = self._at

    def _accept(self, at: int, match: Match, public: list[str]) -> None:
        """What the rules found at `at`, or a little behind."""
        begin = match.begin if match.begin >= 0 else at
        for passed in range(at, begin):
            self._pass(passed, self._tail.marks[passed])
        if match.type is None:
            if self._tail.marks[at] & _FIGURES:
                self._pass_figures(at, match.end)
            self._view.expects.name_open = 0
            self._view.expects.answer = None
        else:
            self._take(begin, match, match.type, public)
        self._at = match.end

    def _pass_figures(self, at: int, end: int) -> None:
        """Figures of no entity: they count something, or end a phrase: "and the last four"."""
        if end > at + 1 or self._tail.words[at] != "one":
            self._view.expects.counted()
        if self._tail.marks[end - 1] & kinds.CUE:
            self._view.expects.note(self._tail, end - 1)

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

    def _special(self, at: int) -> Match | None:
        """What goes before the rules: more of an overlong entity, a piece of a value, an answer."""
        match = None
        if self._overflow is not None or self._tail.marks[at] & kinds.AT:
            match = self._overflowing(at)
        if match is None and (self._begins or self._view.expects.answer is not None):
            match = self._opening(at)
        self._is_special = self._overflow is not None or self._begins or self._view.expects.answer is not None
        return match

    def _opening(self, at: int) -> Match | None:
        """A piece of the last value, or the answer to the last question, if the turn begins with it."""
        if self._begins:
            found = said_piece(self._view, at)
            self._begins = found is None and is_piece_lead(self._tail, at)
            if found is not None:
                return found
        slot = self._view.expects.answer
        return None if slot is None else self._answer(at, slot)

    def _org_mode(self) -> int:
        return (KEPT if self._lexis.kept else 0) | (NEAR if self._lexis.hears_near else 0)

    def _answer(self, at: int, slot: Slot) -> Match | None:
        """The whole answer to the question for one value, if it begins here."""
        view = self._view
        expects = view.expects
        kind = view.tail.marks[at]
        passed = kept(view, at) if self._lexis.kept and kind & kinds.WORD else None
        passed = passed or (idiom(view, at) if kind & kinds.IDIOM else None)
        if passed is not None or is_lead(view.tail, at, slot):
            return passed
        found = None if expects.names_other(slot) else whole_answer(view, at, slot)
        expects.answer = None
        expects.place = view.tail.starts[at]
        return found

    def _pass(self, at: int, kind: int) -> None:
        """The token, of this kind, is published as it is."""
        if kind & kinds.WORD:
            self._words += 1
            if self._continues and not kind & kinds.CONTINUES:
                self._continues = False
            expects = self._view.expects
            if expects.name_open and not kind & (kinds.LEAD | kinds.DOCTOR):
                expects.name_open = 0
            if kind & _NOTED:
                self._note(at, kind)
        elif self._tail.words[at] == "?":
            self._question = True
            self._view.expects.note_question(self._tail, at)

    def _note(self, at: int, kind: int) -> None:
        """The word, of this kind, tells something."""
        expects = self._view.expects
        if kind & kinds.SPEAKER:
            self._tells = True
        if kind & kinds.CUE:
            expects.note(self._tail, at)
        if kind & kinds.BODY and self._tail.words[at] in _PARTS and self._is_somebodys(at):
            expects.named_ailment()

    def _is_somebodys(self, at: int) -> bool:
        """ "my toe", "the big toe"."""
        words = self._tail.words
        return words[at - 1] in _WHOSE or words[at - 2] in _WHOSE

    def _take(self, at: int, match: Match, entity: EntityType, public: list[str]) -> None:
        """The tokens from `at` to the end of the match are an entity."""
        tail = self._tail
        start, end = tail.starts[at], tail.end(match.end - 1)
        if entity == "PERSON":
            self._memory.names.update(lasting_names(tail.words[at : match.end]))
            self._view.person_end = end
        if entity in _BESIDE_BIRTHS:
            self._view.told_end = end
        if entity == "DOB":
            self._view.expects.born(figures_of_date(tail, at, match.end))
        if entity == "ADDRESS":
            numbered = any(kind & kinds.NUMBER for kind in tail.marks[at : match.end])
            self._view.expects.gave_street(street_in(tail, at, match.end), numbered=numbered)
        if entity == "MEDICAL":
            self._view.expects.named_ailment(of=tail.words[at - 3 : at])
            if not _ALLERGIES.isdisjoint(tail.words[at : match.end]):
                self._view.expects.named_allergy()
        self._unfinished = entity if match.runs_on else None
        self._view.expects.took(entity, tail.end(match.end - 1))
        self._view.expects.name_open = 0
        self._view.expects.answer = None
        value = tail.between(start, end)
        if value.endswith(_POSSESSIVE) and (
            entity == "PERSON" or (entity == "MEDICAL" and is_verb(tail.words[match.end - 1]))
        ):
            value = value[: -len(_POSSESSIVE[0])]
            end = start + len(value)
        digits = digits_in(value) if entity in _OF_FIGURES else ""
        if digits:
            self._view.expects.said(digits, entity)
        if entity != "MEDICAL":
            self._told(at, match, entity, digits)
        numbers = self._memory.numbers
        number = None if numbers is None else numbers.number_of(entity, value)
        place = (self._offset + start, self._offset + end)
        self.spans.append(Span(entity, *place, value, match.confidence, number))
        public += (tail.between(self._published, start), placeholder(entity, number))
        self._published = end

    def _told(self, at: int, match: Match, entity: EntityType, digits: str) -> None:
        """A value was told, or a piece of one: it may go on, or be said again."""
        tail = self._tail
        self._begins = False
        self._told_words = self._words
        said = (here for here in range(at, match.end) if tail.marks[here] & (kinds.WORD | kinds.DIGITS))
        words = tuple(tail.words[here] for here in said)
        whole = not match.runs_on and entity not in _OF_FIGURES
        if entity == "EMAIL":
            whole = has_host(tail, at, match.end)
        self._view.expects.dictation.took(entity, words, digits, whole=whole)
