"""Makes the carriers for one application: who may sign for each, and the ways to their REST interfaces."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway import audio_calls
from gateway.call import Desk
from gateway.control.plivo import PlivoControl
from gateway.control.rest import CarrierHttp
from gateway.control.telnyx import TelnyxControl
from gateway.control.twilio import TwilioControl
from gateway.control.vonage import VonageControl
from gateway.routes.edge import Carrier, Carriers
from gateway.routes.plivo_handover import PlivoHandover
from gateway.routes.telnyx_handover import TelnyxHandover
from gateway.routes.twilio_handover import TwilioHandover
from gateway.routes.vonage_handover import VonageHandover
from gateway.settings import Settings
from gateway.tenancy.accounts import A, Accounts, Keeper
from gateway.tenancy.credentials import (
    PlivoAccount,
    RawClient,
    TelnyxAccount,
    TwilioAccount,
    VonageAccount,
)


@asynccontextmanager
async def open_carriers(desk: Desk) -> AsyncIterator[Carriers]:
    """What `desk` holds outlives them; they outlive the calls."""
    settings, timeout_s = desk.settings, desk.settings.waits.hang_up_s
    async with (
        TwilioControl(settings.twilio.api_url, desk.metrics, timeout_s=timeout_s) as at_twilio,
        CarrierHttp(desk.metrics, timeout_s=timeout_s) as http,
    ):
        putting = TwilioHandover(at_twilio, settings)
        at_plivo = PlivoControl(http, settings.plivo.api_url)
        at_telnyx = TelnyxControl(http, settings.telnyx.api_url)
        at_vonage = VonageControl(http, settings.vonage.api_url)
        by_telnyx = TelnyxHandover(at_telnyx, settings)
        by_plivo = PlivoHandover(at_plivo, settings)
        by_vonage = VonageHandover(at_vonage, settings, desk.vault)
        yield Carriers(
            twilio=Carrier(
                "twilio",
                _accounts(desk, _of_twilio(settings)),
                at_twilio.hang_up,
                putting.order,
                limit=at_twilio.limit,
            ),
            twilio_orders=at_twilio,
            plivo=Carrier(
                "plivo",
                _accounts(desk, _of_plivo(settings)),
                at_plivo.hang_up,
                by_plivo.order,
                keeps_stream=True,
            ),
            plivo_orders=at_plivo,
            telnyx=Carrier(
                "telnyx", _accounts(desk, _of_telnyx(settings)), at_telnyx.hang_up, by_telnyx.order
            ),
            telnyx_orders=at_telnyx,
            vonage=Carrier(
                "vonage",
                _accounts(desk, _of_vonage(settings)),
                at_vonage.hang_up,
                by_vonage.order,
                keeps_stream=True,
            ),
            vonage_orders=at_vonage,
            raw=Carrier(audio_calls.CARRIER, _accounts(desk, Keeper(RawClient(), lambda _: None)), _nothing),
        )


def _accounts(desk: Desk, keeper: Keeper[A]) -> Accounts[A]:
    return Accounts(keeper, desk.credentials, desk.vault, lookup_s=desk.settings.waits.webhook_s / 2)


def _of_twilio(settings: Settings) -> Keeper[TwilioAccount]:
    at = settings.twilio
    return Keeper(TwilioAccount(at.account_sid, at.auth_token), lambda keys: keys.twilio)


def _of_plivo(settings: Settings) -> Keeper[PlivoAccount]:
    at = settings.plivo
    return Keeper(PlivoAccount(at.auth_id, at.auth_token) if at.auth_id else None, lambda keys: keys.plivo)


def _of_telnyx(settings: Settings) -> Keeper[TelnyxAccount]:
    at = settings.telnyx
    return Keeper(TelnyxAccount(at.api_key, at.public_key) if at.api_key else None, lambda keys: keys.telnyx)


def _of_vonage(settings: Settings) -> Keeper[VonageAccount]:
    at = settings.vonage
    account = VonageAccount(at.application_id, at.private_key, at.signature_secret)
    return Keeper(account if at.application_id else None, lambda keys: keys.vonage)


async def _nothing(_call_id: str, _client: RawClient) -> None:
    """The socket's end is the call's."""
