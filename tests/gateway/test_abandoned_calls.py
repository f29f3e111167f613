"""A call that a dead gateway has left at its carrier is ended there, once it is older than any may be."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.plivo_api import PlivoApiSimulator
from bench.simulators.telnyx_api import TelnyxApiSimulator, TelnyxCall
from bench.simulators.twilio_api import TwilioApiSimulator
from bench.simulators.vonage_api import VonageApiSimulator
from booking.abandoned_calls import due_abandoned_calls
from booking.calls import close_call, open_call
from booking.db import open_pool, org_transaction
from booking.handovers import answer_handover, ask_handover
from booking.orgs import store_credentials
from compliance.vault import MasterKey, Vault
from gateway.abandoned_calls import AbandonedCalls, open_abandoned_calls
from gateway.metrics import Metrics
from gateway.placing import longest_call_s
from gateway.settings import load
from gateway.tenancy.credentials import credentials_cell
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.vonage_application import OURS as VONAGE
from tests.gateway.vonage_application import PUBLIC_KEY

VAULT = Vault([MasterKey(bytes(range(32)))])


@dataclass
class Carriers:
    """All four, each behind its strict REST interface; `live` says which of a carrier's calls are."""

    twilio: TwilioApiSimulator
    plivo: PlivoApiSimulator
    telnyx: TelnyxApiSimulator
    vonage: VonageApiSimulator

    def rings(self, carrier: str) -> str:
        call_id = {"twilio": f"CA{uuid4().hex}", "telnyx": f"v3:{uuid4().hex}"}.get(carrier, str(uuid4()))
        if carrier == "twilio":
            self.twilio.add_call(call_id)
        elif carrier == "telnyx":
            self.telnyx.calls[call_id] = TelnyxCall("answered")
        else:
            getattr(self, carrier).calls.add(call_id)
        return call_id

    def is_live(self, carrier: str, call_id: str) -> bool:
        if carrier == "twilio":
            return self.twilio.calls[call_id].status == "in-progress"
        if carrier == "telnyx":
            return self.telnyx.calls[call_id].state != "ended"
        return call_id in getattr(self, carrier).calls


@dataclass
class Desk:
    """One clinic's calls, and the job that ends those that nobody has."""

    carriers: Carriers
    job: AbandonedCalls
    pool: asyncpg.Pool
    worker_pool: asyncpg.Pool
    clinic: Clinic
    longest: timedelta

    async def begun(self, carrier: str, carrier_call_id: str, ago: timedelta) -> UUID:
        call_id = uuid4()
        await open_call(
            self.pool,
            self.clinic.claim,
            call_id=call_id,
            carrier=carrier,
            carrier_call_id=carrier_call_id,
            started_at=datetime.now(UTC) - ago,
        )
        return call_id

    async def ended(self, call_id: UUID, reason: str, ago: timedelta = timedelta(0)) -> None:
        at = datetime.now(UTC) - ago
        await close_call(self.pool, self.clinic.claim, call_id=call_id, end_reason=reason, ended_at=at)

    async def abandoned(self, carrier: str, age: timedelta | None = None) -> tuple[UUID, str]:
        """Nothing has been heard of whatever had it."""
        carrier_call_id = self.carriers.rings(carrier)
        call_id = await self.begun(carrier, carrier_call_id, self.longest if age is None else age)
        await self.ended(call_id, "lost")
        return call_id, carrier_call_id

    async def go_on(self, call_id: UUID) -> None:
        await self.job.end(self.clinic.claim, call_id)

    async def is_due(self, call_id: UUID) -> bool:
        return (self.clinic.claim, call_id) in await due_abandoned_calls(self.worker_pool, limit=1000)

    async def is_kept(self, call_id: UUID) -> bool:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            query = "select exists (select from abandoned_calls where call_id = $1)"
            found: bool = await connection.fetchval(query, call_id)
        return found


