"""What a caller said, as facts: which service, which day, which time, yes or no. Pure; English only.

Made for the output of a small recogniser over a telephone line: numbers come as words or digits
("10:30 a.m.", "half past 10", "ten thirty"), names nearly right ("rhino plastic"). A word that is not
understood is no error: the facts say what was found, and `Wish.empty` says that nothing was.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

Relation = Literal["at", "after", "before"]
Part = Literal["morning", "afternoon", "evening"]
NOON = 12 * 60
EVENING = 17 * 60

# fmt: off
_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50}
_ORDINALS = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth",
)
_TENTHS = {"twentieth": 20, "thirtieth": 30}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAY_ALIASES = {
    "mon": 0, "tue": 1, "tues": 1, "chewsday": 1, "choosday": 1, "wed": 2, "weds": 2, "wensday": 2, "thu": 3,
    "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
}
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)
# fmt: on
_LEADS = frozenset({"at", "around", "about", "by", "after", "before", "from", "than"})
_POLITE = frozenset({"please", "thanks", "thank", "you", "the", "yes", "ok", "okay", "then", "maybe", "no"})
_TOKEN = re.compile(r"(\d{1,2})[:.](\d{2})(?!\d)|(\d+)(?:st|nd|rd|th)\b|(\d+)|([a-z]+(?:'[a-z]+)*)")
_GREETING = re.compile(r"\bgood (?:morning|afternoon|evening|day)\b")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a number in words or digits: `num` 24, `ord` 24th, `clock` 10:30 in minutes of the day."""

    kind: Literal["word", "num", "ord", "clock"]
    text: str
    value: int = 0


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Minutes after midnight; `certain` if morning or afternoon was said or follows from the figure."""

    minute: int
    relation: Relation = "at"
    certain: bool = False

    def fits(self, minute: int) -> bool:
        """Whether a slot that starts at this minute of the day is what was meant."""
        match self.relation:
            case "after":
                return minute >= self.minute
            case "before":
                return minute < self.minute
            case "at":
                return minute == self.minute or (not self.certain and (minute - self.minute) % (12 * 60) == 0)


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the system prompt names it, and the other names that callers use for it."""

    name: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """What one or several caller turns ask for. `pick` is a position among what was offered, -1 the last."""

    service: str | None = None
    day: date | None = None
    days_from: date | None = None
    time: TimeOfDay | None = None
    part: Part | None = None
    pick: int | None = None
    other_times: bool = False
    refused_days: tuple[date, ...] = ()

    @property
    def names_a_time(self) -> bool:
        asked = (self.day, self.days_from, self.time, self.part, self.pick)
        return any(value is not None for value in asked)

    @property
    def empty(self) -> bool:
        return not (self.service or self.names_a_time or self.other_times or self.refused_days)

    def then(self, later: "Wish") -> "Wish":
        """Both wishes, the later one winning where they differ."""
        changes = {
            name: value
            for name in ("service", "day", "days_from", "time", "part")
            if (value := getattr(later, name)) is not None
        }
        return replace(
            self,
            **changes,
            pick=later.pick,
            other_times=later.other_times,
            refused_days=(*self.refused_days, *later.refused_days),
        )


def understand(text: str, today: date | None, services: Sequence[Service]) -> Wish:
    """The wish in one caller turn."""
    tokens = tokenize(text)
    day, days_from, refused = _days(tokens, today)
    part = _part(tokens)
    return Wish(
        service=match_service(text, services),
        day=day,
        days_from=days_from,
        time=_time(tokens, part),
        part=part,
        pick=_pick(tokens, text),
        other_times=_asks_for_others(text),
        refused_days=refused,
    )


# Words and numbers.


