"""Dates of birth: dates behind "born" or "date of birth", or where one was asked for."""

from typing import Final

from compliance.redaction.medical.drug_sounds import sounds
from compliance.redaction.numbers.relative_dates import bare_year, behind_relative, is_day_month_year
from compliance.redaction.numbers.told_births import is_day_of_month, is_long_ago, is_said_again, names_event
from compliance.redaction.talk.view import GUESSED, LIKELY, SURE, Match, View
from compliance.redaction.text import kinds
from compliance.redaction.text.lexicon import word_list
from compliance.redaction.text.numbering import NTH
from compliance.redaction.text.spoken import Element, read_element
from compliance.redaction.text.tokens import Tail
from compliance.redaction.text.vocabulary import FEASTS, MONTHS, TENS

_DATE_TOKENS: Final = 18
_DATE_FIGURES: Final = 8
_DATE_PARTS: Final = 6
_PARTS_NAMED: Final = frozenset({"day", "month", "year"})
_JOIN_WORDS: Final = _PARTS_NAMED | {
    *("of", "the", "and", "in", "um", "uh", "er", "erm", "slash", "dash", "stroke", "dot"),
}
_JOIN_MARKS: Final = frozenset({"/", "-", ".", ",", "'"})
_ENDINGS: Final = frozenset({"st", "nd", "rd", "th"})
_LATER_TOKENS: Final = 7
_NAME_GAP: Final = 2
_LINKED_GAP: Final = 12
_LINKS: Final = frozenset({"it's", "that's", "born", "is"})
_WHO_IS: Final = frozenset({"i'm", "he's", "she's"})
_CORRECTED_TOKENS: Final = 3
_CORRECTING: Final = frozenset({"no", "not", "sorry", "actually", "wait", "mean", "nope"})
_BEFORE_REPLY: Final = frozenset({"", ":", "no", ",", "it's", "its", "nope", "er", "um"})
_HELD: Final = frozenset({"have", "got", "as", "so", "that's", "says", "it's", "is"})
"""Before a date that the agent reads out of a record."""
_OF_DATES: Final = kinds.NUMBER | kinds.ORDINAL | kinds.MONTH | kinds.ARTICLE
_DATING: Final = frozenset(
    {"on", "since", "to", "until", "till", "in", "from", "before", "after", "around", "was"}
)
"""Before a date of what was done or happened."""
_COUNTED: Final = word_list("measures")
_FEASTS: Final = {
    first: tuple(words for words in FEASTS if words[0] == first) for first in {words[0] for words in FEASTS}
}
_MONTH_SOUNDS: Final = frozenset(
    sounds(month) for month in ("january", "february", "september", "october", "november", "december")
)
_MISHEARD_MONTHS: Final = frozenset({"marge", "mae", "juin"})
_SEVERAL_MONTHS: Final = frozenset(f"{month}s" for month in MONTHS)
_ORDINAL_DAYS: Final = kinds.ORDINAL | kinds.ARTICLE
"""What the day of "fourth of the second fifty one" begins with."""
_FULL_PARTS: Final = 3
_MOST_BEFORE_MONTH: Final = 3
_LAST_OF_ID: Final = 4
_NUMBERS: Final = frozenset({"PHONE", "CARD", "GOV_ID"})
_DAY_AND_MONTH: Final = 2
_LAST_MONTH: Final = 12
_YEAR_FIGURES: Final = 4


