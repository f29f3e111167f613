"""Callers who come by Plivo and are put through to a person: who hears what, and who comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4
from xml.etree import ElementTree

import asyncpg
import httpx
import pytest
from plivo import plivoxml

from bench.carrier import Carrier, LiveCall
from bench.carrier.plivo import PlivoAccount
from bench.carrier.steps import Redirect
from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.deepgram_hearing import Script, tone
from bench.simulators.faults import Refuse
from bench.simulators.offline.tone import ToneVoice
from bench.simulators.plivo_api import PlivoApiSimulator
from bench.simulators.replies import Call, Reply, ScriptedModel
from booking.calls import open_call
from booking.db import org_transaction
from booking.handovers import HandoverRules, ask_handover, end_handover, store_handover_rules
from booking.types import Actor
from gateway.handover import PUTTING_THROUGH, UNANNOUNCED
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.routes.test_plivo import ACCOUNT, TOKEN, document, post
from tests.gateway.running import PUBLIC_URL, Gateway, verbs

CLERK, DESK, CALLER = Actor("operator"), "+442071838999", "+447700900123"
ALL_DAY = HandoverRules(DESK, tuple(range(7)), time(0), time(0), 20)
WANTED = "Asks about a medical matter."
THROUGH = Call("transfer_to_human", {"wanted": "Mary Smith asks about her rhinoplasty bill."})
LINES = ["Put me through, please.", "Try it again, please."]
QUICK = {"SILENCE_PROMPT_S": "30", "FILLER_AFTER_S": "10", "MARK_WAIT_S": "0.5", "HANG_UP_S": "10"}


@dataclass
class Made:
    """A gateway, and Plivo in front of it."""

    gateway: Gateway
    api: PlivoApiSimulator
    carrier: Carrier
    clinic: Clinic
    pool: asyncpg.Pool

    async def tell(self, url: str, call_id: str, **told: str) -> httpx.Response:
        """One webhook of the caller's leg, at an address that we gave."""
        ends = {"From": CALLER[1:], "To": self.clinic.number[1:], "Direction": "inbound"}
        form = {"CallUUID": call_id, "CallStatus": "in-progress"} | ends | told
        return await post(self.gateway, url.removeprefix(PUBLIC_URL), form)

    async def rows(self, statement: str) -> list[dict[str, Any]]:
        async with org_transaction(self.pool, self.clinic.claim) as connection:
            return [dict(row) for row in await connection.fetch(statement)]

    async def stands(self) -> list[tuple[str, str | None]]:
        found = await self.rows("select state, summary from handovers order by asked_at")
        return [(row["state"], row["summary"]) for row in found]


@pytest.fixture
async def made(stack: Stack, pool: asyncpg.Pool, clinic: Clinic) -> AsyncIterator[Made]:
    await store_handover_rules(pool, clinic.claim, ALL_DAY, actor=CLERK)
    again = Reply("Of course.", (THROUGH,))
    model = ScriptedModel([again, "Not now.", again], otherwise="Very well.")
    carriers: list[Carrier] = []
    async with AsyncExitStack() as closing:
        enter = closing.enter_async_context
        deepgram = await enter(DeepgramSimulator(Script(LINES, word_s=0.1).hearing))
        chat = await enter(ChatSimulator(model))
        cartesia = await enter(CartesiaSimulator(ToneVoice(ms_per_char=20.0)))
        api = await enter(
            PlivoApiSimulator(
                auth_id=ACCOUNT,
                auth_token=TOKEN,
                moved=lambda call_id, url: carriers[0].replace(call_id, [Redirect(url)]),
            )
        )
        vendors = running.Vendors(deepgram, chat, cartesia).environment()
        ours = {"PLIVO_AUTH_ID": ACCOUNT, "PLIVO_AUTH_TOKEN": TOKEN, "PLIVO_API_URL": api.url}
        gateway = await enter(running.gateway(running.environment(stack, **vendors, **QUICK, **ours)))
        account = PlivoAccount(ACCOUNT, TOKEN)
        carriers.append(await enter(Carrier(PUBLIC_URL, account, connect_url=gateway.url)))
        yield Made(gateway, api, carriers[0], clinic, pool)


async def says(live: LiveCall) -> None:
    await live.say(tone(0.6, 440))