def plain(text: str) -> str:
    """Lower case, one kind of apostrophe, am and pm without points, no greeting that names part of a day."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("-", " ")
    text = re.sub(r"\b([ap])\s?\.?\s?m\b\.?", r"\1m", text)
    text = re.sub(r"(\d)([ap]m)\b", r"\1 \2", text).replace("o'clock", "oclock").replace("o clock", "oclock")
    return _GREETING.sub(" ", text)


def tokenize(text: str) -> list[Token]:
    """Words and numbers in order; "twenty four" is one number, "ten thirty" two."""
    return list(_join_tens(_raw_tokens(plain(text))))


def _raw_tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        hour, minute, ordinal, number, word = match.groups()
        if hour is not None:
            yield Token("clock", match[0], int(hour) * 60 + int(minute))
        elif ordinal is not None:
            yield Token("ord", match[0], int(ordinal))
        elif number is not None:
            yield _digits(number)
        else:
            yield _word(word)


def _digits(number: str) -> Token:
    value = int(number)
    hours, minutes = divmod(value, 100)
    if len(number) in (3, 4) and 0 < hours < 20 and minutes < 60:
        return Token("clock", number, hours * 60 + minutes)
    return Token("num", number, value)


def _word(word: str) -> Token:
    if word in _UNITS:
        return Token("num", word, _UNITS.index(word))
    if word in _TENS:
        return Token("num", word, _TENS[word])
    if word in _ORDINALS:
        return Token("ord", word, _ORDINALS.index(word))
    if word in _TENTHS:
        return Token("ord", word, _TENTHS[word])
    return Token("word", word)


def _join_tens(tokens: Iterable[Token]) -> Iterator[Token]:
    tens: Token | None = None
    for token in tokens:
        if tens and token.kind in ("num", "ord") and 1 <= token.value <= 9 and token.text.isalpha():
            yield Token(token.kind, f"{tens.text} {token.text}", tens.value + token.value)
            tens = None
            continue
        if tens:
            yield tens
        tens = token if token.text in _TENS else None
        if tens is None:
            yield token
    if tens:
        yield tens


# Times of day.


def _time(tokens: Sequence[Token], part: Part | None) -> TimeOfDay | None:
    """The last time that was said: who corrects himself says the right one last."""
    alone = sum(token.text not in _POLITE for token in tokens) == 1
    found = [(at, reading) for at in range(len(tokens)) if (reading := _time_at(tokens, at, alone=alone))]
    if not found:
        return None
    # A reading that begins inside another ("half past ten" holds "past ten") is part of it.
    at, (minute, length, marked) = found[0]
    for next_at, reading in found[1:]:
        if next_at >= at + length:
            at, (minute, length, marked) = next_at, reading
    after = _text(tokens, at + length)
    meridiem = after if after in ("am", "pm") else None
    minute, certain = _on_the_clock(minute, meridiem, part, marked)
    return TimeOfDay(minute, _relation(tokens, at), certain)


def _time_at(tokens: Sequence[Token], at: int, *, alone: bool) -> tuple[int, int, bool] | None:
    """Minute, number of tokens, and whether the hour is one of 24, for a time that begins at `at`."""
    token = tokens[at]
    if token.text in ("noon", "midday"):
        return NOON, 1, True
    if token.kind == "clock":
        return token.value, 1, token.value >= 13 * 60
    return _past_or_to(tokens, at) or _hour_and_minute(tokens, at) or _bare_hour(tokens, at, alone=alone)


def _past_or_to(tokens: Sequence[Token], at: int) -> tuple[int, int, bool] | None:
    """ "half past ten", "quarter to three", "twenty minutes past two", and the British "half ten"."""
    token = tokens[at]
    minutes = {"half": 30, "quarter": 15}.get(token.text, token.value if token.kind == "num" else 0)
    if not 0 < minutes < 60:
        return None
    step = at + 2 if _text(tokens, at + 1) in ("minutes", "minute") else at + 1
    word = _text(tokens, step)
    if word in ("past", "after", "to", "till", "before") and (hour := _hour(tokens, step + 1)) is not None:
        if token.text not in ("half", "quarter") and word in ("after", "before"):
            return None
        sign = 1 if word in ("past", "after") else -1
        return hour * 60 + sign * minutes, step + 2 - at, False
    if token.text == "half" and (hour := _hour(tokens, at + 1)) is not None:
        return hour * 60 + 30, 2, False
    return None


def _hour_and_minute(tokens: Sequence[Token], at: int) -> tuple[int, int, bool] | None:
    """ "ten thirty", "nine oh five", "ten o'clock", "2 pm"."""
    token = tokens[at]
    if token.kind != "num" or not 0 < token.value < 24:
        return None
    hour, following = token.value, at + 1
    if _text(tokens, following) in ("oclock", "am", "pm"):
        return hour * 60, 2 if _text(tokens, following) == "oclock" else 1, hour > 12
    if _text(tokens, following) in ("oh", "o") and (low := _number(tokens, following + 1)) is not None:
        return (hour * 60 + low, 3, hour > 12) if low < 10 else None
    minute = _number(tokens, following)
    if minute is not None and 10 <= minute < 60 and _text(tokens, following + 1) not in ("past", "to"):
        return hour * 60 + minute, 2, hour > 12
    return None


def _bare_hour(tokens: Sequence[Token], at: int, *, alone: bool) -> tuple[int, int, bool] | None:
    """ "at ten", "after three", or nothing but "ten"; "one" alone is more often a thing than an hour."""
    hour = _hour(tokens, at)
    led = at > 0 and tokens[at - 1].text in _LEADS
    counts = _text(tokens, at + 1) in ("of", "people", "days", "weeks", "minutes", "hours", *_MONTHS)
    if hour is None or counts or not (led or (alone and hour > 1)):
        return None
    return hour * 60, 1, False


def _on_the_clock(minute: int, meridiem: str | None, part: Part | None, marked: bool) -> tuple[int, bool]:
    """A time on the twelve-hour clock as minutes of the day, by what was said or else by a clinic's hours."""
    if marked:
        return minute, True
    if meridiem == "pm" or (meridiem is None and part in ("afternoon", "evening")):
        return minute % NOON + NOON, True
    if meridiem == "am" or part == "morning":
        return minute % NOON, True
    return (minute % NOON + NOON, False) if minute % NOON < 8 * 60 else (minute, False)