def date_of_birth(view: View, at: int) -> Match | None:
    """The date at `at` if it is one of birth."""
    tail = view.tail
    if _is_lone_article(tail, at) or (view.expects.named("CODE") and not _follows_person(view, at)):
        return None
    named = view.expects.named("DOB")
    asked = view.expects.awaits("DOB")
    if tail.words[at + 1] == "," and _begins_behind(tail, at + 2):
        later = date_of_birth(view, at + 2)
        return None if later is None else later._replace(begin=at + 2)
    end, strong, figures, months, years = _read_date(tail, at, misheard=asked)
    if end is None:
        return None
    told = _told_otherwise(view, at, end) if asked or named or "DOB" in view.expects.found else None
    late = "DOB" in view.expects.stale and _is_late(tail, end, (strong, figures, years), months=months)
    if told is not None or late:
        return Match(told or end, "DOB", LIKELY)
    if figures > _DATE_FIGURES or (not months and _is_other_number(view, strong, end - at)):
        return None
    if not (asked or named):
        whole = years or strong >= 3 or (months and strong >= 2 and _corrects(view, at))
        plain = bool(months or years) or _has_ordinal(tail, at, end)
        told = _is_told(view, at, end, plain) if whole else _is_said_in_part(view, at, end, strong)
        return Match(end, "DOB", LIKELY) if told or (strong >= 2 and _is_called_birth(tail, end)) else None
    if "DOB" in view.expects.found and not named and not (months or years or _corrects(view, at)):
        return None
    whole = bool(years) or figures >= 5 or (months and strong >= 2) or strong >= 3
    if not whole and not (months or (named and years)):
        runs_on = view.expects.unfinished("DOB")
        return Match(end, "DOB", GUESSED, runs_on=runs_on) if asked and _is_part(view, at, end) else None
    booking = view.expects.diary or _speaks_of_booking(tail, end) or _is_behind_time(tail, at)
    if asked and not named and not years and figures < 5 and booking:
        return None
    open_end = (not years and figures < 5 and strong < 3) or _lacks_years(tail, end)
    return Match(end, "DOB", SURE, runs_on=open_end, whole=not open_end or strong >= 3)


def _is_other_number(view: View, parts: int, tokens: int) -> bool:
    """Too many figures; the last four of a social security number, asked for beside the birth."""
    return parts > _DATE_PARTS or ("GOV_ID" in view.expects.asked and parts == tokens == _LAST_OF_ID)


def _is_lone_article(tail: Tail, at: int) -> bool:
    figure = tail.marks[at + 1] & (kinds.ORDINAL | kinds.DIGITS | kinds.NUMERAL)
    return (bool(tail.marks[at] & kinds.ARTICLE) or tail.words[at] == "oh") and not figure


def _begins_behind(tail: Tail, at: int) -> bool:
    """ "he's nine, 17th of June": an age stands before the date."""
    ordinal = at + bool(tail.marks[at] & kinds.DIGITS) + bool(tail.words[at] in TENS)
    if not (tail.marks[ordinal] & kinds.ORDINAL or tail.words[ordinal] in _ENDINGS):
        return False
    month = ordinal + 1 + (tail.words[ordinal + 1] == "of")
    return bool(tail.marks[month] & kinds.MONTH)


def _has_ordinal(tail: Tail, at: int, end: int) -> bool:
    """ "the fourth of the seventh", "twenty sixth of the ninth", "4th of the 7th"."""
    return any(tail.marks[here] & _ORDINAL_DAYS or tail.words[here] in _ENDINGS for here in range(at, end))


def _told_otherwise(view: View, at: int, end: int) -> int | None:
    """Behind a date told from today, or a year alone where that was asked for."""
    year = view.expects.year_of_birth or _is_behind_born(view.tail, at) or _adds_year(view, at, end)
    year = year or ("DOB" in view.expects.found and "year" in view.tail.words[at - 3 : at])
    if year and bare_year(view, at) == end:
        return end
    return behind_relative(view.tail, end)


def _adds_year(view: View, at: int, end: int) -> bool:
    """ "forty nine, yeah": all of a reply to a date of birth that was read back."""
    if "DOB" not in view.expects.read_back or view.tail.words[at - 1] not in ("", ":"):
        return False
    follows = end + (view.tail.words[end] in (",", "."))
    return bool(view.tail.marks[follows] & kinds.END) or view.tail.words[follows] in _AGREEING


_AGREEING: Final = frozenset({"yes", "yeah", "yep", "that's", "correct", "right"})


def _is_behind_born(tail: Tail, at: int) -> bool:
    """ "I was born in '55", "born in forty eight"."""
    before = at - 1 - (tail.words[at - 1] in ("'", "\u2018", "\u2019"))
    return tail.words[before] == "in" and tail.words[before - 1] == "born"


