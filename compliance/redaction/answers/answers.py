"""The whole answer to a question for one value, as noisy as a recogniser makes it.

Where the agent asked for a postcode, "do you ate for you else" is one, misheard. So an answer in which no
rule finds the value whole is masked to its end, unless it is plainly none: a question back, a refusal, a
request to wait.
"""

from typing import Final

from compliance.redaction.addresses.addresses import address
from compliance.redaction.addresses.codes import alphanumeric
from compliance.redaction.addresses.codes_again import told_again
from compliance.redaction.addresses.zips import is_zip
from compliance.redaction.answers.ages import tells_age
from compliance.redaction.answers.evidence import (
    NO_ANSWER_WORDS,
    has_evidence,
    is_loop,
    is_no_answer,
    is_number,
    is_term,
)
from compliance.redaction.answers.misheard_addresses import goes_on_as_address
from compliance.redaction.answers.misheard_codes import first_of_code, goes_on_as_code, is_misheard_code
from compliance.redaction.answers.misheard_dates import PIECES, first_figure, is_rest_of_date
from compliance.redaction.answers.misheard_emails import (
    behind_leads,
    first_of_address,
    goes_on_as_email,
    holds_address,
)
from compliance.redaction.answers.misheard_figures import are_figures_heard, is_figures_as_heard
from compliance.redaction.answers.misheard_names import (
    OF_NAMES,
    before_clause,
    behind_relative,
    behind_told,
    ends_in_name,
    first_of_name,
    goes_on_misheard,
    is_brief_name,
    is_spelled_as_heard,
    never_leads,
    only_leads,
    says_it_again,
    tells_on_of_person,
)
from compliance.redaction.answers.plain_words import (
    are_plain,
    holds_odd_word,
    is_name_alone,
    is_odd_talk,
    is_plain,
)
from compliance.redaction.answers.replies import says_no_value
from compliance.redaction.answers.written_answers import written_answer
from compliance.redaction.emails.email_asides import aside
from compliance.redaction.emails.emails import spoken_email
from compliance.redaction.names.name_spelling import is_told_by_letters
from compliance.redaction.names.names import name
from compliance.redaction.names.relations import OF_KIN, OWNERS
from compliance.redaction.numbers.dates import date_of_birth
from compliance.redaction.numbers.numbers import number
from compliance.redaction.numbers.patterns import written_email
from compliance.redaction.talk.cues import Slot
from compliance.redaction.talk.view import GUESSED, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_ANSWER_TOKENS: Final = 26
_LEADS: Final = word_list("answer_leads")
_MOST_MISHEARD: Final = 3
_POINTING: Final = frozenset({"that", "this"})
_SURE_LEADS: Final = frozenset({"under", "well", "ooh", "so", "it's", "i'm", "mine's"})
_NEW_CLAUSE: Final = frozenset({"but", "i", "i've", "i'm", "and", "that's", "which", "who", "they", "it"})
_BEHIND_NAMES: Final = frozenset({"she's", "he's", "yeah", "yes", "who's", "who", "she", "he", "sorry"})
"""What goes on talking of a person."""
_OF_VALUES: Final[dict[Slot, int]] = {"POSTCODE": kinds.LETTER, "DOB": kinds.ORDINAL, "PERSON": kinds.LETTER}
"""What leads in no value of these types, though it may one of others: "e mail", "first name"."""
_OF_OH: Final[dict[Slot, int]] = {
    "PERSON": kinds.UNKNOWN | kinds.FIRST | kinds.LAST,
    "EMAIL": kinds.LETTER,
    "PHONE": kinds.NUMBER | kinds.HOMOPHONE,
    "DOB": kinds.NUMBER | kinds.HOMOPHONE,
    "POSTCODE": kinds.NUMBER | kinds.LETTER,
    "CARD": kinds.NUMBER | kinds.HOMOPHONE,
    "EXPIRY": kinds.NUMBER | kinds.HOMOPHONE,
    "GOV_ID": kinds.NUMBER | kinds.HOMOPHONE,
}
"""Before these "oh" is a part of the value: "oh shaughnessy", "oh d at …", "oh seven"."""
_TALK: Final = word_list("answer_talk")
"""Of talk before a value; other words right before one are a part of it, misheard."""
_ANSWERED: Final[dict[Slot, EntityType]] = {
    "EMAIL": "EMAIL", "PHONE": "PHONE", "POSTCODE": "POSTCODE", "ADDRESS": "ADDRESS", "DOB": "DOB",
    "PERSON": "PERSON", "CARD": "CARD", "EXPIRY": "CARD", "GOV_ID": "GOV_ID",
}  # fmt: skip
_FIGURED: Final[frozenset[EntityType]] = frozenset({"PHONE", "POSTCODE", "DOB"})
"""Values made of figures or letters."""
_MISHEARD: Final = kinds.HOMOPHONE | kinds.PAUSE
_SPEAKS_ON: Final = word_list("talks_on")


