"""The carrier's side of a call, over real sockets: what a gateway meets in production, and as strict.

Shared by all carriers:

    carrier.py    an account's number: places calls, takes REST orders for the live ones
    call.py       one live call, step by step
    stream.py     one media socket, fifty frames a second, both ways
    playback.py   what the carrier holds to play to the caller: queue, marks, clear
    record.py     what happened on one call, and both channels of its audio to the sample
    faults.py     a bad line on purpose, the same for the same seed
    webhooks.py   requests to the gateway
    steps.py      what a gateway may ask for
    wire.py dialect.py    what differs from carrier to carrier

and one package per carrier: `twilio telnyx plivo vonage`. `rest.py` serves their REST interfaces beside a
carrier, `check.py` is `python -m bench carrier`.

Wire facts: the carriers' own documentation, named in each module, read 2026-11.
"""

from bench.carrier.call import LiveCall
from bench.carrier.carrier import Carrier
from bench.carrier.dialect import Account, CallPlan
from bench.carrier.errors import (
    AnswerRejected,
    CallOver,
    CarrierError,
    CarrierFault,
    StreamFault,
    UpgradeRefused,
    WebhookFailed,
)
from bench.carrier.faults import LineFaults
from bench.carrier.plivo import PlivoAccount
from bench.carrier.record import CallRecord
from bench.carrier.telnyx import TelnyxAccount
from bench.carrier.twilio import TwilioAccount
from bench.carrier.vonage import VonageAccount

__all__ = [
    "Account",
    "AnswerRejected",
    "CallOver",
    "CallPlan",
    "CallRecord",
    "Carrier",
    "CarrierError",
    "CarrierFault",
    "LineFaults",
    "LiveCall",
    "PlivoAccount",
    "StreamFault",
    "TelnyxAccount",
    "TwilioAccount",
    "UpgradeRefused",
    "VonageAccount",
    "WebhookFailed",
]
