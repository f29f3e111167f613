"""The custom LLM, where what the caller said or the model wants is cut in the middle of a character."""

import json
from collections.abc import AsyncIterator

import pytest

from bench.simulators.replies import Call, Reply, ScriptedModel
from tests.conftest import Clinic, Stack
from tests.gateway import running
from tests.gateway.at_vapi import LLM_KEY, envelope, environment

_HALF = "\ud83d"


@pytest.fixture
async def gateway(stack: Stack, vendors: running.Vendors) -> AsyncIterator[running.Gateway]:
    async with running.gateway(environment(stack, vendors, LLM_HEDGE_AFTER_S="off")) as served:
        yield served


async def test_half_a_character_ends_no_call(
    gateway: running.Gateway, vendors: running.Vendors, clinic: Clinic
) -> None:
    """Of the caller's, of an assistant's that was cut off, and of what our model wants of a tool."""
    find = Reply("One second. ", (Call("find_slots", {"service": _HALF, "day": _HALF, "after": None}),))
    vendors.chat.model = ScriptedModel([find, "What would you like to come for?"])
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": f"Hello {_HALF}"},
                {"role": "user", "content": f"A peel {_HALF}"}]  # fmt: skip
    body = json.dumps({"messages": messages, "stream": True} | envelope(clinic.number)).encode()
    answer = await gateway.http.post(
        gateway.url + "/vapi/llm/chat/completions",
        content=body,
        headers={"Authorization": f"Bearer {LLM_KEY}"},
    )
    assert (answer.status_code, answer.text.endswith("data: [DONE]\n\n")) == (200, True)
    chunks = [json.loads(event[6:]) for event in answer.text.split("\n\n")[:-2]]
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert said == "One second. What would you like to come for?"
    assert vendors.chat.requests[0].messages[-1]["content"] == "A peel \ufffd"
    assert gateway.counted("gateway_vapi_served_total", service="llm", outcome="done") == 1