def _relation(tokens: Sequence[Token], at: int) -> Relation:
    words = [_text(tokens, at - back) for back in (3, 2, 1)]
    if words[2] == "than" and words[1] in ("later", "earlier"):
        return "after" if (words[1] == "later") != (words[0] in ("no", "not")) else "before"
    if words[2] in ("after", "from"):
        return "after"
    return "before" if words[2] in ("before", "by") else "at"


def _part(tokens: Sequence[Token]) -> Part | None:
    for token in reversed(tokens):
        match token.text.removesuffix("s"):
            case "morning":
                return "morning"
            case "afternoon" | "lunchtime":
                return "afternoon"
            case "evening" | "tonight":
                return "evening"
    return None


def _hour(tokens: Sequence[Token], at: int) -> int | None:
    value = _number(tokens, at)
    return value if value is not None and 1 <= value <= 12 else None


def _number(tokens: Sequence[Token], at: int) -> int | None:
    return tokens[at].value if 0 <= at < len(tokens) and tokens[at].kind == "num" else None


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) else ""


# Days.


def _days(tokens: Sequence[Token], today: date | None) -> tuple[date | None, date | None, tuple[date, ...]]:
    """The day asked for, the first day of a week asked for, and the days ruled out."""
    if today is None:
        return None, None, ()
    wanted: list[date] = []
    refused: list[date] = []
    previous, ruled_out = -1, False
    for at in range(len(tokens)):
        if (day := _day_at(tokens, at, today)) is None:
            continue
        joined = previous >= 0 and {token.text for token in tokens[previous + 1 : at]} <= {"or", "and", "nor"}
        ruled_out = (joined and ruled_out and at > previous + 1) or _is_ruled_out(tokens, at, previous + 1)
        (refused if ruled_out else wanted).append(day)
        previous = at
    days_from = None
    if not wanted and "next week" in " ".join(token.text for token in tokens):
        days_from = today + timedelta(days=7 - today.weekday())
    return (wanted[-1] if wanted else None), days_from, tuple(refused)


def _day_at(tokens: Sequence[Token], at: int, today: date) -> date | None:
    return _named_day(tokens, at, today) or _numbered_day(tokens, at, today)


def _named_day(tokens: Sequence[Token], at: int, today: date) -> date | None:
    word = tokens[at].text
    if word == "today":
        return today
    if word == "tomorrow":
        days = 2 if _text(tokens, at - 1) == "after" and _text(tokens, at - 2) == "day" else 1
        return today + timedelta(days=days)
    weekday = _weekday(word)
    if weekday is None:
        return None
    ahead = (weekday - today.weekday() - 1) % 7 + 1
    if _text(tokens, at - 1) == "next":
        ahead = 7 - today.weekday() + weekday
    if _text(tokens, at - 1) == "on" and _text(tokens, at - 2) == "week":
        ahead += 7
    if _text(tokens, at + 1) == "week":
        ahead += 7
    named = today + timedelta(days=ahead)
    # "Tuesday the 1st": the date is said too and decides.
    return None if _numbered_after(tokens, at, today, named) else named


def _numbered_after(tokens: Sequence[Token], at: int, today: date, named: date) -> bool:
    for following in (at + 1, at + 2):
        if following < len(tokens) and (day := _numbered_day(tokens, following, today, after_weekday=True)):
            return day.weekday() == named.weekday()
    return False


