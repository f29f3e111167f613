"""What the routes share, and how a request finds it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic

from starlette.requests import HTTPConnection

from gateway.admission import Admission
from gateway.call import Desk
from gateway.calls import Calls
from gateway.control.plivo import PlivoControl
from gateway.control.telnyx import TelnyxControl
from gateway.control.twilio import TwilioControl
from gateway.control.vonage import VonageControl
from gateway.endings import Endings
from gateway.handover import HandoverOrder
from gateway.metrics import Metrics
from gateway.readiness import Readiness
from gateway.refusals import Refusals
from gateway.settings import Settings
from gateway.tenancy.accounts import A, Accounts
from gateway.tenancy.credentials import (
    PlivoAccount,
    RawClient,
    TelnyxAccount,
    TwilioAccount,
    VapiAccount,
    VonageAccount,
)
from gateway.vapi.answering import Assistants
from gateway.vapi.calls import VapiCalls
from gateway.vapi.settling import Settling


@dataclass(frozen=True, slots=True)
class Carrier(Generic[A]):
    """One carrier: who may sign for it, how a call of its is ended from our side, and how it is put
    through to a person, if it can be. `keeps_stream`: then its stream stays open, and is closed from here.
    `limit`: has the carrier itself end a call that came in when it has lasted so many seconds, where our
    answer to it cannot say so.
    """

    name: str
    accounts: Accounts[A]
    hang_up: Callable[[str, A], Awaitable[None]]
    hand_over: Callable[[str, A, HandoverOrder], Awaitable[None]] | None = None
    keeps_stream: bool = False
    limit: Callable[[str, A, int], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Carriers:
    """All there are."""

    twilio: Carrier[TwilioAccount]
    twilio_orders: TwilioControl
    plivo: Carrier[PlivoAccount]
    plivo_orders: PlivoControl
    telnyx: Carrier[TelnyxAccount]
    telnyx_orders: TelnyxControl
    vonage: Carrier[VonageAccount]
    vonage_orders: VonageControl
    raw: Carrier[RawClient]


@dataclass(frozen=True, slots=True)
class Edge:
    """One application's open resources, made by its lifespan."""

    settings: Settings
    carriers: Carriers
    desk: Desk
    calls: Calls
    admission: Admission
    endings: Endings
    readiness: Readiness
    refusals: Refusals
    vapi: Accounts[VapiAccount]
    vapi_calls: VapiCalls
    vapi_settling: Settling
    vapi_assistants: Assistants

    @property
    def metrics(self) -> Metrics:
        return self.desk.metrics


def edge_of(connection: HTTPConnection) -> Edge:
    edge: Edge = connection.app.state.edge
    return edge
