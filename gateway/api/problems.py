"""Refusals as `application/problem+json` (RFC 9457): a closed set of kinds, nothing personal in any."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from booking.types import Slot
from gateway.api.views import SlotView, slot_view
from gateway.errors import GatewayError

MEDIA_TYPE: Final = "application/problem+json"
_TYPES: Final = "urn:clinic-voice-gateway:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of refusal; `name` ends its type URI and never changes."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        return _TYPES + self.name


MALFORMED: Final = Kind("malformed", 400, "The request is no JSON, or no HTTP that is understood here")
KEY_MISSING: Final = Kind(
    "idempotency-key-missing", 400, "A POST needs an Idempotency-Key of 1 to 255 characters"
)
UNAUTHENTICATED: Final = Kind("unauthenticated", 401, "A valid bearer token is needed")
SCOPE_MISSING: Final = Kind("scope-missing", 403, "The token does not carry the scope that this needs")
FOREIGN: Final = Kind("foreign", 403, "This belongs to another clinic")
NO_ORG: Final = Kind("no-such-org", 403, "The token's clinic is not served here")
READING_REFUSED: Final = Kind("reading-refused", 403, "The token's role may not read this for this purpose")
NOT_FOUND: Final = Kind("not-found", 404, "There is nothing of this kind and id")
METHOD_UNKNOWN: Final = Kind("method-not-allowed", 405, "This cannot be done with it")
TOO_SLOW: Final = Kind("too-slow", 408, "The request did not arrive in time")
CONFLICT: Final = Kind("conflict", 409, "It no longer stands as the request supposes")
STOPPED: Final = Kind("stopped", 409, "They told the carrier STOP; only their own START takes that back")
CALL_LIVE: Final = Kind("call-live", 409, "They have a call that is not over")
CALL_REFUSED: Final = Kind("call-refused", 409, "They may not be called; `detail` says why")
KEY_PENDING: Final = Kind(
    "idempotency-key-pending", 409, "The first request with this Idempotency-Key is under way"
)
SLOT_TAKEN: Final = Kind("slot-taken", 409, "The slot is taken")
SLOT_PAST: Final = Kind("slot-past", 409, "The slot has begun already")
HOLD_OVER: Final = Kind("hold-over", 409, "The hold has expired, was given back or is booked already")
HOLD_UNVERIFIED: Final = Kind(
    "hold-unverified", 409, "No code was verified for the hold with this contact's number"
)
BOOKING_OVER: Final = Kind("booking-over", 409, "The booking was cancelled or moved, or has begun")
CODE_LOCKED: Final = Kind("code-locked", 409, "Too many wrong codes: this hold can no longer be verified")
CODE_EXPIRED: Final = Kind("code-expired", 410, "No code is in force for the hold; ask for a new one")
ERASED: Final = Kind("erased", 410, "It was erased; nothing brings it back")
TOO_LARGE: Final = Kind("too-large", 413, "The request is too large")
MEDIA_UNKNOWN: Final = Kind("media-type", 415, "The body is not of the media type that is asked for here")
INVALID: Final = Kind("invalid", 422, "A value is not what the description of the API says")
SLOT_UNSUITABLE: Final = Kind("slot-unsuitable", 422, "The slot is for another service")
NUMBER_REFUSED: Final = Kind("number-refused", 422, "No text message can be sent to the number")
CODE_WRONG: Final = Kind("code-wrong", 422, "The code is wrong")
KEY_REUSED: Final = Kind("idempotency-key-reused", 422, "The Idempotency-Key was used for another request")
CODES_LIMITED: Final = Kind("codes-limited", 429, "No more codes are sent for this hold")
FAILED: Final = Kind("failed", 500, "The gateway failed; what was asked may or may not have been done")
UNREADABLE: Final = Kind(
    "unreadable", 500, "It does not open: altered, moved, or sealed under a master key that is not at hand"
)
UNAVAILABLE: Final = Kind(
    "unavailable", 503, "It cannot be done or looked up now; the same request may work later"
)

NO_TEXTS: Final = Kind(
    "no-texts", 503, "The clinic cannot send text messages: its account is not set up for it"
)

_RETRY_LATER: Final = {"Retry-After": "1"}


class Problem(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The body of every refusal. `pointer`: where the request is wrong, as a JSON path."""

    type: str
    title: str
    status: int
    detail: str | None = None
    pointer: str | None = None
    alternatives: list[SlotView] | None = None
    attempts_left: int | None = None


class Refused(GatewayError):
    """Ends a request with a problem. Raised by whoever finds it, answered by `dispatch` alone."""

    def __init__(
        self,
        kind: Kind,
        *,
        detail: str | None = None,
        pointer: str | None = None,
        alternatives: Sequence[Slot] | None = None,
        attempts_left: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.headers = dict(headers or {})
        if kind in (UNAVAILABLE, KEY_PENDING):
            self.headers = _RETRY_LATER | self.headers
        self.problem = Problem(
            type=kind.type,
            title=kind.title,
            status=kind.status,
            detail=detail,
            pointer=pointer,
            alternatives=None if alternatives is None else [slot_view(slot) for slot in alternatives],
            attempts_left=attempts_left,
        )