def _numbered_day(
    tokens: Sequence[Token], at: int, today: date, *, after_weekday: bool = False
) -> date | None:
    """ "the 24th", "24th of November", "November 24"; "the first" alone is a choice, not a date."""
    token = tokens[at]
    if token.kind not in ("num", "ord") or not 1 <= token.value <= 31:
        return None
    month = _month_beside(tokens, at)
    if month is None:
        weekday_before = _weekday(_text(tokens, at - 1)) is not None or (
            _text(tokens, at - 1) == "the" and _weekday(_text(tokens, at - 2)) is not None
        )
        if token.kind == "num" or (token.value <= 3 and not (after_weekday or weekday_before)):
            return None
    return _next_date(today, token.value, month)


def _month_beside(tokens: Sequence[Token], at: int) -> int | None:
    following = at + 2 if _text(tokens, at + 1) == "of" else at + 1
    previous = at - 2 if _text(tokens, at - 1) == "the" else at - 1
    for beside in (following, previous):
        word = _text(tokens, beside)
        # "May" before a number is more often the verb.
        if word in _MONTHS and not (word == "may" and beside < at):
            return _MONTHS.index(word) + 1
    return None


def _next_date(today: date, day: int, month: int | None) -> date | None:
    """The next date with this day of the month (and month), today included."""
    for months_ahead in range(13):
        index = today.month - 1 + months_ahead
        year, this_month = today.year + index // 12, index % 12 + 1
        if month not in (None, this_month):
            continue
        try:
            candidate = date(year, this_month, day)
        except ValueError:
            continue
        if candidate >= today:
            return candidate
    return None


def _weekday(word: str) -> int | None:
    word = word.removesuffix("'s")
    if word in _WEEKDAY_ALIASES:
        return _WEEKDAY_ALIASES[word]
    for number, name in enumerate(_WEEKDAYS):
        if word in (name, name + "s"):
            return number
    if len(word) < 6:
        return None
    return next((n for n, name in enumerate(_WEEKDAYS) if edit_distance(word, name) == 1), None)


def _is_ruled_out(tokens: Sequence[Token], at: int, since: int) -> bool:
    """ "not Tuesday", "I can't do Tuesday", "Tuesday doesn't work"; words before `since` belong elsewhere."""
    before = {token.text for token in tokens[max(since, at - 4) : at]}
    after = {token.text for token in tokens[at + 1 : at + 3]}
    return bool(
        before & {"not", "can't", "cannot", "except"}
        or after & {"doesn't", "won't", "isn't"}
        or (before & {"don't"} and before & {"want", "like"})
    )


# Choosing among what was offered.

_PICKS = {
    0: r"\b(first|1st|earliest|soonest|former|next available|as soon as possible|asap)\b|"
    r"\bearlier (one|slot|time)\b",
    1: r"\b(second|2nd|middle)\b(?! (?:of|thought))",
    2: r"\b(third|3rd)\b(?! of)",
    -1: r"\b(last|latest|latter)\b(?! (?:week|time|month))|\blater (one|slot|time)\b|\bthe later\b",
}
_ANY = re.compile(
    r"\b(any of (them|those)|either|whichever|don't mind|doesn't matter|up to you|you choose|any is fine|"
    r"any (time|one|slot) (is|will|works)|whatever)\b"
)
_OTHERS = re.compile(
    r"\b(any(thing|where)? else|other (times?|days?|slots?|options?|dates?|appointments?)|"
    r"another (time|day|slot|date)|"
    r"(something|anything|any|bit|much) (later|earlier|different|sooner)|different (time|day|date)|"
    r"none of (those|them|these)|(those|they|that|these) (don't|doesn't|do not|does not|won't) (work|suit)|"
    r"later (in|on|that) |more (times|options))\b"
)


def _pick(tokens: Sequence[Token], text: str) -> int | None:
    said = plain(text)
    for position, pattern in _PICKS.items():
        match = re.search(pattern, said)
        if match and not _followed_by_month(said, match.end()) and "last name" not in said:
            return position
    if _ANY.search(said):
        return 0
    if len(tokens) <= 4 and re.search(r"\b(number|option) (one|two|three)\b", said):
        return next(token.value for token in tokens if token.kind == "num") - 1
    return None


def _followed_by_month(said: str, at: int) -> bool:
    return bool(re.match(rf"\s+(?:of\s+)?(?:{'|'.join(_MONTHS)})\b", said[at:]))


