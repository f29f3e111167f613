"""The text of a follow-up: templates, what they may say, and what it costs. Pure.

A clinic's template has places: `{personal}` a line to the caller, `{agent}`, `{clinic}`, `{link}`, and
`{procedure}`, which only a clinic may have that has agreed to name procedures: a telephone is read by others.

Lengths: 3GPP TS 23.038 (GSM 7-bit default alphabet and its extension table) and TS 23.040 (concatenated
messages), read 2026-11: 160 septets, or 153 in each of several; in UCS-2 70 and 67 units of 16 bits.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from string import Formatter
from typing import Final, Literal
from zoneinfo import ZoneInfo

from booking.errors import ClinicInvalid

PLACES: Final = frozenset({"personal", "agent", "clinic", "link", "procedure"})
LINK_CHARACTERS: Final = 100  # what a link may take where it is not known yet
MOST_SEGMENTS: Final = 6
TEMPLATE: Final = (
    "{personal} {agent} from {clinic} here. The guide you asked about: {link} Questions? Just reply."
    " STOP to opt out."
)
TEMPLATE_WITH_BOOKING: Final = (
    "{personal} {agent} from {clinic} here. The guide you asked about: {link} Reply BOOK for a booking link,"
    " or ask us anything. STOP to opt out."
)
_BASIC: Final = frozenset(
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5\u0394_\u03a6\u0393\u039b"
    "\u03a9\u03a0\u03a8\u03a3\u0398\u039e\u00c6\u00e6\u00df\u00c9 !\"#\u00a4%&'()*+,-./0123456789:;<=>?\u00a1"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7\u00bfabcdefghijklmnopqrstuvwxyz"
    "\u00e4\u00f6\u00f1\u00fc\u00e0"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|\u20ac")
_STOP: Final = re.compile(r"\bSTOP\b")
_TITLES: Final = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "lady", "lord", "rev"})
_LONGEST_NAME: Final = 30
_NOON, _EVENING = 12, 17

Encoding = Literal["GSM-7", "UCS-2"]


@dataclass(frozen=True, slots=True)
class Size:
    """What a text takes: `units` are septets or 16-bit units, `segments` what the carrier charges for."""

    encoding: Encoding
    units: int
    segments: int


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in a template's places."""

    personal: str = field(repr=False)
    agent: str
    clinic: str
    link: str = field(repr=False)
    procedure: str = field(default="", repr=False)


def size_of(text: str) -> Size:
    """How the text is sent. A character of two units never falls apart between two segments."""
    if all(each in _BASIC or each in _EXTENDED for each in text):
        return _size("GSM-7", [2 if each in _EXTENDED else 1 for each in text], 160, 153)
    return _size("UCS-2", [len(each.encode("utf-16-be")) // 2 for each in text], 70, 67)


def _size(encoding: Encoding, widths: list[int], alone: int, joined: int) -> Size:
    units = sum(widths)
    return Size(encoding, units, 1 if units <= alone else _packed(widths, joined))


def _packed(widths: Iterable[int], joined: int) -> int:
    segments, left = 1, joined
    for width in widths:
        if width > left:
            segments, left = segments + 1, joined
        left -= width
    return segments


def require_template(template: str, *, names_procedure: bool, clinic: str, agent: str) -> Size:
    """What the longest text made of it takes. Raises `ClinicInvalid` for one that cannot be sent."""
    places = _places(template)
    if unknown := sorted(places - PLACES):
        raise _invalid(f"has a place that there is not: {unknown[0]!r}")
    if "link" not in places:
        raise _invalid("has no {link}")
    if "procedure" in places and not names_procedure:
        raise _invalid("names the procedure, which the clinic has not agreed to (names_procedure)")
    if not _STOP.search(template):
        raise _invalid("does not say STOP: who is texted must be told how to end it")
    longest = Filled(
        personal="Hi " + "M" * _LONGEST_NAME + ", thank you for calling on Wednesday.",
        agent=agent,
        clinic=clinic,
        link="https://" + "x" * (LINK_CHARACTERS - len("https://")),
        procedure="M" * 60,
    )
    size = size_of(filled(template, longest))
    if size.segments > MOST_SEGMENTS:
        raise _invalid(f"may take {size.segments} segments ({size.encoding}); {MOST_SEGMENTS} are the most")
    return size


def filled(template: str, values: Filled) -> str:
    """The template with its places filled; spaces are single."""
    text = template.format(
        personal=values.personal,
        agent=values.agent,
        clinic=values.clinic,
        link=values.link,
        procedure=values.procedure,
    )
    return " ".join(text.split(" ")).strip()


def personal_line(name: str | None, called_at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """A line to the caller: by first name where that is known, and when they called, in their own time."""
    first = first_name(name)
    greeting = f"Hi {first}," if first else "Hello,"
    return f"{greeting} thank you for calling {_when(called_at.astimezone(zone), now.astimezone(zone))}."


def first_name(name: str | None) -> str | None:
    """None where it cannot be told what somebody is called."""
    words = [word for word in (name or "").split() if word.rstrip(".").casefold() not in _TITLES]
    if not words or (len(words) == 1 and len((name or "").split()) > 1):
        return None  # a title and a surname
    first = words[0]
    letters = first.replace("-", "").replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")
    return first if letters.isalpha() and 1 < len(letters) <= _LONGEST_NAME else None


def _when(called: datetime, now: datetime) -> str:
    days = (now.date() - called.date()).days
    if days <= 0:
        part = "morning" if called.hour < _NOON else "afternoon" if called.hour < _EVENING else "evening"
        return f"this {part}"
    return "yesterday" if days == 1 else f"on {called:%A}"


def _places(template: str) -> set[str]:
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        raise _invalid("has a brace that does not close") from None
    if any(spec or conversion for _, _, spec, conversion in parts):
        raise _invalid("has a place with a format")
    return {name for _, name, _, _ in parts if name is not None}


def _invalid(fault: str) -> ClinicInvalid:
    return ClinicInvalid("template", fault)
