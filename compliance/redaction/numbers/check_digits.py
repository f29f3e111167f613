"""Check digits of cards and NHS numbers: they tell types apart and never let a number through."""

from typing import Final

_NHS_WEIGHTS: Final = range(10, 1, -1)


def is_luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_nhs(digits: str) -> bool:
    """Modulus 11 over ten digits, as the NHS Data Dictionary gives it."""
    if len(digits) != 10:
        return False
    total = sum(weight * int(char) for weight, char in zip(_NHS_WEIGHTS, digits, strict=False))
    return (11 - total % 11) % 11 == int(digits[9])
