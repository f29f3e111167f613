"""Whole conversations with the scripted receptionist, against a small diary that answers its tool calls."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bench.simulators.chat_rules import check_request
from bench.simulators.receptionist import Receptionist
from bench.simulators.receptionist_situation import read_briefing
from bench.simulators.understanding import Service

LONDON = ZoneInfo("Europe/London")
PROMPT = """You are the receptionist of Harley Street Clinic.
Today is Saturday 2026-11-21, 09:12, time zone Europe/London.
Services: Rhinoplasty consultation (also: nose job, nose surgery); Botox consultation (also: wrinkles).
Be brief."""
TUESDAY = date(2026, 11, 24)
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("find_slots", "claim_slot", "end_call")
]
WEEK = tuple(
    datetime.combine(date(2026, 11, 23) + timedelta(days=day), time(hour, minute), LONDON)
    for day in range(5)
    for hour in (9, 10, 14, 15)
    for minute in (0, 30)
)


@dataclass
class Diary:
    """Answers tool calls as the gateway's tools do."""

    free: Sequence[datetime] = WEEK
    doctors: tuple[str, ...] = ("Dr Patel",)
    taken: set[datetime] = field(default_factory=set)
    down: bool = False
    offered: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    held: datetime | None = None
    ended: bool = False

    def run(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if name == "end_call":
            self.ended = True
            return {}
        if self.down:
            return {"slots": [], "held": False, "reason": "The diary cannot be reached."}
        return self._find(**arguments) if name == "find_slots" else self._claim(**arguments)

    def _find(self, service: str, day: str | None, after: str | None) -> dict[str, Any]:
        assert service in ("Rhinoplasty consultation", "Botox consultation")
        found = [
            starts
            for starts in self.free
            if (day is None or starts.date() == date.fromisoformat(day))
            and (after is None or starts.time() >= time.fromisoformat(after))
        ]
        return {"slots": [self._offer(starts, doctor) for starts in found for doctor in self.doctors][:3]}

    def _offer(self, starts: datetime, doctor: str) -> dict[str, Any]:
        token = f"s{len(self.offered) + 1}"
        self.offered[token] = (starts, doctor)
        spoken = f"{starts:%A} the {starts.day}th at {starts:%H:%M}"
        return {"slot": token, "starts": starts.isoformat(), "spoken": spoken, "practitioner": doctor}

    def _claim(self, slot: str) -> dict[str, Any]:
        starts, _ = self.offered[slot]
        if starts in self.taken:
            left = [s for s in self.free if s > starts and s not in self.taken]
            return {"held": False, "reason": "taken", "slots": [self._offer(s, "Dr Patel") for s in left[:2]]}
        self.held = starts
        return {"held": True, "spoken": f"{starts:%A} at {starts:%H:%M}", "expires_minutes": 10}


class Conversation:
    """Says a line, runs the tools that are called, returns all that was answered."""

    def __init__(self, diary: Diary | None = None, prompt: str = PROMPT) -> None:
        self.diary = diary or Diary()
        self.messages: list[dict[str, Any]] = [
            {"role": "system", "content": prompt},
            {"role": "assistant", "content": "Hello, Harley Street Clinic. How can I help?"},
        ]
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def say(self, *lines: str) -> str:
        for line in lines:
            self.messages.append({"role": "user", "content": line})
            heard = self._answer()
        return heard

    def _answer(self) -> str:
        heard: list[str] = []
        for _ in range(10):
            check_request({"model": "m", "messages": self.messages, "tools": TOOLS}, ["m"])
            reply = Receptionist().reply(self.messages, TOOLS)
            heard.append(reply.text)
            message: dict[str, Any] = {"role": "assistant", "content": reply.text}
            if reply.calls:
                ids = [f"call_{len(self.messages)}_{index}" for index in range(len(reply.calls))]
                message["tool_calls"] = [
                    {
                        "id": i,
                        "type": "function",
                        "function": {"name": c.name, "arguments": json.dumps(c.arguments)},
                    }
                    for i, c in zip(ids, reply.calls, strict=True)
                ]
            self.messages.append(message)
            if not reply.calls:
                return " ".join(filter(None, heard))
            for call_id, call in zip(ids, reply.calls, strict=True):
                assert isinstance(call.arguments, Mapping)
                self.calls.append((call.name, call.arguments))
                result = json.dumps(self.diary.run(call.name, call.arguments))
                self.messages.append({"role": "tool", "tool_call_id": call_id, "content": result})
            if self.diary.ended:
                return " ".join(filter(None, heard))
        raise AssertionError("the receptionist never stops calling tools")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), LONDON)


