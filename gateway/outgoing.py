"""A call that the clinic placed, as its conversation knows it: who speaks, what is said first, to what end.

Whoever picks up may be anybody. So the agent says who calls and that it is a program before anything else,
and nothing of what it is about until whoever is wanted has said that it is them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import asyncpg

from booking.calling_rules import GOAL, CallBrief, load_brief
from booking.db import org_transaction
from booking.types import Claim, OrgProfile, Recording
from compliance.recordings import records_sound

_RECORDING: Final[Mapping[Recording, str]] = {
    "kept": "",
    "announced": " What is said in this call is recorded in writing.",
    "asked": " May we record in writing what is said in this call?",
    "off": "",
}
_SOUND: Final = " May we record this call?"
_PROMPT: Final = """

This call:
- You have rung them up; they have not called. You began with: "{opening}"
- You call {goal}.
- Whoever answers may be anybody. Before they have said that they are the person the clinic wants to talk to,
  say nothing of why you call but that the clinic would like to talk to them: no service, no visit, no
  appointment, not even whether they have ever been there.
- Say again that you are an automated assistant whenever you are asked.
- If it is a bad moment, ask when to call again, say that the clinic will, thank them and call end_call.
- If they do not want to be called, call no_more_calls, then say goodbye.
- If you hear a machine, or nobody, say goodbye and call end_call. Leave no message yourself."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A placed call's side of its conversation. `records_sound`: the clinic does, of callers who agree."""

    placed_id: UUID
    brief: CallBrief
    records_sound: bool = False

    def profile(self, profile: OrgProfile) -> OrgProfile:
        """The clinic as this call presents it: the campaign's agent, whose first words are the greeting."""
        agent = self.brief.agent_name or profile.agent_name
        asked = _SOUND if self.asks_for_sound(profile) else _RECORDING[profile.recording]
        words = self.brief.first_words(agent, profile.name) + asked
        return replace(profile, agent_name=agent, greeting=words)

    def asks_for_sound(self, profile: OrgProfile) -> bool:
        """Whether whoever picks up is asked for more than words in writing. Told alone, nobody is recorded
        who has not called us.
        """
        return self.records_sound and profile.recording == "asked"

    def prompt(self, profile: OrgProfile) -> str:
        """What the model is told besides; `profile` as `profile` has made it."""
        return _PROMPT.format(opening=profile.greeting, goal=self.brief.goal or GOAL)


async def find_outgoing(
    pool: asyncpg.Pool, org_id: UUID, placed_id: UUID, *, may_record: bool = False
) -> Outgoing:
    """Of a call that the org has placed. `may_record`: there is somewhere to keep sound. Raises
    `BookingUnavailable`.
    """
    claim = Claim(org_id)
    brief, sound = await asyncio.gather(
        load_brief(pool, claim, placed_id=placed_id), _records_sound(pool, claim, may=may_record)
    )
    return Outgoing(placed_id, brief or CallBrief(None, None, None), sound)


async def _records_sound(pool: asyncpg.Pool, claim: Claim, *, may: bool) -> bool:
    if not may:
        return False
    async with org_transaction(pool, claim) as connection:
        return await records_sound(connection, claim.org_id)
