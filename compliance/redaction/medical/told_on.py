"""What is said on of an ailment that the talk is of: "it throbs at night", "they're blocked again".

A state or a deed of every day ("cracked", "clicks") is a symptom only where an ailment or a part of the body
was named just before, or the agent asked for one, and where "it" or nothing else is what does so. So it is
with whole phrases ("it's come off", "it won't heal"), and with words that are treatments or ailments only
there: "the transfer", "a clean".
"""

from typing import Final

from compliance.redaction.medical.complaints import TOLD
from compliance.redaction.talk.view import GUESSED, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, phrase_index, stem, word_list
from compliance.redaction.text.phrases import phrase
from compliance.redaction.text.tokens import FIRST_TOKEN, Tail
from compliance.redaction.text.vocabulary import mark_words

_IS: Final = (word_list("hurting_states") | word_list("ailing_on")) - {
    *(
        "hot",
        "dead",
        "dodgy",
        "upset",
        "lazy",
        "crossed",
        "ringing",
        "floating",
        "popped",
        "sensitive",
        "burning",
    ),
}
_DOES: Final = word_list("hurting_verbs") - {
    *("runs", "waters", "cracks", "races", "jumps", "hurt", "hurts", "hurting"),
    *("run", "water", "crack", "race", "stream", "spin", "pop", "lock", "stick", "wander", "split", "splits"),
    *("whistle", "whistles", "drip", "locked", "clicked", "catching"),
}
_COMES: Final = frozenset(
    {"come", "came", "comes", "coming", "fallen", "fell", "dropped", "popped", "worked"}
)
_IT: Final = frozenset(
    {"it", "they", "it's", "they're", "its", "which", "they've", "it'll", "one", "one's", "everything's"}
)
_ANSWERED: Final = frozenset(
    {"warm", "loose", "full", "tight", "heavy", "spreading", "sharp", "hot", "watery"}
)
"""How an ailment is, in an answer of nothing else."""
_GIVEN: Final = frozenset(
    {
        "cream",
        "creams",
        "drops",
        "gel",
        "ointment",
        "lotion",
        "tablets",
        "patch",
        "patches",
        "dressing",
        "mask",
    }
)
"""What is given for an ailment, and may sting."""
_HUES: Final = frozenset({"black", "blue", "white", "red", "yellow", "green", "purple", "grey"})
_TURNED: Final = frozenset({"gone", "going", "turned", "turning", "went", "all"})
_UNWELL: Final = frozenset({"sick", "tired", "poorly", "exhausted", "drowsy", "dizzy", "faint", "weak"})
_WHO: Final = word_list("ailing_between") | {
    *("i'm", "he's", "she's", "you're", "him", "her", "me", "them", "i", "he", "she", "makes", "made"),
}
_NOT_ILL: Final = frozenset({"of", "note", "pay", "leave", "line", "notes", "day", "days"})
_SEEN: Final = frozenset({"spots", "bumps", "blisters", "pimples", "blotches", "lumps", "scabs"})
_VACANT: Final = frozenset({"left", "available", "free", "open", "on", "for"})
_BETWEEN: Final = word_list("ailing_between")
_MOST_BETWEEN: Final = 5
_TALKED: Final = phrase_index(word_list("ailing_talk"))
_BEFORE_TALKED: Final = word_list("before_talked") | {""}
_CALLING: Final = frozenset({"in", "off", "out", "me", "you", "by"})
"""Behind "drop" this is nothing to put into an eye: "a drop in session"."""
_THING_TOKENS: Final = 10
_BEFORE_PLACES: Final = frozenset(
    {"in", "on", "with", "by", "off", "from", "under", "at", "of", "to", "into"}
)
_OF_OTHERS: Final = word_list("troubling_things") | word_list("diary_words")
mark_words(TOLD.first_words(), kinds.TOLD)


def told_in_phrases(view: View, at: int) -> Match | None:
    """What whole phrases say of the ailment named before."""
    found = TOLD.find(view.tail, at)
    if found is None or _is_of_thing(view.tail, at):
        return None
    return Match(found.end, "MEDICAL", GUESSED, begin=found.begin)


