"""What an answer holds: what may be the value, a number, a medicine, a reply that is none, or a loop."""

from typing import Final

from compliance.redaction.answers.misheard_names import names_nobody
from compliance.redaction.answers.plain_words import is_plain
from compliance.redaction.names.name_words import LISTED
from compliance.redaction.text import kinds
from compliance.redaction.text.entities import EntityType
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_NO_ANSWERS: Final = frozenset(tuple(line.split()) for line in word_list("no_answers"))
NO_ANSWER_WORDS: Final = 3
_EVIDENCE: Final = kinds.NUMBER | kinds.HOMOPHONE | kinds.MONTH | kinds.ORDINAL | kinds.PHONETIC


def has_evidence(tail: Tail, at: int, end: int, entity: EntityType) -> bool:
    """Something in the answer could be the value, misheard: a figure, a letter, a word of no sentence."""
    if entity in ("PERSON", "PHONE") and _is_long_talk(tail, at, end):
        return False
    if entity == "PERSON" and _is_longer_than_name(tail, at, end):
        return False
    if entity == "ADDRESS" and _is_talk_of_no_place(tail, at, end):
        return False
    if entity == "PERSON":
        return not names_nobody(tail, at, end)
    if entity not in ("PHONE", "DOB"):
        return True
    if entity == "PHONE" and (_tells_time(tail, at, end) or _names_somebody(tail, at, end)):
        return False
    marks = (tail.marks[here] for here in range(at, end))
    return any(kind & _EVIDENCE or (kind & kinds.WORD and not kind & kinds.COMMON) for kind in marks)


def _is_long_talk(tail: Tail, at: int, end: int) -> bool:
    """Sentences without a figure or a name, half of them words that build sentences."""
    words = [tail.marks[here] for here in range(at, end) if tail.marks[here] & (kinds.WORD | kinds.DIGITS)]
    if len(words) < _LONG_TALK or any(kind & (kinds.NUMBER | kinds.MONTH) for kind in words):
        return False
    if any(kind & LISTED and not kind & kinds.COMMON for kind in words):
        return False
    return sum(bool(kind & kinds.STOP) for kind in words) * 2 >= len(words) - 1


def _is_longer_than_name(tail: Tail, at: int, end: int) -> bool:
    """No name is heard as so many words, unless it is spelled."""
    words = [here for here in range(at, end) if tail.marks[here] & kinds.WORD]
    return len(words) > _LONGEST_NAME and not any(tail.marks[here] & kinds.LETTER for here in words)


def _is_talk_of_no_place(tail: Tail, at: int, end: int) -> bool:
    """Many words, none of which a place is called by: "he gets through them like sweets, he leaves …"."""
    words = [here for here in range(at, end) if tail.marks[here] & kinds.WORD]
    if len(words) <= _LONGEST_ADDRESS:
        return False
    return not any(
        tail.marks[here] & _OF_PLACES or not tail.marks[here] & kinds.COMMON
        for here in range(at, end)
        if tail.marks[here] & (kinds.WORD | kinds.DIGITS)
    )


_OF_PLACES: Final = kinds.NUMBER | kinds.STREET | kinds.WAY | kinds.PLACE | kinds.DWELLING
_LONGEST_ADDRESS: Final = 13
_LONGEST_NAME: Final = 11
_LONG_TALK: Final = 9
_BRIEFLY: Final = 4


def _tells_time(tail: Tail, at: int, end: int) -> bool:
    """ "after seven", "any time before six"; "the one on the corner"."""
    figures = [here for here in range(at, end) if tail.marks[here] & kinds.NUMBER]
    if len(figures) == 1 and tail.words[figures[0]] == "one" and tail.words[figures[0] - 1] in _BEFORE_ONE:
        return True
    timed = any(tail.words[here] in _BEFORE_TIMES for here in range(at, min(end, at + _BRIEFLY)))
    return timed and 0 < len(figures) <= _MOST_OF_TIME


