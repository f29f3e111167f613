"""A piece of the value that is being told, or was just told, at the beginning of a turn."""

from collections.abc import Sequence
from typing import Final

from compliance.redaction.emails.email_pieces import email_piece
from compliance.redaction.talk.view import GUESSED, LIKELY, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.spoken import is_times, read_element, read_letter, skip_gap
from compliance.redaction.text.tokens import Tail

_LEADS: Final = word_list("continuers") | {
    *("no", "so", "that's", "thats", "it's", "its", "is", "was", "with", "just", "sorry", "er", "um", "erm"),
    *("that", "it", "nope", "not", "actually", "uh", "then", "and", "oh", "ah", "well", "now", "but", "say"),
}
_ECHO_TOKENS: Final = 24
_LONE_CHARS: Final = 3
"""A word so short is said again by itself too often to be a value's."""
_MEASURES: Final = word_list("measures")
_NUMBERS: Final = frozenset({"PHONE", "CARD", "GOV_ID"})
_CORRECTED: Final = frozenset({"PHONE", "CARD", "GOV_ID", "EMAIL"})
_SURE_DIGITS: Final = 3
_MOST_DIGITS: Final = 12
_MOST_LETTERS: Final = 2


def is_piece_lead(tail: Tail, at: int) -> bool:
    """May stand before a piece: "yes", "no, it's"."""
    return not tail.marks[at] & (kinds.WORD | kinds.DIGITS) or tail.words[at] in _LEADS


def said_piece(view: View, at: int) -> Match | None:
    """What is said again of a value, what goes on with it, or puts a part of it right."""
    dictation = view.expects.dictation
    word = view.tail.words[at]
    for entity, words in dictation.told:
        end = _said_again(view.tail, at, words, entity) if word in words else None
        if end is not None:
            still = entity == "POSTCODE" and view.expects.unfinished(entity)
            return Match(end, entity, LIKELY, runs_on=still, whole=False)
    return _more(view, at, dictation.open) if dictation.open is not None else _put_right(view, at)


def _said_again(tail: Tail, at: int, words: Sequence[str], entity: EntityType) -> int | None:
    """Behind as many words from `at` on as stand together in the value, if they are enough of it."""
    first = tail.words[at]
    longest = 0
    end = at
    for place, word in enumerate(words):
        if word == first:
            length, behind = _common(tail, at, words, place)
            if length > longest:
                longest, end = length, behind
    if not longest or not _is_enough(tail, at, words, longest, entity):
        return None
    return end if _ends_there(tail, end) else None


def _ends_there(tail: Tail, at: int) -> bool:
    """No more of the value follows, but a mark, or who goes on speaking."""
    if tail.marks[at] & kinds.WORD:
        return tail.words[at] in _BEHIND
    if tail.words[at] in ("-", "@") or (tail.words[at] == "." and tail.glued[at + 1]):
        return False
    paused = at + (not tail.marks[at] & (kinds.DIGITS | kinds.END))
    return not tail.marks[paused] & _OF_VALUES


def _common(tail: Tail, at: int, words: Sequence[str], place: int) -> tuple[int, int]:
    """How many words agree, and the token behind the last of them."""
    length, here, end = 0, at, at
    while place + length < len(words) and here < at + _ECHO_TOKENS:
        if tail.words[here] == words[place + length]:
            length, here = length + 1, here + 1
            end = here
        elif length and tail.marks[here] & kinds.PAUSE and not tail.marks[here] & kinds.WORD:
            here += 1
        else:
            break
    return length, end


def _is_enough(tail: Tail, at: int, words: Sequence[str], length: int, entity: EntityType) -> bool:
    """All of the value, or two words of it in a row; a word alone only where nothing else is said."""
    if length == 1:
        alone = len(words) == 1 and (len(words[0]) >= _LONE_CHARS or entity in _NUMBERS)
        return alone and not tail.marks[at + 1] & kinds.WORD
    coded = all(tail.marks[here] & _OF_CODES for here in range(at, at + length))
    return length == len(words) or coded or (entity != "ADDRESS" and entity != "PERSON")


