"""A call that the clinic places over Vonage: ordered once, answered, left to a machine, looked for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.twilio_messages import TakeAndFail, TakeAndStall
from bench.simulators.vonage_api import VonageApiSimulator
from bench.simulators.vonage_calls import VonagePlaced
from booking.db import org_transaction
from booking.errors import CallingRefused, CallingUnavailable, CallingUnconfirmed
from booking.placing import CallOrder, CarrierCall, Placing
from gateway.control.rest import CarrierHttp
from gateway.control.vonage_placing import VonagePlacing
from gateway.metrics import Metrics
from gateway.placed_address import PlacedAddresses
from gateway.tenancy.credentials import VonageAccount
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.calls_placed import asked, placing_over, ruled, stands
from tests.gateway.routes.test_vonage import (
    ITS_OWN,
    first_audio,
    first_frame,
    leg_event,
    media,
    ncco,
    path_of,
    post,
    settings,
)
from tests.gateway.running import PUBLIC_URL, Gateway, Vendors, closed
from tests.gateway.vonage_application import OTHER_PEM, OURS, PUBLIC_KEY

CLINICS, CONTACT = "+442079460018", "+447700900123"


@pytest.fixture
async def api(clinic: Clinic) -> AsyncIterator[VonageApiSimulator]:
    async with VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY) as simulator:
        simulator.placed.numbers |= {clinic.number[1:], CLINICS[1:]}
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, vendors: Vendors, api: VonageApiSimulator) -> AsyncIterator[Gateway]:
    environ = running.environment(stack, **vendors.environment(), **settings(api.url), HANG_UP_S="2")
    async with running.gateway(environ) as served:
        yield served


@pytest.fixture
async def engine(gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Placing]:
    async with placing_over("vonage", gateway, pool, clinic) as placing:
        yield placing


async def placed(gateway: Gateway, clinic: Clinic, engine: Placing) -> UUID:
    placed_id = await asked(gateway, clinic)
    await engine.go_on(clinic.claim, placed_id)
    return placed_id


async def died(gateway: Gateway, clinic: Clinic, engine: Placing, api: VonageApiSimulator) -> UUID:
    """Whoever asked Vonage for the call is gone before it has answered."""
    placed_id, before = await asked(gateway, clinic), len(api.placed.all)
    api.faults.add(TakeAndStall())
    asking = asyncio.create_task(engine.go_on(clinic.claim, placed_id))
    async with asyncio.timeout(20):
        while len(api.placed.all) == before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    return placed_id


def event(call: VonagePlaced, status: str, **more: Any) -> dict[str, Any]:
    """As Vonage tells of it; what machine detection tells names the call in a field of its own."""
    call.status = call.status if status == "human" else status
    name = "call_uuid" if status in ("human", "machine") else "uuid"
    told = {name: call.uuid, "from": call.from_, "to": call.to, "status": status, "direction": "outbound"}
    return {**told, "conversation_uuid": call.conversation, "timestamp": "2026-11-21T12:00:00.000Z", **more}


async def told(gateway: Gateway, call: VonagePlaced, status: str, **more: Any) -> int:
    path = path_of(call.fields["event_url"][0])
    return (await post(gateway, path, event(call, status, **more))).status_code


async def answered(gateway: Gateway, call: VonagePlaced, **ends: str) -> list[dict[str, Any]]:
    call.status = "answered"
    body = {"uuid": call.uuid, "from": call.from_, "to": call.to, "conversation_uuid": call.conversation}
    return ncco(await post(gateway, path_of(call.fields["answer_url"][0]), body | ends))


async def test_it_is_ordered_once_and_talks(
    gateway: Gateway, clinic: Clinic, api: VonageApiSimulator, engine: Placing
) -> None:
    placed_id = await placed(gateway, clinic, engine)
    [call] = api.placed.all
    at = f"{PUBLIC_URL}/vonage/placed/{clinic.claim.org_id}/{placed_id}/1"
    assert (call.from_, call.fields["answer_url"], call.fields["event_url"]) == (
        clinic.number[1:], [at], [f"{at}/status"],
    )  # fmt: skip
    assert (call.fields["ringing_timer"], call.fields["length_timer"]) == (25, 2040)
    assert call.fields["advanced_machine_detection"]["mode"] == "default"
    for status in ("started", "ringing", "ringing"):
        assert await told(gateway, call, status) == 204
    assert (await stands(gateway, clinic, placed_id))[0] == "ringing"
    assert len(await answered(gateway, call, to="\0")) == 2  # whoever is called: the address tells the call
    [action, _] = await answered(gateway, call, **{"from": call.to, "to": call.from_})  # either way round
    assert len(str(action["endpoint"][0]["headers"])) <= 512
    async with media(gateway, action) as socket:
        await socket.send(first_frame(action))
        await first_audio(socket)
        assert await told(gateway, call, "human") == 204
        socket.transport.abort()
    await gateway.until_idle()
    after = path_of(action["eventUrl"][0])
    [again, _] = ncco(await post(gateway, after, leg_event(action, "disconnected")))
    async with media(gateway, again) as socket:
        await socket.send(first_frame(again))
        await first_audio(socket)
        assert await told(gateway, call, "completed", duration="7") == 204
    assert await stands(gateway, clinic, placed_id) == ("ended", "talked", "human")
    await gateway.until_idle()
    assert ncco(await post(gateway, after, leg_event(again, "disconnected"))) == []
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as connection:
        said = await connection.fetchval("select said::text from call_turns order by turn limit 1")
    assert "Hello, this is" in said


async def test_a_machine_gets_the_message_behind_its_beep_or_is_hung_up(
    gateway: Gateway, clinic: Clinic, api: VonageApiSimulator, engine: Placing, pool: asyncpg.Pool
) -> None:
    placed_id = await placed(gateway, clinic, engine)
    [call] = api.placed.all
    [action, _] = await answered(gateway, call)
    async with media(gateway, action) as socket:
        await socket.send(first_frame(action))
        await first_audio(socket)
        assert await told(gateway, call, "machine") == 204
        assert (api.documents, call.status) == ([], "machine")  # its greeting goes on
        for sub_state in ("beep_start", "beep_start", "beep_timeout"):
            assert await told(gateway, call, "machine", sub_state=sub_state) == 204
        assert (await closed(socket))[0] == 1000
    [(uuid, [talk])] = api.documents
    assert (uuid, "Harley Street Clinic" in talk["text"]) == (call.uuid, True)
    lost = await post(gateway, path_of(action["eventUrl"][0]), leg_event(action, "disconnected"))
    assert (lost.status_code, lost.content) == (204, b"")  # nothing takes the message's place
    assert await told(gateway, call, "completed") == 204
    assert await stands(gateway, clinic, placed_id) == ("ended", "message_left", "machine")
    await ruled(pool, clinic, "vonage", "hang_up")
    other = await placed(gateway, clinic, engine)
    call = api.placed.all[-1]
    assert await answered(gateway, call)
    assert await told(gateway, call, "machine") == 204
    assert call.status == "completed"
    assert await told(gateway, call, "completed") == 204
    assert await stands(gateway, clinic, other) == ("ended", "machine", "machine")


async def test_a_request_without_an_answer_is_looked_for_and_never_made_twice(
    gateway: Gateway, clinic: Clinic, api: VonageApiSimulator, engine: Placing
) -> None:
    api.faults.add(TakeAndFail(500))
    for placed_id in (
        await placed(gateway, clinic, engine),
        await died(gateway, clinic, engine, api),
    ):
        assert (await stands(gateway, clinic, placed_id))[0] == "placing"
        before = len(api.placed.all)
        api.faults.add(Refuse(503))
        for state in ("placing", "ringing"):  # the list cannot be had, then it can
            await due(gateway, clinic)
            await engine.go_on(clinic.claim, placed_id)
            assert (await stands(gateway, clinic, placed_id))[0] == state
        assert len(api.placed.all) == before
    assert await told(gateway, api.placed.all[-1], "busy") == 204
    assert await stands(gateway, clinic, placed_id) == ("unanswered", "busy", None)
    await engine.go_on(clinic.claim, placed_id)
    late = api.placed.all[-1]
    late.status = "answered"
    assert await answered(gateway, late) == []
    assert late.status == "completed"  # hung up: that attempt was given up


async def due(gateway: Gateway, clinic: Clinic) -> None:
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as connection:
        await connection.execute("update placed_calls set next_at = now() where state = 'placing'")


async def test_what_is_not_signed_or_not_the_attempts_call_is_refused(
    gateway: Gateway, clinic: Clinic, other_clinic: Clinic, api: VonageApiSimulator, engine: Placing
) -> None:
    placed_id = await placed(gateway, clinic, engine)
    [call] = api.placed.all
    path = path_of(call.fields["event_url"][0])
    ringing = event(call, "ringing")
    refused = [
        await gateway.http.post(gateway.url + path, json=ringing),
        await post(gateway, path, ringing, ITS_OWN),
        await post(gateway, path, ringing, at_s=1_700_000_000),
        await post(gateway, path, ringing, payload_hash="0" * 64),
    ]
    assert [each.status_code for each in refused] == [403] * 4
    for body in (b"{", {"status": "ringing"}, {"uuid": "a b", "status": "ringing"}):
        assert (await post(gateway, path, body)).status_code == 400
    stranger = VonagePlaced(call.fields, "answered")
    api.placed.all.append(stranger)
    other_org = path.replace(str(clinic.claim.org_id), str(other_clinic.claim.org_id))
    for foreign in (path, path.replace("/1/", "/2/"), other_org):
        stranger.status = "answered"
        assert (await post(gateway, foreign, event(stranger, "answered"))).status_code == 204
        assert stranger.status == "completed"
    unknown = event(call, "something-new")
    assert (await post(gateway, path, unknown)).status_code == 204
    assert (await stands(gateway, clinic, placed_id))[0] == "ringing"
    assert await told(gateway, call, "timeout") == 204
    assert await stands(gateway, clinic, placed_id) == ("unanswered", "no_answer", None)


ORDER = CallOrder(UUID(int=1), UUID(int=2), 1, CLINICS, CONTACT, "vonage", None, 25)


@pytest.fixture
async def placing(api: VonageApiSimulator) -> AsyncIterator[VonagePlacing]:
    async with CarrierHttp(Metrics(), timeout_s=5) as http:
        yield VonagePlacing(http, api.url, PlacedAddresses(lambda path: PUBLIC_URL + path), 1020)


async def test_a_refusal_says_whether_and_why_there_is_no_call(
    api: VonageApiSimulator, placing: VonagePlacing
) -> None:
    cases: list[tuple[VonageAccount, CallOrder, int | None, type[Exception], str | None]] = [
        (replace(OURS, private_key=OTHER_PEM), ORDER, None, CallingRefused, "credentials"),
        (OURS, replace(ORDER, to="+44"), None, CallingRefused, "receiver"),
        (OURS, replace(ORDER, from_="+442079460099"), None, CallingRefused, "configuration"),
        (OURS, ORDER, 404, CallingRefused, "configuration"),
        (OURS, ORDER, 429, CallingUnavailable, None),
        (OURS, ORDER, 502, CallingUnconfirmed, None),
    ]
    for account, order, status, error, reason in cases:
        if status is not None:
            api.faults.add(Refuse(status))
        with pytest.raises(error) as refused:
            await placing.place(account, order)
        assert getattr(refused.value, "reason", None) == reason
    assert api.placed.all == []


async def test_calls_are_found_by_their_numbers_over_many_pages(
    api: VonageApiSimulator, placing: VonagePlacing
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    fields = {"to": [{"number": "447700900999"}], "from": {"number": CLINICS[1:]}}
    api.placed.all += [VonagePlaced(fields, started_at=since - timedelta(minutes=1)) for _ in range(3)]
    api.placed.all += [VonagePlaced(fields) for _ in range(230)]
    ours = await placing.place(OURS, ORDER)
    assert await placing.find(OURS, ORDER, since=since) == [CarrierCall(ours, "ringing")]
    assert len(api.requests) == 4
    assert await placing.look(OURS, ours) == CarrierCall(ours, "ringing")
    api.placed.all[-1].status = "completed"
    assert await placing.look(OURS, ours) == CarrierCall(ours, "ended")
    assert await placing.look(OURS, str(uuid4())) is None
    later = since + timedelta(hours=1)
    assert await placing.find(OURS, ORDER, since=later) == []
    api.placed.all += [VonagePlaced(fields) for _ in range(1800)]
    with pytest.raises(CallingUnavailable):
        await placing.find(OURS, ORDER, since=since)
