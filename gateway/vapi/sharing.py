"""One of Vapi's calls, worked on by one request at a time, wherever it comes in.

Whoever takes the call finds what the one before left, sealed, in Postgres; the lease ends by itself if a
process dies. Others wait for their turn.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID, uuid4, uuid5

import asyncpg
import structlog

from booking.errors import BookingError
from booking.types import Claim
from booking.vapi_calls import TakenCall, keep_state, look_at, take
from compliance.errors import VaultError
from compliance.vault import Cell, Vault
from gateway.errors import CallBusy
from gateway.vapi.state import SharedState, packed, unpacked

log = structlog.get_logger("gateway.vapi")

T = TypeVar("T")

LEASE_S: Final = 60.0
"""Longer than any work on a call takes."""
_FIRST_WAIT_S: Final = 0.02
_LONGEST_WAIT_S: Final = 0.5
_CALL_IDS: Final = UUID("5b8c1b0e-6a0e-4c0d-9d0b-3f0f8d1c7a42")


def call_id_of(org_id: UUID, vapi_id: str) -> UUID:
    """Our id of the call, the same at every replica; nobody else's call can have it."""
    return uuid5(_CALL_IDS, f"{org_id} {vapi_id}")


@dataclass(slots=True)
class Holding:
    """A call that is ours to work on for now. `settled`: it is over, and all that is kept of it stands."""

    sharing: "Sharing"
    claim: Claim
    call_id: UUID
    holder: UUID
    settled: bool
    state: SharedState
    left: bool = False

    async def keep(self, *, leave: bool = False) -> None:
        """Have `state` found by whoever comes next, who may come now if we `leave`. Raises `BookingError`."""
        sealed = None if self.settled else self.sharing.sealed(self.claim, self.call_id, self.state)
        kept = await keep_state(
            self.sharing.pool,
            self.claim,
            call_id=self.call_id,
            holder=self.holder,
            sealed=sealed,
            leave=leave,
        )
        self.left = leave
        if not kept and not self.settled:
            log.warning("vapi_call_taken_away", call=str(self.call_id))


@dataclass(frozen=True, slots=True)
class Sharing:
    """Where calls are taken."""

    pool: asyncpg.Pool
    vault: Vault

    @asynccontextmanager
    async def taken(self, claim: Claim, call_id: UUID, *, within_s: float) -> AsyncIterator[Holding]:
        """The call, once it is free. Raises `CallBusy`, `CallUnknown`, `BookingUnavailable`."""
        holder = uuid4()
        try:
            found = await self._waited_for(claim, call_id, holder, within_s)
        except (asyncio.CancelledError, CallBusy):  # cut off while taking it: it may be theirs all the same
            await self._leave(claim, call_id, holder)
            raise
        state = self._opened(claim, call_id, found.sealed_state)
        holding = Holding(self, claim, call_id, holder, found.settled, state)
        try:
            yield holding
        finally:
            if not holding.left:
                await self._leave(claim, call_id, holder)

    async def seen(self, claim: Claim, call_id: UUID, *, within_s: float) -> SharedState:
        """What the call's requests share, once nobody works on it, for whoever changes nothing of it.

        Raises `CallBusy`, `CallUnknown`, `BookingUnavailable`.
        """
        found = await _once(
            lambda: look_at(self.pool, claim, call_id=call_id), lambda seen: seen.free, within_s
        )
        return self._opened(claim, call_id, found.sealed_state)

    def sealed(self, claim: Claim, call_id: UUID, state: SharedState) -> bytes:
        return self.vault.for_org(claim.org_id).seal(packed(state), _cell(call_id))

    async def _leave(self, claim: Claim, call_id: UUID, holder: UUID) -> None:
        """Let the next one have it; what was not kept is not found. Done even when it is cancelled."""
        leaving = asyncio.ensure_future(self._left(claim, call_id, holder))
        try:
            await asyncio.shield(leaving)
        except asyncio.CancelledError:
            await asyncio.wait({leaving})
            raise

    async def _left(self, claim: Claim, call_id: UUID, holder: UUID) -> None:
        try:
            await keep_state(self.pool, claim, call_id=call_id, holder=holder, sealed=None, leave=True)
        except BookingError as error:  # the lease ends by itself
            log.warning("vapi_call_not_left", call=str(call_id), error=type(error).__name__)

    async def _waited_for(self, claim: Claim, call_id: UUID, holder: UUID, within_s: float) -> TakenCall:
        lasting = timedelta(seconds=LEASE_S)
        return await _once(
            lambda: take(self.pool, claim, call_id=call_id, holder=holder, lasting=lasting),
            lambda found: found.taken,
            within_s,
        )

    def _opened(self, claim: Claim, call_id: UUID, sealed: bytes | None) -> SharedState:
        """One that does not open (its master key is gone) counts as none."""
        if sealed is None:
            return SharedState()
        try:
            return unpacked(self.vault.for_org(claim.org_id).open(sealed, _cell(call_id)))
        except (VaultError, ValueError) as error:
            log.error("vapi_state_unreadable", call=str(call_id), error=type(error).__name__)
            return SharedState()


async def _once(ask: Callable[[], Awaitable[T]], is_so: Callable[[T], bool], within_s: float) -> T:
    """The first answer that is so. Raises `CallBusy` if none is in time."""
    wait_s = _FIRST_WAIT_S
    try:
        async with asyncio.timeout(within_s):
            while not is_so(found := await ask()):
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            return found
    except TimeoutError:
        raise CallBusy("somebody else works on the call") from None


def _cell(call_id: UUID) -> Cell:
    return Cell("vapi_calls", "sealed_state", str(call_id))
