"""One call's side of booking, as tests drive it."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from booking.orgs import load_profile
from booking.verification import Verification
from gateway.caller import Ends
from gateway.tools import CallBooking, call_tools
from tests.booking.patients import new_phone
from tests.booking.texting import Post


async def booking_of(post: Post, caller: str | None = None) -> CallBooking:
    """A call from `caller`, by default one that no other test has; its codes go through `post`."""
    profile = await load_profile(post.messages.pool, post.claim)
    assert profile is not None
    return CallBooking(
        pool=post.messages.pool,
        claim=post.claim,
        call_id=uuid4(),
        carrier="twilio",
        carrier_call_id="CA" + "1" * 32,
        profile=profile,
        verification=Verification(post.messages),
        ends=Ends(caller or mobile(), post.clinic.number),
        hold_s=600,
        resend_s=30,
        started_at=datetime.now(UTC),
        now=lambda: datetime.now(UTC),
    )


def mobile() -> str:
    """A British one that no other test has."""
    return f"+4477{new_phone()[-8:]}"


async def use(booking: CallBooking, name: str, /, **arguments: Any) -> tuple[str, dict[str, Any]]:
    """The outcome and what the model is told."""
    [tool] = [each for each in call_tools(booking, lambda: None) if each.spec.name == name]
    result = await tool.run(arguments)
    told: dict[str, Any] = json.loads(result.content)
    return result.outcome, told
