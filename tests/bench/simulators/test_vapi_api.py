"""Vapi's simulated REST: it refuses what Vapi refuses, in Vapi's words, and keeps what Vapi keeps."""

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import aiohttp
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.simulators.vapi_api import VapiApiSimulator
from bench.simulators.vapi_rules import SCHEMAS, faults_of

KEY = "vapi-private-key"
WORDS = sorted(
    {name for each in SCHEMAS.values() for name in each["properties"]} | {"vapi", "off", "function", ""}
)
SERVER = {"url": "https://gw.example.com/webhooks/vapi"}


@pytest.fixture
async def vapi() -> AsyncIterator[VapiApiSimulator]:
    async with VapiApiSimulator(api_key=KEY) as simulator:
        yield simulator


@pytest.fixture
async def http(vapi: VapiApiSimulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(vapi.url, headers={"Authorization": f"Bearer {KEY}"}) as session:
        yield session


async def told(response: aiohttp.ClientResponse) -> Any:
    return await response.json()


@pytest.mark.parametrize(
    ("schema", "body", "faults"),
    [
        ("CreateAssistantDTO", {}, []),
        ("CreateAssistantDTO", {"hipaaEnabled": True}, ["property hipaaEnabled should not exist"]),
        ("CreateAssistantDTO", {"name": 4}, ["name must be a string"]),
        ("CreateAssistantDTO", {"maxDurationSeconds": 9}, ["maxDurationSeconds must not be less than 10"]),
        (
            "CreateAssistantDTO",
            {"maxDurationSeconds": True},
            ["maxDurationSeconds must be a number conforming to the specified constraints"],
        ),
        (
            "CreateAssistantDTO",
            {"voice": {"provider": "vapi", "voiceId": "Elliot", "enableSsmlParsing": True}},
            ["voice.property enableSsmlParsing should not exist"],
        ),
        (
            "CreateAssistantDTO",
            {"voice": {"provider": "nobody"}},
            ["voice.provider must be one of the following values: custom-voice, vapi"],
        ),
        ("CreateAssistantDTO", {"voice": {"provider": "custom-voice"}}, ["voice.server should not be empty"]),
        ("CreateAssistantDTO", {"voicemailDetection": "off"}, []),
        (
            "CreateAssistantDTO",
            {"voicemailDetection": "on"},
            ["voicemailDetection must be one of the following values: off"],
        ),
        (
            "CreateAssistantDTO",
            {"model": {"provider": "custom-llm", "url": "https://x", "model": "m", "tools": [{"type": "x"}]}},
            ["model.tools.0.type must be one of the following values: endCall, function, transferCall"],
        ),
        (
            "CreateAssistantDTO",
            {
                "server": {
                    **SERVER,
                    "timeoutSeconds": 301,
                    "backoffPlan": {"type": "linear", "maxRetries": 11},
                }
            },
            [
                "server.timeoutSeconds must not be greater than 300",
                "server.backoffPlan.type must be one of the following values: fixed, exponential",
                "server.backoffPlan.maxRetries must not be greater than 10",
                "server.backoffPlan.baseDelaySeconds should not be empty",
            ],
        ),
        ("CreateAssistantDTO", {"serverMessages": "hang"}, ["serverMessages must be an array"]),
        ("CreateFunctionToolDTO", {"type": None}, ["type must be a string"]),
        (
            "CreateFunctionToolDTO",
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "parameters": {
                        "type": "object",
                        "properties": {"day": {"type": ["string", "null"]}},
                        "additionalProperties": False,
                    },
                },
            },
            [
                "function.parameters.properties.day.type must be a string",
                "function.parameters.property additionalProperties should not exist",
            ],
        ),
        ("UpdateVapiPhoneNumberDTO", {"assistantId": None, "fallbackDestination": None}, []),
    ],
)
def test_it_finds_what_vapi_finds(schema: str, body: dict[str, Any], faults: list[str]) -> None:
    assert sorted(faults_of(schema, body)) == sorted(faults)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=20,
)


@given(schema=st.sampled_from(sorted(SCHEMAS)), body=JSON)
@settings(max_examples=300, deadline=None)
def test_no_body_is_beyond_its_words(schema: str, body: Any) -> None:
    faults = faults_of(schema, body)
    assert all(isinstance(fault, str) for fault in faults)
    assert faults or isinstance(body, dict)


