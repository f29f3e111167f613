"""What our tools answered, woven into a history that does not know of it."""

import pytest

from gateway.vapi.instructions import instructed
from gateway.vapi.tool_uses import ToolUse, caller_turns, joined, use_id, woven
from pipeline.ports import Message


def history(*said: str) -> list[Message]:
    """ "u:Hello" is the caller's, "a:" ours, "s:" the system's."""
    roles = {"u": "user", "a": "assistant", "s": "system"}
    return [Message(roles[each[0]], each[2:]) for each in said]  # type: ignore[arg-type]


def told(messages: list[Message]) -> list[str]:
    return [
        f"call {message.tool_calls[0][1]}" if message.tool_calls else f"{message.role[0]}:{message.content}"
        for message in messages
    ]


FOUND = ToolUse(1, "find_slots", "{}", "found")
HELD = ToolUse(2, "claim_slot", '{"slot": "s1"}', "held")


@pytest.mark.parametrize(
    ("said", "turns"),
    [
        ([], 0),
        (["a:Hello."], 0),
        (["a:Hello.", "u:Hi."], 1),
        (["u:Hi.", "s:Note.", "u:Are you there?"], 1),
        (["a:Hello.", "u:Hi.", "a:Yes?", "u:A filler."], 2),
    ],
)
def test_the_caller_has_a_turn_whenever_the_floor_comes_to_them(said: list[str], turns: int) -> None:
    assert caller_turns(history(*said)) == turns


def test_a_use_stands_behind_the_turn_it_happened_in() -> None:
    said = history("s:Prompt", "a:Hello.", "u:A filler.", "a:Ten?", "u:Yes.", "a:It is held.", "u:Thanks.")
    assert told(woven(said, [FOUND, HELD])) == [
        *("s:Prompt", "a:Hello.", "u:A filler.", "call find_slots", "t:found", "a:Ten?"),
        *("u:Yes.", "call claim_slot", "t:held", "a:It is held.", "u:Thanks."),
    ]


def test_what_was_done_in_a_turn_that_was_broken_off_is_known_to_the_next_request() -> None:
    said = joined(history("u:A filler.", "a:Ten?", "u:Yes", "u:please."))
    assert told(woven(said, [FOUND, HELD])) == [
        *("u:A filler.", "call find_slots", "t:found", "a:Ten?"),
        *("u:Yes please.", "call claim_slot", "t:held"),
    ]


def test_every_use_has_an_id_of_its_own_and_its_answer_right_behind_it() -> None:
    messages = woven(history("u:Hi."), [FOUND, FOUND, HELD])
    ids = [message.tool_calls[0][0] for message in messages if message.tool_calls]
    assert len(set(ids)) == 3
    assert [message.tool_call_id for message in messages if message.role == "tool"] == ids


def test_a_use_is_the_same_by_turn_tool_and_arguments_in_whatever_order() -> None:
    one = use_id(1, "verify_code", {"code": "1", "b": 2}, 1)
    assert one == use_id(1, "verify_code", {"b": 2, "code": "1"}, 1)
    others = [
        use_id(2, "verify_code", {"code": "1", "b": 2}, 1),
        use_id(1, "send_code", {"code": "1", "b": 2}, 1),
        use_id(1, "verify_code", {"code": "2", "b": 2}, 1),
        use_id(1, "verify_code", {"code": "1", "b": 2}, 2),
        use_id(1, "verify_code", None, 1),
    ]
    assert len({one, *others}) == 6
    assert "verify_code" not in one


def test_our_prompt_stands_first_and_once_and_what_vapi_adds_later_keeps_its_place() -> None:
    ours = "You are Sarah.\nThe time is 10:02."
    said = history("s:You are Sarah.\nThe time is 10:00.", "s:Be brief.", "a:Hello.", "s:Added.", "u:Hi.")
    told_now = instructed(ours, said)
    assert [message.content for message in told_now[2:]] == ["Hello.", "Added.", "Hi."]
    assert told_now[0].content == ours
    assert told_now[1].content.endswith("\nBe brief.")
    assert [message.content for message in instructed(ours, said[2:])] == [ours, "Hello.", "Added.", "Hi."]
