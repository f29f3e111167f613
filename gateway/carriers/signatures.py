"""Request signatures of carriers: arithmetic on address, parameters and header.

Twilio (docs "Webhooks security", read 2026-11): base64 of HMAC-SHA1, keyed with the account's primary
auth token, over the address exactly as it was configured, followed for a form post by each field's name
and value, sorted by name. A WebSocket upgrade signs its `wss://` address alone. There is no timestamp
in it: a replay is stopped by the media token, not here.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable

TWILIO_HEADER = "X-Twilio-Signature"


def twilio_signature(auth_token: str, url: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """What Twilio puts into its header. A field repeated with the same value counts once, as in its SDK."""
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    return b64encode(hmac.digest(auth_token.encode(), signed.encode(), hashlib.sha1)).decode()


def twilio_signed(auth_token: str, url: str, fields: Iterable[tuple[str, str]], signature: str) -> bool:
    """Whether `signature` is Twilio's for this form post, or without fields for this GET or upgrade."""
    return _same(twilio_signature(auth_token, url, fields), signature)


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape"))