@pytest.fixture
async def desk(stack: Stack, pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as closing:
        enter = closing.enter_async_context
        carriers = Carriers(
            await enter(TwilioApiSimulator(account_sid=running.ACCOUNT, auth_token=running.AUTH_TOKEN)),
            await enter(PlivoApiSimulator(auth_id="MA" + "1" * 18, auth_token="token")),
            await enter(TelnyxApiSimulator(api_key="KEY")),
            await enter(VonageApiSimulator(application_id=VONAGE.application_id, public_key=PUBLIC_KEY)),
        )
        environ = running.environment(
            stack,
            TWILIO_API_URL=carriers.twilio.url,
            PLIVO_AUTH_ID="MA" + "1" * 18,
            PLIVO_AUTH_TOKEN="token",
            PLIVO_API_URL=carriers.plivo.url,
            TELNYX_API_KEY="KEY",
            TELNYX_PUBLIC_KEY="A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
            TELNYX_API_URL=carriers.telnyx.url,
            VONAGE_APPLICATION_ID=VONAGE.application_id,
            VONAGE_PRIVATE_KEY=VONAGE.private_key,
            VONAGE_SIGNATURE_SECRET=VONAGE.signature_secret,
            VONAGE_API_URL=carriers.vonage.url,
        )
        settings = load(environ, env_file=None)
        job = await enter(open_abandoned_calls(settings, pool, VAULT, Metrics()))
        worker_pool = await enter(await open_pool(stack.postgres.worker, max_size=1))
        longest = timedelta(seconds=longest_call_s(settings))
        yield Desk(carriers, job, pool, worker_pool, clinic, longest)


@pytest.mark.parametrize("carrier", ["twilio", "plivo", "telnyx", "vonage"])
async def test_a_call_that_nobody_has_is_ended_at_its_carrier(desk: Desk, carrier: str) -> None:
    call_id, carrier_call_id = await desk.abandoned(carrier)
    assert await desk.is_due(call_id)
    getattr(desk.carriers, carrier).faults.add(Refuse(503))
    with pytest.raises(ConnectionError):  # so the job is tried again
        await desk.go_on(call_id)
    assert await desk.is_kept(call_id)
    for _ in range(2):  # enqueued twice
        await desk.go_on(call_id)
    assert not desk.carriers.is_live(carrier, carrier_call_id)
    assert not await desk.is_kept(call_id)
    over, _ = await desk.abandoned(carrier)
    getattr(desk.carriers, carrier).faults.add(Refuse(401))  # trying again does not help
    await desk.go_on(over)
    assert not await desk.is_kept(over)


async def test_no_call_is_ended_before_it_is_older_than_any_may_be(desk: Desk) -> None:
    call_id, carrier_call_id = await desk.abandoned("telnyx", desk.longest - timedelta(minutes=1))
    await desk.go_on(call_id)
    assert desk.carriers.is_live("telnyx", carrier_call_id)
    assert await desk.is_kept(call_id)
    assert not await desk.is_due(call_id)


@pytest.mark.parametrize("later", ["live", "caller_hung_up", "lost"])
async def test_a_call_that_came_back_is_whoever_has_it_nows(desk: Desk, later: str) -> None:
    call_id, carrier_call_id = await desk.abandoned("twilio")
    back = await desk.begun("twilio", carrier_call_id, timedelta(minutes=1))
    if later != "live":
        await desk.ended(back, later)
    await desk.go_on(call_id)
    assert desk.carriers.is_live("twilio", carrier_call_id) is (later != "lost")
    assert not await desk.is_kept(call_id)


@pytest.mark.parametrize("answered", [True, False])
async def test_a_caller_at_telnyx_does_not_hear_it_ring_for_ever(desk: Desk, answered: bool) -> None:
    carrier_call_id, handover_id, claim = desk.carriers.rings("telnyx"), uuid4(), desk.clinic.claim
    call_id = await desk.begun("telnyx", carrier_call_id, desk.longest * 2)
    await ask_handover(desk.pool, claim, handover_id=handover_id, call_id=call_id, summary=None)
    if answered:
        await answer_handover(desk.pool, claim, handover_id=handover_id)
    await desk.ended(call_id, "transferred", desk.longest)
    await desk.go_on(call_id)
    assert desk.carriers.is_live("telnyx", carrier_call_id) is answered
    assert not await desk.is_kept(call_id)


async def test_other_endings_leave_nothing_to_do(desk: Desk) -> None:
    for carrier, reason in (("twilio", "caller_hung_up"), ("vapi", "lost"), ("twilio", "transferred")):
        call_id = await desk.begun(carrier, f"CA{uuid4().hex}", desk.longest)
        await desk.ended(call_id, reason)
        assert not await desk.is_kept(call_id), (carrier, reason)


async def test_a_clinics_own_account_ends_its_calls(desk: Desk) -> None:
    claim = desk.clinic.claim
    secret = b'{"api_key": "ITS-OWN", "public_key": "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="}'
    sealed = VAULT.for_org(claim.org_id).seal(secret, credentials_cell("telnyx"))
    await store_credentials(desk.pool, claim, "telnyx", sealed)
    call_id, carrier_call_id = await desk.abandoned("telnyx")
    await desk.go_on(call_id)  # which this Telnyx does not know
    assert desk.carriers.is_live("telnyx", carrier_call_id)