def is_lead(tail: Tail, at: int, slot: Slot) -> bool:
    """Comes before an answer: "yes, the number is"."""
    if slot == "ADDRESS" and tail.words[at] == "number":
        return False
    kind = tail.marks[at]
    if kind & _OF_VALUES.get(slot, 0):
        return False
    if slot == "PERSON" and tail.words[at + 1] in (",", "with") and is_told_by_letters(tail, at):
        return False
    if slot == "PERSON" and tail.words[at] == "me":
        named = tail.words[at + 1] == "," and tail.words[at + 2] != "me"
        return named or bool(tail.marks[at + 1] & kinds.FIRST)
    if tail.words[at] in _POINTING and _is_part(tail, at + 1, slot):
        return False
    if tail.words[at] in ("oh", "ah") and _goes_on_from_oh(tail, at + 1, slot):
        return False
    return not kind & (kinds.WORD | kinds.DIGITS | kinds.MARK) or tail.words[at] in _LEADS


def _is_part(tail: Tail, at: int, slot: Slot) -> bool:
    """What stands right behind "that" only where it was misheard: "that L one", "that stanley"."""
    kind = tail.marks[at]
    if slot == "PERSON":
        return is_name_alone(tail, at)
    return slot == "POSTCODE" and bool(kind & (kinds.LETTER | kinds.PHONETIC)) and not kind & kinds.STOP


def _goes_on_from_oh(tail: Tail, at: int, slot: Slot) -> bool:
    """The "seven" of "oh seven"; behind one misheard word a figure: "oh heaven four"."""
    kind = tail.marks[at]
    if _OF_OH.get(slot, 0) & kind:
        return True
    after = tail.marks[at + 1] & kinds.NUMBER
    return slot == "PHONE" and bool(after) and bool(kind & kinds.WORD or tail.words[at] == ",")


def whole_answer(view: View, at: int, slot: Slot) -> Match | None:
    """The answer from `at` to the end of the turn if no rule finds all of it; None if one does."""
    entity = _ANSWERED.get(slot)
    if entity is None:
        return None
    tail = view.tail
    end = _end_of_turn(tail, at)
    if end is None or end <= at:
        return None
    if entity in ("CARD", "GOV_ID"):
        return Match(end, entity, GUESSED) if is_figures_as_heard(tail, at, end) else None
    if entity == "PERSON" and (is_number(tail, at, end) or is_term(tail, at, end)):
        return None
    if entity in ("PERSON", "ADDRESS", "PHONE") and tail.held & kinds.JOIN:
        spelled = spoken_email(view, at)
        if spelled is not None and spelled.type == "EMAIL":
            return spelled
    if is_loop(tail, at, end) or (entity == "PERSON" and is_spelled_as_heard(tail, at, end)):
        return Match(end, entity, GUESSED)
    return written_answer(tail, at, end, entity) or _misheard(view, at, end, slot, entity)


_OTHER_NUMBERS: Final = frozenset({"CARD"})
"""They have shapes of their own, whatever was asked for."""


def _misheard(view: View, at: int, end: int, slot: Slot, entity: EntityType) -> Match | None:
    """The answer from `at` to `end` if no rule finds all of it."""
    tail = view.tail
    if is_no_answer(tail, at) and not _is_one_all_the_same(tail, at, end, entity):
        _note_no_name(view, at, end, entity)
        return None
    if _is_other(tail, at, end, entity):
        return None
    begin, found = _found(view, at, end, entity)
    doubted = found is None or not found.whole or _is_everyday_name(tail, begin, found)
    if doubted and says_no_value(tail, at, end, slot):
        _note_no_name(view, at, end, entity)
        return None
    if found is not None and _is_not_asked_for(tail, at, begin, found, entity):
        return None
    if found is None and not has_evidence(tail, at, end, entity):
        return None
    if found is not None and entity == "PERSON" and _is_all_of_name(tail, begin, found, end):
        return Match(end, entity, GUESSED, begin=max(begin, found.begin))
    if found is not None and entity == "POSTCODE" and told_again(view, begin, found.end, end):
        return Match(found.end, entity, GUESSED, begin=max(begin, found.begin))
    if found is None or not found.whole or not _is_talk(view, found.end, end, entity):
        return _as_heard(tail, at, end, begin, found, slot, entity)
    if entity == "EMAIL":
        return _with_first_half(tail, at, begin, found)
    return _with_misheard(tail, at, begin, found, entity)


