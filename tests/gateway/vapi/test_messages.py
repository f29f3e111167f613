"""What Vapi posts, in every shape that its documents and code show; and what is no message."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway.errors import VapiRequestInvalid
from gateway.vapi.endings import group_of, kept_reason
from gateway.vapi.messages import AskedTool, asked_function, asked_tools, read_call, read_message, told_end
from gateway.vapi.transcript import turns_of, utterances_of, was_told_since

CALL = {"id": "7420f27a-30fd-4f49-a995-5549ae7cc00d", "startedAt": "2026-10-01T09:00:00.000Z"}


def body(kind: str, **parts: Any) -> bytes:
    return json.dumps({"message": {"type": kind, "timestamp": 1_760_000_000_000, **parts}}).encode()


def told_tools(**parts: Any) -> list[tuple[str, str, Any]]:
    return [
        (each.id, each.name, each.arguments)
        for each in asked_tools(read_message(body("tool-calls", **parts)))
    ]


@pytest.mark.parametrize(
    "call",
    [{"id": "c", "type": "function", "function": {"name": "claim_slot", "arguments": {"slot": "s1"}}},
     {"id": "c", "function": {"name": "claim_slot", "arguments": '{"slot": "s1"}'}},
     {"id": "c", "name": "claim_slot", "arguments": {"slot": "s1"}},
     {"id": "c", "name": "claim_slot", "parameters": '{"slot": "s1"}'},
     {"id": "c", "name": "claim_slot", "parameters": {"slot": "s1"}, "function": None}],
    ids=["documented", "as text", "flat", "parameters as text", "parameters"],
)  # fmt: skip
def test_a_tool_call_in_every_shape(call: dict[str, Any]) -> None:
    expected = [("c", "claim_slot", {"slot": "s1"})]
    assert told_tools(toolCallList=[call]) == expected
    assert (
        told_tools(toolWithToolCallList=[{"type": "function", "messages": [], "toolCall": call}]) == expected
    )


def test_arguments_that_are_none_and_order() -> None:
    calls = [
        {"id": str(n), "name": "t", "arguments": given} for n, given in enumerate(("[]", "{", 7, "", None))
    ]
    assert told_tools(toolCallList=calls) == [
        ("0", "t", None), ("1", "t", None), ("2", "t", None), ("3", "t", {}), ("4", "t", {})
    ]  # fmt: skip
    assert told_tools() == []


@pytest.mark.parametrize("other", [{"name": "t"}, {"id": "", "name": "t"}, {"id": 7}, {"id": "c" * 257}, "x"])
def test_a_tool_call_without_an_id_counts_as_missing(other: Any) -> None:
    good = {"id": "1", "name": "t"}
    assert told_tools(toolCallList=[good, other]) == [("1", "t", {})]
    assert told_tools(toolCallList=[other, good]) == [("1", "t", {})]
    assert told_tools(toolCallList=[other]) == []


def test_too_many_tool_calls_cannot_be_answered() -> None:
    with pytest.raises(VapiRequestInvalid):
        told_tools(toolCallList=[{"id": "c"}] * 33)


def told_function(name: str, arguments: Any, **parts: Any) -> AskedTool:
    call = {"name": name, "parameters": arguments}
    return asked_function(read_message(body("function-call", functionCall=call, **parts)))


@pytest.mark.parametrize("stamp", [1_760_000_000_000, None])
def test_the_older_function_call_is_known_again(stamp: int | None) -> None:
    asked = told_function("find_slots", {"service": "a", "day": 1}, timestamp=stamp)
    assert (asked.name, asked.arguments) == ("find_slots", {"service": "a", "day": 1})
    assert told_function("find_slots", '{"day": 1, "service": "a"}', timestamp=stamp).id == asked.id
    others = [
        told_function("find_slots", {"service": "b", "day": 1}, timestamp=stamp),
        told_function("find_slots", None, timestamp=stamp),
        told_function("my_appointments", {"service": "a", "day": 1}, timestamp=stamp),
        told_function("find_slots", {"service": "a", "day": 1}, timestamp=1_760_000_000_001),
    ]
    assert len({asked.id, *(each.id for each in others)}) == 5


def test_whose_call_it_is() -> None:
    org = uuid4()
    told = read_message(
        body("status-update", status="in-progress", call={**CALL, "customer": {"number": "+447700900123"}},
             phoneNumber={"id": "p", "number": "+442079460018", "twilioAuthToken": "t"},
             assistant={"metadata": {"org": str(org)}}, artifact={"anything": [1]})
    )  # fmt: skip
    assert told.call is not None
    assert (told.call.vapi_id, told.call.org_id) == (CALL["id"], org)
    assert (told.call.ends.caller, told.call.ends.dialled) == ("+447700900123", "+442079460018")
    assert told.call.started_at == datetime(2026, 10, 1, 9, tzinfo=UTC)
    assert (told.status, told.is_live, told.dialled) == ("in-progress", True, "+442079460018")
    assert "7700900123" not in repr(told)


@pytest.mark.parametrize(
    "call",
    [None, {}, {"id": 7}, {"id": "../x"}, {"id": "x" * 65}],
)
def test_a_call_without_a_sound_id_is_none(call: Any) -> None:
    assert read_message(body("hang", call=call)).call is None


def test_types_are_open() -> None:
    assert read_message(body('transcript[transcriptType="final"]')).kind == "transcript"
    assert read_message(body("chat.created")).kind == "other"
    assert not read_message(body("chat.created", call=CALL)).is_live
    assert read_message(body("status-update", status=7, timestamp="soon", call=CALL)).status == ""


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"{}", b"[]", b'{"message": null}', b'{"message": {}}', b'{"message": {"type": 7}}',
     b'{"message": {"type": "hang"', b"\xff\xfe",
     b'{"message": {"type": "hang", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"],
)  # fmt: skip
def test_what_is_no_message(raw: bytes) -> None:
    with pytest.raises(VapiRequestInvalid):
        read_message(raw)


def test_a_part_that_is_not_what_it_is_to_be_costs_nothing_else() -> None:
    told = read_message(body("hang", call={**CALL, "customer": "somebody", "assistant": []}, phoneNumber=7))
    assert told.call is not None
    assert told.call.vapi_id == CALL["id"]
    assert read_message(body("hang", call="x")).call is None
    asked = {"id": "1", "function": "find_slots", "name": "find_slots", "arguments": {"service": "x"}}
    (tool,) = asked_tools(read_message(body("tool-calls", call=CALL, toolCallList=[asked, "x"])))
    assert (tool.name, tool.arguments) == ("find_slots", {"service": "x"})
    assert asked_tools(read_message(body("tool-calls", call=CALL, toolCallList="x"))) == []


def test_a_report_and_the_same_call_fetched() -> None:
    artifact = {"messages": [{"role": "bot", "message": "Hello."}], "transcript": "AI: Hello.\n"}
    report = {"endedReason": "customer-ended-call", "endedAt": "2026-10-01T09:03:10.000Z"}
    told = told_end(read_message(body("end-of-call-report", call=CALL, artifact=artifact, **report)))
    fetched = read_call(
        {**CALL, **report, "status": "ended", "artifact": artifact, "type": "inboundPhoneCall"}
    )
    assert fetched.end is not None
    assert fetched.told.vapi_id == CALL["id"]
    for each in (told, fetched.end):
        assert each.reason == "customer-ended-call"
        assert each.ended_at == datetime(2026, 10, 1, 9, 3, 10, tzinfo=UTC)
        assert [said.text for said in utterances_of(each.spoken)] == ["Hello."]
    assert read_call({**CALL, "status": "in-progress"}).end is None
    with pytest.raises(VapiRequestInvalid):
        read_call({"status": "ended"})


def test_what_was_said_as_messages_openais_or_text() -> None:
    messages = [
        {"role": "system", "message": "You are"}, {"role": "bot", "message": "Hello. ", "endTime": 2_000},
        {"role": "user", "message": "Hi.", "time": 3_000, "duration": 500},
        {"role": "user", "message": "A\x00 slot?"},
        {"role": "tool_calls", "toolCalls": []}, {"role": "assistant", "message": "At ten.", "endTime": True},
        {"role": "user", "message": ""}, "junk",
    ]  # fmt: skip
    formatted = [{"role": each["role"], "content": each.get("message")} for each in messages[:-1]]
    text = "AI: Hello.\nUser: Hi.\nUser: A slot?\nAI: At\nten.\n"
    said = [("agent", "Hello."), ("caller", "Hi."), ("caller", "A  slot?"), ("agent", "At ten.")]
    found = utterances_of({"messages": messages, "transcript": "User: other\n"})
    assert [(each.speaker, each.text) for each in found] == said
    assert [each.ended_s for each in found] == [2.0, 3.5, None, None]
    # OpenAI's form knows no role `bot`, Vapi writes it as the assistant's.
    openai = utterances_of({"messagesOpenAIFormatted": formatted, "messages": None})
    assert [(each.speaker, each.text) for each in openai] == said
    assert [(each.speaker, each.text.replace("  ", " ")) for each in utterances_of({"transcript": text})] == [
        (speaker, told.replace("  ", " ")) for speaker, told in said
    ]
    assert [[each.speaker for each in turn] for turn in turns_of(found)] == [
        ["agent"], ["caller", "caller", "agent"]
    ]  # fmt: skip
    assert utterances_of({}) == utterances_of({"messages": 7, "transcript": []}) == []
    assert turns_of([]) == [[]]


def test_whether_the_caller_was_told() -> None:
    timed = utterances_of({"messages": [{"role": "bot", "message": "Held.", "endTime": 5_000}]})
    assert was_told_since(timed, 4.0)
    assert not was_told_since(timed, 6.0)
    assert was_told_since(utterances_of({"transcript": "User: Yes.\nAI: It is held."}), 4.0)
    assert not was_told_since(utterances_of({"transcript": "AI: Shall I?\nUser: Yes."}), 4.0)
    assert not was_told_since([], 0.0)


@pytest.mark.parametrize(
    ("reason", "group"),
    [("customer-ended-call", "caller_hung_up"), ("customer-ended-call-during-transfer", "caller_hung_up"),
     ("call.in-progress.twilio-completed-call", "caller_hung_up"),
     ("assistant-ended-call", "assistant_ended"),
     ("assistant-said-end-call-phrase", "assistant_ended"), ("assistant-forwarded-call", "forwarded"),
     ("call.forwarding.no-answer", "not_reached"), ("voicemail", "not_reached"),
     ("silence-timed-out", "limit"),
     ("manually-canceled", "canceled"), ("assistant-request-returned-no-assistant", "start_up"),
     ("call.start.error-get-org", "start_up"), ("worker-shutdown", "platform"),
     ("pipeline-error-custom-llm-500-server-error", "custom_service"),
     ("call.in-progress.error-providerfault-custom-llm-500-server-error", "custom_service"),
     ("pipeline-error-custom-voice-failed", "custom_service"),
     ("pipeline-no-available-llm-model", "platform"),
     ("call.in-progress.error-vapifault-worker-died", "platform"),
     ("sip-outbound-unallocated-number", "not_reached"), ("call.ending.hook-executed-transfer", "forwarded"),
     ("call.in-progress.sip-completed-call", "caller_hung_up"),
     ("hangup", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_reasons_by_group(reason: str, group: str) -> None:
    assert group_of(reason) == group


def test_the_raw_reason_is_kept_as_far_as_it_is_one() -> None:
    assert kept_reason("call.in-progress.error-vapifault-x") == "call.in-progress.error-vapifault-x"
    for odd in ("", "a caller named Ann", "x" * 201, "-x"):
        assert kept_reason(odd) is None


def test_an_org_is_no_ones_word_but_a_uuid() -> None:
    told = read_message(body("hang", call=CALL, assistant={"metadata": {"org": "../x"}}))
    assert told.call is not None
    assert told.call.org_id is None
    named = read_message(body("hang", call={**CALL, "assistant": {"metadata": {"org": str(UUID(int=1))}}}))
    assert named.call is not None
    assert named.call.org_id == UUID(int=1)