def _is_told(view: View, at: int, end: int, plain: bool) -> bool:
    """A whole date that nothing named before is one of birth; `plain`: it has a month or a full year."""
    if view.expects.named("GOV_ID"):
        return False
    if _named_later(view.tail, end) or _is_read_back(view, end) or view.tail.words[at - 1] == "i'm":
        return True
    plain = plain or is_day_month_year(view.tail, at, end)
    if not plain or _speaks_of_booking(view.tail, end):
        return False
    if _is_of_long_ago(view, at, end) or is_said_again(view, at, end):
        return True
    return _follows_person(view, at) or _tells_of_one(view.tail, at) or _corrects(view, at)


def _is_of_long_ago(view: View, at: int, end: int) -> bool:
    """A date of many years ago, and nothing happened on it."""
    tail = view.tail
    asks = view.expects.side == "agent"
    held = not _HELD.isdisjoint(tail.words[at - 3 : at])
    before = tail.words[_before_date(tail, at)]
    if before in _DATING or not is_long_ago(tail, at, end, recent=held or not asks):
        return False
    if asks:
        return held or (end > at + 1 and not names_event(tail, at))
    if not (is_long_ago(tail, at, end, recent=False) or _is_told_first(tail, at)):
        return False
    return is_day_of_month(tail, at, end) and not (view.expects.dated or names_event(tail, at))


def _is_told_first(tail: Tail, at: int) -> bool:
    """A sentence begins with it, but for a word or two, "it's", "yes,"; or an age stands before."""
    before = at - 1 - (tail.words[at - 1] == ",")
    said = tail.words[before]
    return said in _BEFORE_TOLD or said == "." or bool(tail.marks[before] & kinds.NUMBER)


_BEFORE_TOLD: Final = (
    _BEFORE_REPLY | _HELD | {"yes", "yeah", "that's", "he's", "she's", "i'm", "mine's", "hers"}
)


def _is_said_in_part(view: View, at: int, end: int, parts: int) -> bool:
    """ "the ninth of June, and the year?": day and month of a date of birth that was said in this call; or
    what is put right of one that was said in the turn before.
    """
    if "DOB" in view.expects.given and _replaces(view, at, end):
        return True
    if parts < _DAY_AND_MONTH or _speaks_of_booking(view.tail, end):
        return False
    return view.tail.words[_before_date(view.tail, at)] not in _DATING and is_said_again(view, at, end)


def _before_date(tail: Tail, at: int) -> int:
    """The last word that is no figure of the date, which may begin before `at`."""
    here = at - 1
    while here > at - _DATE_PARTS and (tail.marks[here] & _OF_DATES or tail.words[here] == "of"):
        here -= 1
    return here


def _tells_of_one(tail: Tail, at: int) -> bool:
    """ "he's the fourth of May 2012", "my daughter, 4 May 2012": right behind whoever was born then."""
    before = tail.words[at - 1]
    if before in _WHO_IS or (before.endswith("'s") and tail.marks[at - 1] & kinds.RELATIVE):
        return True
    return tail.words[at - 1] == "," and bool(tail.marks[at - 2] & kinds.RELATIVE)


def _is_called_birth(tail: Tail, end: int) -> bool:
    """ "you've put the second of the third as my date of birth"."""
    return tail.words[end] in ("as", "for") and _named_later(tail, end)


def _is_read_back(view: View, end: int) -> bool:
    """A whole date is said right after a date of birth was given."""
    return "DOB" in view.expects.given and not _speaks_of_booking(view.tail, end)


def _follows_person(view: View, at: int) -> bool:
    """ "Hannah Cole, 14/02/1990", "Hannah Cole, and it's the …": right behind a person's name."""
    tail = view.tail
    gap = tail.starts[at] - view.told_end
    linked = tail.words[at - 1] in _LINKS and tail.words[at - 2] in ("and", ",")
    return view.told_end >= 0 and gap <= (_LINKED_GAP if linked else _NAME_GAP)


def _corrects(view: View, at: int) -> bool:
    """ "no", "not" or "sorry" stands before, and a date of birth was said."""
    if "DOB" not in view.expects.found and not view.expects.found.isdisjoint(_NUMBERS):
        return False
    said = any("DOB" in said for said in (view.expects.read_back, view.expects.found, view.expects.given))
    return said and any(view.tail.words[at - back] in _CORRECTING for back in range(1, _CORRECTED_TOKENS + 1))


