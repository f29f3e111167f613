"""The custom LLM, asked by OpenAI's own client as Vapi asks it: words, tools, faults, secrets."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk
from structlog.testing import capture_logs

from bench.simulators.replies import Call, ChatFault, Reply, ScriptedModel, Step
from booking.db import org_transaction
from booking.knowledge import Passage, put_document
from gateway.vapi.sharing import call_id_of
from tests.calls.test_returning_callers import CALLER, NAME, known
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.at_vapi import CALL, CANARY, LLM_KEY, envelope, environment

NOBODY = "+15005550006"


def tool(name: str, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


END_CALL = tool("endCall")
TRANSFER = tool("transferCall", destination={"type": "string"})
OURS = tool("claim_slot")


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors) -> AsyncIterator[running.Gateway]:
    changes = {
        "FILLER_AFTER_S": "0.3",
        "KNOWLEDGE_DEADLINE_S": "5",
        "LLM_HEDGE_AFTER_S": "off",
        "CALLER_DEADLINE_S": "5",
    }
    async with running.gateway(environment(stack, vendors, **changes)) as served:
        yield served


@pytest.fixture
async def vapi(gateway: running.Gateway) -> AsyncIterator[AsyncOpenAI]:
    base = gateway.url + "/vapi/llm"
    async with AsyncOpenAI(api_key=LLM_KEY, base_url=base, max_retries=0, timeout=20) as client:
        yield client


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def says(vendors: running.Vendors, *steps: Step | str) -> None:
    vendors.chat.model = ScriptedModel(steps)


async def asked(
    vapi: AsyncOpenAI, number: str, *history: Mapping[str, Any], **options: Any
) -> list[ChatCompletionChunk]:
    """Every chunk of the answer to what Vapi sends, its own extras and secrets among it."""
    stream = await opened(vapi, number, *history, **options)
    return [chunk async for chunk in stream]


async def opened(
    vapi: AsyncOpenAI,
    number: str,
    *history: Mapping[str, Any],
    call_id: str = CALL,
    caller: str = "+447700900111",
    **options: Any,
) -> openai.AsyncStream[ChatCompletionChunk]:
    extra = envelope(number, call_id, caller) | {"metadata": {"org": CANARY}, "twilioAuthToken": CANARY}
    messages: Any = history
    create: Any = vapi.chat.completions.create
    told = {"model": "any-name", "temperature": 0.9, "max_tokens": 250, "stream": True} | options
    stream: openai.AsyncStream[ChatCompletionChunk]
    stream = await create(messages=messages, extra_body=extra, **told)
    return stream


def text_of(chunks: Sequence[ChatCompletionChunk]) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def finish_of(chunks: Sequence[ChatCompletionChunk]) -> str | None:
    finishes = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    return next(filter(None, finishes), None)


async def test_our_instructions_and_documents_stand_before_what_was_said_and_no_secret_leaves(
    gateway: running.Gateway, vendors: running.Vendors, vapi: AsyncOpenAI, clinic: Clinic
) -> None:
    """The raw stream too: each event by itself, nothing that a proxy would hold back, and its end."""
    await add_parking(gateway, clinic)
    says(vendors, "You can park behind the house.", "Hello.")
    system = {"role": "system", "content": "Speak of yourself as Sam."}
    history = [system, assistant("Hello, how can I help?"), user("Where can I"), user("park my car?")]
    with capture_logs() as logged:
        chunks = await asked(vapi, clinic.number, *history, stream_options={"include_usage": True})
    assert chunks[0].choices[0].delta.role == "assistant"
    assert text_of(chunks) == "You can park behind the house."
    assert (finish_of(chunks), {chunk.model for chunk in chunks}) == ("stop", {"any-name"})
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0

    [request] = vendors.chat.requests
    roles = [message["role"] for message in request.messages]
    assert roles == ["system", "system", "assistant", "system", "user"]
    ours, set_at_vapi, _, documents, last = (message["content"] for message in request.messages)
    assert ours.startswith("You are ")
    assert clinic.spec.name in ours
    assert set_at_vapi.endswith("Speak of yourself as Sam.")
    assert "behind the house" in documents
    assert last == "Where can I park my car?"
    assert (request.body["model"], request.body["temperature"]) == ("scripted-receptionist", 0.3)
    assert CANARY not in json.dumps(request.body) + json.dumps(logged, default=str)

    body = {"messages": [user("Hi")], "stream": False} | envelope(clinic.number)
    path = f"/vapi/llm/{clinic.claim.org_id}/chat/completions/chat/completions"
    key = {"Authorization": f"Bearer {LLM_KEY}"}
    raw = await gateway.http.post(gateway.url + path, json=body, headers=key)
    assert raw.headers["content-type"].startswith("text/event-stream")
    assert raw.headers["x-accel-buffering"] == "no"
    events = raw.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    assert all(event.startswith("data: {") for event in events[:-2])
    assert gateway.counted("gateway_vapi_served_total", service="llm", outcome="done") == 2
    assert gateway.counted("gateway_vapi_first_seconds_count", service="llm") == 2


async def add_parking(gateway: running.Gateway, clinic: Clinic) -> None:
    await put_document(
        gateway.edge.desk.pool,
        clinic.claim,
        source="parking.md",
        title="Parking",
        digest=bytes(32),
        passages=[Passage("Parking", "You can park your car behind the house.")],
    )


async def test_our_tools_are_used_here_and_known_to_the_next_request(
    gateway: running.Gateway,
    vendors: running.Vendors,
    vapi: AsyncOpenAI,
    clinic: Clinic,
    owner: asyncpg.Connection,
) -> None:
    find = Reply("", (Call("find_slots", {"service": "Dermal filler", "day": None, "after": None}),))
    claim = Reply("Let me see.", (Call("claim_slot", {"slot": "s1"}),))
    says(vendors, find, "I have ten o'clock.", claim, "It is held for you.")
    greeting, want, offer = assistant("Hello."), user("I want a filler."), assistant("I have ten o'clock.")
    tools = [END_CALL, OURS]
    first = await asked(vapi, clinic.number, greeting, want, tools=tools)
    second = await asked(vapi, clinic.number, greeting, want, offer, user("Yes please."), tools=tools)
    assert (text_of(first), finish_of(first)) == ("I have ten o'clock.", "stop")
    assert (text_of(second), finish_of(second)) == ("Let me see. It is held for you.", "stop")
    assert not any(chunk.choices[0].delta.tool_calls for chunk in [*first, *second])

    third = vendors.chat.requests[2].messages
    assert [message["role"] for message in third] == [
        *("system", "assistant", "user", "assistant", "tool", "assistant", "user"),
    ]
    assert json.loads(third[4]["content"])["slots"][0]["slot"] == "s1"
    names = [tool["function"]["name"] for tool in vendors.chat.requests[2].tools]
    assert names.count("claim_slot") == 1
    assert {"end_call", "find_slots", "confirm_booking", "take_message"} <= set(names)
    assert "call take_message" in third[0]["content"]
    assert len(await holds(gateway, clinic)) == 1


async def holds(gateway: running.Gateway, clinic: Clinic) -> list[asyncpg.Record]:
    """Of the call at Vapi."""
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as connection:
        statement = "select * from public.appointment_holds where call_id = $1 and state = 'held'"
        rows: list[asyncpg.Record] = await connection.fetch(statement, call_id_of(clinic.claim.org_id, CALL))
        return rows


async def test_a_returning_caller_is_looked_up_once_and_known_from_then_on(
    gateway: running.Gateway,
    vendors: running.Vendors,
    vapi: AsyncOpenAI,
    clinic: Clinic,
    pool: asyncpg.Pool,
) -> None:
    await known(pool, clinic)
    for _ in range(2):
        await asked(vapi, clinic.number, user("Hello."), caller=CALLER)
    await asked(vapi, clinic.number, user("Hello."), call_id="somebody-elses")
    prompts = [request.messages[0]["content"] for request in vendors.chat.requests]
    assert [f"first name may be {NAME}" in prompt for prompt in prompts] == [True, True, False]
    assert gateway.counted("gateway_caller_lookup_seconds_count", outcome="known") == 1
    async with org_transaction(pool, clinic.claim) as connection:
        statement = "select sealed_state from public.vapi_calls where call_id = $1"
        sealed = await connection.fetchval(statement, call_id_of(clinic.claim.org_id, CALL))
    assert NAME.encode() not in sealed


async def test_vapis_own_tools_are_passed_on(
    vendors: running.Vendors, vapi: AsyncOpenAI, clinic: Clinic
) -> None:
    transfer = Call("transferCall", {"destination": "+442079460100"})
    says(vendors, Reply("Goodbye.", (Call("end_call", {}),)), Reply("", (transfer,)), "Very well.")
    ending = await asked(vapi, clinic.number, user("Bye."), tools=[END_CALL, TRANSFER])
    assert (text_of(ending), finish_of(ending)) == ("Goodbye.", "tool_calls")
    [told] = [chunk.choices[0].delta.tool_calls for chunk in ending if chunk.choices[0].delta.tool_calls]
    assert [(call.id != "", call.type, call.function.name, call.function.arguments) for call in told] == [
        (True, "function", "endCall", "{}")
    ]
    passed = await asked(vapi, clinic.number, user("A person."), tools=[TRANSFER])
    [told] = [chunk.choices[0].delta.tool_calls for chunk in passed if chunk.choices[0].delta.tool_calls]
    assert json.loads(told[0].function.arguments) == transfer.arguments
    assert "end_call" not in [tool["function"]["name"] for tool in vendors.chat.requests[1].tools]
    used = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "transferCall", "arguments": "{}"}},
            {"id": "t2", "type": "function", "function": {"name": "transferCall", "arguments": "{}"}},
        ],
    }
    answered = {"role": "tool", "tool_call_id": "t1", "content": "Nobody is there."}
    stray = {"role": "tool", "tool_call_id": "t9", "content": "Nothing."}
    history = [user("A person."), used, answered, stray, user("And now?")]
    assert text_of(await asked(vapi, clinic.number, *history, tools=[TRANSFER])) == "Very well."


async def test_a_request_given_up_in_the_middle_of_a_tool_leaves_what_was_done(
    gateway: running.Gateway, vendors: running.Vendors, vapi: AsyncOpenAI, clinic: Clinic
) -> None:
    find = Reply("", (Call("find_slots", {"service": "Dermal filler", "day": None, "after": None}),))
    claim = Reply("Let me hold that. ", (Call("claim_slot", {"slot": "s1"}),))
    stalls = Reply("It is held.", fault=ChatFault(then="stall", after_tokens=1))
    says(vendors, find, claim, stalls, claim, "It is held for you.")
    stream = await opened(vapi, clinic.number, user("The first one"))
    said = ""
    async for chunk in stream:
        said += chunk.choices[0].delta.content or ""
        if "It" in said:
            break
    await stream.close()
    stalled = vendors.chat.requests[2]
    async with asyncio.timeout(5):
        await stalled.over.wait()
    assert stalled.cancelled
    [held] = await holds(gateway, clinic)

    again = await asked(vapi, clinic.number, user("The first one"), user("please."))
    assert text_of(again) == "Let me hold that. It is held for you."
    assert [each["id"] for each in await holds(gateway, clinic)] == [held["id"]]
    known = vendors.chat.requests[3].messages
    assert [message["role"] for message in known] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "tool",
    ]
    assert known[1]["content"] == "The first one please."
    assert json.loads(known[5]["content"])["held"] is True
    assert gateway.counted("gateway_tool_seconds_count", tool="claim_slot", outcome="held") == 1


async def test_a_slow_tool_is_covered_by_words_and_a_failing_model_by_the_tools_own(
    gateway: running.Gateway, vendors: running.Vendors, vapi: AsyncOpenAI, clinic: Clinic
) -> None:
    """The tool waits for the call's lock in the database."""
    find = Reply("", (Call("find_slots", {"service": "Dermal filler", "day": None, "after": None}),))
    claim, refuses = Reply("", (Call("claim_slot", {"slot": "s1"}),)), Reply(fault=ChatFault(status=400))
    says(
        vendors,
        find,
        "Nine?",
        claim,
        refuses,
        Reply("I was go", fault=ChatFault(then="reset", after_tokens=2)),
    )
    history = [user("A filler."), assistant("Nine?"), user("Yes.")]
    await asked(vapi, clinic.number, *history[:1])
    async with org_transaction(gateway.edge.desk.pool, clinic.claim) as locking:
        await locking.execute("select app.lock_call($1)", call_id_of(clinic.claim.org_id, CALL))
        stream = await opened(vapi, clinic.number, *history)
        opening = [(await anext(stream)).choices[0].delta.content for _ in range(2)]
    assert opening == ["", "One moment, please."]
    rest = [chunk async for chunk in stream]
    assert text_of(rest).startswith(" I'm holding ")
    assert finish_of(rest) == "stop"

    broken = await asked(vapi, clinic.number, user("Hello?"), call_id="another-call")
    assert text_of(broken).startswith("I was ")
    assert text_of(broken).endswith("Could you say that again, please?")
    told = {"provider": "llm", "fault": "connection_lost", "action": "apologised"}
    assert gateway.counted("gateway_provider_faults_total", **told) == 1


