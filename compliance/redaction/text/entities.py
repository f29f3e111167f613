"""What is found: types, spans, and the placeholder that stands in their place."""

from dataclasses import dataclass
from typing import Literal

EntityType = Literal["EMAIL", "PHONE", "POSTCODE", "ADDRESS", "PERSON", "DOB", "GOV_ID", "CARD", "MEDICAL"]


@dataclass(frozen=True, slots=True)
class Span:
    """One entity: `value` is text[start:end] of everything fed so far, in characters. Sensitive by nature.

    `confidence` is between 0 and 1: near 1 by its shape or because it was asked for, less if guessed.
    `number` tells it from others of its type in the call; None where entities are not numbered.
    """

    type: EntityType
    start: int
    end: int
    value: str
    confidence: float
    number: int | None = None


def placeholder(entity: EntityType, number: int | None = None) -> str:
    """What stands in its place: `[REDACTED: PERSON]`; numbered, `[REDACTED: PERSON 2]`."""
    return f"[REDACTED: {entity}]" if number is None else f"[REDACTED: {entity} {number}]"
