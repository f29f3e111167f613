"""Vapi's REST, against a strict server of it: what is asked again, what never is, and what a no says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

import pytest

from bench.simulators.faults import Inject, Refuse, Stall
from bench.simulators.vapi_api import LoseAnswer, VapiApiSimulator
from gateway.errors import VapiRefused, VapiUnavailable
from gateway.settings import Vapi
from gateway.vapi.api import Patience, VapiApi, VapiObjects

KEY = "vapi-private-key"
ASSISTANT = {"name": "Reception", "firstMessage": "Hello."}
QUICK = Patience(first_wait_s=0.01)


@dataclass(frozen=True)
class Account:
    api_key: str = KEY
    region: Literal["us", "eu"] = "us"


@pytest.fixture
async def vapi() -> AsyncIterator[VapiApiSimulator]:
    async with VapiApiSimulator(api_key=KEY) as simulator:
        yield simulator


@pytest.fixture
async def objects(vapi: VapiApiSimulator) -> AsyncIterator[VapiObjects]:
    async with VapiApi(Vapi(api_url=vapi.url), QUICK) as api:
        yield api.of(Account())


async def test_objects_are_created_found_changed_and_listed(
    vapi: VapiApiSimulator, objects: VapiObjects
) -> None:
    made = await objects.create("assistant", ASSISTANT)
    changed = await objects.update("assistant", made["id"], {"firstMessage": "Good day."})
    assert changed["firstMessage"] == "Good day."
    assert changed["name"] == "Reception"
    assert await objects.every("assistant") == [changed]
    assert await objects.get("assistant", made["id"]) == changed
    assert await objects.get("assistant", "../call") is None
    assert await objects.every("credential") == []


async def test_a_list_is_read_to_its_end(vapi: VapiApiSimulator, objects: VapiObjects) -> None:
    for place in range(2_001):
        vapi.add_number(f"+4420{place:010d}")
    assert len({each["number"] for each in await objects.every("phone-number")}) == 2_001
    assert [request.status for request in vapi.requests] == [200] * 3


async def test_calls_are_told_newest_first_and_forgotten(
    vapi: VapiApiSimulator, objects: VapiObjects
) -> None:
    first = vapi.add_call(status="ended", endedReason="customer-ended-call", assistantId="a")
    second = vapi.add_call(status="in-progress", assistantId="b")
    told = await objects.call(first)
    assert told is not None
    assert told["endedReason"] == "customer-ended-call"
    assert [each["id"] for each in await objects.calls(most=10)] == [second, first]
    assert [each["id"] for each in await objects.calls(most=1)] == [second]
    assert [each["id"] for each in await objects.calls(most=10, assistantId="a")] == [first]
    assert await objects.forget_call(first)
    assert not await objects.forget_call(first)
    assert await objects.call(first) is None


async def test_each_region_is_asked_at_its_own_address(vapi: VapiApiSimulator) -> None:
    at_eu = Vapi(api_url="http://127.0.0.1:9", api_url_eu=vapi.url)
    async with VapiApi(at_eu, QUICK) as api:
        assert await api.of(Account(region="eu")).every("tool") == []


async def test_a_no_says_all_that_is_wrong_and_never_the_key(
    vapi: VapiApiSimulator, objects: VapiObjects
) -> None:
    with pytest.raises(VapiRefused) as refused:
        await objects.create("assistant", {"name": "x" * 41, "silenceTimeoutSeconds": 30})
    assert refused.value.status == 400
    assert set(refused.value.faults) == {
        "name must be shorter than or equal to 40 characters",
        "property silenceTimeoutSeconds should not exist",
    }
    async with VapiApi(Vapi(api_url=vapi.url), QUICK) as api:
        with pytest.raises(VapiRefused) as wrong_key:
            await api.of(Account(api_key="another-key")).every("assistant")
    assert wrong_key.value.status == 401
    assert "another-key" not in str(wrong_key.value) + repr(wrong_key.value)
    assert len(vapi.requests) == 2


async def test_what_is_busy_or_broken_is_asked_again_within_bounds(
    vapi: VapiApiSimulator, objects: VapiObjects
) -> None:
    vapi.faults.add(Refuse(429, retry_after_s=0), times=2)
    vapi.faults.add(Refuse(503))
    assert await objects.every("tool") == []
    vapi.faults.add(Refuse(429, retry_after_s=0))
    await objects.create("assistant", ASSISTANT)
    vapi.faults.add(Refuse(500), times=None)
    with pytest.raises(VapiUnavailable, match="500"):
        await objects.every("tool")
    assert [request.status for request in vapi.requests] == [429, 429, 503, 200, 429, 201] + [500] * 4


async def test_nothing_new_is_asked_for_twice_where_it_may_be_there(
    vapi: VapiApiSimulator, objects: VapiObjects
) -> None:
    vapi.faults.add(LoseAnswer())
    with pytest.raises(VapiUnavailable):
        await objects.create("assistant", ASSISTANT)
    vapi.faults.add(Refuse(502))
    with pytest.raises(VapiUnavailable):
        await objects.create("assistant", ASSISTANT)
    assert len(await objects.every("assistant")) == 1
    vapi.faults.add(LoseAnswer())
    (made,) = await objects.every("assistant")
    assert await objects.update("assistant", made["id"], {"firstMessage": "Good day."})


async def test_who_is_away_or_hangs_is_unavailable(vapi: VapiApiSimulator) -> None:
    async with VapiApi(Vapi(api_url="http://127.0.0.1:9"), QUICK) as api:
        with pytest.raises(VapiUnavailable):
            await api.of(Account()).create("assistant", ASSISTANT)
    vapi.faults.add(Stall(), times=None)
    async with VapiApi(Vapi(api_url=vapi.url), Patience(request_s=0.1, first_wait_s=0.01)) as api:
        with pytest.raises(VapiUnavailable):
            await api.of(Account()).every("assistant")


@pytest.mark.parametrize("answer", ["", "<html>", "{}", '{"id": 4}', "[[]]", '[{"name": "x"}]', '"x"'])
async def test_an_answer_that_is_none_is_no_answer(
    vapi: VapiApiSimulator, objects: VapiObjects, answer: str
) -> None:
    vapi.faults.add(Inject(answer), times=2)
    with pytest.raises(VapiUnavailable):
        await objects.every("assistant")
    with pytest.raises(VapiUnavailable):
        await objects.create("assistant", ASSISTANT)


async def test_no_redirect_is_followed_with_the_key(vapi: VapiApiSimulator, objects: VapiObjects) -> None:
    vapi.faults.add(Refuse(307))
    with pytest.raises(VapiRefused) as refused:
        await objects.every("assistant")
    assert refused.value.status == 307