async def test_vapis_own_client_reads_what_it_tells(
    vapi: VapiApiSimulator, http: aiohttp.ClientSession
) -> None:
    package = import_module("vapi")
    voice = {"provider": "custom-voice", "server": SERVER, "cachingEnabled": False}
    async with http.post("/assistant", json={"name": "Reception", "voice": voice}) as answer:
        assert answer.status == 201
    number = vapi.add_number("+442079460018", provider="twilio", twilioAccountSid="AC1")
    call = vapi.add_call(status="ended", endedReason="customer-ended-call", artifact={"messages": []})
    async with httpx.AsyncClient(trust_env=False) as connections:
        client = package.AsyncVapi(token=KEY, base_url=vapi.url, httpx_client=connections)
        (assistant,) = await client.assistants.list()
        told = await client.calls.get(id=call)
        kept = await client.phone_numbers.get(id=number)
        with pytest.raises(package.core.api_error.ApiError) as refused:
            await client.assistants.create(name="x" * 41)
    assert (assistant.name, assistant.voice.server.url) == ("Reception", SERVER["url"])
    assert (told.status, told.ended_reason) == ("ended", "customer-ended-call")
    assert (kept.provider, kept.number) == ("twilio", "+442079460018")
    assert refused.value.status_code == 400


async def test_nobody_gets_in_without_the_key(vapi: VapiApiSimulator) -> None:
    async with aiohttp.ClientSession(vapi.url) as session, session.get("/assistant") as answer:
        assert answer.status == 401
        assert (await told(answer))["error"] == "Unauthorized"


async def test_secrets_are_never_told_again(vapi: VapiApiSimulator, http: aiohttp.ClientSession) -> None:
    plan = {"type": "bearer", "token": "a-token", "headerName": "X-Key"}
    body = {"provider": "custom-credential", "name": "ours", "authenticationPlan": plan}
    async with http.post("/credential", json=body) as answer:
        made = await told(answer)
        assert answer.status == 201
    async with http.get("/credential") as answer:
        assert await told(answer) == [made]
    assert made["authenticationPlan"] == {"type": "bearer", "headerName": "X-Key"}
    assert vapi.objects["credential"][made["id"]]["authenticationPlan"]["token"] == "a-token"


async def test_ids_of_nothing_are_refused(http: aiohttp.ClientSession) -> None:
    model = {"provider": "openai", "model": "gpt-4.1", "toolIds": ["t"]}
    body = {"server": {**SERVER, "credentialId": "c"}, "credentialIds": ["d"], "model": model}
    async with http.post("/assistant", json=body) as answer:
        assert answer.status == 400
        assert (await told(answer))["message"] == [
            "Credential with ID c not found",
            "Credential with ID d not found",
            "Couldn't find tool t",
        ]


async def test_an_update_replaces_what_it_names_and_drops_what_is_null(
    vapi: VapiApiSimulator, http: aiohttp.ClientSession
) -> None:
    number = vapi.add_number("+442079460018", provider="twilio", assistantId="a", name="Desk")
    async with http.patch(f"/phone-number/{number}", json={"assistantId": None, "server": SERVER}) as answer:
        assert answer.status == 200
        changed = await told(answer)
    assert "assistantId" not in changed
    assert (changed["name"], changed["server"]) == ("Desk", SERVER)
    async with http.patch(f"/phone-number/{number}", json={"provider": "twilio"}) as answer:
        assert (await told(answer))["message"] == ["property provider should not exist"]
    async with http.patch("/phone-number/none", json={}) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("query", ["limit=1001", "limit=x", "page=2"])
async def test_a_list_is_asked_for_as_documented(http: aiohttp.ClientSession, query: str) -> None:
    async with http.get(f"/tool?{query}") as answer:
        assert answer.status == 400


async def test_what_is_no_json_object_is_refused(http: aiohttp.ClientSession) -> None:
    for body in (b"", b"[]", b"{"):
        async with http.post("/assistant", data=body, headers={"Content-Type": "application/json"}) as answer:
            assert answer.status == 400


def test_the_schemas_know_one_another() -> None:
    def named(value: Any) -> set[str]:
        if isinstance(value, list):
            return set().union(*map(named, value)) if value else set()
        if not isinstance(value, dict):
            return set()
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(named, value.values()))

    assert named(dict(SCHEMAS)) <= SCHEMAS.keys()
