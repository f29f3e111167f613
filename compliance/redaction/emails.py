"""E-mail addresses as spoken: "john dot smith at gmail dot com", with letters spelled out if need be."""

from typing import Final

from compliance.redaction import kinds
from compliance.redaction.lexicon import word_list
from compliance.redaction.patterns import begin_of_written
from compliance.redaction.spoken import read_letter
from compliance.redaction.tokens import Tail
from compliance.redaction.view import GUESSED, LIKELY, SURE, Match, View

_LOCAL_TOKENS: Final = 32
_DOMAIN_TOKENS: Final = 16
_LOCAL_CHARS: Final = 64  # RFC 5321 section 4.5.3.1.1
JOINS: Final = frozenset({"dot", "point", "underscore", "dash", "hyphen", "plus", "minus", "period"})
_JOIN_MARKS: Final = frozenset(".-_+,")
_REST_STARTS: Final = frozenset({"at", "dot"})
"""What the second half of an address begins with, said in a turn of its own."""
_BEFORE_REST: Final = frozenset(
    {":", ",", "no", "yes", "yeah", "then", "and", "it's", "so", "just", "that's", "sorry", "not"}
)
BARE_PROVIDERS: Final = word_list("mail_providers")
"""Hosts that need no ending."""
_ASKED_PROVIDERS: Final = word_list("mail_hosts_asked")
"""Hosts that need none where an address was asked for or named."""
TLDS: Final = word_list("top_level_domains")
_CONTRACTED: Final = ("'s", "'m", "'d", "'ll", "'re", "'ve", "n't")
_NEVER_LOCAL: Final = word_list("not_email")
_ASIDE_PHRASES: Final = sorted(
    (tuple(each.split()) for each in word_list("email_asides")), key=len, reverse=True
)
_ASIDES: Final = {
    first: tuple(words for words in _ASIDE_PHRASES if words[0] == first)
    for first in {words[0] for words in _ASIDE_PHRASES}
}
_SPELLING: Final = frozenset({"that's", "spelt", "spelled"})
"""Before letters that only spell what was said."""
_ASIDE_STARTS: Final = frozenset({"with", *_SPELLING, *_ASIDES})
_SITES: Final = frozenset(
    {"looked", "looking", "look", "website", "site", "page", "online", "visited", "checked"}
)
"""Before "at" these speak of a web page."""
_ENDING_LETTERS: Final = 4


def spoken_email(view: View, at: int) -> Match | None:
    """An address that begins at `at`: words up to "at", then a host."""
    tail = view.tail
    if tail.words[at] in _REST_STARTS and _opens_rest(tail, at):
        rest = _rest(view, at)
        if rest is not None:
            return Match(rest, "EMAIL", SURE)
        if view.expects.in_play("EMAIL"):
            return None
    whole = _to_the_sign(view, at) if tail.words[at - 1] in _BEFORE_ASKED else None
    if whole is not None:
        return whole
    if tail.starts[at] < view.no_email_before or not _begins_local(tail, at):
        return None
    sign = _end_of_local(tail, at)
    if not tail.marks[sign] & kinds.SIGN:
        view.no_email_before = tail.starts[sign]
        return _without_sign(view, at, sign)
    named = _name_before(tail, at, sign)
    if named is not None:
        return Match(named, "PERSON", LIKELY)
    begin = _begin_of_local(tail, at, sign)
    follows = _written_behind(view, begin, sign)
    none = sign == at or follows is not None or _is_site(tail, at, sign)
    end = None if none else _host(view, aside(tail, sign + 1))
    if end is None:
        view.no_email_before = tail.starts[follows or sign]
        return None
    return Match(end, "EMAIL", SURE, begin=begin)


def _written_behind(view: View, at: int, sign: int) -> int | None:
    """Where a written address ("lee@…") begins behind `at`."""
    if not view.tail.glued[sign] or view.tail.words[sign] != "@":
        return None
    begin = begin_of_written(view.tail, at, sign, asked=view.expects.awaits("EMAIL"))
    return begin if begin > at else None


def _end_of_local(tail: Tail, at: int) -> int:
    """Where the sign stands, or what can be no part of an address."""
    here = at
    limit = at + _LOCAL_TOKENS
    while not tail.marks[here] & kinds.SIGN:
        behind = aside(tail, here) if tail.words[here] in _ASIDE_STARTS else here
        if here >= limit or not ((behind > here > at) or _in_local(tail, here)):
            break
        if behind > here:
            here = behind
            continue
        letter = read_letter(tail, here) if tail.marks[here] & kinds.LETTER else None
        here = here + 1 if letter is None else letter[1]
    return here


