"""A caller who plays a recording, turn by turn: each when the agent has answered and been quiet for a while.

It hears audio and nothing else, and reads the codes that are texted to it, which it types when the agent is
quiet. What is said, and what it is good for, is not known here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bench.carrier import CallOver, LiveCall

UnreadCode = Callable[[], Awaitable[str | None]]
"""The code in a text message that has come since the last look, None if there is none."""


async def no_texts() -> str | None:
    """Of a caller without a telephone that could be texted."""
    return None


@dataclass(frozen=True, slots=True)
class Manners:
    """How the caller behaves. `quiet_ms`: how long the agent must have been silent before the next turn."""

    quiet_ms: int = 1200
    patience_s: float = 20.0
    goodbye_s: float = 20.0


@dataclass(slots=True)
class Conversation:
    """How it went, in the caller's ears. `gaps_ms`: end of own speech to first audible answer, per answered
    turn.
    """

    greeted: bool = False
    turns_said: int = 0
    gaps_ms: list[int] = field(default_factory=list)
    codes_typed: int = 0
    ended: Literal["by_agent", "by_caller", "unanswered"] = "by_caller"


async def hold_conversation(
    call: LiveCall,
    turns: Sequence[bytes],
    manners: Manners | None = None,
    unread_code: UnreadCode = no_texts,
) -> Conversation:
    """Say all turns (mu-law, 8 kHz), wait for the agent to end the call, hang up when patience runs out."""
    manners = manners or Manners()
    conversation = Conversation()
    try:
        await _converse(call, turns, manners, conversation, unread_code)
    except CallOver:
        conversation.ended = "by_agent"
    call.hang_up()
    return conversation


async def _converse(
    call: LiveCall,
    turns: Sequence[bytes],
    manners: Manners,
    conversation: Conversation,
    unread_code: UnreadCode,
) -> None:
    try:
        async with asyncio.timeout(manners.patience_s):
            await call.agent_answers(manners.quiet_ms)
        conversation.greeted = True
        for turn in turns:
            await _take_turn(call, turn, manners, conversation)
            if (code := await unread_code()) is not None:
                await _type(call, code, manners, conversation)
    except TimeoutError:
        conversation.ended = "unanswered"
        return
    await _await_goodbye(call, manners.goodbye_s, conversation)


async def _take_turn(call: LiveCall, turn: bytes, manners: Manners, conversation: Conversation) -> None:
    heard_ms = call.record.agent_audible_ms
    await call.say(turn)
    conversation.turns_said += 1
    spoke_until_ms = call.record.last_caller_audible_ms or call.record.now_ms
    async with asyncio.timeout(manners.patience_s):
        await call.until(lambda record: record.agent_audible_ms > heard_ms)
        conversation.gaps_ms.append(call.record.now_ms - spoke_until_ms)
        await call.agent_quiet(manners.quiet_ms)


async def _type(call: LiveCall, code: str, manners: Manners, conversation: Conversation) -> None:
    """Keys, and the whole answer to them."""
    heard_ms = call.record.agent_audible_ms
    await call.press(f"{code}#")
    conversation.codes_typed += 1
    async with asyncio.timeout(manners.patience_s):
        await call.until(lambda record: record.agent_audible_ms > heard_ms)
        await call.agent_quiet(manners.quiet_ms)


async def _await_goodbye(call: LiveCall, limit_s: float, conversation: Conversation) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await call.ended()
    except TimeoutError:
        return
    conversation.ended = "by_agent"