@pytest.mark.parametrize(
    ("opening", "choice", "held"),
    [
        (
            "Hello. I'd like to book a consultation about a rhinoplasty, please.",
            "Could I come on Tuesday, at half past ten?",
            at(TUESDAY, 10, 30),
        ),
        (
            "Hi there. I'm calling to make an appointment for a botox consultation.",
            "Thursday at two o'clock in the afternoon, please.",
            at(date(2026, 11, 26), 14),
        ),
        (
            "Good morning. I want to have my nose done. Do you have a consultation for a nose job?",
            "Wednesday, at half past three, please.",
            at(date(2026, 11, 25), 15, 30),
        ),
        ("A rhino plastic consultation.", "Tuesday at 10.30 a.m.", at(TUESDAY, 10, 30)),
        ("nose job please", "the first one", at(date(2026, 11, 23), 9)),
        ("nose job please", "The later one, please.", at(date(2026, 11, 23), 10)),
        ("nose job please", "the second", at(date(2026, 11, 23), 9, 30)),
        ("nose job please", "I don't mind, whichever you like", at(date(2026, 11, 23), 9)),
        ("nose job please", "ten", at(date(2026, 11, 23), 10)),
        ("nose job please", "the nine thirty", at(date(2026, 11, 23), 9, 30)),
        ("nose job please", "the 26th at 3:30 p.m.", at(date(2026, 11, 26), 15, 30)),
        ("nose job please", "the day after tomorrow at two pm", at(date(2026, 11, 23), 14)),
        ("nose job please", "not Monday, Friday at two thirty", at(date(2026, 11, 27), 14, 30)),
        ("Tuesday at half past ten for a nose job", "Bye", at(TUESDAY, 10, 30)),
    ],
)
def test_a_caller_gets_the_time_asked_for(opening: str, choice: str, held: datetime) -> None:
    call = Conversation()
    call.say(opening, choice)
    assert call.diary.held == held


@pytest.mark.parametrize(
    "goodbye",
    [
        "No, that's all, thank you. Goodbye.",
        "No thank you. That's everything. Bye bye.",
        "No, that is everything. Thank you. Goodbye.",
        "No.",
        "Nothing else, thanks.",
        "no thanks",
    ],
)
def test_the_call_ends_once_the_caller_has_nothing_more(goodbye: str) -> None:
    call = Conversation()
    assert "held" in call.say("nose job", "Tuesday at half past ten")
    assert call.say(goodbye).endswith("Goodbye.")
    assert call.diary.ended


def test_service_day_and_time_may_come_one_by_one_in_any_order() -> None:
    call = Conversation()
    assert "What would you like to come in for?" in call.say("I'd like an appointment on Tuesday.")
    assert "Tuesday" in call.say("It's about botox.")
    assert call.calls[0][1] == {"service": "Botox consultation", "day": "2026-11-24", "after": None}
    call.say("At half past two.")
    assert call.diary.held == at(TUESDAY, 14, 30)


def test_times_are_offered_by_day_and_doctor_and_one_is_chosen() -> None:
    call = Conversation()
    assert call.say("A nose job on Tuesday.").endswith(
        "I have Tuesday the 24th at 09:00, 09:30, or 10:00, with Dr Patel. Which would suit you?"
    )
    assert call.say("Half past nine.") == (
        "I've held Tuesday at 09:30 with Dr Patel for you. Is there anything else I can help you with?"
    )


def test_a_time_that_two_doctors_have_is_said_once_and_either_may_be_named() -> None:
    call = Conversation(Diary(doctors=("Dr Patel", "Dr Osei")))
    assert call.say("nose job").endswith("I have Monday the 23th at 09:00 or 09:30. Which would suit you?")
    call.say("At nine with Dr. Osey please")
    assert call.calls[-1] == ("claim_slot", {"slot": "s2"})


def test_other_times_are_later_ones() -> None:
    call = Conversation()
    call.say("nose job")
    assert "10:30" in call.say("Do you have anything else?")
    assert call.calls[-1][1]["after"] == "10:01"
    assert "Tuesday" in call.say("Something on another day?", "other times please", "anything later?")