_OF_CODES: Final = kinds.NUMBER | kinds.SPELLED
_OF_VALUES: Final = _OF_CODES | kinds.ORDINAL | kinds.MONTH | kinds.SIGN | kinds.JOIN


def _more(view: View, at: int, entity: EntityType) -> Match | None:
    """What goes on with a value of this type."""
    if entity == "EMAIL":
        end = email_piece(view, at)
        return None if end is None else Match(end, "EMAIL", GUESSED, whole=False)
    if entity == "DOB":
        return _more_of_date(view.tail, at)
    end, digits, _ = _code(view.tail, at, letters=entity == "GOV_ID")
    if end is None or not _is_closed(view.tail, end) or len(digits) > _MOST_DIGITS:
        return None
    return Match(end, entity, GUESSED, runs_on=True, whole=False)


def _more_of_date(tail: Tail, at: int) -> Match | None:
    """ "january", "of the second": the rest of a date, or more of it, and nothing else."""
    here, told = at, False
    while here < at + _DATE_TOKENS and (tail.marks[here] & _OF_DATES or tail.words[here] in ("of", "the")):
        told = told or bool(tail.marks[here] & _OF_DATES)
        here += 1
    closed = tail.marks[here + (not tail.marks[here] & (kinds.WORD | kinds.END))] & kinds.END
    return Match(here, "DOB", GUESSED, runs_on=True, whole=False) if told and closed else None


_DATE_TOKENS: Final = 8
_OF_DATES: Final = kinds.NUMBER | kinds.ORDINAL | kinds.MONTH


def _put_right(view: View, at: int) -> Match | None:
    """ "four five seven" right behind a number that ends with other figures."""
    expects = view.expects
    entity = next((each for each, _ in expects.dictation.told if each in _CORRECTED), None)
    if entity == "EMAIL":
        return _other_figure(view.tail, at)
    if entity is None or expects.dated:
        return None
    end, digits, timed = _code(view.tail, at, letters=False)
    asked = entity in expects.read_back or view.tail.words[at - 1] in ("no", "not", "sorry", "it's", ",")
    least = _SURE_DIGITS - asked
    if end is None or timed or not least <= len(digits) <= _MOST_DIGITS or not _is_all(view.tail, end):
        return None
    return Match(end, entity, GUESSED, whole=False)


def _other_figure(tail: Tail, at: int) -> Match | None:
    """ "ninety, not nineteen" right behind an address of mail."""
    end, digits, _ = _code(tail, at, letters=False)
    if end is None or len(digits) > _YEAR_DIGITS or digits == "1":
        return None
    instead = tail.words[end] == "not" or tail.words[end + 1] == "not"
    return Match(end, "EMAIL", GUESSED, whole=False) if instead else None


_YEAR_DIGITS: Final = 4


def _code(tail: Tail, at: int, *, letters: bool) -> tuple[int | None, str, bool]:
    """Behind figures, and letters where the value may hold some; the figures; whether they are a time's."""
    here, end, digits, spelled = at, None, "", 0
    elements = []
    while len(digits) <= _MOST_DIGITS:
        begin = skip_gap(tail, here) if end is not None else here
        element = read_element(tail, begin, misheard=end is not None)
        if element is not None and element.kind not in "km":
            digits += element.digits
            elements.append(element)
            here = end = element.end
            continue
        letter = read_letter(tail, begin) if letters and spelled < _MOST_LETTERS else None
        if letter is None:
            break
        spelled += 1
        here = end = letter[1]
    if end is None or tail.words[end] in _MEASURES:
        return None, "", False
    return end, digits, is_times(elements)


def _is_closed(tail: Tail, at: int) -> bool:
    """Nothing but a mark follows, or who goes on speaking."""
    return not tail.marks[at] & kinds.WORD or tail.words[at] in _BEHIND


def _is_all(tail: Tail, at: int) -> bool:
    """Nothing more is said but what belongs to it: "four five seven, at the end"."""
    here = at + (not tail.marks[at] & (kinds.WORD | kinds.END))
    return bool(tail.marks[here] & kinds.END) or tail.words[here] in _BEHIND


_BEHIND: Final = frozenset(
    ["sorry", "yes", "yeah", "at", "then", "and", "thank", "thanks", "got", "is", "not", "no", "okay", "or"]
)
