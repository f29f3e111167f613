"""Callers who come by Vonage and are put through to a person: who hears what, and who comes back."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script
from bench.simulators.faults import Refuse
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.replies import Call, Reply, ScriptedModel
from bench.simulators.vonage_api import VonageApiSimulator
from booking.calls import open_call
from booking.db import org_transaction
from booking.handovers import HandoverRules, ask_handover, store_handover_rules
from booking.types import Actor
from gateway.caller import Ends
from gateway.handover import HandoverOrder
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.phone import Phone
from tests.gateway.routes.test_vonage import (
    ITS_OWN,
    QUICK,
    connected,
    event,
    first_audio,
    first_frame,
    leg_event,
    media,
    ncco,
    ordered,
    path_of,
    post,
    settings,
    stream_in,
)
from tests.gateway.running import Gateway
from tests.gateway.vonage_application import OURS, PUBLIC_KEY, bearer

DESK = "+442071838999"
ALL_DAY = HandoverRules(DESK, tuple(range(7)), time(0), time(0), 20)
WANTED = "Asks about a medical matter."
THROUGH = Call("transfer_to_human", {"wanted": "Mary Smith asks about her rhinoplasty bill."})
FRAMES_BEFORE = sum(map(str.isalnum, "Of course."))  # a character sounds for a frame
LINES = ["Put me through, please.", "Try it again, please."]


@pytest.fixture
async def api() -> AsyncIterator[VonageApiSimulator]:
    async with VonageApiSimulator(application_id=OURS.application_id, public_key=PUBLIC_KEY) as simulator:
        yield simulator


@pytest.fixture
async def gateway(
    stack: Stack, api: VonageApiSimulator, pool: asyncpg.Pool, clinic: Clinic
) -> AsyncIterator[Gateway]:
    await store_handover_rules(pool, clinic.claim, ALL_DAY, actor=Actor("operator"))
    model = ScriptedModel(
        [Reply("Of course.", (THROUGH,)), "Not now.", Reply("Of course.", (THROUGH,))], otherwise="Very well."
    )
    async with (
        DeepgramSimulator(Script(LINES, word_s=0.1).hearing) as deepgram,
        ChatSimulator(model) as chat,
        CartesiaSimulator(ToneVoice(ms_per_char=20.0)) as cartesia,
    ):
        vendors = running.Vendors(deepgram, chat, cartesia).environment()
        environ = running.environment(stack, **vendors, **QUICK, **settings(api.url))
        async with running.gateway(environ) as served:
            yield served


async def rows(pool: asyncpg.Pool, clinic: Clinic, statement: str) -> list[dict[str, Any]]:
    async with org_transaction(pool, clinic.claim) as connection:
        return [dict(row) for row in await connection.fetch(statement)]


async def stands(pool: asyncpg.Pool, clinic: Clinic) -> list[tuple[str, str | None]]:
    found = await rows(pool, clinic, "select state, summary from handovers order by asked_at")
    return [(row["state"], row["summary"]) for row in found]


def person(status: str, **more: Any) -> dict[str, Any]:
    """An event of the person's leg, which does not name the caller's."""
    return {"uuid": str(uuid4()), "from": "442079460018", "to": DESK[1:], "status": status, **more}


async def get(gateway: Gateway, path: str, authorization: str | None = None) -> httpx.Response:
    headers = {"Authorization": bearer(None) if authorization is None else authorization}
    return await gateway.http.get(gateway.url + path, headers=headers)


async def test_a_caller_whom_nobody_takes_is_back_with_the_agent(
    gateway: Gateway, clinic: Clinic, api: VonageApiSimulator, pool: asyncpg.Pool
) -> None:
    call_id = str(uuid4())
    api.calls.add(call_id)
    action = await connected(gateway, call_id, clinic)
    async with media(gateway, action) as socket:
        await socket.send(first_frame(action))
        phone = Phone(socket, ordered)
        talking = asyncio.create_task(phone.run())
        await phone.hears_all()
        api.faults.add(Refuse(503))
        heard = phone.audible_frames
        await phone.says()
        await phone.until(lambda: phone.audible_frames > heard + FRAMES_BEFORE)
        assert (await stands(pool, clinic), api.documents) == ([("failed", None)], [])
        await phone.says()
        async with asyncio.timeout(30):
            await talking
    await gateway.until_idle()
    assert api.calls == {call_id}  # not hung up
    [(transferred, [talk, dial, notify])] = api.documents
    assert (transferred, talk["action"], notify["action"]) == (call_id, "talk", "notify")
    [endpoint] = dial["endpoint"]
    assert (endpoint["number"], dial["from"]) == (DESK[1:], clinic.number[1:])
    assert (dial["timeout"], dial["limit"], dial["eventType"]) == (20, 900, "synchronous")
    assert "447700900123" not in json.dumps(dial)
    lost = await post(gateway, path_of(action["eventUrl"][0]), leg_event(action, "disconnected"))
    assert (lost.status_code, lost.content) == (204, b"")  # the call goes on without that socket
    over = path_of(dial["eventUrl"][0])
    for status in ("started", "ringing"):
        assert (await post(gateway, over, person(status))).status_code == 204
    back = stream_in(await post(gateway, over, person("unanswered")))
    assert [each[0] for each in await stands(pool, clinic)] == ["failed", "unanswered"]
    assert (await post(gateway, over, person("completed"))).status_code == 204
    async with media(gateway, back) as socket:
        await socket.send(first_frame(back))
        await first_audio(socket)
        again = await post(gateway, path_of(back["eventUrl"][0]), leg_event(back, "disconnected"))
        assert stream_in(again)["endpoint"][0]["headers"]["attempt"] == "1"  # a stream like any other
        await post(gateway, "/vonage/event", event(call_id, clinic.number, "completed"))
    await gateway.until_idle()
    said = await rows(pool, clinic, "select said::text as said from call_turns")
    assert any("nobody can come to the telephone" in row["said"] for row in said)
    assert ncco(await post(gateway, over, person("unanswered"))) == []  # the caller has hung up
    ended = await rows(pool, clinic, "select end_reason from calls order by started_at")
    assert [row["end_reason"] for row in ended] == ["transferred", "caller_hung_up"]


async def put_through(
    gateway: Gateway, clinic: Clinic, pool: asyncpg.Pool, api: VonageApiSimulator
) -> dict[str, str]:
    """A handover that the carrier has taken: the addresses that it was given."""
    call_id, handover_id = str(uuid4()), uuid4()
    api.calls.add(call_id)
    await begun(pool, clinic, call_id, handover_id)
    hand_over = gateway.edge.carriers.vonage.hand_over
    assert hand_over is not None
    ends = Ends("+447700900123", clinic.number)
    await hand_over(call_id, OURS, HandoverOrder(clinic.claim.org_id, handover_id, DESK, 20, 900, ends))
    _, [_, dial, notify] = api.documents[-1]
    addresses = {
        "whisper": dial["endpoint"][0]["onAnswer"]["url"],
        "over": dial["eventUrl"][0],
        "next": notify["eventUrl"][0],
    }
    return {name: path_of(url) for name, url in addresses.items()}


async def begun(pool: asyncpg.Pool, clinic: Clinic, carrier_call_id: str, handover_id: UUID) -> None:
    claim, call_id = clinic.claim, uuid4()
    told: dict[str, Any] = {
        "carrier": "vonage",
        "carrier_call_id": carrier_call_id,
        "started_at": datetime.now(UTC),
    }
    await open_call(pool, claim, call_id=call_id, **told)
    await ask_handover(pool, claim, handover_id=handover_id, call_id=call_id, summary=WANTED)


async def test_the_person_hears_why_and_the_caller_is_done_when_they_have_talked(
    gateway: Gateway, clinic: Clinic, pool: asyncpg.Pool, api: VonageApiSimulator
) -> None:
    order = await put_through(gateway, clinic, pool, api)
    for _ in range(2):  # told until it was heard
        [talk, notify] = ncco(await get(gateway, order["whisper"]))
        assert talk["text"].endswith(WANTED)
    assert await stands(pool, clinic) == [("asked", WANTED)]
    for _ in range(2):
        told = {"payload": notify["payload"], "conversation_uuid": "CON-1"}
        assert (await post(gateway, path_of(notify["eventUrl"][0]), told)).status_code == 204
    assert await stands(pool, clinic) == [("answered", None)]
    assert ncco(await post(gateway, order["over"], person("completed", duration="4"))) == []
    assert ncco(await post(gateway, order["next"], {"payload": {}})) == []
    assert gateway.counted("gateway_handovers_total", outcome="answered") == 1
    await who_hangs_up_at_once_has_not_taken_the_caller(gateway, clinic, pool, api)


async def who_hangs_up_at_once_has_not_taken_the_caller(
    gateway: Gateway, clinic: Clinic, pool: asyncpg.Pool, api: VonageApiSimulator
) -> None:
    """Unless they stayed for longer than anything that is announced."""
    for duration, came in (("9", "unanswered"), ("61", "answered"), (None, "unanswered")):
        order = await put_through(gateway, clinic, pool, api)
        await get(gateway, order["whisper"])
        first = ncco(await post(gateway, order["over"], person("completed", duration=duration)))
        following = ncco(await post(gateway, order["next"], {"payload": {}}))
        assert (await stands(pool, clinic))[-1] == (came, None)
        assert [len(first), len(following)] == ([0, 0] if came == "answered" else [2, 2])
        if following:
            headers = following[0]["endpoint"][0]["headers"]
            assert headers["token"] != first[0]["endpoint"][0]["headers"]["token"]


async def test_what_is_not_signed_by_the_account_or_names_no_call_is_refused(
    gateway: Gateway, clinic: Clinic, other_clinic: Clinic, pool: asyncpg.Pool, api: VonageApiSimulator
) -> None:
    order = await put_through(gateway, clinic, pool, api)
    refused = [
        await get(gateway, order["whisper"], ""),
        await get(gateway, order["whisper"], bearer(None, ITS_OWN)),
        await get(gateway, order["whisper"], bearer(None, at_s=1_700_000_000)),
        await post(gateway, order["over"], person("unanswered"), ITS_OWN),
        await post(gateway, order["next"], {}, payload_hash="0" * 64),
    ]
    assert [each.status_code for each in refused] == [403] * 5
    over, _, query = order["over"].partition("?")
    assert (await post(gateway, over, person("unanswered"))).status_code == 400
    assert (await post(gateway, order["over"], b"{")).status_code == 400
    assert [each[0] for each in await stands(pool, clinic)] == ["asked"]
    foreign = order["over"].replace(str(clinic.claim.org_id), str(other_clinic.claim.org_id))
    [said] = ncco(await post(gateway, foreign, person("unanswered")))
    assert said["action"] == "talk"  # sealed for another org: nobody's number
    assert [each[0] for each in await stands(pool, clinic)] == ["asked"]
    nobodys = over.replace(over.split("/")[-2], str(uuid4()))
    assert ncco(await get(gateway, nobodys.replace("/over", "/whisper"))) == []
    assert (await post(gateway, f"{nobodys}?{query}", person("completed"))).status_code == 204
    assert ncco(await post(gateway, f"{nobodys.replace('/over', '/next')}?{query}", {})) == []
    assert (await post(gateway, nobodys.replace("/over", "/joined"), {})).status_code == 204
