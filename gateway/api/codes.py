"""Codes by text message, which prove that whoever books holds the number."""

from typing import Annotated
from uuid import UUID

import msgspec

from booking.errors import (
    CodeMalformed,
    HoldOver,
    HoldUnknown,
    NumberInvalid,
    SmsNotConfigured,
    SmsRefused,
    SmsUnavailable,
    SmsUnconfirmed,
)
from gateway.api.operations import Answer, Asked, Operation
from gateway.api.ownership import not_visible
from gateway.api.problems import (
    CODE_EXPIRED,
    CODE_LOCKED,
    CODE_WRONG,
    CODES_LIMITED,
    HOLD_OVER,
    INVALID,
    NO_TEXTS,
    NUMBER_REFUSED,
    UNAVAILABLE,
    Refused,
)
from gateway.api.views import AwareTime, PhoneNumber

_NOT_OURS_TO_MEND = ("receiver", "opted_out")


class CodeRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`phone`: whom to text, E.164."""

    phone: PhoneNumber


class CodeSent(msgspec.Struct, kw_only=True):
    """A code is on its way and good until `expires_at`; so many more may be sent for the hold."""

    expires_at: AwareTime
    codes_left: int


class CodeAnswer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`code`: as it was read out or typed; spaces and hyphens do not count."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]


class CodeVerified(msgspec.Struct, kw_only=True):
    """The hold may now be booked."""

    hold_id: UUID
    verified: bool


async def send_code(asked: Asked) -> Answer:
    order: CodeRequest = asked.body
    hold_id = asked.id("hold_id")
    try:
        stored = await asked.api.verification.send_code(asked.claim, hold_id=hold_id, to=order.phone)
    except HoldUnknown:
        raise await not_visible(asked, "hold", hold_id) from None
    except (HoldOver, NumberInvalid, SmsNotConfigured, SmsRefused, SmsUnavailable, SmsUnconfirmed) as error:
        raise _not_sent(error) from None
    if stored.expires_at is None:
        raise Refused(CODE_LOCKED if stored.outcome == "locked" else CODES_LIMITED)
    return Answer(202, CodeSent(expires_at=stored.expires_at, codes_left=stored.codes_left))


def _not_sent(error: Exception) -> Refused:
    """No code is in force after any of these, so it may be asked for again."""
    match error:
        case HoldOver():
            return Refused(HOLD_OVER)
        case NumberInvalid():
            return Refused(INVALID, pointer="$.phone")
        case SmsRefused(reason=reason) if reason in _NOT_OURS_TO_MEND:
            return Refused(NUMBER_REFUSED, detail=reason)
        case SmsRefused() | SmsNotConfigured():
            return Refused(NO_TEXTS)
    return Refused(UNAVAILABLE)


async def check_code(asked: Asked) -> Answer:
    answer: CodeAnswer = asked.body
    hold_id = asked.id("hold_id")
    try:
        checked = await asked.api.verification.check_code(asked.claim, hold_id=hold_id, code=answer.code)
    except HoldUnknown:
        raise await not_visible(asked, "hold", hold_id) from None
    except HoldOver:
        raise Refused(HOLD_OVER) from None
    except CodeMalformed:
        raise Refused(INVALID, pointer="$.code") from None
    if checked.outcome == "verified":
        return Answer(200, CodeVerified(hold_id=hold_id, verified=True))
    if checked.outcome == "wrong":
        raise Refused(CODE_WRONG, attempts_left=checked.attempts_left)
    raise Refused(CODE_LOCKED if checked.outcome == "locked" else CODE_EXPIRED)


OPERATIONS = (
    Operation(
        name="sendCode",
        method="POST",
        path="/holds/{hold_id}/otp",
        scope="holds:write",
        summary="Send a code for the hold by text message; an earlier one is void",
        handler=send_code,
        body=CodeRequest,
        answers={202: CodeSent},
        problems=(HOLD_OVER, CODE_LOCKED, NUMBER_REFUSED, CODES_LIMITED, NO_TEXTS),
    ),
    Operation(
        name="checkCode",
        method="POST",
        path="/holds/{hold_id}/otp/check",
        scope="holds:write",
        summary="Verify the hold by the code that was sent",
        handler=check_code,
        body=CodeAnswer,
        answers={200: CodeVerified},
        problems=(HOLD_OVER, CODE_LOCKED, CODE_EXPIRED, CODE_WRONG),
    ),
)
