"""Telnyx's side of a call.

account.py    the account and one call: signed webhooks out, orders by call control in
orders.py     what an order asks for, validated beyond its schema
frames.py     media-socket messages in `rtp` mode
rules.py      what Telnyx refuses
"""

from bench.carrier.telnyx.account import TelnyxAccount

__all__ = ["TelnyxAccount"]
