"""How a carrier tells of a call that we placed: at an address that names org, call and attempt, where its
signature covers addresses, else by a state that it brings back inside what it signs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

LEG: Final = "/placed/{org:uuid}/{placed:uuid}/{attempt:int}"
"""As a route, behind the carrier's name."""


@dataclass(frozen=True, slots=True)
class PlacedAddress:
    """Of one attempt. `after`: once its stream has ended; `message`: what is left on a machine."""

    answered: str

    @property
    def after(self) -> str:
        return f"{self.answered}/after"

    @property
    def status(self) -> str:
        return f"{self.answered}/status"

    @property
    def machine(self) -> str:
        return f"{self.answered}/machine"

    @property
    def message(self) -> str:
        return f"{self.answered}/message"


@dataclass(frozen=True, slots=True)
class PlacedAddresses:
    """Of one deployment. `public`: a path as an address that carriers reach."""

    public: Callable[[str], str]

    def of(self, carrier: str, org_id: UUID, placed_id: UUID, attempt: int) -> PlacedAddress:
        return PlacedAddress(self.public(f"/{carrier}/placed/{org_id}/{placed_id}/{attempt}"))


MOST_ATTEMPTS: Final = 1_000_000
"""Far more than there ever are, and a number that the database can be asked about."""
_ORG, _PLACED, _ATTEMPT = "org", "placed", "of"


def placed_state(org_id: UUID, placed_id: UUID, attempt: int) -> dict[str, str]:
    """What a carrier brings back of an attempt inside what it signs."""
    return {_ORG: org_id.hex, _PLACED: placed_id.hex, _ATTEMPT: str(attempt)}


def read_placed(state: Mapping[str, str]) -> tuple[UUID, UUID, int] | None:
    """Org, call and attempt; None for what is no such state."""
    try:
        org_id, placed_id, attempt = UUID(hex=state[_ORG]), UUID(hex=state[_PLACED]), int(state[_ATTEMPT])
    except (KeyError, ValueError):
        return None
    return (org_id, placed_id, attempt) if 0 < attempt <= MOST_ATTEMPTS else None
