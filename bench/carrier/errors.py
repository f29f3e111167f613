"""What the carrier side raises.

CarrierError
├── CallOver             asked of a call that has ended
└── CarrierFault         the gateway did what Twilio does not put up with; `code` is Twilio's error number
    ├── WebhookFailed    11200: no usable answer to a webhook
    ├── TwimlRejected    12100/12200: the answer document is malformed or breaks its schema
    ├── UpgradeRefused   31920: the media socket's upgrade was not answered 101
    └── StreamFault      319xx: a message on the media socket that Twilio refuses
"""


class CarrierError(Exception):
    """Root of what the carrier side raises."""


class CallOver(CarrierError):
    """The call has ended; `reason` says how."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the call is over: {reason}")
        self.reason = reason


class CarrierFault(CarrierError):
    """The gateway broke the carrier's rules."""

    def __init__(self, code: int, fact: str) -> None:
        super().__init__(f"{code}: {fact}")
        self.code = code
        self.fact = fact


class WebhookFailed(CarrierFault):
    """No usable answer to a webhook."""

    def __init__(self, fact: str, status: int | None = None) -> None:
        super().__init__(11200, fact)
        self.status = status


class TwimlRejected(CarrierFault):
    """The answer document is malformed or breaks its schema."""


class UpgradeRefused(CarrierFault):
    """The media socket's upgrade was not answered 101."""

    def __init__(self, fact: str, status: int | None = None) -> None:
        super().__init__(31920, fact)
        self.status = status


class StreamFault(CarrierFault):
    """A message on the media socket that Twilio refuses."""
