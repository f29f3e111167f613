"""Replies that hold no value: "I'd have to look", "don't have one", "the same as before".

A question for a value is often met by a sentence instead. It is one if all its words are ordinary, no
figure or letter is among them but those of a time or an amount, and somebody does or is something in it, or
it puts the question off. An address or a name misheard is made of ordinary words too, so for these at least
half of it has to be words that build sentences.
"""

from typing import Final

from compliance.redaction.answers.plain_words import are_plain
from compliance.redaction.talk.cues import Slot
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.tokens import Tail

_PRONOUNS: Final = frozenset({"i", "we", "you", "they", "he", "she", "it", "that", "who", "there"})
_DO: Final = word_list("after_pronouns") | word_list("done_in_replies")
_SENTENCES: Final = frozenset(
    [f"{who}{ending}" for who in ("i", "we", "you", "they") for ending in ("'d", "'ve", "'ll")]
    + ["i'm", "we're", "you're", "they're", "it'll", "there's", "she'd", "he'd", "she'll", "he'll"]
)
"""A pronoun and what it does in one word; "it's" and "that's" lead in values as well."""
_OPENING: Final = frozenset({"on", "in", "at", "as", "by", "with", "because", "but"})
"""What no name begins with."""
_BEFORE_SENTENCES: Final = word_list("before_sentences")
_BEFALLS: Final = word_list("befalls")
"""What is told of a thing: "the landline's been cut off"."""
_EVASIONS: Final = word_list("evasions")
_BUILDING: Final = _EVASIONS | word_list("reply_words")
_ASKS: Final = frozenset(
    ["is", "does", "did", "was", "were", "has", "could", "should", "would", "how", "when", "what", "why"]
)
"""What a question back begins with."""
_MAY: Final = frozenset({"can", "could", "may", "shall", "do", "are", "will", "have", "am", "must"})
_ANYBODY: Final = frozenset({"anybody", "anyone", "somebody", "someone", "this", "that", "it", "there"})
"""Whom or what a question back is about: "is anybody there"."""
_BEING: Final = frozenset(
    ["it's", "that's", "he's", "she's", "i'm", "is", "was", "they're", "we're", "you're", "am"]
)
_HOW_IT_IS: Final = word_list("how_it_is")
"""What leads in how something is: "it's quite private", "it's a long story"."""
_BEHIND_BEING: Final = frozenset({"of", "for", "between", "in", "on", "our", "the", "a", "an", "so"})
"""Of these, what tells nothing without "it's" or its like."""
_LED: Final = _BEING | {"my", "the", "first", "number", "name", "name's", "its"}
"""What is passed over before an answer, and belongs to a reply that is none."""
_NEVER_LAST: Final = frozenset({"so", "an", "the", "of", "and", "my", "our", "her", "are", "or", "if", "in"})
_BEFORE_MONTHS: Final = frozenset(
    {"since", "in", "until", "till", "by", "last", "next", "from", "after", "every"}
)
_NAMED: Final = kinds.FIRST | kinds.MAYBE
_VALUED: Final = kinds.DIGITS | kinds.REPEAT | kinds.PHONETIC | kinds.UNKNOWN | kinds.SIGN
_DIARY: Final = word_list("diary_words")
_DOTS: Final = frozenset({"dot", "underscore", "hyphen", "dash", "com", "come", "www"})
"""Of e-mail addresses; "dot com" is misheard as "not come"."""
_IN_EMAILS: Final = word_list("mail_providers") | _DOTS
_MEASURES: Final = word_list("measures")
_BEFORE_FIGURES: Final = frozenset(
    ["past", "half", "quarter", "after", "before", "until", "till", "by", "level", "floor", "ward"]
)
_BEHIND_FIGURES: Final = frozenset(["thirty", "fifteen", "o'clock", "letters", "digits"]) | _MEASURES
_MINUTES: Final = frozenset({"thirty", "fifteen"})
_PLACES_OF_RECORD: Final = word_list("places_of_record")
_BEFORE_PLACES: Final = frozenset({"at", "in", "on", "near", "by", "above", "live", "lives", "opposite"})
_KINDS_OF_NAMES: Final = frozenset({"name", "surname", "first", "last"})
_BEFORE_NAMES: Final = frozenset({"under", "for", "is", "called", "i'm", "as", "name's", "it's", "by"})
_DETERMINERS: Final = frozenset({"the", "a", "an", "my", "our", "your", "his", "her", "their", "that"})
_LETTERS_SAID: Final = 3
"""One in so many words may sound like a letter or a figure."""
_QUESTION_WORDS: Final = 3
_BUILT_WORDS: Final = 3
_LONG_REPLY: Final = 7
_BRIEF_REPLY: Final = 6
_PLAIN_REPLY: Final = 5
_BUILT: Final = 0.5
_DIARY_WORDS: Final = 3


