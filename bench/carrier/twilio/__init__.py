"""Twilio's side of a call.

account.py    the account and one call's webhooks: form posts signed by twilio-python
twiml.py      the answer document, parsed and validated as Twilio does
frames.py     media-socket messages: built for the gateway, decoded strictly from it
rules.py      what Twilio refuses, by its error numbers
"""

from bench.carrier.twilio.account import TwilioAccount

__all__ = ["TwilioAccount"]