async def test_errors_have_openais_form_and_the_status_that_vapi_ends_calls_by(
    gateway: running.Gateway, vendors: running.Vendors, vapi: AsyncOpenAI, clinic: Clinic
) -> None:
    forged = vapi.with_options(api_key="guessed")
    with pytest.raises(openai.AuthenticationError) as unsigned:
        await asked(forged, clinic.number, user("Hi"))
    assert unsigned.value.body["type"] == "authentication_error"  # type: ignore[index]
    with pytest.raises(openai.PermissionDeniedError):
        await asked(vapi, NOBODY, user("Hi"))
    with pytest.raises(openai.BadRequestError, match="messages must be 1 to"):
        await asked(vapi, clinic.number)
    assert vendors.chat.requests == []
    busy, broken = Reply(fault=ChatFault(status=429)), Reply(fault=ChatFault(status=500))
    says(vendors, busy, busy, broken, broken, "Hello.")
    with pytest.raises(openai.RateLimitError):
        await asked(vapi, clinic.number, user("Hi"))
    with pytest.raises(openai.InternalServerError) as away:
        await asked(vapi, clinic.number, user("Hi"))
    assert (away.value.status_code, away.value.code) == (503, "http_500")
    told = {"provider": "llm", "fault": "http_500"}
    for action in ("retried", "gave_up"):
        assert gateway.counted("gateway_provider_faults_total", **told, action=action) == 1
    assert text_of(await asked(vapi, clinic.number, user("Hi"))) == "Hello."
    for outcome, times in {"refused": 4, "invalid": 1, "done": 1}.items():
        assert gateway.counted("gateway_vapi_served_total", service="llm", outcome=outcome) == times