def says_no_value(tail: Tail, at: int, end: int, slot: Slot) -> bool:
    """The reply from `at` to `end`, the end of the turn, is a sentence without the value asked for."""
    words = [here for here in range(at, end) if tail.marks[here] & kinds.WORD]
    figures = any(tail.marks[here] & kinds.DIGITS for here in range(at, end))
    if figures or not words or _counts(tail, words):
        return False
    if not all(_is_ordinary(tail, here) or (tail.words[here] == "at" and slot != "EMAIL") for here in words):
        return False
    if slot == "EMAIL":
        if any(tail.words[here] in _IN_EMAILS for here in words):
            return False
        built = (
            tail.words[at] != "but"
            and len(words) >= _BUILT_WORDS
            and any(tail.marks[here] & kinds.STOP for here in words)
        )
        return built or _is_told(tail, words)
    if slot == "PERSON":
        return _names_nobody(tail, words)
    if slot == "ADDRESS":
        if _says_where(tail, words):
            return False
        return _describes(tail, words) or (_is_mostly_built(tail, words) and _is_sentence(tail, words))
    if slot == "POSTCODE" and (_sounds_like_letters(tail, words) or _is_oddly_brief(tail, words)):
        return False
    return _is_told(tail, words)


def _is_told(tail: Tail, words: list[int]) -> bool:
    return _is_sentence(tail, words) or _describes(tail, words)


def _is_likened(tail: Tail, words: list[int]) -> bool:
    """ "rain, like the weather": how the name is meant."""
    if len(words) < _BUILT_WORDS or tail.marks[words[0]] & kinds.STOP:
        return False
    return tail.words[words[1]] == "like" and tail.words[words[2]] in ("the", "a")


def _names_nobody(tail: Tail, words: list[int]) -> bool:
    """The words of a reply to the question for a name hold none."""
    if _announces_name(tail, words) or _is_likened(tail, words):
        return False
    if are_plain(tail, words):
        if _is_plain_reply(tail, words):
            return True
    elif _is_oddly_brief(tail, words):
        return False
    while len(words) > _BUILT_WORDS and tail.words[words[0]] in _BEFORE_SENTENCES:
        words = words[1:]
    named = len(words) <= _BUILT_WORDS and any(tail.marks[at] & _NAMED for at in words)
    if _describes(tail, words) and not named:
        return True
    if len(words) <= _BUILT_WORDS or not _is_mostly_built(tail, words):
        return False
    return len(words) >= _LONG_REPLY or _opens_sentence(tail, words)


def _is_oddly_brief(tail: Tail, words: list[int]) -> bool:
    """A few words, one of which no reply without a value is made of."""
    return len(words) <= _BRIEF_REPLY and not are_plain(tail, words)


