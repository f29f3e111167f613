"""Plivo's side of a call.

account.py    the account and one call's webhooks: form posts
signing.py    version 3 of the request signature
xml.py        the answer document, parsed and validated
frames.py     media-socket messages
rules.py      what Plivo refuses
"""

from bench.carrier.plivo.account import PlivoAccount

__all__ = ["PlivoAccount"]
