"""Digits, codes and phone numbers as callers say them."""

import pytest

from booking.errors import NumberInvalid
from gateway.tools.phone_numbers import calling_code, e164, is_landline
from gateway.tools.spoken_digits import code_said, digits_said

LONDON, NEW_YORK, PARIS = "+442079460018", "+12125550123", "+33142685300"
ROME, LISBON, HONG_KONG = "+390669812345", "+351211234567", "+85212345678"


@pytest.mark.parametrize(
    "said",
    [
        "421903",
        "421 903",
        "4-2-1-9-0-3",
        "(keypad) 421903",
        "It's four two one, nine oh three.",
        "Four, two, one... nine, zero, three",
        "forty-two nineteen oh three",
        "four twenty one nine nought three",
        "for to one nine oh three",
        "um the code is four two one nine hundred and three",
        "421, um, nine oh three please",
    ],
)
def test_a_code_is_read_however_it_is_said(said: str) -> None:
    assert code_said(said, 6) in ("421903", None)
    assert code_said(said, 6) == ("421903" if "hundred" not in said else None)


@pytest.mark.parametrize("said", ["", "four two one", "4219034", "I haven't got it", "double", "nine double"])
def test_what_is_no_code_is_none(said: str) -> None:
    assert code_said(said, 6) is None


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("double four seven", "447"),
        ("treble nine", "999"),
        ("double 0 7", "007"),
        ("twenty", "20"),
        ("twenty oh one", "2001"),
        ("ninety nine eleven", "9911"),
        ("nine hundred", "900"),
        ("no digits here", ""),
    ],
)
def test_digits(said: str, digits: str) -> None:
    assert digits_said(said) == digits


@pytest.mark.parametrize(
    ("said", "home", "number"),
    [
        ("oh seven seven double oh nine hundred one two three", LONDON, "+447700900123"),
        ("07700 900123", LONDON, "+447700900123"),
        ("7700 900 123", LONDON, "+447700900123"),
        ("plus four four seven seven double oh nine hundred one two three", LONDON, "+447700900123"),
        ("+44 (0)7700 900123", PARIS, "+447700900123"),
        ("44 7700 900123", LONDON, "+447700900123"),
        ("0044 7700 900123", PARIS, "+447700900123"),
        ("(212) 555-0199", NEW_YORK, "+12125550199"),
        ("1 212 555 0199", NEW_YORK, "+12125550199"),
        ("011 44 7700 900123", NEW_YORK, "+447700900123"),
        ("06 12 34 56 78", PARIS, "+33612345678"),
        ("347 123 4567", ROME, "+393471234567"),
        ("06 698 12345", ROME, "+390669812345"),
        ("912 345 678", LISBON, "+351912345678"),
        ("+447700900123", "", "+447700900123"),
    ],
)
def test_a_number_is_read_as_in_the_clinics_country(said: str, home: str, number: str) -> None:
    assert e164(said, home) == number


@pytest.mark.parametrize(
    ("said", "home"),
    [
        ("", LONDON),
        ("oh seven seven", LONDON),
        ("07700 900123 4", LONDON),
        ("999", LONDON),
        ("555 0199", NEW_YORK),
        ("112 555 0199", NEW_YORK),
        ("07700 900123", ""),
        ("+1", LONDON),
        ("+4420", LONDON),
        ("9" * 40, PARIS),
    ],
)
def test_what_is_no_number_is_refused(said: str, home: str) -> None:
    with pytest.raises(NumberInvalid):
        e164(said, home)


@pytest.mark.parametrize(
    ("number", "code"),
    [(LONDON, "44"), (NEW_YORK, "1"), (PARIS, "33"), (LISBON, "351"), (HONG_KONG, "852")],
)
def test_calling_codes(number: str, code: str) -> None:
    assert calling_code(number) == code


@pytest.mark.parametrize(
    ("number", "landline"),
    [(LONDON, True), ("+447700900123", False), ("+447012345678", True), (NEW_YORK, False), (PARIS, False)],
)
def test_british_landlines_are_known(number: str, landline: bool) -> None:
    assert is_landline(number) is landline
