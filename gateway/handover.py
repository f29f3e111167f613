"""Handing a caller over to a person: what a call orders of its carrier, what is told to whom.

The person at the clinic hears, before they are connected, in redacted words why the caller asks for them. A
caller whom nobody takes comes back to the agent, in a new leg of the same call.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from booking.handovers import HandoverRules
from booking.types import OrgProfile
from gateway.caller import Ends
from pipeline.turn.limits import TurnLimits

TRANSFERRED: Final = "transferred"
HANDOVER: Final = "/handover/{org:uuid}/{handover:uuid}"
"""As a route, behind the carrier's name."""
PUTTING_THROUGH: Final = "One moment, please, I'm putting you through."
UNANNOUNCED: Final = "The clinic's assistant is putting a caller through to you."
CAME_BACK: Final = (
    "I'm sorry, nobody can come to the telephone just now. Would you like to leave a message, or is there "
    "anything that I can do for you?"
)
_PROMPT: Final = """
- If the caller wants to speak with a person, or needs what you cannot do, say that you are putting them
  through and call transfer_to_human, with one plain sentence on what they want. Ask once before whether that
  is what they want, unless they have said so themselves."""
_MESSAGES: Final = """
- If the caller wants to leave a message for the clinic, have them say it, then call take_message with their
  own words and say that it is left."""
_BACK_PROMPT: Final = """

This call:
- The caller was just to be put through to a person, and nobody answered. You have told them so. Do not put
  them through again: help them yourself, or take a message."""
_PLACEHOLDER: Final = re.compile(r"\[REDACTED: ([A-Z_]+)(?: [0-9]+)?\]")
_IN_PLACE: Final[Mapping[str, str]] = {
    "PERSON": "somebody",
    "MEDICAL": "a medical matter",
    "PHONE": "a telephone number",
    "EMAIL": "an e-mail address",
    "ADDRESS": "an address",
}


@dataclass(frozen=True, slots=True)
class HandoverOrder:
    """One attempt, as a carrier is asked for it. `number`: the person's, E.164; `longest_s`: their talk;
    `ends`: of the call that is handed over, for carriers that do not tell them again; `told`: what our answer
    to the carrier had put into its stream.
    """

    org_id: UUID
    handover_id: UUID
    number: str = field(repr=False)
    ring_s: int
    longest_s: int
    ends: Ends = field(default=Ends(), repr=False)
    told: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class HandoverAddress:
    """Where a carrier tells of one handover, at the route `HANDOVER`. `whisper`: the person has picked up;
    `over`: their leg has ended, or there was none; `after`: so has the stream of a caller who came back.
    """

    root: str

    @property
    def whisper(self) -> str:
        return f"{self.root}/whisper"

    @property
    def over(self) -> str:
        return f"{self.root}/over"

    @property
    def after(self) -> str:
        return f"{self.root}/after"


def handover_address(
    public: Callable[[str], str], carrier: str, org_id: UUID, handover_id: UUID
) -> HandoverAddress:
    """`public`: a path as an address that carriers reach."""
    return HandoverAddress(public(f"/{carrier}/handover/{org_id}/{handover_id}"))


HandOver = Callable[[HandoverOrder], Awaitable[None]]
"""Raises `CarrierRefused`, or TimeoutError and OSError if the carrier does not answer."""


@dataclass(slots=True)
class CallHandover:
    """One call's. `summarised`: the redacted form of what the caller wants, None where no words are kept."""

    rules: HandoverRules
    order: HandOver
    summarised: Callable[[str], str | None]
    longest_s: int
    done: bool = False


def spoken(redacted: str) -> str:
    """Redacted words as they can be heard: what stands in a value's place is said."""
    return _PLACEHOLDER.sub(lambda found: _IN_PLACE.get(found[1], "something personal"), redacted)


def announced(summary: str | None) -> str:
    """What the person is told who has picked up."""
    return UNANNOUNCED if summary is None else f"{UNANNOUNCED} {summary}"


def come_back(profile: OrgProfile) -> OrgProfile:
    """The clinic as the caller hears it who comes back: nothing is asked anew that was asked before."""
    return replace(profile, greeting=CAME_BACK)


def handover_prompt(*, offered: bool, came_back: bool) -> str:
    """What the model is told besides."""
    return _MESSAGES + (_PROMPT if offered else "") + (_BACK_PROMPT if came_back else "")


def longest_s(conversation: Mapping[str, object]) -> int:
    """How long a person may talk with the caller: as long as any call may be."""
    told = conversation.get("max_call_s", TurnLimits().max_call_s)
    return int(told) if isinstance(told, (int, float)) else int(TurnLimits().max_call_s)