def _to_the_sign(view: View, at: int) -> Match | None:
    """ "jill and bob at …", "the real gary webb at …": whatever stands between the begin of the turn, or the
    cue, and the sign is of the address.
    """
    tail = view.tail
    awaited = view.expects.awaits("EMAIL")
    if tail.words[at] in _AFTER_QUESTION or aside(tail, at) > at or not (awaited or _is_nickname(tail, at)):
        return None
    for sign in range(at, at + _ASKED_TOKENS):
        if tail.marks[sign] & kinds.SIGN:
            named = sign == at or _name_before(tail, at, sign) is not None
            named = named or _written_behind(view, at, sign) is not None
            end = None if named else _domain(tail, aside(tail, sign + 1), own_words=awaited)
            known = end is not None and (awaited or _is_top_level(tail, end - 1))
            return Match(end, "EMAIL", SURE) if end is not None and known else None
        if not _may_stand_in_local(tail, sign):
            return None
    return None


def _is_nickname(tail: Tail, at: int) -> bool:
    """ "the real …", "jill and bob …", "me at": what an address that nobody asked for may begin with."""
    if tail.words[at] in ("me", "us"):
        return bool(tail.marks[at + 1] & kinds.SIGN)
    joined = tail.words[at + 1] == "and" and tail.marks[at + 3] & kinds.SIGN
    return tail.words[at] == "the" or bool(joined)


def _may_stand_in_local(tail: Tail, at: int) -> bool:
    word = tail.words[at]
    if word.endswith("'s") or word in _NOT_WITHIN or word in _SITES:
        return False
    return bool(tail.marks[at] & (kinds.WORD | kinds.DIGITS)) or (word in ".-_+" and tail.glued[at])


_ASKED_TOKENS: Final = 10
_BEFORE_ASKED: Final = frozenset(
    [
        "",
        ":",
        "is",
        "it's",
        "that's",
        "yes",
        "yeah",
        "sure",
        "um",
        "er",
        "email's",
        "address's",
        "one's",
        "okay",
    ]
)
_AFTER_QUESTION: Final = word_list("leads_of_emails")
"""What leads to an address, and is no part of it."""
_NOT_WITHIN: Final = word_list("not_within_emails")
"""Between these and the sign stands a sentence."""


def _host(view: View, at: int) -> int | None:
    return _domain(view.tail, at, own_words=view.expects.awaits("EMAIL") or view.expects.in_play("EMAIL"))


def _opens_rest(tail: Tail, at: int) -> bool:
    """Nothing but "no", "yes, then" or their like stands before an address's rest: "at gmail dot com"."""
    return not tail.words[at - 1] or tail.words[at - 1] in _BEFORE_REST


def _rest(view: View, at: int) -> int | None:
    """ "at gmail dot com", "dot co dot uk"; with the sign and a known ending if no address is in play."""
    tail = view.tail
    known = view.expects.in_play("EMAIL")
    if not tail.marks[at] & kinds.SIGN:
        return _ending(tail, at, at + _DOMAIN_TOKENS) if known else None
    end = _domain(tail, at + 1)
    if known or end is None:
        return end
    return end if end > at + 3 and _is_top_level(tail, end - 1) and is_dot(tail, end - 2) else None


def aside(tail: Tail, at: int) -> int:
    """Behind what a caller says of the spelling: "all one word", "no spaces", "with an e"; else `at`."""
    if tail.words[at] == "with":
        article = tail.words[at + 1] in ("a", "an") and tail.marks[at + 2] & kinds.LETTER
        return at + 3 if article else at
    if tail.words[at] in _SPELLING:
        end = at + 1
        while tail.marks[end] & kinds.LETTER:
            end += 1
        if end > at + 2:
            return end
    for words in _ASIDES.get(tail.words[at], ()):
        if all(tail.words[at + ahead] == word for ahead, word in enumerate(words)):
            return at + len(words)
    return at


def _name_before(tail: Tail, at: int, sign: int) -> int | None:
    """Where a name ends that is said before its address: "Ann Lee, ann dot lee at …"."""
    word = tail.words[at]
    again = next((here for here in range(at + 1, sign) if tail.words[here] == word), None)
    if again is None or len(word) <= _LEAST_LETTERS or again > at + _NAME_WORDS:
        return None
    end = again - (tail.words[again - 1] in (",", "."))
    listed = kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN
    return end if all(tail.marks[here] & listed for here in range(at, end)) else None


def _begin_of_local(tail: Tail, at: int, sign: int) -> int:
    """Behind words that are not of the address yet: "my accountant, …", "the work one …"."""
    told = aside(tail, at)
    if at < told < sign - 1 and tail.words[told] == ",":
        at = told + 1
    while at + 1 < sign and _is_before_local(tail, at):
        at += 1 + (tail.words[at + 1] == ",")
    return at


