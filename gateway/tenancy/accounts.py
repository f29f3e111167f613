"""Which account at a carrier a request must be signed by: the org's own, or else the process-wide one.

The org is told by what the request says (a dialled number, an id in its address), before anything of it is
verified. That decides only whose key is tried. Look-ups for requests that the process-wide key did not sign
are few at a time, so that forged ones cannot crowd out the calls at the database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from uuid import UUID

from compliance.vault import Vault
from gateway.errors import OrgUnavailable
from gateway.tenancy.credentials import CredentialCache, OrgKeys, open_keys

_UNVERIFIED_AT_ONCE: Final = 2

A = TypeVar("A")
FindOrg = Callable[[], Awaitable[UUID | None]]


@dataclass(frozen=True, slots=True)
class Signer(Generic[A]):
    """Who signed a request. `org_id` is None for the process-wide account, which serves every other org."""

    account: A
    org_id: UUID | None = None

    def speaks_for(self, org_id: UUID) -> bool:
        """Whether this account may say anything of the org's calls."""
        return self.org_id is None or self.org_id == org_id


@dataclass(frozen=True, slots=True)
class Keeper(Generic[A]):
    """Where a carrier's accounts are: the process-wide one, if there is one, and which of an org's keys."""

    process: A | None
    own: Callable[[OrgKeys], A | None]


class Accounts(Generic[A]):
    """One carrier's accounts: the process-wide one and those of the orgs."""

    def __init__(
        self, keeper: Keeper[A], credentials: CredentialCache, vault: Vault, *, lookup_s: float
    ) -> None:
        self.process = None if keeper.process is None else Signer(keeper.process)
        self.own = keeper.own
        self._credentials = credentials
        self._vault = vault
        self._lookup_s = lookup_s
        self._unverified = asyncio.Semaphore(_UNVERIFIED_AT_ONCE)

    async def signer(self, is_signed_by: Callable[[A], bool], find_org: FindOrg) -> Signer[A] | None:
        """Who signed the request, None if not who had to. While the org cannot be told, the process-wide
        account speaks for it.
        """
        by_process = self.process is not None and is_signed_by(self.process.account)
        try:
            async with asyncio.timeout(self._lookup_s):
                expected = await (self._of(find_org) if by_process else self._of_unverified(find_org))
        except (OrgUnavailable, TimeoutError):
            expected = self.process
        if expected is self.process:
            return self.process if by_process else None
        return expected if expected is not None and is_signed_by(expected.account) else None

    async def _of(self, find_org: FindOrg) -> Signer[A] | None:
        org_id = await find_org()
        if org_id is None:
            return self.process
        own = self.own(await open_keys(self._credentials, self._vault, org_id))
        return self.process if own is None else Signer(own, org_id)

    async def _of_unverified(self, find_org: FindOrg) -> Signer[A] | None:
        async with self._unverified:
            return await self._of(find_org)