def _is_plain_reply(tail: Tail, words: list[int]) -> bool:
    """Many such words, or a few in which somebody is or does something: "she's at work"."""
    if tail.marks[words[-1]] & kinds.LETTER or tail.words[words[-1]] in _NEVER_LAST:
        return False
    if any(not tail.marks[at] & kinds.STOP and tail.words[at] in tail.words[words[0] : at] for at in words):
        return False
    first = words[0]
    while tail.words[first - 1] in _LED:
        first -= 1
    told = words[-1] - first + 1
    if told >= _PLAIN_REPLY or told < _BUILT_WORDS:
        return told >= _PLAIN_REPLY
    if tail.words[first] in _BEING:
        return tail.words[first + 1] != "the"
    if _is_of_thing(tail, first):
        return True
    return told > _BUILT_WORDS and (_is_sentence(tail, words) or begins_sentence(tail, first))


def _is_of_thing(tail: Tail, at: int) -> bool:
    """ "my lift is here", "the signal's terrible"."""
    told = tail.words[at + 2] in _ARE or tail.words[at + 1].endswith("'s")
    return tail.words[at] in _DETERMINERS and told


def _describes(tail: Tail, words: list[int]) -> bool:
    """ "it's a private matter", "just the usual", "is anybody there": nothing but words of every day."""
    if not all(tail.marks[at] & kinds.STOP or tail.words[at] in _BUILDING for at in words):
        return False
    first = words[0] - (tail.words[words[0] - 1] in _BEING)
    if tail.words[first] in _BEING and tail.words[words[0]] in _ANYBODY:
        return len(words) > 1
    told = first + (tail.words[first] in _BEING)
    if tail.words[told - 1] not in _BEING and tail.words[told] in _BEHIND_BEING:
        return False
    ends = not tail.marks[words[-1]] & kinds.LETTER and tail.words[words[-1]] not in _NEVER_LAST
    return tail.words[told] in _HOW_IT_IS and words[-1] > told and ends