def _as_heard(
    tail: Tail, at: int, end: int, begin: int, found: Match | None, slot: Slot, entity: EntityType
) -> Match:
    """All of an answer but the talk around it: no rule tells where in it the value is."""
    told = begin if found is None else max(begin, found.begin)
    last = end - 1 if found is None else begin
    begin = _behind_talk(tail, at, last, entity)
    if entity == "PERSON":
        begin = max(begin, at if found is None else behind_told(tail, at, told))
        end = before_clause(tail, begin, end) if found is None else end
    if found is not None:
        end = _before_talk(tail, found.end, end, slot)
    return Match(end, entity, GUESSED, begin=begin, runs_on=_is_cut_short(found, entity))


def _note_no_name(view: View, at: int, end: int, entity: EntityType) -> None:
    """No word of a reply without a value is a name, where all are those of talk: "is this a real person"."""
    words = [here for here in range(at, end) if view.tail.marks[here] & kinds.WORD]
    if entity == "PERSON" and len(words) > 1 and are_plain(view.tail, words):
        view.expects.name_open = 0


def _is_everyday_name(tail: Tail, begin: int, found: Match) -> bool:
    """ "long", "real person": names that are words of talk as well."""
    named = range(max(begin, found.begin), found.end)
    return found.type == "PERSON" and are_plain(tail, named)


def _is_not_asked_for(tail: Tail, at: int, begin: int, found: Match, entity: EntityType) -> bool:
    """A card's number instead of a telephone's, or a value that stands apart in what is said."""
    other = found.type in _OTHER_NUMBERS
    return other or (found.whole and _stands_apart(tail, at, begin, found.end, entity))


def _the(tail: Tail, at: int) -> int:
    return int(tail.words[at] == "the")


def _is_all_of_name(tail: Tail, begin: int, found: Match, end: int) -> bool:
    """The rest of the answer is of the name too: misheard, or the name again."""
    return goes_on_misheard(tail, found.end, end) or says_it_again(
        tail, max(begin, found.begin), found.end, end
    )


def _with_first_half(tail: Tail, at: int, begin: int, found: Match) -> Match | None:
    """The e-mail address and what of it was misheard, from `at` on; None if nothing was."""
    begin = max(begin, found.begin)
    if begin == at:
        return found._replace(begin=behind_leads(tail, at, found.end))
    at = min(begin, behind_leads(tail, at, found.end))
    first = first_of_address(tail, at, begin)
    return found._replace(confidence=GUESSED, begin=first) if first < begin else None


def _is_one_all_the_same(tail: Tail, at: int, end: int, entity: EntityType) -> bool:
    """Begins like a reply that is no answer, and can be none: "same goldberg", "see you dot dike at …"."""
    if entity == "EMAIL":
        return holds_address(tail, at, end)
    if entity == "PERSON":
        return ends_in_name(tail, at, end) or holds_odd_word(tail, at, end)
    if entity == "ADDRESS":
        long = end - at > NO_ANSWER_WORDS
        return long and tail.words[at] == "the" and goes_on_as_address(tail, at + 1, end)
    if entity == "DOB":
        figures = any(tail.marks[here] & kinds.DIGITS for here in range(at, end))
        return figures and holds_odd_word(tail, at, end)
    return entity == "POSTCODE" and (is_misheard_code(tail, at) or is_odd_talk(tail, at, end))


def _is_other(tail: Tail, at: int, end: int, entity: EntityType) -> bool:
    """An age instead of a date of birth; a written e-mail address instead of anything else."""
    if entity == "DOB" and tells_age(tail, at, end):
        return True
    return entity != "EMAIL" and any(tail.marks[here] & kinds.AT for here in range(at, end))