def _is_part(view: View, at: int, end: int) -> bool:
    """The rest of a date that was cut short, or what takes the place of a part: "no, the fifteenth"."""
    tail = view.tail
    if tail.words[end] in _COUNTED or tail.words[end] == ":" or _speaks_of_booking(tail, end):
        return False
    if view.expects.unfinished("DOB"):
        return True
    return _corrects(view, at) or _replaces(view, at, end)


def _replaces(view: View, at: int, end: int) -> bool:
    """ "sixteenth", "the 16th, sorry": all of a reply to a date that was read back."""
    tail = view.tail
    first = at - (tail.words[at - 1] == "the")
    if "DOB" not in view.expects.read_back | view.expects.given:
        return False
    if tail.words[first - 1] not in _BEFORE_REPLY:
        return False
    return not tail.marks[end] & kinds.WORD and not (
        tail.words[end] == "," and tail.marks[end + 1] & kinds.NUMBER
    )


def _lacks_years(tail: Tail, end: int) -> bool:
    """ "two thousand and" at the end of the turn."""
    follows = end + (tail.words[end] == "and")
    return tail.words[end - 1] == "thousand" and bool(tail.marks[follows] & kinds.END)


def _read_date(tail: Tail, at: int, *, misheard: bool) -> tuple[int | None, int, int, bool, int]:
    """Where the date ends, its parts, its written digits, whether a month is named, its full years."""
    here, last, parts, figures, months, years = at, None, 0, 0, 0, 0
    here += bool(tail.marks[at] & kinds.ARTICLE)
    feast = _feast(tail, here)
    if feast is not None:
        here = last = feast
        parts, months = 2, 1
    previous: Element | None = None
    limit = at + _DATE_TOKENS
    while here < limit:
        kind = tail.marks[here]
        word = tail.words[here]
        if kind & kinds.MONTH or word in _MISHEARD_MONTHS or (misheard and _sounds_like_month(word, kind)):
            again = tail.words[here - 1] == "of" and word == tail.words[at]  # "may third of may"
            late = parts > _MOST_BEFORE_MONTH and not years  # "four four nine one, and august the second"
            if late or (months and not again):
                break
            parts, previous = parts + (not months), None
            months += 1
            here = last = here + 1
            continue
        if kind & kinds.ORDINAL and (word not in _ENDINGS or tail.glued[here] or previous):
            here = last = here + 1
            months += _is_month(tail, here - 1, parts)
            parts += word not in _ENDINGS and not _is_tens(previous)
            previous = None if word not in _ENDINGS else previous
            continue
        element = _figure(tail, here, misheard=misheard)
        if element is not None and _is_of_date(previous, element):
            if years and months and not _ends_year(previous, element):
                break
            years += _is_year(previous, element)
            figures += len(element.digits) if element.kind == "d" else 0
            here = last = element.end
            parts, previous = parts + 1, element
            continue
        if last is None or not (word in _JOIN_WORDS or word in _JOIN_MARKS):
            break
        if _ends_date(tail, here, parts, previous, years):
            break
        here += 1
    return last, parts, figures, bool(months), years


def _ends_date(tail: Tail, at: int, parts: int, previous: Element | None, years: int) -> bool:
    """A full stop behind the year; the ", and" of "the nineteenth of june 88, and fourteen elm road"."""
    if tail.words[at] == ".":
        return not tail.glued[at + 1] and years > 0
    thousand = previous is not None and previous.kind == "k"
    return tail.words[at : at + 2] == [",", "and"] and parts >= _FULL_PARTS and not thousand


def _is_month(tail: Tail, at: int, parts: int) -> bool:
    """The "eleventh" of "the third of the eleventh"."""
    ordered = tail.words[at - 2 : at] == ["of", "the"] or tail.words[at - 1] == "of"
    return parts == 1 and ordered and NTH.get(tail.words[at], _LAST_MONTH + 1) <= _LAST_MONTH


