"""A call that the clinic places over Plivo: ordered, answered, left to a machine, told of again."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.plivo_api import PlivoApiSimulator
from bench.simulators.plivo_calls import PlivoPlaced
from bench.simulators.twilio_messages import TakeAndFail, TakeAndStall
from booking.db import fetch, org_transaction
from booking.placing import Placing
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.calls_placed import asked, placing_over, ruled, stands
from tests.gateway.routes.test_plivo import ACCOUNT, TOKEN, document, frame, media, post, start, until
from tests.gateway.running import PUBLIC_URL, Gateway, Vendors, verbs


@pytest.fixture
async def api(clinic: Clinic) -> AsyncIterator[PlivoApiSimulator]:
    async with PlivoApiSimulator(auth_id=ACCOUNT, auth_token=TOKEN) as simulator:
        simulator.placed.numbers.add(clinic.number)
        yield simulator


@pytest.fixture
async def gateway(stack: Stack, vendors: Vendors, api: PlivoApiSimulator) -> AsyncIterator[Gateway]:
    environ = running.environment(
        stack,
        **vendors.environment(),
        PLIVO_AUTH_ID=ACCOUNT,
        PLIVO_AUTH_TOKEN=TOKEN,
        PLIVO_API_URL=api.url,
        HANG_UP_S="2",
    )
    async with running.gateway(environ) as served:
        yield served


@pytest.fixture
async def engine(gateway: Gateway, pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Placing]:
    async with placing_over("plivo", gateway, pool, clinic) as placing:
        yield placing


async def placed(gateway: Gateway, clinic: Clinic, engine: Placing, api: PlivoApiSimulator) -> UUID:
    placed_id = await asked(gateway, clinic)
    await engine.go_on(clinic.claim, placed_id)
    assert len(api.placed.all) == 1
    return placed_id


async def tell(gateway: Gateway, call: PlivoPlaced, url: str, **told: str) -> httpx.Response:
    """One webhook of this call, at an address that we gave."""
    ids = {"CallUUID": call.call_uuid, "RequestUUID": call.call_uuid, "ALegRequestUUID": call.call_uuid}
    ends = {"From": call.fields["from"], "To": call.fields["to"], "Direction": "outbound"}
    return await post(gateway, url.removeprefix(PUBLIC_URL), ids | ends | told)


async def rings_and_is_answered(gateway: Gateway, call: PlivoPlaced) -> httpx.Response:
    rings = await tell(gateway, call, call.fields["ring_url"], CallStatus="ringing", Event="Ring")
    assert rings.status_code == 204
    call.answer()
    answer = call.fields["answer_url"]
    return await tell(gateway, call, answer, CallStatus="in-progress", Event="StartApp")


async def ends(gateway: Gateway, call: PlivoPlaced, status: str = "completed") -> None:
    call.end()
    over = await tell(gateway, call, call.fields["hangup_url"], CallStatus=status, Event="Hangup")
    assert over.status_code == 204


async def test_it_is_ordered_once_and_talks(
    gateway: Gateway, clinic: Clinic, api: PlivoApiSimulator, engine: Placing
) -> None:
    placed_id = await placed(gateway, clinic, engine, api)
    await engine.go_on(clinic.claim, placed_id)
    [call] = api.placed.all
    stream, redirect = document(await rings_and_is_answered(gateway, call))
    assert redirect.text == f"{call.fields['answer_url']}/after?attempt=0"
    async with media(gateway, str(stream.text)) as socket:
        await socket.send(start(call.call_uuid, stream.attrib["extraHeaders"]))
        await until(socket, "playAudio")
        socket.transport.abort()
    await gateway.until_idle()
    stream, _ = document(await tell(gateway, call, str(redirect.text), CallStatus="in-progress"))
    async with media(gateway, str(stream.text)) as socket:
        await socket.send(start(call.call_uuid, stream.attrib["extraHeaders"]))
        await until(socket, "playAudio")
        machine = call.fields["machine_detection_url"]
        for _ in range(2):  # Plivo repeats itself
            assert (await tell(gateway, call, machine, Machine="false")).status_code == 204
        await socket.send(frame("stop"))
    await ends(gateway, call)
    await gateway.until_idle()
    assert await stands(gateway, clinic, placed_id) == ("ended", "talked", "human")
    assert gateway.counted("gateway_calls_answered_total", by="human") == 1
    [hangup] = document(await tell(gateway, call, str(redirect.text), CallStatus="completed"))
    assert hangup.tag == "Hangup"
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as connection:
        rows = await connection.fetch("select distinct carrier, carrier_call_id from calls")
        said = await connection.fetchval("select said::text from call_turns limit 1")
    assert [tuple(row) for row in rows] == [("plivo", call.call_uuid)]
    assert "the automated assistant of Harley Street Clinic." in said


async def test_a_machine_gets_the_message_behind_its_beep(
    gateway: Gateway, clinic: Clinic, api: PlivoApiSimulator, engine: Placing
) -> None:
    placed_id = await placed(gateway, clinic, engine, api)
    [call] = api.placed.all
    assert verbs(document(await rings_and_is_answered(gateway, call))) == ["Stream", "Redirect"]
    for _ in range(2):
        machine = await tell(gateway, call, call.fields["machine_detection_url"], Machine="true")
        assert machine.status_code == 204
    url = api.transferred[call.call_uuid]
    assert url == f"{call.fields['answer_url']}/message"
    wait, speak, hangup = document(await tell(gateway, call, url, CallStatus="in-progress"))
    assert (wait.tag, wait.attrib, hangup.tag) == ("Wait", {"length": "30", "beep": "true"}, "Hangup")
    assert "Harley Street Clinic" in str(speak.text)
    after = f"{call.fields['answer_url']}/after?attempt=0"  # the stream may end before the order is done
    for verb in (["Wait", "Redirect"], ["Wait", "Redirect"], ["Hangup"]):
        told = document(await tell(gateway, call, after, CallStatus="in-progress"))
        assert verbs(told) == verb
        after = str(told[-1].text)
    await ends(gateway, call)
    assert await stands(gateway, clinic, placed_id) == ("ended", "message_left", "machine")


@pytest.mark.parametrize("refused", [False, True])
async def test_a_machine_is_hung_up(
    gateway: Gateway,
    clinic: Clinic,
    api: PlivoApiSimulator,
    engine: Placing,
    pool: asyncpg.Pool,
    refused: bool,
) -> None:
    """Also where Plivo does not take the order to leave the message."""
    await ruled(pool, clinic, "plivo", "message" if refused else "hang_up")
    await placed(gateway, clinic, engine, api)
    [call] = api.placed.all
    await rings_and_is_answered(gateway, call)
    if refused:
        api.faults.add(Refuse(500))
    await tell(gateway, call, call.fields["machine_detection_url"], Machine="true")
    assert (call.standing, api.transferred) == ("over", {})


async def test_a_request_that_a_crash_cut_off_is_found_and_a_busy_line_is_tried_again(
    gateway: Gateway, clinic: Clinic, api: PlivoApiSimulator, engine: Placing
) -> None:
    api.faults.add(TakeAndStall())
    placed_id = await asked(gateway, clinic)
    placer = asyncio.create_task(engine.go_on(clinic.claim, placed_id))
    async with asyncio.timeout(20):
        while not api.placed.all:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    placer.cancel()
    await asyncio.wait({placer})
    assert (await stands(gateway, clinic, placed_id))[0] == "placing"
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as connection:
        await connection.execute("update placed_calls set next_at = now()")
    await engine.go_on(clinic.claim, placed_id)
    [call] = api.placed.all
    assert (await stands(gateway, clinic, placed_id))[0] == "ringing"
    await ends(gateway, call, "busy")
    assert await stands(gateway, clinic, placed_id) == ("unanswered", "busy", None)
    await engine.go_on(clinic.claim, placed_id)
    (row,) = await fetch(gateway.edge.desk.pool, clinic.claim, "placed_call_facts", placed_id)
    assert (row["state"], row["attempt"]) == ("queued", 1)
    call.standing = "ringing"  # it comes late: that attempt was given up
    assert verbs(document(await rings_and_is_answered(gateway, call))) == ["Hangup"]
    assert call.standing == "over"


async def test_a_lost_request_is_found_by_its_webhooks_alone(
    gateway: Gateway, clinic: Clinic, api: PlivoApiSimulator, engine: Placing
) -> None:
    api.faults.add(TakeAndFail(502))
    placed_id = await placed(gateway, clinic, engine, api)
    [call] = api.placed.all
    assert verbs(document(await rings_and_is_answered(gateway, call))) == ["Stream", "Redirect"]
    assert (await stands(gateway, clinic, placed_id))[0] == "talking"
    await engine.go_on(clinic.claim, placed_id)
    assert len(api.placed.all) == 1
    await ends(gateway, call)


async def test_what_is_not_the_attempts_call_is_hung_up_and_the_unsigned_refused(
    gateway: Gateway, clinic: Clinic, other_clinic: Clinic, api: PlivoApiSimulator, engine: Placing
) -> None:
    placed_id = await placed(gateway, clinic, engine, api)
    [call] = api.placed.all
    path = call.fields["answer_url"].removeprefix(PUBLIC_URL)
    form = {"CallUUID": call.call_uuid, "From": call.fields["from"], "To": call.fields["to"]}
    for each in (path, f"{path}/status", f"{path}/machine", f"{path}/after", f"{path}/message"):
        assert (await post(gateway, each, form, token="another")).status_code == 403
        assert (await post(gateway, each, {"To": "1"})).status_code == 400
    stranger = str(uuid4())
    other_org = path.replace(str(clinic.claim.org_id), str(other_clinic.claim.org_id))
    for foreign in (path, path.removesuffix("1") + "2", other_org):
        api.calls.add(stranger)
        told = form | {"CallUUID": stranger, "CallStatus": "in-progress"}
        assert verbs(document(await post(gateway, foreign, told))) == ["Hangup"]
        assert stranger not in api.calls
    assert (await stands(gateway, clinic, placed_id))[0] == "ringing"


async def test_while_the_database_is_away_it_is_told_to_come_again(
    gateway: Gateway, clinic: Clinic, api: PlivoApiSimulator, engine: Placing
) -> None:
    await placed(gateway, clinic, engine, api)
    [call] = api.placed.all
    await gateway.edge.desk.pool.close()
    url = call.fields["answer_url"]
    assert (await tell(gateway, call, url, CallStatus="in-progress")).status_code == 503
    machine = await tell(gateway, call, call.fields["machine_detection_url"], Machine="true")
    assert machine.status_code == 503
    assert verbs(document(await tell(gateway, call, f"{url}/message"))) == ["Hangup"]
    assert (call.standing, api.transferred) == ("ringing", {})