def _is_ordinary(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    if kind & kinds.NUMERAL:
        return tail.words[at] in ("one", "oh") or _is_timed(tail, at)
    if kind & kinds.LETTER:
        return tail.words[at] in ("i", "a")
    if kind & kinds.MONTH:
        return tail.words[at - 1] in _PRONOUNS | _BEFORE_MONTHS or any(
            tail.words[at - back] in _DIARY for back in range(1, _DIARY_WORDS + 1)
        )
    return bool(kind & kinds.COMMON and not kind & _VALUED) or tail.words[at] in _BUILDING


def _announces_name(tail: Tail, words: list[int]) -> bool:
    """ "I'd like it under Winter": a word that is a name too, behind one that names stand behind."""
    return any(
        (tail.words[at - 1] in _BEFORE_NAMES or tail.words[at - 1] in _KINDS_OF_NAMES)
        and not tail.marks[at] & kinds.STOP
        and (tail.capital[at] or tail.words[at] not in _BUILDING)
        and (tail.capital[at] or tail.marks[at] & _NAMED or _is_surname(tail, at))
        for at in words
    )


def _is_surname(tail: Tail, at: int) -> bool:
    """A surname that is a word too, with nothing of a sentence behind it."""
    return bool(tail.marks[at] & kinds.LAST) and not tail.marks[at + 1] & kinds.STOP


def _counts(tail: Tail, words: list[int]) -> bool:
    """ "one" more than once is a figure."""
    return sum(tail.words[at] == "one" for at in words) > 1


def _is_timed(tail: Tail, at: int) -> bool:
    """A figure of a time, an amount, a floor."""
    if tail.words[at] in _MINUTES and tail.words[at - 2] in _BEFORE_FIGURES:
        return True
    return tail.words[at - 1] in _BEFORE_FIGURES or tail.words[at + 1] in _BEHIND_FIGURES


def _sounds_like_letters(tail: Tail, words: list[int]) -> bool:
    said = sum(bool(tail.marks[at] & kinds.HOMOPHONE) and tail.words[at] != "free" for at in words)
    return said * _LETTERS_SAID > len(words)


def _is_mostly_built(tail: Tail, words: list[int]) -> bool:
    """Half of it at least are words that build sentences, and it is no word or two."""
    built = sum(bool(tail.marks[at] & kinds.STOP) or tail.words[at] in _BUILDING for at in words)
    return len(words) >= _BUILT_WORDS and built >= _BUILT * len(words)


def _is_sentence(tail: Tail, words: list[int]) -> bool:
    """Somebody does something, or the question is put off or asked back."""
    asked_from = words[0] - (tail.words[words[0] - 1] in _ASKS)
    if words[-1] - asked_from + 1 >= _QUESTION_WORDS and _asks_back(tail, asked_from):
        return True
    if any(tail.words[at - 1] == "," and _asks_back(tail, at) for at in words):
        return True
    return any(begins_sentence(tail, at) or _evades(tail, at) for at in words)


def _asks_back(tail: Tail, at: int) -> bool:
    word = tail.words[at]
    return word in _ASKS or (word in _MAY and tail.words[at + 1] in _PRONOUNS)


def _evades(tail: Tail, at: int) -> bool:
    """The word puts the question off, or is of a time: "after three thirty"."""
    word = tail.words[at]
    return word in _EVASIONS or word.endswith("n't") or (word in _MINUTES and _is_timed(tail, at))


def _opens_sentence(tail: Tail, words: list[int]) -> bool:
    first = words[0] - (tail.words[words[0] - 1] in _PRONOUNS)
    if tail.words[words[0]] in _OPENING or (len(words) > _BUILT_WORDS and _asks_back(tail, words[0])):
        return True
    return begins_sentence(tail, first) or any(_evades(tail, at) or _tells(tail, at) for at in words[:2])


def begins_sentence(tail: Tail, at: int) -> bool:
    """Somebody is or does something from here on: "they're", "I live", "the kettle's boiling"."""
    word = tail.words[at]
    if word in _DEMANDS and tail.words[at + 1] in _WHOM and tail.words[at - 1] not in _PRONOUNS:
        return True
    if _tells(tail, at) or (word == "the" and tail.words[at + 2] in _ARE):
        return True
    return word in _SENTENCES or (word in _PRONOUNS and tail.words[at + 1] in _DO)


def _tells(tail: Tail, at: int) -> bool:
    """ "the line's been cut off", "the kettle's boiling", "my phone's about to": what is told of a thing."""
    follows = tail.words[at + 1]
    acts = follows in _BEFALLS or (tail.marks[at + 1] & kinds.COMMON and follows.endswith(("ing", "ied")))
    return bool(acts) and tail.words[at].endswith("'s")


def _is_any(tail: Tail, at: int) -> bool:
    """ "round the corner", "a bit of a walk": no street of that name."""
    behind = tail.marks[at + 1]
    return tail.words[at - 1] in _DETERMINERS and bool(behind & kinds.STOP or not behind & kinds.WORD)


_DEMANDS: Final = word_list("imperatives")
_WHOM: Final = frozenset(
    {"me", "it", "him", "her", "us", "them", "the", "that", "this", "one", "again", "up", "on"}
)
_ARE: Final = frozenset(
    {"is", "are", "was", "were", "has", "isn't", "aren't", "won't", "doesn't", "hasn't", "keeps"}
)


def _says_where(tail: Tail, words: list[int]) -> bool:
    """ "I'm at the old mill": behind "at" stands what may be a house, a street or a town."""
    for at in words:
        if tail.marks[at] & kinds.STREET and not _is_any(tail, at):
            return True
        if tail.words[at] in _BEFORE_PLACES:
            place = at + 1 + (tail.words[at + 1] in _DETERMINERS)
            kind = tail.marks[place]
            if kind & kinds.WORD and not kind & kinds.STOP and tail.words[place] not in _PLACES_OF_RECORD:
                return True
    return False
