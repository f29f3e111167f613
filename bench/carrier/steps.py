"""What a gateway may ask a carrier to do with a call, whichever document or order it is said in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class ConnectStream:
    """A two-way media stream; what follows waits until its socket ends.

    `parameters` come back in the stream's first frame; `action` is asked what comes after the stream,
    `status_callback` told what becomes of it. `rate_hz`: of the audio; `signed`: whether the upgrade is;
    `headers`: what it carries besides.
    """

    url: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    action: str | None = None
    status_callback: str | None = None
    rate_hz: int = 8000
    signed: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Say:
    """A sentence spoken by the carrier itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    length_s: int


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with the document at another address."""

    url: str


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Reject:
    """The call is not taken."""

    reason: Literal["rejected", "busy"] = "rejected"


Step = ConnectStream | Say | Pause | Redirect | Hangup | Reject
