"""The Twilio side of a call, simulated over real sockets: what a gateway meets in production, and as strict.

    twiml.py      the answer document, parsed and validated as Twilio does
    frames.py     media-socket messages: built for the gateway, decoded strictly from it
    playback.py   what Twilio holds to play to the caller: queue, marks, clear
    record.py     what happened on one call, and both channels of its audio to the sample
    call.py       one live call: webhook, media socket, status callbacks, what follows the stream
    twilio.py     the account: places calls, takes REST orders for the live ones

Wire facts: Twilio docs "Media Streams overview", "Media Streams WebSocket messages", "TwiML <Stream>", error
pages 319xx, "Webhooks security", read 2026-11.
"""

from bench.carrier.call import LiveCall
from bench.carrier.errors import (
    CallOver,
    CarrierError,
    CarrierFault,
    StreamFault,
    TwimlRejected,
    UpgradeRefused,
    WebhookFailed,
)
from bench.carrier.record import CallRecord
from bench.carrier.twilio import TwilioAccount, TwilioCarrier

__all__ = [
    "CallOver",
    "CallRecord",
    "CarrierError",
    "CarrierFault",
    "LiveCall",
    "StreamFault",
    "TwilioAccount",
    "TwilioCarrier",
    "TwimlRejected",
    "UpgradeRefused",
    "WebhookFailed",
]