def _is_before_local(tail: Tail, at: int) -> bool:
    follows = at + 1 + (tail.words[at + 1] == ",")
    if not tail.marks[at] & kinds.WORD or not tail.marks[follows] & kinds.WORD:
        return False
    if tail.words[follows] in JOINS or tail.marks[follows] & kinds.SIGN:
        return False
    if tail.words[at] in ("one", "two"):
        return tail.words[at - 1] in _BEFORE_ONE
    return tail.words[at - 1] in _OWNERS


_NAME_WORDS: Final = 4
_LEAST_LETTERS: Final = 2
_OWNERS: Final = frozenset({"my", "our", "his", "her", "their", "a", "an"})
_BEFORE_ONE: Final = frozenset(
    {
        "got",
        "have",
        "i've",
        "me",
        "work",
        "other",
        "new",
        "old",
        "main",
        "home",
        "share",
        "use",
        "this",
        "the",
    }
)


def _is_site(tail: Tail, at: int, sign: int) -> bool:
    """ "looked at www dot …" is a web page."""
    return tail.words[sign - 1] in _SITES or tail.words[sign + 1] in ("www", "https", "http")


def _begins_local(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    word = tail.words[at]
    return bool(kind & (kinds.WORD | kinds.DIGITS)) and word not in JOINS and _in_local(tail, at)


def _in_local(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    word = tail.words[at]
    if kind & kinds.WORD:
        if kind & kinds.LETTER or len(word) > _LOCAL_CHARS:
            return len(word) == 1
        if kind & kinds.RELATIVE and tail.marks[at + 1] & kinds.SIGN:
            return False
        if word.endswith(_CONTRACTED):
            return False
        return word not in _NEVER_LOCAL or _is_joined(tail, at) or _is_local_all_the_same(tail, at)
    return bool(kind & kinds.DIGITS) or word in _JOIN_MARKS


def _is_local_all_the_same(tail: Tail, at: int) -> bool:
    """ "hello at", "the underscore": a word of every day that the sign or an underscore follows."""
    if tail.words[at] in _GREETINGS:
        return bool(tail.marks[at + 1] & kinds.SIGN)
    if tail.words[at] == "the" and (
        tail.words[at + 1] in ("letter", "number", "word")
        or _is_generation(tail, at)
        or _is_family(tail, at + 1)
    ):
        return True
    return tail.words[at] in _SMALL_WORDS and tail.words[at + 1] in ("underscore", "hyphen", "dash", "dot")


def _is_family(tail: Tail, at: int) -> bool:
    """ "the fergusons at": all of a name."""
    word = tail.words[at]
    end = at + 1
    while tail.marks[end] & kinds.NUMBER and end < at + _FAMILY_TOKENS:
        end += 1
    named = word.endswith("s") and not tail.marks[at] & kinds.COMMON and len(word) > _FAMILY_TOKENS
    return named and bool(tail.marks[end] & kinds.SIGN)


_FAMILY_TOKENS: Final = 4


def _is_generation(tail: Tail, at: int) -> bool:
    """ "hargreaves the third at", "lee the 2nd at"."""
    end = at + 2 + (tail.marks[at + 1] & kinds.DIGITS != 0)
    return bool(tail.marks[end - 1] & kinds.ORDINAL and tail.marks[end] & kinds.SIGN) and bool(
        tail.marks[at - 1] & (kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN)
    )


_GREETINGS: Final = frozenset({"hello", "hi", "team"})
_SMALL_WORDS: Final = frozenset(
    {"the", "my", "just", "all", "me", "we", "her", "his", "our", "not", "no", "so"}
)
_LOCAL_STARTS: Final = _GREETINGS | _SMALL_WORDS


def email_of_small_word(view: View, at: int) -> Match | None:
    """An address that begins with a word that builds sentences."""
    return spoken_email(view, at) if view.tail.words[at] in _LOCAL_STARTS else None


def _is_joined(tail: Tail, at: int) -> bool:
    """A word behind "dot" or "underscore" is a part of the address whatever it is."""
    return tail.words[at - 1] in ("dot", "underscore") and not tail.marks[at] & kinds.SIGN


def is_dot(tail: Tail, at: int) -> bool:
    if tail.words[at] == "." and tail.glued[at]:
        return tail.glued[at + 1] or tail.words[at + 1] in _USUAL_ENDINGS
    return tail.words[at] in ("dot", "point", "period")


_USUAL_ENDINGS: Final = frozenset({"com", "co", "org", "net", "uk", "ie", "edu", "gov"})


def _domain(tail: Tail, at: int, *, own_words: bool = False) -> int | None:
    """Where the host that begins at `at` ends: words, "dot", an ending; a well-known provider needs none.

    `own_words`: an ending of no list counts even behind "the" and its like.
    """
    limit = at + _DOMAIN_TOKENS
    paused = tail.words[at] == ","
    at += paused
    end = at
    known: int | None = None
    while end < limit and not is_dot(tail, end):
        kind = tail.marks[end]
        word = tail.words[end]
        if word == "," and (paused or is_dot(tail, end + 1)):
            end += 1
            continue
        if kind & kinds.END or not (kind & (kinds.WORD | kinds.DIGITS) or word == "-"):
            return known
        behind = aside(tail, end)
        if behind > end:
            end = behind
            continue
        if known is not None:
            return _ending_without_dot(tail, end) or known
        end += 1
        asked = own_words and end == at + 1 and word in _ASKED_PROVIDERS and not tail.marks[end] & kinds.WORD
        health = word == "nhs" and tail.words[end] == "net"
        if asked or health or word in BARE_PROVIDERS or "".join(tail.words[at:end]) in BARE_PROVIDERS:
            known = end
    own = not any(tail.marks[here] & kinds.STOP for here in range(at, end))
    return _ending(tail, end, limit, any_word=own or own_words) or known


def _ending(tail: Tail, at: int, limit: int, *, any_word: bool = False) -> int | None:
    """Behind the last ending that is known; `any_word`: or behind the word that follows the last "dot"."""
    end = strange = None
    while at < limit:
        at += tail.words[at] == "," and is_dot(tail, at + 1)
        if not is_dot(tail, at):
            break
        label = at + 1 + (tail.words[at + 1] == ",")
        spelled = _spelled_ending(tail, label)
        if spelled is not None or _is_top_level(tail, label):
            at = end = spelled or label + 1
        elif tail.marks[label] & kinds.WORD and end is None and not tail.marks[label] & kinds.END:
            strange = label + 1 if _is_own_ending(tail, label) else strange
            at = label + 1
            while at < limit and tail.marks[at] & kinds.WORD and not is_dot(tail, at):
                at += 1
        else:
            break
    return end or (strange if any_word else None)


def _is_own_ending(tail: Tail, at: int) -> bool:
    """ "dot family", "dot plumbing": any word may end a host since anybody may buy endings."""
    never = kinds.STOP | kinds.NUMBER | kinds.LETTER | kinds.MONTH
    return tail.words[at - 1] == "dot" and not tail.marks[at] & never


def _is_top_level(tail: Tail, at: int) -> bool:
    """ "com", or the two letters of any country."""
    return tail.words[at] in TLDS or bool(tail.marks[at] & kinds.PAIR)


def _spelled_ending(tail: Tail, at: int) -> int | None:
    """ "c o m", "u k"."""
    end = at
    while end < at + _ENDING_LETTERS and tail.marks[end] & kinds.LETTER:
        end += 1
        if end > at + 1 and "".join(tail.words[at:end]) in TLDS:
            return end
    return None


def _ending_without_dot(tail: Tail, at: int) -> int | None:
    """ "gmail com", as some recognisers write it."""
    if tail.words[at] == "com" or (tail.words[at] == "net" and tail.words[at - 1] == "nhs"):
        return at + 1
    return at + 2 if tail.words[at] == "co" and tail.words[at + 1] == "uk" else None


def _joined(tail: Tail, at: int, stop: int) -> int | None:
    """ "d d underscore walsh", "lucy dot b" of an address that is known: behind the last piece."""
    joins = [here for here in range(at + 1, stop) if tail.words[here] in _JOIN_WORDS]
    if (
        tail.words[at] in _SMALL_WORDS
        or not joins
        or not tail.marks[joins[-1] + 1] & (kinds.WORD | kinds.DIGITS)
        or joins[-1] + 1 >= stop
    ):
        return None
    end = joins[-1] + 2
    while end < stop and tail.marks[end] & (kinds.LETTER | kinds.NUMBER):
        end += 1
    return end


_JOIN_WORDS: Final = frozenset({"dot", "underscore", "hyphen", "dash"})


def _without_sign(view: View, at: int, stop: int) -> Match | None:
    """A piece of an address that is known; where one was asked for: without its "at", or its first half."""
    tail = view.tail
    end = _joined(tail, at, stop) if view.expects.in_play("EMAIL") else None
    if end is None and view.expects.awaits("EMAIL"):
        end = _last_part(tail, at, stop)
    return None if end is None else Match(end, "EMAIL", GUESSED, whole=False)


def _last_part(tail: Tail, at: int, stop: int) -> int | None:
    end = None
    for place in range(at, stop):
        if tail.words[place] in BARE_PROVIDERS:
            end = _ending(tail, place + 1, stop + 1) or _ending_without_dot(tail, place + 1) or place + 1
        elif is_dot(tail, place) and tail.words[place + 1] in TLDS and place > at:
            end = _ending(tail, place, place + 8)
    return end
