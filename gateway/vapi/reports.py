"""Reports that never came: of calls of which nothing is heard any more, Vapi is asked what became of them.

A job per call, see `docs/jobs.md`. Vapi sends a report once, unless it is told to try again, and then a
bounded number of times; its REST interface has the same. A call that goes on is left alone. One that Vapi
does not know, of which it gives no answer `MOST_TRIES` times over, or that goes on for longer than Vapi lets
any, is closed as lost.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from booking.orgs import load_credentials, load_profile
from booking.types import Claim, OrgProfile
from booking.vapi_calls import UnsettledCall, ask_again, unsettled
from compliance.vault import Vault
from gateway.caller import Ends
from gateway.errors import VapiRefused, VapiRequestInvalid, VapiUnavailable
from gateway.metrics import Metrics
from gateway.settings import Settings, Vapi
from gateway.tenancy.credentials import SealedKeys, VapiAccount
from gateway.vapi.api import Patience, VapiApi
from gateway.vapi.calls import VapiCall
from gateway.vapi.messages import FetchedCall, ToldEnd, read_call
from gateway.vapi.settling import Settling, settling_of
from gateway.vapi.sharing import Sharing

log = structlog.get_logger("gateway.vapi")

MOST_TRIES: Final = 8
LOST: Final = "lost"
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(hours=1)
_LONGEST_CALL: Final = timedelta(hours=13)  # Vapi's own bound, `maxDurationSeconds`, is 12


@dataclass(frozen=True, slots=True)
class Reports:
    """Does the job `vapi_report`. `process`: the account of orgs without their own.

    `again_s`: after so long Vapi is asked once more for a call that goes on.
    """

    pool: asyncpg.Pool
    vault: Vault
    settling: Settling
    api: VapiApi
    process: Vapi
    metrics: Metrics
    now: Callable[[], datetime]
    again_s: float

    async def ask(self, claim: Claim, call_id: UUID) -> None:
        """Satisfies `booking.jobs.Handler`. Raises `BookingError`; may be cut off anywhere."""
        waiting = await unsettled(self.pool, claim, call_id=call_id)
        profile = None if waiting is None else await load_profile(self.pool, claim)
        if waiting is None or profile is None:
            return
        fetched = await self._fetched(claim, waiting)
        over_long = waiting.started_at < self.now() - _LONGEST_CALL
        if isinstance(fetched, FetchedCall) and fetched.end is not None:
            await self._settle(profile, VapiCall.told(claim.org_id, fetched.told, self.now()), fetched.end)
        elif isinstance(fetched, FetchedCall) and not over_long:
            after = self._while_it_goes_on(waiting)
            await ask_again(self.pool, claim, call_id=call_id, after=after, counts=False)
        elif fetched == "unknown" or over_long or waiting.asked + 1 >= MOST_TRIES:
            await self._give_up(profile, waiting)
        else:
            self.metrics.vapi_reports.labels("asked", "failed").inc()
            await ask_again(self.pool, claim, call_id=call_id, after=_pause(waiting.asked), counts=True)

    async def _fetched(self, claim: Claim, waiting: UnsettledCall) -> FetchedCall | str:
        """What Vapi says, "unknown" if it knows of no such call, else the reason why nothing is known."""
        account = await self._account(claim)
        if account is None:
            log.warning("vapi_report_unasked", org=str(claim.org_id), reason="no_account")
            return "no_account"
        try:
            call = await self.api.of(account).call(waiting.vapi_id)
            return "unknown" if call is None else _same(waiting, read_call(call))
        except (VapiRefused, VapiUnavailable, VapiRequestInvalid) as error:
            log.warning("vapi_report_unasked", org=str(claim.org_id), error=type(error).__name__)
            return "failed"

    async def _account(self, claim: Claim) -> VapiAccount | None:
        sealed = SealedKeys(await load_credentials(self.pool, claim))
        own = sealed.opened(self.vault.for_org(claim.org_id), claim.org_id).vapi
        ours = self.process
        if own is not None or ours.auth is None:
            return own
        return VapiAccount(ours.api_key, ours.auth, ours.llm_key, ours.region)

    def _while_it_goes_on(self, waiting: UnsettledCall) -> timedelta:
        """One that has ended by Vapi's own word, whatever it says now, is soon to have its report."""
        if waiting.over_for is None:
            return timedelta(seconds=self.again_s)
        return min(max(waiting.over_for, _FIRST_PAUSE), _LONGEST_PAUSE)

    async def _settle(self, profile: OrgProfile, call: VapiCall, told: ToldEnd) -> None:
        settled = await self.settling.settle(profile, call, told)
        self.metrics.vapi_reports.labels("asked", "settled" if settled else "repeated").inc()

    async def _give_up(self, profile: OrgProfile, waiting: UnsettledCall) -> None:
        """What was told of it while it went on is all that is known."""
        call = VapiCall(profile.org_id, waiting.vapi_id, Ends(), waiting.started_at)
        if await self.settling.settle(profile, call, ToldEnd("", None, {}, lost=True)):
            self.metrics.vapi_reports.labels("asked", LOST).inc()
            log.error("vapi_call_lost", call=str(call.call_id), org=str(call.org_id))


@asynccontextmanager
async def open_reports(
    settings: Settings, pool: asyncpg.Pool, vault: Vault, metrics: Metrics
) -> AsyncIterator[Reports]:
    """This process's, with its connections to Vapi."""
    async with VapiApi(settings.vapi, Patience(request_s=settings.waits.vapi_settle_s)) as api:
        yield Reports(
            pool=pool,
            vault=vault,
            settling=settling_of(settings, Sharing(pool, vault), metrics),
            api=api,
            process=settings.vapi,
            metrics=metrics,
            now=lambda: datetime.now(UTC),
            again_s=settings.waits.vapi_silent_s,
        )


def _same(waiting: UnsettledCall, fetched: FetchedCall) -> FetchedCall:
    """Raises `VapiRequestInvalid` for another call, which may be another org's."""
    if fetched.told.vapi_id != waiting.vapi_id:
        raise VapiRequestInvalid("must be the call that was asked for")
    return fetched


def _pause(asked: int) -> timedelta:
    return min(_FIRST_PAUSE * (1 << asked), _LONGEST_PAUSE)
