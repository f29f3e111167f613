"""Which org a request is about, where its path names one: the token's own, or whichever the platform means.

Here alone a request gets to speak for an org that its token does not name: if the token is the platform's,
and on paths that begin with the org. For everybody else the path must name the token's own org; any other
is refused the same way, whether there is such an org or not, and that it was tried is on record. A token of
an org that is not here is refused before anything is looked up, so that it learns nothing of what there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from booking.orgs import load_profile
from gateway.api.guard import scope_missing
from gateway.api.operations import PLATFORM_SCOPE, Asked, Operation, Platform, Principal
from gateway.api.ownership import note_foreign
from gateway.api.problems import FOREIGN, INVALID, NO_ORG, Refused

ORG_PATH: Final = "/orgs/{org_id}"
_PLATFORMS: Final = frozenset({PLATFORM_SCOPE, "org:read", "org:write", "secrets:write"})


def principal_of(caller: Principal | Platform, operation: Operation, path: Mapping[str, str]) -> Principal:
    """For whom the request is made. Raises `Refused`: 403 for the platform where no org is named."""
    if isinstance(caller, Principal):
        return caller
    if not operation.path.startswith(ORG_PATH):
        raise scope_missing(operation)
    return Principal(_org_in(path), f"platform {caller.subject}", _PLATFORMS, is_platform=True)


@dataclass(frozen=True, slots=True)
class ServedOrgs:
    """Whether a token's org is one of ours, asked once of each: none ever goes but a trial."""

    pool: asyncpg.Pool
    _known: set[UUID] = field(default_factory=set)

    async def require(self, principal: Principal) -> None:
        """Raises `Refused`: 403. The platform may speak of an org that is yet to be."""
        if principal.is_platform or principal.org_id in self._known:
            return
        if await load_profile(self.pool, principal.claim) is None:
            raise Refused(NO_ORG)
        self._known.add(principal.org_id)


async def require_own(asked: Asked) -> None:
    """Raises `Refused` if the path names another org than the token's."""
    if "org_id" not in asked.path or _org_in(asked.path) == asked.principal.org_id:
        return
    await note_foreign(asked, "org", _org_in(asked.path))
    raise Refused(FOREIGN, detail="org")


def _org_in(path: Mapping[str, str]) -> UUID:
    try:
        return UUID(path["org_id"])
    except ValueError:
        raise Refused(INVALID, pointer="org_id", detail="must be a UUID") from None
