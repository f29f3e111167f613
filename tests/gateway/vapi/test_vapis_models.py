"""Messages written by the models of Vapi's own package, and answers that they read without a rest."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel

from booking.handovers import store_handover_rules
from booking.types import OPERATOR
from tests.gateway.running import Gateway
from tests.gateway.vapi.calling import CallAtVapi, post
from tests.gateway.vapi.test_transfers import ALWAYS


@pytest.fixture(scope="module")
def types() -> Any:
    """Imported when it is used: it takes seconds."""
    return import_module("vapi.types")


def unknown(model: Any) -> Iterator[str]:
    """Fields that the models do not know, however deep."""
    if isinstance(model, list):
        for each in model:
            yield from unknown(each)
    if isinstance(model, BaseModel):
        yield from model.model_extra or {}
        for name in type(model).model_fields:
            yield from unknown(getattr(model, name))


async def answered(
    types: Any, gateway: Gateway, kind: str, reply: str, call: CallAtVapi, **parts: Any
) -> Any:
    """What Vapi reads in our answer to the message that it writes."""
    at = call.started_at.isoformat()
    envelope = {"call": {**call.call, "createdAt": at, "updatedAt": at}, "customer": {"number": call.caller}}
    written = getattr(types, kind).model_validate(
        {"type": parts.pop("type"), **envelope, **parts, "phoneNumber": {"number": call.clinic.number}}
    )
    message = types.ServerMessage.model_construct(message=written)
    answer = await post(gateway, message.model_dump_json(by_alias=True, exclude_none=True).encode())
    assert answer.status_code == 200
    read = getattr(types, reply).model_validate(_without_backoff(answer.json()))
    assert list(unknown(read)) == []
    return read


def _without_backoff(value: Any) -> Any:
    """Their kind, a word in Vapi's guides, is an object in the package by mistake."""
    if isinstance(value, list):
        return [_without_backoff(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _without_backoff(each) for key, each in value.items() if key != "backoffPlan"}


async def test_vapis_own_models_read_our_answers(gateway: Gateway, call: CallAtVapi, types: Any) -> None:
    await store_handover_rules(gateway.edge.desk.pool, call.clinic.claim, ALWAYS, actor=OPERATOR)
    rings = await answered(
        types, gateway, "ServerMessageAssistantRequest", "ServerMessageResponseAssistantRequest", call,
        type="assistant-request",
    )  # fmt: skip
    assert rings.assistant.model.provider == "custom-llm"
    asked = call.tool_call("find_slots", service="nose job")
    used = await answered(
        types, gateway, "ServerMessageToolCalls", "ServerMessageResponseToolCalls", call,
        type="tool-calls", toolCallList=[asked], toolWithToolCallList=[],
    )  # fmt: skip
    assert [each.tool_call_id for each in used.results] == [asked["id"]]
    wants = await answered(
        types, gateway, "ServerMessageTransferDestinationRequest",
        "ServerMessageResponseTransferDestinationRequest", call, type="transfer-destination-request",
    )  # fmt: skip
    assert wants.destination.number == ALWAYS.number
    ended = await answered(
        types, gateway, "ServerMessageEndOfCallReport", "ServerMessageResponseToolCalls", call,
        type="end-of-call-report", **call.report(("user", "Goodbye.")),
    )  # fmt: skip
    assert ended.results is None
    assert gateway.counted("gateway_vapi_reports_total", source="webhook", outcome="settled") == 1
