"""A carrier together with its account's REST interface: orders that come there are done to the live calls.

The interfaces are the strict servers of `bench.simulators`; each knows the calls that its carrier has placed,
and no others.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bench.carrier.carrier import Carrier
from bench.carrier.dialect import Account, CallPlan
from bench.carrier.errors import InterfaceUnusable
from bench.carrier.plivo import PlivoAccount
from bench.carrier.steps import Redirect
from bench.carrier.telnyx import TelnyxAccount
from bench.carrier.telnyx.account import TelnyxDialect
from bench.carrier.telnyx.orders import Command as Order
from bench.carrier.twilio import TwilioAccount
from bench.carrier.twilio.twiml import parse_twiml
from bench.carrier.vonage import VonageAccount
from bench.simulators.plivo_api import PlivoApiSimulator
from bench.simulators.telnyx_api import Command, TelnyxApiSimulator, TelnyxCall
from bench.simulators.twilio_api import ENDED, CallResource, TwilioApiSimulator
from bench.simulators.vonage_api import VonageApiSimulator

FindCarrier = Callable[[], Carrier | None]


class Interface(Protocol):
    """One account's REST interface, as its carrier sees it."""

    @property
    def url(self) -> str: ...

    def dialled(self, plan: CallPlan) -> None:
        """A call that the gateway is about to be told of."""

    def over(self, plan: CallPlan) -> None:
        """A call that takes no orders any more."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a carrier calls, as `Carrier` takes it, and where its REST interface listens (0: any port)."""

    url: str
    connect_url: str | None = None
    voice_url: str | None = None
    status_url: str | None = None
    media_url: str | None = None
    api_host: str = "127.0.0.1"
    api_port: int = 0
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A carrier, and where its account's REST interface is."""

    carrier: Carrier
    api_url: str


@asynccontextmanager
async def exchange(account: Account, place: Place) -> AsyncIterator[Exchange]:
    """Both, while the body runs. Raises `InterfaceUnusable`."""
    carriers: list[Carrier] = []
    async with AsyncExitStack() as closing:
        try:
            interface = await _opened(closing, account, place, lambda: next(iter(carriers), None))
        except OSError as error:
            where = f"{place.api_host}:{place.api_port}"
            raise InterfaceUnusable(f"nothing can be served at {where}: {error.strerror}") from error
        carrier = Carrier(
            place.url,
            account,
            connect_url=place.connect_url,
            pace=place.pace,
            voice_url=place.voice_url,
            status_url=place.status_url,
            media_url=place.media_url,
            dialled=interface.dialled,
            over=interface.over,
        )
        carriers.append(await closing.enter_async_context(carrier))
        yield Exchange(carrier, interface.url)


async def _opened(closing: AsyncExitStack, account: Account, place: Place, carrier: FindCarrier) -> Interface:
    enter, host, port = closing.enter_async_context, place.api_host, place.api_port

    def complete(call_id: str) -> None:
        if (calling := carrier()) is not None:
            calling.complete(call_id)

    def go_on(call_id: str, url: str) -> None:
        if (calling := carrier()) is not None:
            calling.replace(call_id, [Redirect(url)])

    match account:
        case TwilioAccount(sid, token):
            updated = _TwilioOrders(carrier)
            twilio = TwilioApiSimulator(
                account_sid=sid, auth_token=token, updated=updated, host=host, port=port
            )
            return _Twilio(await enter(twilio))
        case PlivoAccount(auth_id, token):
            plivo = PlivoApiSimulator(
                auth_id=auth_id, auth_token=token, ended=complete, moved=go_on, host=host, port=port
            )
            return _Listed(await enter(plivo))
        case TelnyxAccount(api_key):
            orders = TelnyxOrders(carrier)
            telnyx = TelnyxApiSimulator(api_key=api_key, carried_out=orders, host=host, port=port)
            return _Telnyx(await enter(telnyx))
        case VonageAccount(application_id, _, public_key) if public_key:
            vonage = VonageApiSimulator(
                application_id=application_id,
                public_key=_rsa(public_key),
                ended=complete,
                host=host,
                port=port,
            )
            return _Listed(await enter(vonage))
    return _Nothing()


def _rsa(pem: str) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise InterfaceUnusable("an application's public key is PEM") from None
    if not isinstance(key, RSAPublicKey):
        raise InterfaceUnusable("an application's public key is RSA")
    return key


@dataclass(frozen=True, slots=True)
class _Nothing:
    """No REST interface: nobody knows the key that would open it."""

    url: str = ""

    def dialled(self, plan: CallPlan) -> None:
        """Nobody is to know."""

    def over(self, plan: CallPlan) -> None:
        """Nobody knew."""


@dataclass(frozen=True, slots=True)
class _Twilio:
    api: TwilioApiSimulator

    @property
    def url(self) -> str:
        return self.api.url

    def dialled(self, plan: CallPlan) -> None:
        self.api.add_call(plan.call_id, from_=plan.caller, to=plan.dialled)

    def over(self, plan: CallPlan) -> None:
        self.api.calls[plan.call_id].status = "completed"


@dataclass(frozen=True, slots=True)
class _TwilioOrders:
    """A call's resource has been changed."""

    carrier: FindCarrier

    def __call__(self, call: CallResource) -> None:
        carrier = self.carrier()
        if carrier is None:
            return
        if call.status in ENDED:
            carrier.complete(call.sid)
        elif call.twiml is not None and (live := carrier.calls.get(call.sid)) is not None:
            carrier.replace(call.sid, parse_twiml(call.twiml.encode(), live.plan.voice_url))
        elif call.url is not None:
            carrier.replace(call.sid, [Redirect(call.url)])


class _Listing(Protocol):
    """A server that knows a call by its id alone."""

    url: str
    calls: set[str]


@dataclass(frozen=True, slots=True)
class _Listed:
    """Plivo's and Vonage's."""

    api: _Listing

    @property
    def url(self) -> str:
        return self.api.url

    def dialled(self, plan: CallPlan) -> None:
        self.api.calls.add(plan.call_id)

    def over(self, plan: CallPlan) -> None:
        self.api.calls.discard(plan.call_id)


@dataclass(frozen=True, slots=True)
class _Telnyx:
    api: TelnyxApiSimulator

    @property
    def url(self) -> str:
        return self.api.url

    def dialled(self, plan: CallPlan) -> None:
        self.api.calls[plan.call_id] = TelnyxCall()

    def over(self, plan: CallPlan) -> None:
        self.api.calls[plan.call_id].state = "ended"


@dataclass(frozen=True, slots=True)
class TelnyxOrders:
    """A command has been taken."""

    carrier: FindCarrier

    def __call__(self, command: Command) -> None:
        carrier = self.carrier()
        live = None if carrier is None else carrier.calls.get(command.call_id)
        if live is None:
            return
        if command.action == "hangup":
            live.complete()
        elif isinstance(live.dialect, TelnyxDialect):
            live.dialect.take(Order(command.action, command.fields))
            if command.action == "streaming_stop":
                live.stop_stream()