def _sounds_like_month(word: str, kind: int) -> bool:
    """ "januree", "disember", "augusts"."""
    return word in _SEVERAL_MONTHS or (bool(kind & kinds.UNKNOWN) and sounds(word) in _MONTH_SOUNDS)


def _figure(tail: Tail, at: int, *, misheard: bool) -> Element | None:
    """A figure; one misheard in "to thousand and six" and "two thousand and too"."""
    if tail.marks[at] & (kinds.DIGITS | kinds.NUMERAL):
        return read_element(tail, at)
    if not tail.marks[at] & kinds.HOMOPHONE or (tail.words[at] == "to" and not misheard):
        return None
    if tail.marks[at - 1] & kinds.NUMERAL and tail.marks[at + 1] & (kinds.NUMERAL | kinds.END):
        return read_element(tail, at, misheard=True)
    ends_year = tail.words[at - 2] == "thousand" and tail.words[at - 1] == "and"
    return read_element(tail, at, misheard=True) if ends_year or tail.words[at + 1] == "thousand" else None


def _is_tens(previous: Element | None) -> bool:
    """The "twenty" of "twenty fifth"."""
    return previous is not None and previous.kind == "y" and previous.digits[-1] == "0"


def _is_of_date(previous: Element | None, element: Element) -> bool:
    """No amount: hundreds only as in "nineteen hundred and two"."""
    if element.kind == "h":
        return previous is not None and previous.digits in ("18", "19", "20")
    return element.kind != "m"


def _is_late(tail: Tail, end: int, read: tuple[int, int, int], *, months: bool) -> bool:
    """Day, month and year, said when the talk had moved on; `read`: parts, written digits, full years."""
    parts, figures, years = read
    if parts < _FULL_PARTS or figures > _DATE_FIGURES or tail.marks[end - 1] & kinds.ORDINAL:
        return False
    lacks_day = months and years > 0 and parts == _FULL_PARTS and figures < _YEAR_FIGURES
    return not lacks_day and not _speaks_of_booking(tail, end)


def _feast(tail: Tail, at: int) -> int | None:
    """Behind "Christmas Day" and its like, which are day and month before a year."""
    for feast in _FEASTS.get(tail.words[at], ()):
        if all(tail.words[at + ahead] == word for ahead, word in enumerate(feast)):
            end = at + len(feast)
            follows = end + (tail.words[end] in (",", "in"))
            return end if tail.marks[follows] & kinds.NUMBER else None
    return None


def _is_year(previous: Element | None, element: Element) -> bool:
    """ "1955", "nineteen fifty five", "two thousand and one", "oh four"."""
    if element.kind == "d":
        return len(element.digits) == 4 and element.digits[:2] in ("18", "19", "20")
    if element.kind == "k":
        return previous is not None and previous.digits == "2"
    if previous is not None and previous.digits in ("19", "20") and previous.kind in "ty":
        return element.kind in "tyzu"
    return False


def _ends_year(previous: Element | None, element: Element) -> bool:
    """The "seven" of "two thousand and seven"; the "for" of "nineteen forty for"."""
    if previous is None:
        return False
    if previous.kind == "k":
        return element.kind in "utyzc"
    return element.kind == "c" and previous.kind == "y" and previous.digits[-1] == "0"


def _speaks_of_booking(tail: Tail, at: int) -> bool:
    """A time or "please" follows a date without a year: it is about the diary."""
    if tail.words[at] == "is" and tail.words[at + 1] in ("it", "that"):
        return False
    return tail.words[at] in ("at", "please", "works", "is", "would", "suits")


def _is_behind_time(tail: Tail, at: int) -> bool:
    """ "half past ten on July the eleventh"."""
    return tail.words[at - 1] == "on" and bool(tail.marks[at - 2] & kinds.NUMBER)


def _named_later(tail: Tail, at: int) -> bool:
    """ "… is my date of birth", "… is when I was born"."""
    for ahead in range(at, at + _LATER_TOKENS):
        word = tail.words[ahead]
        if word in ("birth", "birthday", "born", "dob", "birthdate"):
            return True
        if word == "and" or (not tail.marks[ahead] & (kinds.STOP | kinds.PAUSE) and word != "date"):
            return False
    return False