async def test_a_caller_whom_nobody_takes_is_back_with_the_agent(made: Made) -> None:
    """Once Plivo refuses, then it does what it is told, with each of its rules in force."""
    async with made.carrier.call(made.clinic.number, caller=CALLER) as live:
        call_id = live.plan.call_id
        made.api.calls.add(call_id)
        await live.agent_answers(500)
        made.api.faults.add(Refuse(503))
        await asks(live)
        assert (await made.stands(), made.api.transferred) == ([("failed", None)], {})
        await says(live)
        async with asyncio.timeout(30):  # between its streams the call has none to wait on
            while (await made.stands())[-1][0] != "unanswered":  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            before_ms = live.record.agent_audible_ms
            while live.record.agent_audible_ms == before_ms:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await live.agent_quiet(500)
        assert made.api.calls == {call_id}  # not hung up
    await made.gateway.until_idle()
    assert live.record.spoken_by_carrier == [PUTTING_THROUGH]
    assert [state for state, _ in await made.stands()] == ["failed", "unanswered"]
    said = await made.rows("select said::text as said from call_turns")
    assert any("nobody can come to the telephone" in row["said"] for row in said)
    over = f"{made.api.transferred[call_id]}/over"
    late = document(await made.tell(over, call_id, DialStatus="no-answer"))
    assert verbs(late) == ["Hangup"]  # the caller has hung up
    ended = await made.rows("select end_reason from calls order by started_at")
    assert [row["end_reason"] for row in ended] == ["transferred", "caller_hung_up"]


async def asks(live: LiveCall) -> None:
    """An utterance, and the whole answer to it."""
    before_ms = live.record.agent_audible_ms
    await says(live)
    await live.until(lambda record: record.agent_audible_ms > before_ms)
    await live.agent_quiet(500)


@pytest.fixture
async def order(made: Made) -> tuple[str, str, UUID]:
    """A handover that the carrier has taken: the address that it was given, the call, and its id."""
    call_id, handover_id = str(uuid4()), uuid4()
    claim, record = made.clinic.claim, uuid4()
    told: dict[str, Any] = {"carrier": "plivo", "carrier_call_id": call_id, "started_at": datetime.now(UTC)}
    await open_call(made.pool, claim, call_id=record, **told)
    await ask_handover(made.pool, claim, handover_id=handover_id, call_id=record, summary=WANTED)
    made.api.calls.add(call_id)
    url = f"{PUBLIC_URL}/plivo/handover/{claim.org_id}/{handover_id}"
    return url, call_id, handover_id


async def test_a_call_waits_until_plivo_has_carried_its_order_out(
    made: Made, order: tuple[str, str, UUID]
) -> None:
    url, call_id, _ = order
    after = f"{PUBLIC_URL}/plivo/after?attempt=1"
    for waited in ("1", "2"):
        wait, redirect = document(await made.tell(after, call_id))
        after = f"{PUBLIC_URL}/plivo/after?attempt=1&waited={waited}"
        assert (wait.tag, redirect.text) == ("Wait", after)
    back, redirect = document(await made.tell(after, call_id))  # it does not: the agent takes the call again
    assert (back.tag, redirect.text) == ("Stream", f"{PUBLIC_URL}/plivo/after?attempt=2")
    back, redirect = document(await made.tell(f"{url}/over", call_id, DialStatus="no-answer"))
    assert (back.tag, redirect.text) == ("Stream", f"{url}/after?attempt=0")
    again = document(await made.tell(str(redirect.text), call_id))
    assert (again[0].tag, again[1].text) == ("Stream", f"{url}/after?attempt=1")  # as any other stream


async def test_the_person_hears_why_and_the_caller_is_done_when_they_have_talked(
    made: Made, order: tuple[str, str, UUID]
) -> None:
    url, call_id, _ = order
    first = document(await made.tell(url, call_id))
    withheld = document(await made.tell(url, call_id, From="anonymous"))
    assert withheld[1].attrib == first[1].attrib | {"callerId": made.clinic.number[1:]}
    assert ElementTree.tostring(document(await made.tell(url, call_id))) == ElementTree.tostring(first)
    whisper = first[1].attrib["confirmSound"]
    person = {"CallUUID": str(uuid4()), "To": DESK[1:], "Direction": "outbound"}
    [heard] = document(await made.tell(whisper, call_id, **person))
    assert (heard.tag, str(heard.text).endswith(WANTED)) == ("Speak", True)
    assert await made.stands() == [("answered", None)]
    [again] = document(await made.tell(whisper, call_id, **person))
    assert WANTED not in str(again.text)  # told once
    assert verbs(document(await made.tell(url, call_id))) == ["Hangup"]  # nobody is dialled again
    over = document(await made.tell(first[1].attrib["action"], call_id, DialStatus="completed"))
    assert verbs(over) == ["Hangup"]
    assert made.gateway.counted("gateway_handovers_total", outcome="answered") == 1


