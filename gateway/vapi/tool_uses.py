"""The tools that our model used in a call at Vapi, whose own history does not hold them. Pure.

Vapi is sent what was said, and sends that back as the history; what our tools answered in between is kept
with the call and woven into it again, behind the caller's turn in which it happened. A turn that was broken
off keeps its place too: what a tool has done, it has done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from pipeline.ports import Message

MOST_USES: Final = 60
"""Of a call; the oldest go. A booking takes some ten."""
_IDS: Final = UUID("0d0e0f6c-6d0c-4f2e-8a55-3f6c1b7a9e21")


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One use and what the model was told. `turn`: how many turns of the caller's had been heard by then.

    `arguments` and `answer` are JSON texts, raw.
    """

    turn: int
    name: str
    arguments: str = field(repr=False)
    answer: str = field(repr=False)


def use_id(turn: int, name: str, arguments: Mapping[str, Any] | None, nth: int) -> str:
    """What makes a use the same as another: in one turn the same tool with the same arguments, as often.

    A request that Vapi gives up because the caller goes on speaking is sent again with more words, and
    answered by the same calls: each of them does what it does once.
    """
    told = msgspec.json.encode((turn, name, arguments, nth), order="deterministic").decode()
    return uuid5(_IDS, told).hex


def joined(history: Sequence[Message]) -> list[Message]:
    """The history with the caller's messages in a row as one: they had only paused."""
    whole: list[Message] = []
    for message in history:
        if whole and message.role == "user" and whole[-1].role == "user":
            whole[-1] = Message("user", f"{whole[-1].content} {message.content}")
        else:
            whole.append(message)
    return whole


def caller_turns(history: Sequence[Message]) -> int:
    """How often the caller has had the floor."""
    roles = ["", *(message.role for message in history if message.role in ("user", "assistant"))]
    return sum(role == "user" != before for before, role in pairwise(roles))


def woven(history: Sequence[Message], uses: Sequence[ToolUse]) -> list[Message]:
    """The history with each use behind the caller's turn in which it happened, before what was said to it."""
    whole: list[Message] = []
    told = 0
    for place, message in enumerate(history):
        if message.role == "assistant":
            turn = caller_turns(history[:place])
            while told < len(uses) and uses[told].turn <= turn:
                whole += _messages(told, uses[told])
                told += 1
        whole.append(message)
    for number in range(told, len(uses)):
        whole += _messages(number, uses[number])
    return whole


def _messages(number: int, use: ToolUse) -> list[Message]:
    told = f"used_{number}"
    return [
        Message("assistant", "", tool_calls=((told, use.name, use.arguments),)),
        Message("tool", use.answer, tool_call_id=told),
    ]
