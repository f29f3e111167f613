"""What differs from carrier to carrier, as the shared call sees it: an account, and one dialect per call."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from bench.carrier.errors import AnswerRejected, Rule
from bench.carrier.record import CallRecord, EndReason
from bench.carrier.steps import ConnectStream, Step
from bench.carrier.webhooks import Signed, Webhooks
from bench.carrier.wire import Wire

MAX_DOCUMENTS: Final = 10


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What is fixed before the phone rings. Addresses are public ones; `pace` 1 is real time.

    With `media_url` there is no webhook: the call goes straight to that socket. `extra_fields`: what the
    first webhook tells besides; of such a call, the stream's parameters.
    """

    call_id: str
    dialled: str
    caller: str
    voice_url: str
    status_url: str | None
    pace: float = 1.0
    extra_fields: tuple[tuple[str, str], ...] = ()
    media_url: str | None = None


@dataclass(slots=True)
class CallState:
    """What the parts of one call share. `hung_up` is set once the call is to end; `told_over` is called then,
    before the gateway is told.
    """

    plan: CallPlan
    record: CallRecord
    webhooks: Webhooks
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    told_over: Callable[[CallPlan], None] = lambda plan: None

    def end(self) -> None:
        """The call is to end. Once is enough; more is no harm."""
        if not self.hung_up.is_set():
            self.hung_up.set()
            self.told_over(self.plan)

    def count_document(self, rule: Rule) -> None:
        """Raises `AnswerRejected` for one too many."""
        self.record.documents += 1
        if self.record.documents > MAX_DOCUMENTS:
            raise AnswerRejected(rule, "the call goes round in circles")


class Dialect(Protocol):
    """One call of one carrier: how the gateway is told of it, and how it says what it wants done.

    What asks or tells raises `WebhookFailed` and `AnswerRejected`.
    """

    @property
    def agent(self) -> str:
        """The User-Agent of its sockets."""

    @property
    def retries(self) -> int:
        """How often the same stream is tried again after it was refused or lost."""

    @property
    def survives_refusal(self) -> bool:
        """Whether a call goes on whose media socket was refused."""

    async def rings(self) -> Sequence[Step]:
        """Tell of the call: what is to be done first."""

    async def document(self, url: str) -> Sequence[Step]:
        """What is to be done by the document at that address."""

    async def stream_began(self, stream: ConnectStream, wire: Wire) -> None: ...

    async def stream_ended(
        self, stream: ConnectStream, wire: Wire, following: Sequence[Step], reason: EndReason
    ) -> Sequence[Step]:
        """Tell of it; what is to be done then. Asked of streams that were refused, too."""

    async def stream_over(self, stream: ConnectStream, wire: Wire, reason: EndReason) -> None:
        """Tell of a stream that ended with its call."""

    async def said(self, following: Sequence[Step]) -> Sequence[Step]:
        """A sentence of the carrier's own has been spoken."""

    async def over(self) -> None:
        """Tell that the call has ended."""

    def signed_upgrade(self, stream: ConnectStream) -> Signed: ...

    def refusal(self) -> Rule:
        """Broken by an upgrade that is not answered 101."""

    def wire(self, stream: ConnectStream) -> Wire: ...


class Account(Protocol):
    """One account at one carrier. `name` is the carrier's; paths are those of our own gateway's routes."""

    @property
    def name(self) -> str: ...

    @property
    def voice_path(self) -> str: ...

    @property
    def status_path(self) -> str | None: ...

    def new_call_id(self) -> str: ...

    def dialect(self, state: CallState) -> Dialect: ...
