"""Messages written by the models of Vapi's own package, and answers that they read without a rest."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from booking.handovers import store_handover_rules
from booking.types import OPERATOR
from gateway.routes.vapi import NO_HANDOFF, NO_TRANSFER
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


# None of these is ours to do; each is answered in the form that it asks for.
_ASKED_IN_VAIN = {
    "knowledge-base-request": ("ServerMessageResponseKnowledgeBaseRequest", {"documents": []}),
    "call.endpointing.request": ("ServerMessageResponseCallEndpointingRequest", {"timeoutSeconds": 0.5}),
    "handoff-destination-request": (None, {"error": NO_HANDOFF}),
}


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


async def test_every_message_that_vapis_models_know_has_its_answer(
    gateway: Gateway, call: CallAtVapi, types: Any
) -> None:
    """What asks for nothing is acknowledged; speech is asked for elsewhere."""
    kinds = {kind for model in get_args(types.ServerMessageMessage) for kind in _kinds(model)}
    assert len(kinds) > 25
    for kind in sorted(kinds - {"assistant-request", "tool-calls", "end-of-call-report", "voice-request"}):
        answer = await call.tell(gateway, kind)
        if kind == "transfer-destination-request":
            assert answer.json() == {"error": NO_TRANSFER}
            continue
        model, told = _ASKED_IN_VAIN.get(kind, (None, {}))
        assert (answer.status_code, answer.json()) == (200, told), kind
        if model is not None:
            assert list(unknown(getattr(types, model).model_validate(answer.json()))) == []
    assert (await call.tell(gateway, "voice-request", text="Hello.", sampleRate=8000)).status_code == 400


def _kinds(model: Any) -> Iterator[str]:
    """Its types, as a literal names them."""
    for each in get_args(model.model_fields["type"].annotation):
        yield from (kind for kind in get_args(each) if isinstance(kind, str))
