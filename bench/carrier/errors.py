"""What the carrier side raises.

CarrierError
├── CallOver             asked of a call that has ended
├── InterfaceUnusable    the account's REST interface cannot be served
├── NobodyListens        there is no gateway where the call is to go
└── CarrierFault         the gateway did what the carrier does not put up with: a rule, and what was done
    ├── WebhookFailed    no usable answer to a webhook
    ├── AnswerRejected   a document or an order is malformed or breaks its schema
    ├── UpgradeRefused   the media socket's upgrade was not answered 101
    └── StreamFault      a message on the media socket that the carrier refuses
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What a carrier demands. `code`: the carrier's own number of a breach, a short name where it has none;
    `source`: where that is written.
    """

    code: int | str
    says: str
    source: str


class CarrierError(Exception):
    """Root of what the carrier side raises."""


class CallOver(CarrierError):
    """The call has ended; `reason` says how."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the call is over: {reason}")
        self.reason = reason


class InterfaceUnusable(CarrierError):
    """The account's REST interface cannot be served; the message says why."""


class NobodyListens(CarrierError):
    """There is no gateway where the call is to go; the message says where that is."""


class CarrierFault(CarrierError):
    """The gateway broke the carrier's rules. `at_ms`: of stream time, once it is in a record."""

    def __init__(self, rule: Rule, fact: str) -> None:
        super().__init__(f"{rule.code}: {fact}")
        self.rule = rule
        self.fact = fact
        self.at_ms: int | None = None

    @property
    def code(self) -> int | str:
        return self.rule.code


class WebhookFailed(CarrierFault):
    """No usable answer to a webhook. `status`: None if there was none at all."""

    def __init__(self, rule: Rule, fact: str, status: int | None = None) -> None:
        super().__init__(rule, fact)
        self.status = status


class AnswerRejected(CarrierFault):
    """A document or an order that answers a call is malformed or breaks its schema."""


class UpgradeRefused(CarrierFault):
    """The media socket's upgrade was not answered 101."""

    def __init__(self, rule: Rule, fact: str, status: int | None = None) -> None:
        super().__init__(rule, fact)
        self.status = status


class StreamFault(CarrierFault):
    """A message on the media socket that the carrier refuses."""
