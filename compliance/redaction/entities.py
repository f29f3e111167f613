"""What is found: types, spans, and the placeholder that stands in their place."""

from dataclasses import dataclass
from typing import Literal

EntityType = Literal["EMAIL", "PHONE", "POSTCODE", "ADDRESS", "PERSON", "DOB", "GOV_ID", "CARD", "MEDICAL"]


@dataclass(frozen=True, slots=True)
class Span:
    """One entity: `value` is text[start:end] of everything fed so far, in characters. Sensitive by nature.

    `confidence` is between 0 and 1: near 1 by its shape or because it was asked for, less if guessed.
    """

    type: EntityType
    start: int
    end: int
    value: str
    confidence: float


def placeholder(entity: EntityType) -> str:
    return f"[REDACTED: {entity}]"