def _with_misheard(tail: Tail, at: int, begin: int, found: Match, entity: EntityType) -> Match | None:
    """The value that begins at `begin` and what of it was misheard, from `at` on; None if nothing was."""
    if begin == at and (entity == "DOB" or tail.words[at] == "capital"):
        return found
    if (
        entity == "ADDRESS"
        and at < begin
        and (tail.marks[at] & kinds.DWELLING or begin - at == _the(tail, at))
    ):
        return found._replace(begin=at)
    first = _first_piece(tail, at, begin, entity)
    if first < begin:
        return Match(found.end, entity, GUESSED, begin=first)
    misheard = at < begin <= at + _MOST_MISHEARD and not any(
        tail.words[here] in _TALK
        or tail.words[here] in OWNERS
        or (entity in _FIGURED and tail.words[here].endswith("'s"))
        for here in range(at, begin)
    )
    ends = not tail.marks[found.end] & kinds.WORD
    if entity == "PERSON" and max(begin, found.begin) > at:
        begin = behind_relative(tail, begin, found)
        first = first_of_name(tail, at, begin)
        if ends and (never_leads(tail, at, begin) or never_leads(tail, at, first)):
            return Match(found.end, entity, GUESSED, begin=at)
        if ends and (first < begin or is_brief_name(tail, at, found.end)):
            return Match(found.end, entity, GUESSED, begin=min(first, at if first == begin else first))
        plain = only_leads(tail, at, begin) or (ends and not tail.marks[begin] & kinds.COMMON)
        return Match(found.end, entity, begin=max(begin, found.begin)) if plain else None
    if entity == "ADDRESS" and tail.words[begin - 1] in (".", "oh"):
        return None
    if entity == "PHONE" and at < begin and are_figures_heard(tail, at, begin):
        return Match(found.end, entity, GUESSED, begin=at)
    begin = _behind_talk(tail, at, begin, entity)
    return Match(found.end, entity, GUESSED, begin=begin) if misheard else None


def _is_cut_short(found: Match | None, entity: EntityType) -> bool:
    """The rest of the value may come in the next turn."""
    if entity == "DOB":
        return found is None or not found.whole
    return found is not None and found.type == entity and found.runs_on


def _behind_talk(tail: Tail, at: int, last: int, entity: EntityType) -> int:
    """Behind what plainly leads to a misheard value, at `last` at the latest: "well", "the surname's"."""
    if entity in ("ADDRESS", "EMAIL"):
        return at
    here = _behind_sentence(tail, at, last) if entity == "DOB" else at
    while here < last and (tail.words[here] in _SURE_LEADS or _leads_by_name(tail, here)):
        here += 1
    return here


def _behind_sentence(tail: Tail, at: int, last: int) -> int:
    """Behind "now you're asking."; else `at`."""
    for here in range(last, at, -1):
        if tail.words[here - 1] in (".", "!", "?"):
            talked = all(_is_talked(tail, said) for said in range(at, here - 1))
            return here if talked and not _BUYS_TIME.isdisjoint(tail.words[at:here]) else at
    return at


_BUYS_TIME: Final = frozenset(
    ["asking", "think", "see", "hang", "wait", "remember", "tell", "hold", "moment"]
)
"""Of a sentence said while the value comes to mind."""