def told_on(view: View, at: int) -> Match | None:
    """A state or deed of the ailment named before, in phrases or in a word."""
    tail = view.tail
    told = told_in_phrases(view, at) if tail.marks[at] & kinds.TOLD else None
    told = told or _in_a_word(tail, at)
    if told is not None:
        return None if _is_of_thing(tail, at) else told
    return _talked_of(tail, at)


def _is_of_thing(tail: Tail, at: int) -> bool:
    """ "the website, it's stuck": a thing was named since the ailment, and not as what did the harm."""
    for here in range(at - 1, max(at - _THING_TOKENS, FIRST_TOKEN), -1):
        if tail.marks[here] & (kinds.ALONE | kinds.BODY):
            return False
        if stem(tail.words[here]) in _OF_OTHERS and _BEFORE_PLACES.isdisjoint(tail.words[here - 3 : here]):
            return True
    return False


def _talked_of(tail: Tail, at: int) -> Match | None:
    """ "the bridge", "and collection": what only the talk makes medical."""
    if tail.words[at - 1] not in _BEFORE_TALKED or stem(tail.words[at]) not in _TALKED:
        return None
    if tail.words[at + 1] in _CALLING and stem(tail.words[at]) == "drop":
        return None
    end = phrase(tail, at, _TALKED)
    of_other = end is None or tail.words[end] in _OF_OTHERS or tail.words[at - 1] in _OF_OTHERS
    return None if of_other or end is None else Match(end, "MEDICAL", GUESSED)


def _in_a_word(tail: Tail, at: int) -> Match | None:
    word = tail.words[at]
    if word in _DOES:
        return Match(at + 1, "MEDICAL", GUESSED) if _is_of_it(tail, at, begins=False) else None
    if word in _HUES and tail.words[at - 1] in _TURNED:
        return Match(at + 1, "MEDICAL", GUESSED)
    if word in _UNWELL:
        told = tail.words[at - 1] in _WHO and tail.words[at + 1] not in _NOT_ILL
        return Match(at + 1, "MEDICAL", GUESSED) if told else None
    if word in _SEEN:
        return None if tail.words[at + 1] in _VACANT else Match(at + 1, "MEDICAL", GUESSED)
    if word in _COMES and tail.words[at + 1] == "loose":
        return Match(at + 2, "MEDICAL", GUESSED) if _is_of_it(tail, at, begins=False) else None
    if word in _ANSWERED and not tail.marks[at + 1] & kinds.WORD and _is_answer(tail, at):
        return Match(at + 1, "MEDICAL", GUESSED)
    if word not in _IS or tail.marks[at + 1] & kinds.BODY:
        return None
    return Match(at + 1, "MEDICAL", GUESSED) if _is_of_it(tail, at, begins=True) else None


def _is_answer(tail: Tail, at: int) -> bool:
    """Nothing but "a bit", "just" or "yes" stands before."""
    here = at - 1
    while here > at - _MOST_BETWEEN and tail.words[here] in _BEFORE_ANSWERS:
        here -= 1
    return not tail.words[here] or tail.words[here] == ":"


_BEFORE_ANSWERS: Final = frozenset(
    {"a", "bit", "little", "just", "yes", "no", "yeah", "quite", "very", ",", "only"}
)


def _is_of_it(tail: Tail, at: int, *, begins: bool) -> bool:
    """ "it's", "they've gone all" stands before; with `begins` also nothing, else "the filling's"."""
    if tail.words[at - 1] == "and" and tail.words[at - 2] in _DOES | _IS:
        return True
    here = at - 1
    while here > at - _MOST_BETWEEN and tail.words[here] in _BETWEEN:
        here -= 1
    word = tail.words[here]
    if word in _IT or bare(word) in _GIVEN:
        return True
    if begins and (not word or word == ":"):
        return True
    is_so = here < at - 1 and tail.words[at - 1] not in ("has", "have", "had")
    return bool(tail.marks[here] & kinds.ALONE) and (is_so or not begins)
