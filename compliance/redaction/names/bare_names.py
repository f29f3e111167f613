"""Names that are words of every day too, told by standing bare where such a word needs an article.

"Tell rob", "heather can bring me", "the booking's for rose": in English a countable noun is no subject and
no object without "the", "a" or "my", and neither is a verb or an adjective. Words that can stand alone
("summer", "patience", "hope") need a doing that is a person's: "summer can't make it", "patience and I are".
"""

from typing import Final

from compliance.redaction.names.addressed_names import DOES_TOO, SEASONS, is_addressed, is_called_to
from compliance.redaction.names.relations import OWNERS
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import bare, word_list
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import TENS

_BARE: Final = word_list("bare_names")
_BEGINS_CLAUSE: Final = word_list("before_clauses") | {"", ",", ".", "?", "!", ":", ";"}
_BEHIND_OBJECTS: Final = word_list("behind_people")
_TO_PEOPLE: Final = word_list("done_to_people")
_ABLE: Final = frozenset(
    ["can", "can't", "could", "couldn't", "will", "won't", "would", "wouldn't", "might", "should", "cannot"]
) | {"needs", "wants", "wanted", "has", "had", "hopes"}
_PERSONS_DO: Final = word_list("persons_do")
"""What people can or want to do: "can bring me", "has to collect her"."""
_PERSONS_ARE: Final = word_list("persons_are")
"""What people are: "is driving me", "is asleep"."""
_IS: Final = frozenset({"is", "was", "isn't", "wasn't"})
_ACTS: Final = (
    word_list("patients_do")
    | word_list("persons_did")
    | _IS
    | _ABLE
    | {"does", "did", "says", "loves", "hates", "came", "went", "took", "broke", "fell", "woke", "got"}
) - {"here", "speaking"}
"""What a clause goes on with behind the one it is about."""
_SAYS: Final = word_list("only_persons_did")
_WE: Final = frozenset({"i", "me", "myself"})
_WE_ARE: Final = frozenset(
    [
        "are",
        "were",
        "have",
        "both",
        "would",
        "will",
        "can",
        "share",
        "want",
        "need",
        "came",
        "come",
        "had",
        "could",
    ]
)
_ASKS: Final = frozenset(
    {"is", "was", "has", "will", "can", "could", "does", "did", "should", "would", "can't"}
)
_ASKED_AFTER: Final = word_list("asked_after") | {"in", "there", "here", "back", "bring", "come"}
_OF_RELATIVES: Final = frozenset(
    {"little", "big", "eldest", "youngest", "older", "younger", "other", "oldest"}
)
_BEFORE_TOLD: Final = frozenset(
    {"it's", "is", "for", "no", "yes", "with", "and", "about", "by", "yeah", "that's"}
)
_AGED: Final = kinds.NUMERAL | kinds.DIGITS


def is_bare_name(tail: Tail, at: int, *, heard: bool = False) -> bool:
    """The word at `at`, a first name and a word, stands where only a person can; `heard` as a name before."""
    if _is_told_who(tail, at) or _are_relatives(tail, at):
        return True
    known = bare(tail.words[at]) in _BARE or (heard and tail.words[at] not in DOES_TOO)
    if is_addressed(tail, at, known=known) or _is_spoken_with(tail, at):
        return True
    if tail.marks[at] & kinds.MONTH:
        return tail.words[at - 1] in _BEGINS_CLAUSE and _does_as_person(tail, at)
    if known and (_is_object(tail, at) or _owns(tail, at) or _is_friend(tail, at)):
        return True
    if is_called_to(tail, at) or _is_asked_after(tail, at, known=known):
        return True
    if known and (
        _is_joined(tail, at)
        or _is_brought(tail, at)
        or _is_managed(tail, at)
        or _is_passed_to(tail, at)
        or _is_ours(tail, at)
        or (tail.words[at - 1] in ("how's", "hows") and not tail.marks[at + 1] & kinds.WORD)
    ):
        return True
    if tail.words[at - 1] in _TELLING and _is_over(tail, at + 1):
        return True
    told = tail.words[at - 1] in _TOLD and tail.words[at - 2] in _TELLING
    if tail.words[at - 1] not in _BEGINS_CLAUSE and not told:
        return False
    if known and _acts(tail, at):
        return True
    return _acts_like_person(tail, at) or _is_one_of_us(tail, at)