def _names_somebody(tail: Tail, at: int, end: int) -> bool:
    """ "my flatmate, Bogdan": a name, and nothing of a number."""
    here = range(at, end)
    if any(tail.marks[place] & (kinds.NUMBER | kinds.LETTER) for place in here):
        return False
    return any(tail.marks[place] & kinds.FIRST and not tail.marks[place] & kinds.COMMON for place in here)


_MOST_OF_TIME: Final = 2
_BEFORE_ONE: Final = frozenset({"the", "this", "that", "which", "same", "other"})
_BEFORE_TIMES: Final = frozenset({"after", "before", "until", "till", "around", "between", "any", "anytime"})


def is_loop(tail: Tail, at: int, end: int) -> bool:
    """ "robert and robert and robert and": what a recogniser writes that has lost its way."""
    said = [tail.words[here] for here in range(at, end) if tail.marks[here] & (kinds.WORD | kinds.DIGITS)]
    if len(said) >= _LEAST_LOOP and len(set(said)) <= _MOST_IN_LOOP:
        return said[0] not in _REPEATED
    return len(said) >= _LONG_LOOP and (_repeats_odd_word(tail, at, end, said) or _goes_round(said))


def _repeats_odd_word(tail: Tail, at: int, end: int, said: list[str]) -> bool:
    """Half of it said before, and of no talk: "I'm made hunting, I did. I'm made hunting hunting." """
    odd = [tail.words[here] for here in range(at, end) if not is_plain(tail, here)]
    return len(set(said)) * 2 <= len(said) and any(odd.count(word) > 2 for word in odd if word.isalpha())


def _goes_round(said: list[str]) -> bool:
    """ "it's not common, it's not common, it's not": a sentence again and again."""
    for round_ in range(_LEAST_ROUND, len(said) * 2 // _ROUNDS_DOUBLED + 1):
        if said[round_:] == said[:-round_]:
            return _REPEATED.isdisjoint(said) and _ASKING_AGAIN.isdisjoint(said)
    return False


_LEAST_ROUND: Final = 3
_ROUNDS_DOUBLED: Final = 5
"""Two rounds and a half."""
_ASKING_AGAIN: Final = frozenset({"hear", "there", "know", "me", "repeat", "again"})
_LEAST_LOOP: Final = 5
_LONG_LOOP: Final = 8
_MOST_IN_LOOP: Final = 2
_REPEATED: Final = frozenset(
    {"no", "yes", "yeah", "hello", "sorry", "okay", "ok", "bye", "oh", "one", "wait", "hi"}
)
"""What people say over and over."""


def is_no_answer(tail: Tail, at: int) -> bool:
    begin = at
    while not tail.marks[begin - 1] & kinds.END and tail.words[begin - 1] and at - begin < NO_ANSWER_WORDS:
        begin -= 1
    return any(_starts(tail, start) for start in range(begin, at + 1))


def _starts(tail: Tail, at: int) -> bool:
    said: tuple[str, ...] = ()
    for ahead in range(NO_ANSWER_WORDS):
        said = (*said, tail.words[at + ahead])
        if said in _NO_ANSWERS:
            return True
        if tail.marks[at + ahead] & kinds.END:
            return False
    return False


def is_term(tail: Tail, at: int, end: int) -> bool:
    """ "mirtazapine thirty": the name that was asked for is a medicine's or an illness's."""
    kind = tail.marks[at]
    if not kind & kinds.ALONE or kind & (LISTED | kinds.COMMON | kinds.RARER):
        return False
    return all(tail.marks[here] & kinds.NUMBER for here in range(at + 1, end))


def is_number(tail: Tail, at: int, end: int) -> bool:
    """ "on oh seven seven double oh": a number, whatever was asked for."""
    return sum(bool(tail.marks[here] & kinds.NUMBER) for here in range(at, end)) >= _NUMBER_WORDS


_NUMBER_WORDS: Final = 6