def _asks_for_others(text: str) -> bool:
    said = plain(text)
    return bool(_OTHERS.search(said)) and not re.search(
        r"\b(nothing|not|no|isn't) (any(thing)? )?else\b", said
    )


# Services.

_GENERIC = frozenset(
    {
        "consultation",
        "consultations",
        "appointment",
        "treatment",
        "session",
        "surgery",
        "procedure",
        "a",
        "the",
    }
)
_LIKENESS = 0.72


def match_service(text: str, services: Sequence[Service]) -> str | None:
    """The service whose name or synonym is said, or nearly; None if none is or two are equally likely."""
    words = re.findall(r"[a-z']+", plain(text))
    scored = sorted(((_service_likeness(words, service), service.name) for service in services), reverse=True)
    if not scored or scored[0][0] < _LIKENESS:
        return None
    if len(scored) > 1 and scored[1][0] == scored[0][0]:
        return None
    return scored[0][1]


def _service_likeness(words: Sequence[str], service: Service) -> float:
    return max(
        (_term_likeness(words, term) for name in (service.name, *service.synonyms) for term in _terms(name)),
        default=0.0,
    )


def _terms(name: str) -> Iterator[tuple[str, ...]]:
    """The name's words, and those of them that are not said of every service."""
    words = tuple(re.findall(r"[a-z']+", plain(name)))
    if words:
        yield words
    core = tuple(word for word in words if word not in _GENERIC)
    if core and core != words:
        yield core


def _term_likeness(words: Sequence[str], term: Sequence[str]) -> float:
    """1 for the very words; near 1 for the same letters in other words ("rhino plastic")."""
    target = "".join(term)
    best = 0.0
    for size in range(max(1, len(term) - 1), len(term) + 2):
        for at in range(len(words) - size + 1):
            said = "".join(words[at : at + size])
            if said == target:
                return 1.0 + len(target) / 1000
            if len(target) >= 5 and abs(len(said) - len(target)) <= len(target) // 3:
                best = max(best, 1 - edit_distance(said, target) / len(target))
    return best


def edit_distance(a: str, b: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]


# Yes, no, and the rest of a conversation.

_SIGNALS = {
    "goodbye": r"\b(good ?bye?|bye|have a (good|nice|lovely) (day|one|evening|afternoon)|cheerio|see you)\b",
    "finished": r"\b(that'?s|that is|that will be|that'll be) (all|it|everything|me done)\b|"
    r"\bnothing (else|more)\b|"
    r"\b(all (set|done|good)|i'm (done|good)|no more)\b",
    "declined": r"\bno,? (thank you|thanks)\b|\bi'm fine\b",
    "yes": r"\b(yes|yeah|yep|yup|sure|okay|ok|fine|perfect|great|lovely|brilliant|absolutely|definitely|"
    r"please do|go ahead|sounds good|that works|works for me|that one|i'll take|i will take|"
    r"book it|correct|that'd be)\b",
    "no": r"\b(no|nope|nah|not really|neither)\b",
    "robot": r"\b(robot|a machine|computer|bot|human|real person|actual person|artificial|a\.?i\.?|automated|"
    r"a recording|are you real|a person)\b",
    "handover": r"\b(speak|talk) (to|with) (a|an|the|some|someone|somebody|doctor|dr)\b|\bput me through\b|"
    r"\btransfer me\b|\boperator\b",
    "again": r"\b(repeat|say that again|say again|come again|pardon|what was that|didn't (catch|hear|get)|"
    r"what did you say|one more time|what were the)\b",
    "resend": r"\b(did(n't| not) (get|arrive|come)|(not|hasn't|nothing) (has )?(come|came|arrived?)|"
    r"(new|another|fresh) (code|one|text)|resend|send (it|me|the|one|that) (again|code again))\b",
    "cancel": r"\b(cancel|call it off|changed my mind)\b",
    "question": r"\b(what|where|when|how|who|why|do you|does|is there|are there|are you|can you|"
    r"could you tell)\b",
    "booking": r"\b(appointment|consultation|book|booking|come in|see (a|the|someone|doctor|dr))\b",
    "thanks": r"\b(thanks?|thank you|cheers)\b",
}
_COMPILED = {name: re.compile(pattern) for name, pattern in _SIGNALS.items()}


def signals(text: str) -> frozenset[str]:
    """Which of the moves of a conversation a turn makes (the keys of `_SIGNALS`); may be several or none."""
    said = plain(text)
    return frozenset(name for name, pattern in _COMPILED.items() if pattern.search(said))
