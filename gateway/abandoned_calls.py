"""The job `end_call`: a call that nobody has any more is ended at its carrier, where a dead gateway left it.

Not before it is older than any call may be, so that no mistake about who is alive cuts off a conversation.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog

from booking.abandoned_calls import AbandonedCall, find_abandoned_call, look_again, settle_abandoned_call
from booking.orgs import load_credentials
from booking.types import Claim
from compliance.vault import Vault
from gateway.control.plivo import PlivoControl
from gateway.control.rest import CarrierHttp
from gateway.control.telnyx import TelnyxControl
from gateway.control.twilio import TwilioControl
from gateway.control.vonage import VonageControl
from gateway.errors import CarrierRefused
from gateway.metrics import Metrics
from gateway.placing import longest_call_s, process_accounts
from gateway.settings import Settings
from gateway.tenancy.credentials import SealedKeys

log = structlog.get_logger("gateway.jobs")

_IN_TROUBLE: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
HangUp = Callable[[str, Any], Awaitable[None]]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AbandonedCalls:
    """`hang_up`, `of_process`: by the carrier's name, how its calls are ended, and the account there of orgs
    without their own. `longest`: a call may last.
    """

    pool: asyncpg.Pool
    vault: Vault
    hang_up: Mapping[str, HangUp]
    of_process: Mapping[str, Any]
    longest: timedelta
    now: Callable[[], datetime] = _utc_now

    async def end(self, claim: Claim, call_id: UUID) -> None:
        """Satisfies `booking.jobs.Handler`. Raises `BookingUnavailable`, ConnectionError; may be cut off
        anywhere.
        """
        call = await find_abandoned_call(self.pool, claim, call_id=call_id)
        if call is None:
            return
        over_at = call.since + self.longest
        if over_at > self.now() and not call.is_looked_after:
            await look_again(self.pool, claim, call_id=call_id, at=over_at)
            return
        if not call.is_looked_after:
            await self._hang_up(claim, call)
        await settle_abandoned_call(self.pool, claim, call_id=call_id)

    async def _hang_up(self, claim: Claim, call: AbandonedCall) -> None:
        """What the carrier refuses it would refuse again, unless it is in trouble itself."""
        sealed = SealedKeys(await load_credentials(self.pool, claim))
        keys = sealed.opened(self.vault.for_org(claim.org_id), claim.org_id)
        account = getattr(keys, call.carrier) or self.of_process.get(call.carrier)
        if account is None:
            log.warning("call_not_ended", stream=call.carrier_call_id, reason="no_account")
            return
        try:
            await self.hang_up[call.carrier](call.carrier_call_id, account)
        except CarrierRefused as refusal:
            if refusal.status in _IN_TROUBLE or refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise ConnectionError(f"carrier answered {refusal.status}") from None
            log.warning("call_not_ended", stream=call.carrier_call_id, reason=f"refused {refusal.status}")
        else:
            log.warning("abandoned_call_ended", stream=call.carrier_call_id)


@asynccontextmanager
async def open_abandoned_calls(
    settings: Settings, pool: asyncpg.Pool, vault: Vault, metrics: Metrics
) -> AsyncIterator[AbandonedCalls]:
    """The pool outlives it."""
    timeout_s = settings.waits.hang_up_s
    async with (
        TwilioControl(settings.twilio.api_url, metrics, timeout_s=timeout_s) as at_twilio,
        CarrierHttp(metrics, timeout_s=timeout_s) as http,
    ):
        hang_up: dict[str, HangUp] = {
            "twilio": at_twilio.hang_up,
            "plivo": PlivoControl(http, settings.plivo.api_url).hang_up,
            "telnyx": TelnyxControl(http, settings.telnyx.api_url).hang_up,
            "vonage": VonageControl(http, settings.vonage.api_url).hang_up,
        }
        longest = timedelta(seconds=longest_call_s(settings))
        yield AbandonedCalls(pool, vault, hang_up, process_accounts(settings), longest)
