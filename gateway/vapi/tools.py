"""The tools of a call that Vapi carries: those of any call, and a message for the clinic.

Who may hear its redacted words is as in our own calls: nobody, where what is said is not kept.
"""

from collections.abc import Callable
from uuid import UUID, uuid5

from booking import db
from booking.types import Claim, OrgProfile
from booking.vapi_calls import CARRIER
from gateway.call import Desk, profile_redactor
from gateway.handover import handover_prompt
from gateway.sealing import keyring
from gateway.tools import CallBooking, TakeMessage, call_tools, tool_specs
from gateway.vapi.messages import AskedTool
from gateway.vapi.state import SharedState
from gateway.voicemail import Voicemail
from pipeline.ports import Tool, ToolSpec

BESIDES = handover_prompt(offered=False, came_back=False)
"""What a model is told of these tools besides the clinic's instructions."""


def specs_at_vapi(profile: OrgProfile) -> tuple[ToolSpec, ...]:
    """What a model of this org is told of them."""
    return (*tool_specs(profile), TakeMessage.spec)


async def tool_asked_for(
    desk: Desk, booking: CallBooking, state: SharedState, asked: AskedTool, refuse: Callable[[], None]
) -> Tool | None:
    """None if there is none of that name. `refuse`: see `call_tools`. Raises `BookingError`."""
    if asked.name == TakeMessage.spec.name:
        return await _taking_messages(desk, booking, state, asked)
    return next((tool for tool in call_tools(booking, refuse) if tool.spec.name == asked.name), None)


async def has_refused(desk: Desk, claim: Claim, vapi_id: str, caller: str | None) -> bool:
    """Whether the caller does not want to be recorded, as far as is on record: of this call, and of earlier
    ones where their number (E.164) is known. Raises `BookingError`.
    """
    digests = list(keyring(desk.vault).digests(claim.org_id, caller)) if caller else []
    (row,) = await db.fetch(desk.pool, claim, "refused_before", CARRIER, vapi_id, digests)
    return bool(row[0])


async def _taking_messages(
    desk: Desk, booking: CallBooking, state: SharedState, asked: AskedTool
) -> TakeMessage:
    """What was left before in this call stands with the call, sealed."""
    profile, claim = booking.profile, booking.claim
    may_show = profile.keeps_unasked and not await has_refused(
        desk, claim, booking.carrier_call_id, booking.ends.caller
    )
    redactor = profile_redactor(profile, lambda *_: None, numbered=False)

    def redacted(said: str) -> str | None:
        return redactor.caller(said) if may_show else None

    def message_id() -> UUID:
        """The same whenever Vapi asks for it under the same id, though nobody knows that it did before."""
        return uuid5(booking.call_id, f"message {asked.id}")

    voicemail = Voicemail(desk.pool, claim, booking.call_id, keyring(desk.vault), redacted)
    return TakeMessage(booking, voicemail, taken=state.messages, new_id=message_id)
