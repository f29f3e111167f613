"""Where a carrier tells of a call that we placed. The address names org, call and attempt; whose word it is,
the carrier's signature says, which covers the address.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

LEG: Final = "/placed/{org:uuid}/{placed:uuid}/{attempt:int}"
"""As a route, behind the carrier's name."""


@dataclass(frozen=True, slots=True)
class PlacedAddress:
    """Of one attempt. `after`: once its stream has ended."""

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


@dataclass(frozen=True, slots=True)
class PlacedAddresses:
    """Of one deployment. `public`: a path as an address that carriers reach."""

    public: Callable[[str], str]

    def of(self, carrier: str, org_id: UUID, placed_id: UUID, attempt: int) -> PlacedAddress:
        return PlacedAddress(self.public(f"/{carrier}/placed/{org_id}/{placed_id}/{attempt}"))
