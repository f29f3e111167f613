"""Placing calls at Plivo over REST, against a strict server of its protocol."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import plivo
import pytest

from bench.simulators.faults import Refuse
from bench.simulators.plivo_api import PlivoApiSimulator
from bench.simulators.twilio_messages import TakeAndFail, TakeAndStall
from booking.errors import CallingRefused, CallingUnavailable, CallingUnconfirmed
from booking.placing import CallOrder
from gateway.control.plivo_placing import PlivoPlacing, word_of
from gateway.control.rest import CarrierHttp
from gateway.metrics import Metrics
from gateway.placed_address import PlacedAddresses
from gateway.tenancy.credentials import PlivoAccount
from tests.bench.simulators.redirected import redirect

OURS = PlivoAccount("MA" + "1" * 18, "token")
ORDER = CallOrder(
    UUID(int=1), UUID(int=2), 3, "+442079460018", "+447700900123", carrier="plivo", sealed=None, ring_s=25
)


@pytest.fixture
async def api() -> AsyncIterator[PlivoApiSimulator]:
    async with PlivoApiSimulator(auth_id=OURS.auth_id, auth_token=OURS.auth_token) as simulator:
        simulator.placed.numbers.add(ORDER.from_)
        yield simulator


@pytest.fixture
async def placing(api: PlivoApiSimulator) -> AsyncIterator[PlivoPlacing]:
    async with CarrierHttp(Metrics(), timeout_s=10) as http:
        addresses = PlacedAddresses(lambda path: f"https://gw.example.com{path}")
        yield PlivoPlacing(http, api.url, addresses, longest_s=1020)


def lately() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=30)


async def test_a_call_is_placed_at_addresses_of_its_attempt(
    placing: PlivoPlacing, api: PlivoApiSimulator
) -> None:
    call_id = await placing.place(OURS, ORDER)
    [call] = api.placed.all
    at = f"https://gw.example.com/plivo/placed/{ORDER.org_id}/{ORDER.placed_id}/3"
    assert (call.call_uuid, call.fields["to"], call.fields["from"]) == (
        call_id,
        "447700900123",
        "442079460018",
    )
    urls = {name: told for name, told in call.fields.items() if name.endswith("_url")}
    assert urls == {
        "answer_url": at,
        "ring_url": f"{at}/status",
        "hangup_url": f"{at}/status",
        "machine_detection_url": f"{at}/machine",
    }
    assert (call.fields["ring_timeout"], call.fields["time_limit"]) == (25, 1020)


async def test_a_call_is_found_wherever_it_stands(placing: PlivoPlacing, api: PlivoApiSimulator) -> None:
    assert await placing.find(OURS, ORDER, since=lately()) == []
    call_id = await placing.place(OURS, ORDER)
    [call] = api.placed.all
    call.standing = "queued"
    words = []
    for go_on in (lambda: None, lambda: setattr(call, "standing", "ringing"), call.answer, call.end):
        go_on()
        [found] = await placing.find(OURS, ORDER, since=lately())
        looked = await placing.look(OURS, call_id)
        assert looked is not None
        assert (found.carrier_call_id, looked.carrier_call_id) == (call_id, call_id)
        words.append(looked.word)
    assert words == ["ringing", "ringing", "talking", "ended"]
    assert await placing.find(OURS, ORDER, since=datetime.now(UTC) + timedelta(minutes=1)) == []
    assert await placing.look(OURS, "never") is None


@pytest.mark.parametrize(
    ("cause", "word"), [(3000, "no_answer"), (3010, "busy"), (6000, "no_answer"), (2000, "failed")]
)
async def test_why_nobody_was_reached(
    placing: PlivoPlacing, api: PlivoApiSimulator, cause: int, word: str
) -> None:
    call_id = await placing.place(OURS, ORDER)
    api.placed.all[0].end(cause)
    looked = await placing.look(OURS, call_id)
    assert looked is not None
    assert looked.word == word


@pytest.mark.parametrize(
    ("status", "cause", "word"),
    [
        ("failed", "3020", "busy"),
        ("failed", "2000", "failed"),
        ("failed", "x", "failed"),
        ("completed", "3020", "ended"),
        ("timeout", "", "no_answer"),
        ("unheard-of", "3000", None),
    ],
)
def test_plivos_words(status: str, cause: str, word: str | None) -> None:
    assert word_of(status, cause) == word


async def test_calls_of_other_numbers_and_a_queue_without_end_are_not_taken_for_ours(
    placing: PlivoPlacing, api: PlivoApiSimulator
) -> None:
    other = {**(await _fields(placing, api)), "to": "4477009001234"}  # it begins like ours
    call = api.placed.create(other)
    for standing in ("queued", "ringing", "in-progress", "over"):
        call.standing = standing
        assert await placing.find(OURS, ORDER, since=lately()) == []
    for _ in range(20):
        api.placed.create(other).standing = "queued"
    with pytest.raises(CallingUnavailable):  # ours may be among those that are not listed
        await placing.find(OURS, ORDER, since=lately())


async def test_what_plivo_does_not_take_is_told(placing: PlivoPlacing, api: PlivoApiSimulator) -> None:
    with pytest.raises(CallingRefused) as refused:
        await placing.place(PlivoAccount(OURS.auth_id, "another"), ORDER)
    assert refused.value.reason == "credentials"
    for status, error in ((429, CallingUnavailable), (403, CallingRefused), (503, CallingUnconfirmed)):
        api.faults.add(Refuse(status))
        with pytest.raises(error):
            await placing.place(OURS, ORDER)
    api.placed.numbers.clear()
    with pytest.raises(CallingRefused) as refused:
        await placing.place(OURS, ORDER)
    assert (refused.value.reason, api.placed.all) == ("configuration", [])
    api.faults.add(Refuse(503))
    with pytest.raises(CallingUnavailable):
        await placing.find(OURS, ORDER, since=lately())


async def test_without_an_answer_nobody_knows_whether_it_calls(api: PlivoApiSimulator) -> None:
    addresses = PlacedAddresses(lambda path: f"https://gw.example.com{path}")
    async with CarrierHttp(Metrics(), timeout_s=0.3) as http:
        placing = PlivoPlacing(http, api.url, addresses, longest_s=1020)
        for fault in (TakeAndStall(), TakeAndFail(502)):
            api.faults.add(fault)
            with pytest.raises(CallingUnconfirmed):
                await placing.place(OURS, ORDER)
        absent = PlivoPlacing(http, "http://127.0.0.1:9", addresses, longest_s=1020)
        with pytest.raises(CallingUnconfirmed):
            await absent.place(OURS, ORDER)
    assert len(api.placed.all) == 2


async def test_plivos_own_package_asks_for_the_same(placing: PlivoPlacing, api: PlivoApiSimulator) -> None:
    await placing.place(OURS, ORDER)
    ours = dict(api.placed.all[0].fields)
    client = plivo.RestClient(OURS.auth_id, OURS.auth_token, timeout=20)
    redirect(client.session, api.url)
    given = {f"{name}_" if name in ("from", "to") else name: told for name, told in ours.items()}
    await asyncio.to_thread(client.calls.create, **given)
    client.session.close()
    theirs = dict(api.placed.all[1].fields)
    assert {name: theirs[name] for name in ours} == ours
    assert theirs.keys() - ours.keys() == {"fallback_method", "error_if_parent_not_found"}


async def _fields(placing: PlivoPlacing, api: PlivoApiSimulator) -> dict[str, object]:
    """Of a call as it is placed, which is then gone."""
    await placing.place(OURS, ORDER)
    return dict(api.placed.all.pop().fields)
