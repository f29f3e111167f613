"""What came of one check."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Checked:
    """`passed` None: it could not be tried here; `told` says why."""

    name: str
    passed: bool | None
    told: str
    figures: dict[str, Any] = field(default_factory=dict)


class NotTried(Exception):
    """The deployment cannot be validated at all; the message says why, and holds no secret."""