def is_strange_person(tail: Tail, at: int) -> bool:
    """The word at `at`, of no list, is spoken to, asked after or has something done to it as people have."""
    answers = tail.words[at - 2] == "good" and tail.words[at + 1] in ("how", "you're")
    if (is_addressed(tail, at, known=True) and not answers) or _is_asked_after(tail, at, known=True):
        return True
    reached = tail.words[at - 1] not in _OF_PLACES and _is_object(tail, at)
    return reached or _is_passed_to(tail, at) or _is_brought(tail, at) or _is_spoken_with(tail, at)


def _is_object(tail: Tail, at: int) -> bool:
    """ "tell rob i'm outside", "i'm bringing dawn", "for rose and"."""
    before = tail.words[at - 1]
    if before not in _TO_PEOPLE or (tail.marks[at] & kinds.PLACE and before in _OF_PLACES):
        return False
    if before == "from" and tail.words[at + 1] in ("until", "till", "to"):
        return False
    return _is_over(tail, at + 1)


def _is_friend(tail: Tail, at: int) -> bool:
    """ "a friend of gill's", "i'm calling instead of prudence", "he's always been barry"."""
    if tail.words[at - 1] == "been" and tail.words[at - 2] == "always":
        return _is_over(tail, at + 1)
    if tail.words[at - 1] != "of":
        return False
    return bool(tail.marks[at - 2] & kinds.RELATIVE) or (
        tail.words[at - 2] in _IN_THEIR_PLACE and _is_over(tail, at + 1)
    )


_IN_THEIR_PLACE: Final = frozenset({"instead", "place", "care", "behalf", "ahead", "charge"})


_OF_PLACES: Final = frozenset(
    {"from", "visit", "visiting", "leave", "leaving", "between", "about", "for", "without", "call", "calling"}
)
"""What is said of a town as well."""


def _acts(tail: Tail, at: int) -> bool:
    """ "gene needs the ground floor", "rich has the car", "jay from the gym"."""
    follows = tail.words[at + 1]
    if not tail.marks[at] & kinds.PLACE:
        return follows in _ACTS or (follows == "from" and not tail.words[at - 1])
    told = tail.words[at + 2] in _OF_PERSONS or (follows in _IS and tail.words[at + 2] in _PERSONS_ARE)
    return told if follows in _OF_ANYTHING else follows in _ACTS


_OF_ANYTHING: Final = _IS | {"has", "had", "does", "did", "looks", "feels", "sounds", "goes", "gets", "comes"}
_OF_PERSONS: Final = frozenset(
    {"his", "her", "hers", "due", "here", "my", "our", "off", "got", "an", "school"}
)


def _is_spoken_with(tail: Tail, at: int) -> bool:
    """ "i spoke to grace yesterday", "i look after bill", "me and joy are coming"."""
    before = tail.words[at - 1]
    if before in ("to", "with") and tail.words[at - 2] in _SPOKE:
        return _is_over(tail, at + 1) or tail.words[at + 1] in _WHEN
    if before == "after" and tail.words[at - 2] in _LOOKING:
        return _is_over(tail, at + 1)
    if before == "and" and tail.words[at - 2] in ("me", "myself"):
        return _is_over(tail, at + 1) or tail.words[at + 1] in _ACTS
    return False


_SPOKE: Final = frozenset(
    ["spoke", "spoken", "speak", "speaking", "talked", "talking", "chatting", "love", "regards", "wishes"]
) | {"hello", "hi"}
_LOOKING: Final = frozenset({"look", "looking", "looked", "looks"})
_WHEN: Final = frozenset({"yesterday", "earlier", "last", "this", "just", "already"})


def _is_ours(tail: Tail, at: int) -> bool:
    """ "our heather has a rash", "little rose is poorly"."""
    before = tail.words[at - 1]
    if before == "one" and tail.words[at - 2] in ("little", "wee", "other", "older", "younger"):
        return tail.words[at - 3] in OWNERS
    if before in _SMALL and tail.words[at - 2] not in _ARTICLES:
        return _acts(tail, at) or tail.words[at].endswith("'s")
    return before == "our" and (
        _acts(tail, at) or (tail.words[at + 1] == "and" and tail.words[at + 2] == "our")
    )


_SMALL: Final = frozenset({"little", "young", "poor"})
_ARTICLES: Final = frozenset({"a", "an", "the", "this", "that", "very", "too", "so"})


def _is_asked_after(tail: Tail, at: int, *, known: bool) -> bool:
    """ "is robin there with you", "could hope come instead"."""
    begins = tail.words[at - 2] in _BEGINS_CLAUSE or tail.words[at - 2] in ("when", "where", "how")
    if tail.words[at - 1] not in _ASKS or not begins:
        return False
    follows = tail.words[at + 1]
    if tail.marks[at] & kinds.PLACE:
        return follows in _PERSONS_ARE
    return follows in _PERSONS_DO or follows in _PERSONS_ARE or (known and follows in _ASKED_AFTER)


