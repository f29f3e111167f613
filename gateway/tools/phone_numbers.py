"""A phone number that a caller said, in E.164, read as in the clinic's country.

Of national plans two are known: the United Kingdom's tells mobiles from landlines, North America's does not.
Elsewhere the length alone is judged, and the provider says what cannot be texted. Calling codes are ITU-T
E.164's: those of one and of two digits are listed, all others have three.
"""

import re
from typing import Final

from booking.errors import NumberInvalid
from gateway.tools.spoken_digits import digits_said

_ONE_DIGIT: Final = frozenset("17")
_TWO_DIGITS: Final = frozenset(
    re.findall(
        "..",
        "2027303132333436394041434445464748495152535455565758606162636465668182848690919293949598",
    )
)
_KEEP_ZERO: Final = frozenset({"39", "378", "379"})  # Italy's plan writes the 0 abroad too
_NANP: Final = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")
_UK: Final = re.compile(r"(?:1[0-9]{8,9}|[2378][0-9]{9}|9[0-9]{9})")
_UK_MOBILE: Final = re.compile(r"7[1-57-9][0-9]{8}")
_OTHER: Final = re.compile(r"[0-9]{6,12}")


def calling_code(number: str) -> str:
    """The country's part of a number in E.164."""
    digits = number.removeprefix("+")
    for length, codes in ((1, _ONE_DIGIT), (2, _TWO_DIGITS)):
        if digits[:length] in codes:
            return digits[:length]
    return digits[:3]


def e164(said: str, home: str) -> str:
    """The number in E.164. `home`: any number of the clinic's country, "" if none is known.

    Raises `NumberInvalid`.
    """
    digits = digits_said(said)
    abroad = re.search(r"\+|\bplus\b", said.casefold()) is not None
    code = calling_code(home) if home else ""
    if abroad:
        return _checked(digits)
    if digits.startswith("011" if code == "1" else "00"):
        return _checked(digits.removeprefix("011" if code == "1" else "00"))
    if not code:
        raise NumberInvalid(NumberInvalid.__doc__)
    return _checked(code + _national(digits, code))


def is_landline(number: str) -> bool:
    """Known not to be a mobile. North American numbers do not show it."""
    return calling_code(number) == "44" and not _UK_MOBILE.fullmatch(number[3:])


def _national(digits: str, code: str) -> str:
    """Without the trunk prefix; a calling code said without a plus is left out."""
    if digits.startswith(code) and len(digits) > 10:
        digits = digits.removeprefix(code)
    if code == "1":
        return digits
    if code == "7":  # Russia and Kazakhstan dial 8 first
        return digits.removeprefix("8") if len(digits) == 11 else digits
    return digits if code in _KEEP_ZERO else digits.removeprefix("0")


def _checked(digits: str) -> str:
    code = calling_code(digits)
    shape = {"1": _NANP, "44": _UK}.get(code, _OTHER)
    national = _national(digits.removeprefix(code), code)  # "+44 (0)7700 …"
    if not shape.fullmatch(national) or not 7 <= len(code + national) <= 15:
        raise NumberInvalid(NumberInvalid.__doc__)
    return f"+{code}{national}"
