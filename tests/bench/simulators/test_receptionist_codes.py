"""What the scripted receptionist does about codes, turn by turn, with tools that answer as the gateway's."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bench.simulators.receptionist import Receptionist
from bench.simulators.replies import Call, Reply

NAMES = (
    "find_slots", "claim_slot", "send_code", "verify_code", "confirm_booking", "my_appointments",
    "cancel_booking", "reschedule_booking", "end_call",
)  # fmt: skip
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in NAMES]
PROMPT = "Today is Saturday 2026-11-21.\nServices: Rhinoplasty consultation (also: nose job)."
SLOT = {
    "slot": "s1",
    "starts": "2026-11-24T10:30:00+00:00",
    "spoken": "Tuesday at ten",
    "practitioner": "Dr Patel",
}
SENT = {"sent": True, "say": "I've texted you a code."}
VERIFIED = {"verified": True, "say": "Thank you."}
BOOKED = {"booked": True, "appointment": "a1", **SLOT, "say": "You are booked for Tuesday at ten."}


class Talk:
    """A conversation in which a slot is held; what tools answer is given."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": PROMPT}]
        self.hear("A nose job.")
        self.answer({"slots": [SLOT], "say": "x"})
        self.hear("The first one.")

    def hear(self, line: str) -> Reply:
        self.messages.append({"role": "user", "content": line})
        return self._reply()

    def answer(self, result: Mapping[str, Any]) -> Reply:
        """The last reply's only call has this result."""
        self.messages.append(
            {"role": "tool", "tool_call_id": f"c{len(self.messages) - 1}", "content": json.dumps(result)}
        )
        return self._reply()

    def _reply(self) -> Reply:
        reply = Receptionist().reply(self.messages, TOOLS)
        calls = [_wire(f"c{len(self.messages)}", call) for call in reply.calls]
        said: dict[str, Any] = {"role": "assistant", "content": reply.text}
        self.messages.append(said | ({"tool_calls": calls} if calls else {}))
        return reply

    def held(self) -> Reply:
        return self.answer({"held": True, "spoken": SLOT["spoken"], "say": "x"})

    def sent(self) -> "Talk":
        self.held()
        self.answer(SENT)
        return self


def _wire(call_id: str, call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": call_id, "type": "function", "function": function}


def calls(reply: Reply) -> Sequence[tuple[str, Any]]:
    return [(call.name, call.arguments) for call in reply.calls]


def test_a_hold_is_followed_by_a_code_that_by_the_booking() -> None:
    talk = Talk()
    held = talk.held()
    assert held.text == "I've held Tuesday at ten with Dr Patel for you."
    assert calls(held) == [("send_code", {"number": None})]
    assert talk.answer(SENT).text == SENT["say"]
    assert calls(talk.hear("(keypad) 421903")) == [("verify_code", {"code": "(keypad) 421903"})]
    assert calls(talk.answer(VERIFIED)) == [("confirm_booking", {"name": None})]
    booked = talk.answer(BOOKED)
    assert booked.text.startswith("You are booked for Tuesday at ten with Dr Patel.")
    assert talk.hear("No thanks, goodbye.").calls[0].name == "end_call"


@pytest.mark.parametrize("said", ["four two one nine oh three", "It's 421903.", "4 2 1 9 0", "(keypad) 1"])
def test_digits_are_passed_on_while_a_code_is_awaited(said: str) -> None:
    assert calls(Talk().sent().hear(said)) == [("verify_code", {"code": said})]


def test_other_things_may_be_said_while_a_code_is_awaited() -> None:
    talk = Talk().sent()
    assert "six-digit code" in talk.hear("Could you say that again?").text
    assert talk.hear("Okay.").text.startswith("Take your time.")
    assert calls(talk.hear("It hasn't come, nothing arrived.")) == [("send_code", {"number": None})]
    talk.answer(SENT)
    assert calls(talk.hear("Actually, Wednesday at half past two instead."))[0][0] == "find_slots"


@pytest.mark.parametrize("reason", ["wrong", "malformed", "expired", "locked"])
def test_a_code_that_is_not_taken_is_told_and_nothing_is_called_booked(reason: str) -> None:
    talk = Talk().sent()
    talk.hear("(keypad) 421903")
    told = talk.answer({"verified": False, "reason": reason, "say": "Sorry, no. Shall we?"})
    assert (told.text, told.calls) == ("Sorry, no. Shall we?", ())
    again = talk.hear("(keypad) 421904")
    assert [call.name for call in again.calls] == ([] if reason == "locked" else ["verify_code"])


def test_a_number_that_cannot_be_texted_is_replaced_by_the_next_that_is_said() -> None:
    talk = Talk()
    talk.held()
    assert talk.answer({"sent": False, "reason": "not_mobile", "say": "Another?"}).text == "Another?"
    said = "oh seven seven double oh nine hundred one two three"
    assert calls(talk.hear(said)) == [("send_code", {"number": said})]


def test_yes_sends_another_code_when_that_was_asked() -> None:
    talk = Talk()
    talk.held()
    talk.answer({"sent": False, "reason": "texts_busy", "say": "Shall I try once more?"})
    assert calls(talk.hear("Yes please.")) == [("send_code", {"number": None})]


def test_without_texts_the_hold_is_left_as_it_is() -> None:
    talk = Talk()
    talk.held()
    told = talk.answer({"sent": False, "reason": "no_texts", "say": "I can't send texts just now."})
    assert told.text == "I can't send texts just now. Is there anything else I can help you with?"
    assert talk.hear("No, that's all.").calls[0].name == "end_call"


def test_a_hold_that_lapsed_is_taken_again_if_the_caller_likes() -> None:
    talk = Talk().sent()
    talk.hear("(keypad) 421903")
    talk.answer({"verified": False, "reason": "hold_over", "say": "Shall I see if it is still free?"})
    assert calls(talk.hear("Yes.")) == [("claim_slot", {"slot": "s1"})]


def test_a_booking_that_failed_is_tried_again_and_not_claimed() -> None:
    talk = Talk().sent()
    talk.hear("(keypad) 421903")
    talk.answer(VERIFIED)
    told = talk.answer({"booked": False, "reason": "unavailable", "say": "I can't reach the diary."})
    assert "booked" not in told.text
    assert calls(talk.hear("Yes, try again.")) == [("confirm_booking", {"name": None})]


def test_what_was_booked_in_this_call_can_be_cancelled() -> None:
    talk = Talk().sent()
    talk.hear("(keypad) 421903")
    talk.answer(VERIFIED)
    talk.answer(BOOKED)
    assert calls(talk.hear("Actually, please cancel it.")) == [("cancel_booking", {"appointment": "a1"})]
    told = talk.answer({"cancelled": True, "appointment": "a1", "say": "It is cancelled."})
    assert told.text.startswith("It is cancelled.")


def test_a_tool_that_broke_is_no_booking() -> None:
    talk = Talk().sent()
    talk.hear("(keypad) 421903")
    assert talk.answer({"error": "no answer in time"}).text.startswith("I'm sorry, something went wrong.")