def _is_joined(tail: Tail, at: int) -> bool:
    """ "river and willow are both due", "for otis and rose", "and jack at half past"."""
    if tail.marks[at] & kinds.PLACE:
        whole = tail.marks[at + 3] & kinds.LAST and not tail.marks[at + 3] & (kinds.COMMON | kinds.PLACE)
        return tail.words[at + 1] == "and" and _is_first_name(tail, at + 2) and bool(whole)
    if tail.words[at + 1] == "and" and _is_first_name(tail, at + 2):
        return tail.words[at - 1] not in OWNERS and not tail.marks[at - 1] & kinds.SIGN
    if tail.words[at - 1] != "and":
        return False
    timed = tail.words[at + 1] in ("at", "for") and bool(
        tail.marks[at + 2] & kinds.NUMBER or tail.words[at + 2] in ("half", "quarter")
    )
    return timed or (_is_first_name(tail, at - 2) and _is_over(tail, at + 1))


def _are_relatives(tail: Tail, at: int) -> bool:
    """ "grace and hope are my granddaughters", "river and willow are twins"."""
    here = at + 1 + 2 * (tail.words[at + 1] == "and")
    joined = here > at + 1 or tail.words[at - 1] == "and"
    if not joined or tail.words[here] not in ("are", "were"):
        return False
    if tail.words[here + 1] in _SIBLINGS:
        return True
    return tail.words[here + 1] in OWNERS and bool(tail.marks[here + 2] & kinds.RELATIVE)


_SIBLINGS: Final = frozenset({"twins", "sisters", "brothers", "siblings", "cousins"})


def _is_first_name(tail: Tail, at: int) -> bool:
    return bool(tail.marks[at] & kinds.FIRST) or bare(tail.words[at]) in _BARE


def _is_over(tail: Tail, at: int) -> bool:
    """No noun follows that the word before could be a part of."""
    behind = tail.words[at] in _BEHIND_OBJECTS or tail.words[at] in _WE_ARE
    return behind or not tail.marks[at] & (kinds.WORD | kinds.NUMBER)


def _is_brought(tail: Tail, at: int) -> bool:
    """ "i've got robin with me", "i've ivy on the other line"."""
    if tail.words[at - 1] in ("i've", "we've") and tail.words[at + 1] == "on":
        return tail.words[at + 2] in ("the", "my", "hold")
    return tail.words[at - 1] in _HAVING and tail.words[at + 1] in ("with", "here")


def _is_passed_to(tail: Tail, at: int) -> bool:
    """ "i'll pass you to bill", "here's bill", "give pat a ring", "have penny call you"."""
    before = tail.words[at - 1]
    if before in ("give", "leave", "left", "send", "sent"):
        return tail.words[at + 1] == "a" and tail.words[at + 2] in (
            "ring",
            "call",
            "shout",
            "bell",
            "message",
            "note",
            "text",
            "voicemail",
        )
    if before == "have":
        return (
            tail.words[at + 1] in ("call", "ring", "phone", "text", "email") and tail.words[at + 2] in _THEM
        )
    passed = before == "here's" or (before == "to" and tail.words[at - 2] in _PASSED)
    return passed and _is_over(tail, at + 1)


_THEM: Final = frozenset({"you", "me", "him", "her", "them", "us", "back"})
_PASSED: Final = frozenset({"you", "me", "over", "speak", "talk", "spoke", "spoken", "talking", "speaking"})


def _is_managed(tail: Tail, at: int) -> bool:
    """ "squeeze reed in", "take rex off the list"."""
    if tail.words[at - 1] not in _MANAGED:
        return False
    return not tail.marks[at + 1] & (kinds.WORD | kinds.NUMBER) or tail.words[at + 1] in _BEHIND_MANAGED


_MANAGED: Final = word_list("managed_people")
_BEHIND_MANAGED: Final = word_list("behind_managed")
_TOLD: Final = frozenset({"her", "him", "them", "us", "me"})
_TELLING: Final = frozenset({"tell", "told", "telling", "ask", "asked", "asking", "remind"})
_HAVING: Final = frozenset({"got", "have", "has", "brought", "bringing", "taking", "had"})