def _is_talked(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    return is_plain(tail, at) and not kind & (kinds.NUMBER | kinds.ORDINAL) if kind & kinds.WORD else True


def _leads_by_name(tail: Tail, at: int) -> bool:
    """ "surname's", and "the" before it."""
    here = at + (tail.words[at] == "the")
    return tail.words[here].endswith("'s") and bool(tail.marks[here] & kinds.CUE)


def _before_talk(tail: Tail, at: int, end: int, slot: Slot) -> int:
    """Before the sentence that follows a misheard value: "… but i won't tell you the year"."""
    if slot == "DOB" and not (has_evidence(tail, at, end, "DOB") or is_rest_of_date(tail, at, end)):
        return at  # "tenth of may, same as my dad"
    if slot == "DOB" and tells_age(tail, at + _over_and(tail, at), end):
        return at  # "the second of august, and i'm fifteen"
    for here in range(at, end):
        if tail.words[here] in _NEW_CLAUSE and says_no_value(tail, here, end, slot):
            return here - (tail.words[here - 1] == ",")
    return end


def _over_and(tail: Tail, at: int) -> int:
    """How many tokens a comma, a full stop and "and" are."""
    pause = int(tail.words[at] in (",", "."))
    return pause + (tail.words[at + pause] == "and")


def _first_piece(tail: Tail, at: int, begin: int, entity: EntityType) -> int:
    """Where the value begins of which only the rest was heard well."""
    if entity == "DOB":
        return first_figure(tail, at, begin)
    return first_of_code(tail, at, begin) if entity == "POSTCODE" else begin


def _stands_apart(tail: Tail, at: int, begin: int, end: int, entity: EntityType) -> bool:
    """What stands before the value is none of it: another value, or any words before "smith@…"."""
    if entity == "EMAIL":
        return begin > at and any(tail.words[here] == "@" and tail.glued[here] for here in range(begin, end))
    return _holds_name(tail, at, begin, entity)


def _holds_name(tail: Tail, at: int, begin: int, entity: EntityType) -> bool:
    """A name stands before the number: two values in one answer."""
    if entity not in _FIGURED:
        return False
    listed = kinds.FIRST | kinds.LAST
    return any(
        tail.words[here] not in PIECES
        and tail.marks[here] & listed
        and not tail.marks[here] & (kinds.COMMON | kinds.STOP | kinds.NUMERAL)
        for here in range(at, begin)
    )


def _end_of_turn(tail: Tail, at: int) -> int | None:
    """Behind the last word of the turn; None if it is too long for an answer."""
    end = at
    for here in range(at, at + _ANSWER_TOKENS):
        if tail.marks[here] & kinds.END:
            return end
        if tail.marks[here] & (kinds.WORD | kinds.DIGITS):
            end = here + 1
    return None


def _found(view: View, at: int, end: int, entity: EntityType) -> tuple[int, Match | None]:
    """The first value that a rule finds in the answer, and where it was looked for."""
    expects = view.expects
    here = at
    while here < end:
        expects.place = view.tail.starts[here]
        match = _find(view, here, entity)
        if match is not None and match.type is not None:
            return here, match
        kind = view.tail.marks[here]
        if entity == "PERSON" and not kind & kinds.STOP and not _is_before_name(view.tail, here):
            break
        if entity == "ADDRESS" and (kind & kinds.NUMBER or (kind & kinds.WORD and not kind & kinds.COMMON)):
            break
        here += 1
    return here, None


def _is_before_name(tail: Tail, at: int) -> bool:
    """Of talk before a name: "put", "no" with a comma behind it."""
    if not tail.marks[at] & kinds.WORD:
        return tail.words[at] in (",", ".")
    if tail.words[at] in OF_NAMES or tail.words[at : at + 2] == ["no", ","]:
        return True
    owned = tail.words[at - 1] in OWNERS
    if tail.marks[at] & kinds.RELATIVE:
        return owned or tail.words[at].endswith("'s") or tail.words[at - 1] in OF_KIN
    return owned and tail.words[at] in OF_KIN


def _find(view: View, at: int, entity: EntityType) -> Match | None:
    kind = view.tail.marks[at]
    if entity == "EMAIL":
        written = written_email(view, at) if kind & kinds.AT else None
        return written or spoken_email(view, at)
    if entity == "DOB":
        return date_of_birth(view, at)
    if entity == "PERSON":
        return name(view, at)
    if entity == "ADDRESS":
        return address(view, at)
    found = alphanumeric(view, at) if entity == "POSTCODE" else None
    return found or number(view, at)


def _is_another(view: View, at: int) -> bool:
    """A second whole number follows: "07700 900123, 07700 900456"."""
    found = number(view, at)
    return found is not None and found.type == "PHONE" and found.whole


def _is_code(view: View, at: int) -> bool:
    """A postcode, or a ZIP."""
    return alphanumeric(view, at) is not None or is_zip(view.tail, at)


def _ends(_tail: Tail, _at: int, _end: int) -> bool:
    return False


_GOES_ON: Final = {
    "ADDRESS": goes_on_as_address,
    "EMAIL": goes_on_as_email,
    "POSTCODE": goes_on_as_code,
}


def _is_talk(view: View, at: int, end: int, entity: EntityType) -> bool:
    """What follows the value goes on talking instead of being a rest of it."""
    tail = view.tail
    paused = False
    while at < end and tail.marks[at] & kinds.PAUSE and not tail.marks[at] & kinds.WORD:
        at += 1
        paused = True
    if entity == "DOB" and is_rest_of_date(tail, at, end):
        return False
    if entity == "PERSON" and tail.words[at] == "or" and tail.marks[at + 1] & kinds.LETTER:
        return False
    if _GOES_ON.get(entity, _ends)(tail, at, end):
        return False
    if at >= end or tail.words[at] in _SPEAKS_ON or (entity == "PHONE" and _is_another(view, at)):
        return True
    figure = tail.marks[at + (tail.words[at] == "oh")] & (kinds.NUMBER | kinds.ORDINAL)
    if entity == "PERSON" and (
        figure or tail.words[at] in _BEHIND_NAMES or tells_on_of_person(tail, at, end)
    ):
        return True
    if entity == "EMAIL" and aside(tail, at) > at:
        return True
    if entity in ("PERSON", "ADDRESS"):
        return (paused and bool(tail.marks[at] & kinds.STOP)) or _is_code(view, at)
    if entity in _FIGURED and all(tail.marks[here] & _MISHEARD for here in range(at, end)):
        return False
    return not any(tail.marks[here] & (kinds.NUMBER | kinds.LETTER) for here in range(at, end))
