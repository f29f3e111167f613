"""E-mail addresses as spoken: "john dot smith at gmail dot com", with letters spelled out if need be."""

from typing import Final

from compliance.redaction.emails.email_asides import ASIDE_STARTS, aside
from compliance.redaction.emails.email_hosts import DOMAIN_TOKENS, domain, ending, is_dot, is_top_level
from compliance.redaction.emails.email_pieces import JOINS, SMALL_WORDS, without_sign
from compliance.redaction.numbers.patterns import begin_of_written
from compliance.redaction.talk.view import LIKELY, SURE, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.spoken import read_letter
from compliance.redaction.text.tokens import Tail

_LOCAL_TOKENS: Final = 32
_LOCAL_CHARS: Final = 64  # RFC 5321 section 4.5.3.1.1
_JOIN_MARKS: Final = frozenset(".-_+,")
_REST_STARTS: Final = frozenset({"at", "dot"})
"""What the second half of an address begins with, said in a turn of its own."""
_BEFORE_REST: Final = frozenset(
    {":", ",", "no", "yes", "yeah", "then", "and", "it's", "so", "just", "that's", "that", "sorry", "not"}
)
_CONTRACTED: Final = ("'s", "'m", "'d", "'ll", "'re", "'ve", "n't")
_NEVER_LOCAL: Final = word_list("not_email")
_TELLING: Final = kinds.TERM | kinds.BODY | kinds.FIRST | kinds.LAST
_SITES: Final = frozenset(
    {"looked", "looking", "look", "website", "site", "page", "online", "visited", "checked"}
)
"""Before "at" these speak of a web page."""


def _begins_site(tail: Tail, at: int) -> bool:
    """ "w w w dot"."""
    return tail.words[at + 1] == "w" and tail.words[at + 2] == "w" and tail.words[at + 3] == "dot"


def spoken_email(view: View, at: int) -> Match | None:
    """An address that begins at `at`: words up to "at", then a host."""
    tail = view.tail
    if tail.words[at] == "w" and _begins_site(tail, at):
        return Match(domain(tail, at + 3) or at + 3, None)
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
        found = without_sign(view, at, sign)
        view.no_email_before = tail.starts[sign]  # not before all that it needs has come
        return found
    named = _name_before(tail, at, sign)
    if named is not None:
        return Match(named, "PERSON", LIKELY)
    begin = _begin_of_local(tail, at, sign)
    more = _tells_more(tail, at, _behind_sentence(tail, at, sign))
    follows = begin if more else _written_behind(view, begin, sign)
    none = sign == at or follows is not None or _is_site(tail, at, sign)
    end = None if none else _host(view, aside(tail, sign + 1))
    if end is None:
        view.no_email_before = tail.starts[follows or sign]
        return None
    return Match(end, "EMAIL", SURE, begin=begin)


def _tells_more(tail: Tail, at: int, begin: int) -> bool:
    """The sentence before the address may hold another entity: "varicose veins. r.haines@…"."""
    return any(tail.marks[here] & _TELLING for here in range(at, begin))


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
        behind = aside(tail, here) if tail.words[here] in ASIDE_STARTS else here
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
    told = at
    for sign in range(at, at + _ASKED_TOKENS):
        told = max(told, aside(tail, sign) if tail.words[sign] in ASIDE_STARTS else sign)
        if told > sign or (sign > at and tail.words[sign] == ","):
            continue
        if tail.marks[sign] & kinds.SIGN:
            named = sign == at or _name_before(tail, at, sign) is not None
            named = named or _written_behind(view, at, sign) is not None
            end = None if named else domain(tail, aside(tail, sign + 1), own_words=awaited)
            known = end is not None and (awaited or is_top_level(tail, end - 1))
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
    return domain(view.tail, at, own_words=view.expects.awaits("EMAIL") or view.expects.in_play("EMAIL"))


def _opens_rest(tail: Tail, at: int) -> bool:
    """Nothing but "no", "yes, then" or their like stands before an address's rest: "at gmail dot com"."""
    return not tail.words[at - 1] or tail.words[at - 1] in _BEFORE_REST


def _rest(view: View, at: int) -> int | None:
    """ "at gmail dot com", "dot co dot uk"; with the sign and a known ending if no address is in play."""
    tail = view.tail
    known = view.expects.in_play("EMAIL")
    if not tail.marks[at] & kinds.SIGN:
        return ending(tail, at, at + DOMAIN_TOKENS) if known else None
    end = domain(tail, at + 1)
    if known or end is None:
        return end
    return end if end > at + 3 and is_top_level(tail, end - 1) and is_dot(tail, end - 2) else None


def _name_before(tail: Tail, at: int, sign: int) -> int | None:
    """Where a name ends that is said before its address: "Ann Lee, ann dot lee at …"."""
    word = tail.words[at]
    again = next((here for here in range(at + 1, sign) if tail.words[here] == word), None)
    joined = "".join(tail.words[at:sign]).partition(",")
    if joined[0] and joined[0] == joined[2]:
        return tail.words.index(",", at)  # "Sinead Brogan, sineadbrogan at …"
    if again is None or len(word) <= _LEAST_LETTERS or again > at + _NAME_WORDS:
        return None
    end = again - (tail.words[again - 1] in (",", "."))
    listed = kinds.FIRST | kinds.MAYBE | kinds.LAST | kinds.UNKNOWN
    return end if all(tail.marks[here] & listed for here in range(at, end)) else None


def _begin_of_local(tail: Tail, at: int, sign: int) -> int:
    """Behind words that are not of the address yet: "my accountant, …", "the work one …"."""
    at = _behind_sentence(tail, at, sign)
    told = aside(tail, at)
    if at < told < sign - 1 and tail.words[told] == ",":
        at = told + 1
    while at + 1 < sign and _is_before_local(tail, at):
        at += 1 + (tail.words[at + 1] == ",")
    return at


def _behind_sentence(tail: Tail, at: int, sign: int) -> int:
    """Behind what a sentence ends with: "let me read it back. M A D …", "just to check, jo dash lamb …"."""
    for here in range(sign - 2, at, -1):
        before = tail.words[here - 1]
        if tail.words[here] == "." and not tail.glued[here + 1] and _ends_sentence(tail, here - 1):
            return here + 1
        if tail.words[here] == "," and before in _CHECKING:
            return here + 1
    return at


def _ends_sentence(tail: Tail, at: int) -> bool:
    kind = tail.marks[at]
    if tail.words[at] == "one":
        return True
    return len(tail.words[at]) > 1 and bool(kind & kinds.COMMON) and not kind & (kinds.FIRST | kinds.NUMBER)


_CHECKING: Final = frozenset({"check", "back", "again", "confirm", "sure", "clear", "read", "repeat"})


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
        if kind & kinds.RELATIVE and tail.marks[at + 1] & kinds.SIGN and tail.words[at - 1] in _OWNERS:
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
    return tail.words[at] in SMALL_WORDS and tail.words[at + 1] in ("underscore", "hyphen", "dash", "dot")


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
_LOCAL_STARTS: Final = _GREETINGS | SMALL_WORDS


def email_of_small_word(view: View, at: int) -> Match | None:
    """An address that begins with a word that builds sentences."""
    return spoken_email(view, at) if view.tail.words[at] in _LOCAL_STARTS else None


def _is_joined(tail: Tail, at: int) -> bool:
    """A word behind "dot" or "underscore" is a part of the address whatever it is."""
    return tail.words[at - 1] in ("dot", "underscore") and not tail.marks[at] & kinds.SIGN
