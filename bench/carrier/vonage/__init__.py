"""Vonage's side of a call.

account.py    the account and one call: signed JSON webhooks, the leg's events
signing.py    the JWT of webhooks and upgrades
ncco.py       the answer document, parsed and validated
frames.py     media-socket messages: binary frames of 20 ms, text for the rest
pcm.py        a telephone's mu-law as the PCM that the socket carries, and back
rules.py      what Vonage refuses
"""

from bench.carrier.vonage.account import VonageAccount

__all__ = ["VonageAccount"]