def test_a_part_of_the_day_narrows_the_search() -> None:
    call = Conversation()
    assert "14:00" in call.say("A nose job, on Wednesday afternoon.")
    assert call.calls[0][1] == {"service": "Rhinoplasty consultation", "day": "2026-11-25", "after": "12:00"}
    assert "09:00" in call.say("Or in the morning?")


def test_a_full_day_leads_to_the_next_free_times() -> None:
    call = Conversation(Diary(free=[starts for starts in WEEK if starts.date() != TUESDAY]))
    answer = call.say("A nose job on Tuesday at half past ten.")
    assert "nothing is free on Tuesday" in answer
    assert "Monday the 23th at 10:30" in answer
    assert call.diary.held is None


def test_a_time_that_is_not_free_is_not_replaced_without_asking() -> None:
    call = Conversation()
    answer = call.say("A nose job on Tuesday at eleven.")
    assert "The nearest I have is Tuesday the 24th at 14:00" in answer
    assert call.diary.held is None


def test_a_slot_that_has_just_been_taken_is_told_and_others_offered() -> None:
    call = Conversation(Diary(taken={at(TUESDAY, 10, 30)}))
    answer = call.say("nose job", "Tuesday at half past ten")
    assert answer.startswith("Let me see. I'm sorry, that one has just been taken.")
    call.say("The first one, then.")
    assert call.diary.held == at(TUESDAY, 14)


def test_the_caller_may_change_his_mind() -> None:
    call = Conversation()
    call.say("nose job", "Tuesday at half past ten", "Actually, can I have Wednesday at nine instead?")
    assert call.diary.held == at(date(2026, 11, 25), 9)


@pytest.mark.parametrize("words", ["", "um", "Uh, hello?", "mumble grumble"])
def test_what_is_not_understood_is_asked_again(words: str) -> None:
    call = Conversation()
    assert call.say(words).startswith("I'm sorry, I didn't catch that. What would you like to come in for?")
    call.say("nose job")
    assert "Which would suit you?" in call.say(words)
    assert call.diary.held is None


@pytest.mark.parametrize("words", ["Are you a robot?", "Am I talking to a real person?", "is this a machine"])
def test_it_says_that_it_is_a_script_when_asked(words: str) -> None:
    assert "scripted demo receptionist" in Conversation().say(words)


def test_questions_beyond_its_script_are_declined() -> None:
    call = Conversation()
    assert "can't answer that" in call.say("Hello. What are your opening hours?")
    assert "can't answer that" in call.say("And is there anywhere to park near the clinic?")
    call.say("No, that's all, thank you. Goodbye.")
    assert call.diary.ended
    assert call.calls == [("end_call", {})]


def test_yes_takes_the_only_time_and_asks_which_of_several() -> None:
    several = Conversation()
    several.say("nose job")
    assert "Which would suit you?" in several.say("Yes, please.")
    single = Conversation(Diary(free=[at(TUESDAY, 9)]))
    assert "Would that suit you?" in single.say("nose job")
    single.say("Yes, that's fine.")
    assert single.diary.held == at(TUESDAY, 9)


def test_nothing_is_said_to_be_held_when_the_diary_is_away() -> None:
    call = Conversation(Diary(down=True))
    assert "can't reach the diary" in call.say("nose job on Tuesday")
    call = Conversation()
    call.say("nose job")
    call.diary.down = True
    assert "can't reach the diary" in call.say("the first one")


def test_without_tools_it_does_not_pretend() -> None:
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": "nose job"}]
    reply = Receptionist().reply(messages, [])
    assert not reply.calls
    assert "can't reach the diary" in reply.text


@pytest.mark.parametrize(
    "prompt",
    [
        "Today is Saturday 2026-11-21, 09:12, time zone Europe/London.\nServices: A (also: b, c); D.",
        "x\nToday is Saturday the 21st of November 2026 (2026-11-21). The time is 09:12.\n\n"
        "Services: A (30 minutes; also called b, c); D (20 minutes).\nPractitioners: Dr E.",
    ],
)
def test_the_briefing_is_read_from_the_system_prompt(prompt: str) -> None:
    briefing = read_briefing(prompt)
    assert briefing.today == date(2026, 11, 21)
    assert briefing.services == (Service("A", ("b", "c")), Service("D"))
