"""Personal values as people say and write them, drawn with a seed from a part's own pools of words.

A value may hold fillers in angle brackets: optional characters, which need not be masked and may be.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence

Pools = Mapping[str, Sequence[str]]


def _words(text: str) -> list[str]:
    return text.split()


_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = _words("_ _ twenty thirty forty fifty sixty seventy eighty ninety")
_ORDINALS = _words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_MONTHS = _words("January February March April May June July August September October November December")
_DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday")
_NATO_WORDS = _words(
    "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa "
    "quebec romeo sierra tango uniform victor whiskey x-ray yankee zulu"
)
_AS_IN_WORDS = _words(
    "apple bravo cat dog egg freddie golf harry india jack kite london mother nancy orange peter queen "
    "robert sugar tommy umbrella victor window xylophone yellow zebra"
)
_NATO = {word[0]: word for word in _NATO_WORDS}
_AS_IN = {word[0]: word for word in _AS_IN_WORDS}
_SPELLED = {"spelled": "last", "spelled_first": "first"}
_FILLERS = ("um", "uh", "er", "erm")


def under_hundred(number: int) -> str:
    """0 to 99 in words."""
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens] + (f" {_ONES[ones]}" if ones else "")


def ordinal(day: int) -> str:
    """1 to 31 in words."""
    if day <= 20:
        return _ORDINALS[day - 1]
    if day == 30:
        return "thirtieth"
    return f"{_TENS[day // 10]} {_ORDINALS[day % 10 - 1]}"


def suffixed(day: int) -> str:
    """1st, 2nd, 3rd …"""
    suffix = "th" if 10 < day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


class Values:
    """Draws values; `slots` names what a frame may ask for with a dollar sign."""

    def __init__(self, pools: Pools, seed: str) -> None:
        self._pools = pools
        self._random = random.Random(seed)
        self._decks: dict[str, list[str]] = {}
        self.slots: dict[str, Callable[[], str]] = {
            name.removeprefix("slot_"): getattr(self, name) for name in dir(self) if name.startswith("slot_")
        }

    def fill(self, frame: str) -> str:
        """The frame with every `$slot` replaced; a pool's name stands for one of its words.

        `$slot@a` is the same value wherever the frame says so again, `$spelled@a` the letters of `$last@a`.
        """
        drawn: dict[str, str] = {}

        def value(match: re.Match[str]) -> str:
            name, tag = match[1], match[2]
            if not tag:
                return self._draw(name)
            if match[0] not in drawn:
                spelled = drawn.get(f"${_SPELLED.get(name)}{tag}")
                drawn[match[0]] = (
                    self._letters(re.sub("[^A-Za-z]", "", spelled)) if spelled else self._draw(name)
                )
            return drawn[match[0]]

        return re.sub(r"\$([a-z][a-z_0-9]*)(@[a-z])?", value, frame)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def pick(self, choices: Sequence[str]) -> str:
        return self._random.choice(choices)

    def _word(self, pool: str) -> str:
        """One of a pool; none comes twice before all have come."""
        deck = self._decks.setdefault(pool, [])
        if not deck:
            deck += self._random.sample(self._pools[pool], len(self._pools[pool]))
        return deck.pop()

    def _draw(self, name: str) -> str:
        return self.slots[name]() if name in self.slots else self.fill(self._word(name))

    def _digits(self, count: int) -> str:
        return "".join(self._random.choice("0123456789") for _ in range(count))

    def _pair_of(self, low: int, high: int) -> int:
        return self._random.randint(low, high)

    # --- digits aloud

    def _aloud(self, digits: str) -> list[str]:
        """Digits as words, doubles and triples said as such as often as not."""
        zero = self.pick(["oh", "oh", "oh", "zero", "nought"])
        multiples = self.chance(0.6)
        words, at = [], 0
        while at < len(digits):
            digit, run = digits[at], 1
            while multiples and run < 3 and digits[at : at + run + 1] == digit * (run + 1):
                run += 1
            word = zero if digit == "0" else _ONES[int(digit)]
            words.append(f"{('', '', 'double ', 'triple ')[run]}{word}")
            at += run
        return words

    def _spoken(self, groups: Sequence[str]) -> str:
        """Groups of digits in one of the ways in which they are said or transcribed."""
        style = self._random.random()
        if style < 0.12:
            return " ".join(" ".join(group) for group in groups)
        if style < 0.22:
            return " ".join(groups)
        said = [self._group(group) for group in groups]
        joint = self.pick([" ", " ", ", ", " "])
        if self.chance(0.12):
            at = self._pair_of(1, len(said) - 1) if len(said) > 1 else 0
            said[at] = f"<{self.pick(_FILLERS)} >{said[at]}"
        return joint.join(said)

    def _group(self, group: str) -> str:
        if len(group) == 3 and group.endswith("00") and group[0] != "0" and self.chance(0.5):
            return f"{_ONES[int(group[0])]} hundred"
        if len(group) == 4 and "0" not in group[::2] and self.chance(0.15):
            return f"{under_hundred(int(group[:2]))} {under_hundred(int(group[2:]))}"
        return " ".join(self._aloud(group))

    # --- phones

    def _uk_groups(self) -> list[str]:
        kind = self._random.random()
        if kind < 0.2:
            return ["07700", "900", f"{self._pair_of(0, 9)}00" if self.chance(0.3) else self._digits(3)]
        if kind < 0.7:
            return [f"07{self._digits(3)}", self._digits(3), self._digits(3)]
        if kind < 0.85:
            return ["020", f"7{self._digits(3)}", self._digits(4)]
        return [self.pick(["01632", "0161", "0131", "01273", "0117"]), self._digits(3), self._digits(4)]

    def slot_phone(self) -> str:
        return self._spoken(self._uk_groups())

    def slot_phone_w(self) -> str:
        groups = self._uk_groups()
        forms = [" ".join(groups), "".join(groups), f"+44 {groups[0][1:]} {' '.join(groups[1:])}"]
        forms += [f"+44 (0){groups[0][1:]} {''.join(groups[1:])}", "-".join(groups)]
        return self.pick(forms)

    def slot_phone_us(self) -> str:
        area, middle, last = self._us_groups()
        return self._spoken([area, middle, last])

    def slot_phone_us_w(self) -> str:
        area, middle, last = self._us_groups()
        forms = ["({}) {}-{}", "{}-{}-{}", "+1 {} {} {}", "{}.{}.{}", "1-{}-{}-{}"]
        return self.pick(forms).format(area, middle, last)

    def _us_groups(self) -> tuple[str, str, str]:
        area = f"{self._pair_of(2, 9)}{self._digits(2)}"
        return area, self.pick(["555", f"{self._pair_of(2, 9)}{self._digits(2)}"]), self._digits(4)

    def slot_phone_intl(self) -> str:
        code = self.pick(["353", "33", "49", "91", "61", "971"])
        if self.chance(0.5):
            return f"+{code} {self._digits(2)} {self._digits(3)} {self._digits(4)}"
        head = self.pick(["plus", "double oh", "zero zero"])
        tail = self._spoken([self._digits(2), self._digits(3), self._digits(4)])
        return f"{head} {' '.join(_ONES[int(digit)] for digit in code)} {tail}"

    # --- codes

    def slot_nhs(self) -> str:
        digits = self._digits(10)
        return self._spoken([digits[:3], digits[3:6], digits[6:]])

    def slot_nhs_w(self) -> str:
        digits = self._digits(10)
        return self.pick([digits, f"{digits[:3]} {digits[3:6]} {digits[6:]}"])

    def slot_nino(self) -> str:
        letters = self._word("nino")
        digits = self._digits(6)
        pairs = [" ".join(self._aloud(digits[at : at + 2])) for at in (0, 2, 4)]
        if self.chance(0.5):
            pairs = [under_hundred(int(digits[at : at + 2])) for at in (0, 2, 4)]
        return f"{self._letters(letters[:2])} {' '.join(pairs)} {self._letters(letters[2])}"

    def slot_nino_w(self) -> str:
        letters, digits = self._word("nino").upper(), self._digits(6)
        if self.chance(0.5):
            return f"{letters[:2]}{digits}{letters[2]}"
        return f"{letters[:2]} {digits[:2]} {digits[2:4]} {digits[4:]} {letters[2]}"

    def slot_ssn(self) -> str:
        digits = f"{self._pair_of(1, 8)}{self._digits(8)}"
        return self._spoken([digits[:3], digits[3:5], digits[5:]])

    def slot_ssn_w(self) -> str:
        digits = f"{self._pair_of(1, 8)}{self._digits(8)}"
        return f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"

    def _card_digits(self) -> str:
        body = self.pick(["4", "51", "55", "4929"])
        body += self._digits(15 - len(body))
        total = 0
        for at, digit in enumerate(reversed(body)):
            value = int(digit) * (2 if at % 2 == 0 else 1)
            total += value - 9 if value > 9 else value
        return f"{body}{-total % 10}"

    def slot_card(self) -> str:
        digits = self._card_digits()
        return self._spoken([digits[at : at + 4] for at in (0, 4, 8, 12)])

    def slot_card_w(self) -> str:
        digits = self._card_digits()
        joint = self.pick([" ", "-", ""])
        return joint.join(digits[at : at + 4] for at in (0, 4, 8, 12))

    def slot_cvv(self) -> str:
        digits = self._digits(3)
        return digits if self.chance(0.4) else " ".join(self._aloud(digits))

    def slot_expiry(self) -> str:
        month, year = self._pair_of(1, 12), self._pair_of(27, 33)
        forms = [f"{month:02}/{year}", f"{month:02} {year}", f"{under_hundred(month)} {under_hundred(year)}"]
        return self.pick(forms)

    # --- letters

    def _letters(self, letters: str) -> str:
        """Letters one by one: capitals, lower case, or words for letters."""
        style = self._random.random()
        if style < 0.35:
            return " ".join(letters.upper())
        if style < 0.65:
            return " ".join(letters.lower())
        if style < 0.75:
            return " ".join(_NATO[letter] for letter in letters.lower())
        if style < 0.82:
            return " ".join(f"{letter} for {_AS_IN[letter]}" for letter in letters.lower())
        if style < 0.9:
            return _doubled(letters.lower())
        return "-".join(letters.upper())

    def slot_spelled(self) -> str:
        return self._letters(re.sub("[^A-Za-z]", "", self._word("last")))

    def slot_spelled_first(self) -> str:
        return self._letters(self._word("first"))

    def slot_name(self) -> str:
        return f"{self._word('first')} {self._word('last')}"

    # --- e-mail

    def _email(self) -> tuple[str, str]:
        first, last = self._word("first").lower(), self._word("last").lower()
        last = re.sub("[^a-z]", "", last)
        local = self.pick(
            [f"{first}.{last}", f"{first}{last}", f"{first[0]}.{last}", f"{first}_{last}", first]
        )
        local = re.sub("[^a-z._]", "", local)
        if self.chance(0.35):
            local += self.pick([self._digits(2), str(self._pair_of(1950, 2005))])
        return local, self._word("mail")

    def slot_email_w(self) -> str:
        local, domain = self._email()
        return f"{local}@{domain}"

    def slot_email(self) -> str:
        local, domain = self._email()
        said = self._local_aloud(local)
        site = domain.replace(".", " dot ")
        if self.chance(0.15):
            site = domain
        return f"{said} {self.pick(['at', 'at', 'at', '@'])} {site}"

    def _local_aloud(self, local: str) -> str:
        parts = re.findall(r"[a-z]+|\d+|[._]", local)
        said = []
        for part in parts:
            if part == ".":
                said.append("dot")
            elif part == "_":
                said.append("underscore")
            elif part.isdigit():
                said.append(self._year_or_digits(part))
            elif len(part) > 1 and self.chance(0.2):
                said.append(" ".join(part))
            else:
                said.append(part)
        return " ".join(said)

    def _year_or_digits(self, digits: str) -> str:
        if len(digits) == 2 and digits[0] != "0":
            return self.pick([digits, under_hundred(int(digits)), " ".join(self._aloud(digits))])
        if len(digits) == 4:
            return self.pick([digits, _year(int(digits))])
        return " ".join(self._aloud(digits))

    # --- places

    def _postcode(self) -> tuple[str, str]:
        area = self._word("area")
        district = str(self._pair_of(1, 29))
        if self.chance(0.12) and len(area) == 2:
            district = f"{district[0]}A"
        inward = (
            f"{self._pair_of(1, 9)}{''.join(self._random.choice('ABDEFGHJLNPQRSTUWXYZ') for _ in range(2))}"
        )
        return f"{area}{district}", inward

    def slot_postcode_w(self) -> str:
        outward, inward = self._postcode()
        return self.pick([f"{outward} {inward}", f"{outward}{inward}", f"{outward} {inward}".lower()])

    def slot_postcode(self) -> str:
        outward, inward = self._postcode()
        upper, words, nato = self.chance(0.55), self.chance(0.7), self.chance(0.12)
        said = [self._postcode_half(half, upper, words, nato) for half in (outward, inward)]
        return (", " if self.chance(0.12) else " ").join(said)

    def _postcode_half(self, half: str, upper: bool, words: bool, nato: bool) -> str:
        said = []
        for part in re.findall(r"[A-Z]+|\d+", half):
            if part.isdigit():
                said.append(under_hundred(int(part)) if words else part)
            elif nato:
                said += [_NATO[letter] for letter in part.lower()]
            elif len(part) == 2 and part[0] == part[1] and self.chance(0.6):
                said.append(f"double {part[0] if upper else part[0].lower()}")
            else:
                said += list(part if upper else part.lower())
        return " ".join(said)

    def slot_zip(self) -> str:
        digits = f"{self._pair_of(1, 9)}{self._digits(4)}"
        return digits if self.chance(0.5) else " ".join(self._aloud(digits))

    def _street(self) -> str:
        return f"{self._word('street')} {self._word('road')}"

    def slot_address_w(self) -> str:
        number, street = self._pair_of(1, 240), self._street()
        town = self._word("town")
        forms = [
            f"{number} {street}, {town}",
            f"{number} {street}",
            f"Flat {number % 30 + 1}, {number} {street}",
        ]
        forms += [f"Flat {number % 9 + 1}b, {self._word('house')}, {street}, {town}"]
        forms += [f"{self._word('house')}, {street}, {town}", f"{number}A {street}, {town}"]
        return self.pick(forms)

    def slot_address(self) -> str:
        number, street = self._pair_of(1, 199), self._street()
        said = self._house_number(number)
        town = self._word("town")
        forms = [f"{said} {street} {town}", f"{said} {street}", f"{said} {street} in {town}"]
        forms += [f"flat {under_hundred(number % 40 + 1)} {said} {street}", f"number {said} {street} {town}"]
        forms += [f"flat {under_hundred(number % 9 + 1)} {self._word('house')} {street} {town}"]
        forms += [f"{self._word('house')} {street} {town}"]
        return self.pick(forms)

    def _house_number(self, number: int) -> str:
        if number < 100:
            return under_hundred(number)
        tail = under_hundred(number % 100) if number % 100 else ""
        if not tail:
            return "a hundred"
        joint = self.pick(["one hundred and {}", "a hundred and {}", "one {}", "one oh {}"])
        if number % 100 >= 10 and "oh" in joint:
            joint = "one {}"
        elif number % 100 < 10 and joint == "one {}":
            joint = "one oh {}"
        return joint.format(tail)

    def slot_address_us(self) -> str:
        number = self._pair_of(100, 9800)
        said = str(number) if self.chance(0.5) else " ".join(self._aloud(str(number)))
        street = f"{self._word('us_street')} {self._word('us_road')}"
        city = self._word("us_city")
        unit = self.pick(["", "", f" apartment {self._pair_of(1, 40)}", f" unit {self._pair_of(1, 20)}B"])
        return f"{said} {street}{unit} {city}"

    # --- dates of birth

    def _birth(self) -> tuple[int, int, int]:
        return self._pair_of(1, 28), self._pair_of(1, 12), self._pair_of(1931, 2019)

    def slot_dob_w(self) -> str:
        day, month, year = self._birth()
        name = _MONTHS[month - 1]
        forms = [f"{day:02}/{month:02}/{year}", f"{day}/{month}/{year % 100:02}", f"{day} {name} {year}"]
        forms += [
            f"{suffixed(day)} of {name} {year}",
            f"{name} {suffixed(day)}, {year}",
            f"{suffixed(day)} {name} {year}",
        ]
        forms += [f"{day:02}.{month:02}.{year}", f"{year}-{month:02}-{day:02}", f"{day} {name[:3]} {year}"]
        forms += [f"{day:02}-{month:02}-{year}", f"{name} {day} {year}"]
        return self.pick(forms)

    def slot_dob(self) -> str:
        day, month, year = self._birth()
        name, said = _MONTHS[month - 1], _year(year)
        short = under_hundred(year % 100) if year % 100 > 9 else said
        forms = [f"the {ordinal(day)} of {name} {said}", f"{ordinal(day)} of {name} {said}"]
        forms += [
            f"{ordinal(day)} {name} {said}",
            f"{name} {ordinal(day)} {said}",
            f"{name} the {ordinal(day)} {said}",
        ]
        forms += [
            f"the {ordinal(day)} of {name} {short}",
            f"{under_hundred(day)} {under_hundred(month)} {short}",
        ]
        forms += [f"{under_hundred(day)} {under_hundred(month)} {said}", f"{_oh(day)} {_oh(month)} {short}"]
        forms += [f"the {ordinal(day)} of the {ordinal(month)} {said}", f"{under_hundred(day)} {name} {said}"]
        return self.pick(forms)

    # --- what is none

    def slot_time(self) -> str:
        hour, minute = self._pair_of(8, 18), self.pick(["00", "15", "30", "45", "20", "10"])
        twelve = hour % 12 or 12
        forms = [
            f"{hour}:{minute}",
            f"half past {_ONES[twelve]}",
            f"quarter to {_ONES[twelve]}",
            f"{twelve} o'clock",
        ]
        forms += [
            f"{twelve} {'am' if hour < 12 else 'pm'}",
            f"{_ONES[twelve]} {under_hundred(int(minute))}".replace(" zero", ""),
        ]
        forms += [f"{twelve}:{minute} {'a.m.' if hour < 12 else 'p.m.'}", f"ten past {_ONES[twelve]}"]
        return self.pick(forms)

    def slot_day(self) -> str:
        return self.pick(_DAYS)

    def slot_date(self) -> str:
        day, month = self._pair_of(1, 28), self._pair_of(1, 12)
        name = _MONTHS[month - 1]
        forms = [f"the {ordinal(day)} of {name}", f"{suffixed(day)} of {name}", f"{name} the {ordinal(day)}"]
        forms += [
            f"{day} {name} 2026",
            f"2026-{month:02}-{day:02}",
            f"{name} {suffixed(day)}",
            f"{day:02}/{month:02}/2026",
        ]
        return self.pick(forms)

    def slot_price(self) -> str:
        amount = self._pair_of(2, 90) * 5
        forms = [
            f"£{amount}",
            f"{under_hundred(amount % 95 + 5)} pounds",
            f"£{amount}.00",
            f"{amount} pounds",
            f"£{amount},000",
        ]
        forms += [f"two hundred and {under_hundred(amount % 99 + 1)} pounds", f"${amount}"]
        return self.pick(forms)

    def slot_number(self) -> str:
        return under_hundred(self._pair_of(2, 60)) if self.chance(0.6) else str(self._pair_of(2, 60))

    def slot_code(self) -> str:
        digits = self._digits(self._pair_of(4, 6))
        return digits if self.chance(0.5) else " ".join(self._aloud(digits))

    def slot_reference(self) -> str:
        letters = self.pick(["BK", "HC", "INV", "REF", "TKT", "A"])
        return f"{letters}{self.pick(['-', ' ', ''])}{self._digits(self._pair_of(4, 7))}"


def _year(year: int) -> str:
    century, rest = divmod(year, 100)
    if year >= 2000:
        return "two thousand" + (f" and {under_hundred(rest)}" if rest else "")
    if rest < 10:
        return f"nineteen oh {_ONES[rest]}" if rest else "nineteen hundred"
    return f"{under_hundred(century)} {under_hundred(rest)}"


def _oh(number: int) -> str:
    return f"oh {_ONES[number]}" if number < 10 else under_hundred(number)


def _doubled(letters: str) -> str:
    """Letters one by one, two of a kind as a double."""
    runs = [match.group() for match in re.finditer(r"(\w)\1|\w", letters)]
    return " ".join(f"double {run[0]}" if len(run) == 2 else run for run in runs)