def _is_told_who(tail: Tail, at: int) -> bool:
    """ "river her brother", "may, my little girl", "drew, that's my partner"."""
    if tail.words[at - 1] not in _BEFORE_TOLD and tail.words[at - 1] not in _BEGINS_CLAUSE:
        return False
    here = at + 1 + (tail.words[at + 1] == ",")
    here += tail.words[here] in ("that's", "she's", "he's")
    if tail.words[here] not in OWNERS - {"the"}:
        return False
    here += 1 + (tail.words[here + 1] in _OF_RELATIVES)
    return bool(tail.marks[here] & kinds.RELATIVE)


def _owns(tail: Tail, at: int) -> bool:
    """ "bill's card", "heather's waiting", "swap barry's with mine"."""
    if not tail.words[at].endswith(("'s", "'ll")):
        return False
    if not tail.marks[at + 1] & kinds.WORD:
        return tail.words[at - 1] in _DONE_TO_SLOTS
    if tail.marks[at + 1] & (kinds.STREET | kinds.WAY) or (tail.capital[at] and tail.capital[at + 1]):
        return False
    if tail.words[at - 1] in _BEFORE_OWNERS:
        return True
    return tail.words[at - 1] in _BEGINS_CLAUSE and not tail.marks[at] & kinds.PLACE


_DONE_TO_SLOTS: Final = frozenset({"cancel", "move", "change", "cancelled", "moved", "book", "rebook"})
"""What is done to an appointment: "cancel prudence's"."""
_BEFORE_OWNERS: Final = _BEFORE_TOLD | word_list("before_owners")


def _acts_like_person(tail: Tail, at: int) -> bool:
    """ "summer can't make it", "art is eighty six", "joy will be with me"."""
    follows, behind = tail.words[at + 1], tail.words[at + 2]
    if _does_as_person(tail, at) or behind in _THEIRS_DONE.get(follows, ()):
        return True
    if follows in _ACTS and behind in ("her", "his", "hers", "herself", "himself"):
        return True
    if follows == "has" and behind in ("a", "an", "got"):
        return bool(tail.marks[at + 3] & _OF_PATIENTS) or tail.words[at + 3] in _OWNED
    seasonal = bare(tail.words[at]) in SEASONS or bool(tail.marks[at] & kinds.PLACE)
    if follows in _ABLE:
        behind = tail.words[at + 3] if behind in ("be", "to", "always", "just") else behind
        return behind in _PERSONS_DO or (not seasonal and behind in _PERSONS_ARE)
    if seasonal or not (follows in _IS or tail.words[at].endswith("'s")):
        return False
    here = at + 1 + (follows in _IS)
    here += tail.words[here] in ("only", "just", "nearly", "almost", "still", "not")
    return tail.words[here] in _PERSONS_ARE or (bool(tail.marks[here] & _AGED) and _is_age(tail, here + 1))


def _does_as_person(tail: Tail, at: int) -> bool:
    """ "june wants the afternoon", "may is ninety": what no month does."""
    if tail.words[at + 1] in _SAYS:
        return True
    aged = tail.words[at + 1] == "is" and tail.words[at + 2] in TENS
    return aged and _is_age(tail, at + 3)


_OWNED: Final = word_list("owned_things")
_OF_PATIENTS: Final = kinds.ALONE | kinds.COMPLAINT | kinds.BODY
_THEIRS_DONE: Final = {
    "fell": {"on", "over", "down", "off"},
    "works": {"nights", "days", "at", "in", "with", "for", "part", "full", "there", "here"},
    "called": {"earlier", "yesterday", "about", "me", "you", "in", "this", "last"},
    "starts": {"school", "nursery", "work", "college", "university"},
    "started": {"school", "nursery", "work", "college", "university"},
    "got": {"a", "stung", "bitten", "sent", "told"},
}
"""What people do, by the word behind: "mercy works nights"."""


def _is_age(tail: Tail, at: int) -> bool:
    """The rest of an age, and then no time or amount."""
    here = at + bool(tail.marks[at] & kinds.NUMERAL)
    return not tail.marks[here] & (kinds.WORD | kinds.NUMBER) or tail.words[here] in _BEHIND_AGES


_BEHIND_AGES: Final = frozenset({"and", "now", "next", "so", "but", "years", "this", "in", "he's", "she's"})


def _is_one_of_us(tail: Tail, at: int) -> bool:
    """ "patience and i are", "joy and me both", "amber and her mum"."""
    if tail.words[at + 1] != "and":
        return False
    if tail.words[at + 2] in ("her", "his"):
        return bool(tail.marks[at + 3] & kinds.RELATIVE)
    return tail.words[at + 2] in _WE and tail.words[at + 3] in _WE_ARE | _ACTS