async def test_who_has_not_been_connected_is_back(made: Made, order: tuple[str, str, UUID]) -> None:
    """Also when the person has picked up, and hung up before that; told twice it means the same."""
    url, call_id, _ = order
    await made.tell(f"{url}/whisper", call_id)
    for status in ("busy", "failed", "timeout", "no-answer", "cancel", "no-answer"):
        back = document(await made.tell(f"{url}/over", call_id, DialStatus=status))
        assert verbs(back) == ["Stream", "Redirect"]
        assert await made.stands() == [("unanswered", None)]
    ends = {"From": made.clinic.number[1:], "To": CALLER[1:], "Direction": "outbound"}  # the clinic called
    back = document(await made.tell(f"{url}/over", call_id, DialStatus="busy", **ends))
    assert verbs(back) == ["Stream", "Redirect"]


async def test_who_is_to_be_put_through_no_more_is_back_with_the_agent(
    made: Made, order: tuple[str, str, UUID]
) -> None:
    url, call_id, handover_id = order
    await store_handover_rules(made.pool, made.clinic.claim, HandoverRules(), actor=CLERK)
    assert verbs(document(await made.tell(url, call_id))) == ["Stream", "Redirect"]
    await store_handover_rules(made.pool, made.clinic.claim, ALL_DAY, actor=CLERK)
    await end_handover(made.pool, made.clinic.claim, handover_id=handover_id, state="failed")
    unknown = url.replace(str(handover_id), str(uuid4()))
    for each in (url, unknown):
        assert verbs(document(await made.tell(each, call_id))) == ["Stream", "Redirect"]
    assert verbs(document(await made.tell(f"{unknown}/whisper", call_id))) == ["Hangup"]


async def test_while_the_database_is_away_a_caller_is_back_and_a_person_hears_the_least(
    made: Made, order: tuple[str, str, UUID]
) -> None:
    url, call_id, _ = order
    assert verbs(document(await made.tell(f"{url}/over", str(uuid4())))) == ["Stream", "Redirect"]
    await made.gateway.edge.desk.pool.close()
    assert verbs(document(await made.tell(url, call_id))) == ["Stream", "Redirect"]
    [heard] = document(await made.tell(f"{url}/whisper", call_id))
    assert heard.text == UNANNOUNCED


async def test_what_is_not_signed_by_the_account_is_forbidden(
    made: Made, order: tuple[str, str, UUID]
) -> None:
    url, call_id, _ = order
    form = {"CallUUID": call_id, "From": CALLER[1:], "To": made.clinic.number[1:], "DialStatus": "completed"}
    for each in (url, f"{url}/whisper", f"{url}/over", f"{url}/after"):
        path = each.removeprefix(PUBLIC_URL)
        assert (await post(made.gateway, path, form, token="another")).status_code == 403
        unnamed = await post(made.gateway, path, {"To": "1"})
        assert unnamed.status_code == (200 if each.endswith("whisper") else 400)
    assert (await made.stands())[0][0] == "answered"  # by the one that was signed


async def test_the_documents_are_what_the_vendors_own_package_writes(
    made: Made, order: tuple[str, str, UUID]
) -> None:
    url, call_id, _ = order
    speak, dial = document(await made.tell(url, call_id))
    written = plivoxml.ResponseElement()
    written.add(plivoxml.SpeakElement(speak.text, language="en-GB"))
    theirs = plivoxml.DialElement(
        action=f"{url}/over",
        method="POST",
        redirect=True,
        confirm_sound=f"{url}/whisper",
        timeout=20,
        time_limit=900,
    )
    theirs.add(plivoxml.NumberElement(DESK[1:]))
    written.add(theirs)
    root = ElementTree.fromstring(written.to_string())  # noqa: S314  the vendor's package wrote it
    assert [shown(each) for each in root.iter() if each is not root] == [
        shown(each) for each in (speak, *dial.iter())
    ]


def shown(element: ElementTree.Element) -> tuple[str, dict[str, str], str]:
    return element.tag, element.attrib, (element.text or "").strip()
