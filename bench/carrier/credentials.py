"""Whose number it is that calls: an account by the carrier's name, from the command line and the environment.

What is given wins over the environment's, and that over well-known credentials that open nothing.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final

from bench.carrier.dialect import Account
from bench.carrier.plivo import PlivoAccount
from bench.carrier.telnyx import TelnyxAccount
from bench.carrier.twilio import TwilioAccount
from bench.carrier.vonage import VonageAccount

SEED_BYTES: Final = 32


class CredentialsUnusable(ValueError):
    """What was given is no credential of that carrier; it is not repeated."""


def account_of(
    carrier: str, account_id: str | None, secret: str | None, environ: Mapping[str, str]
) -> Account:
    """Raises `CredentialsUnusable`; KeyError for a carrier that is not in `CARRIERS`."""
    id_variable, secret_variable, make = CARRIERS[carrier]
    return make(account_id or environ.get(id_variable, ""), secret or environ.get(secret_variable, ""))


def _twilio(sid: str, token: str) -> Account:
    base = TwilioAccount()
    return TwilioAccount(sid or base.sid, token or base.auth_token)


def _plivo(auth_id: str, token: str) -> Account:
    base = PlivoAccount()
    return PlivoAccount(auth_id or base.auth_id, token or base.auth_token)


def _telnyx(api_key: str, seed: str) -> Account:
    base = TelnyxAccount()
    return TelnyxAccount(api_key or base.api_key, _seed(seed) if seed else base.seed)


def _vonage(application_id: str, secret: str) -> Account:
    base = VonageAccount()
    return VonageAccount(application_id or base.application_id, secret or base.signature_secret)


def _seed(text: str) -> bytes:
    try:
        seed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != SEED_BYTES:
        raise CredentialsUnusable(f"a Telnyx signing key is {SEED_BYTES} bytes in base64")
    return seed


CARRIERS: Final[Mapping[str, tuple[str, str, Callable[[str, str], Account]]]] = {
    "twilio": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", _twilio),
    "telnyx": ("TELNYX_API_KEY", "TELNYX_SIGNING_KEY", _telnyx),
    "plivo": ("PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN", _plivo),
    "vonage": ("VONAGE_APPLICATION_ID", "VONAGE_SIGNATURE_SECRET", _vonage),
}
"""By name: the variable of the account's id, that of its secret, and what makes an account of both."""
