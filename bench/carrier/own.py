"""An account at a carrier that exists on this machine alone, and what our own gateway is told of it."""

import base64
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bench.carrier.dialect import Account
from bench.carrier.plivo import PlivoAccount
from bench.carrier.telnyx import TelnyxAccount
from bench.carrier.twilio import TwilioAccount
from bench.carrier.vonage import VonageAccount

KEY_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """`settings`: our gateway's, but for the address of the REST interface."""

    account: Account
    settings: Mapping[str, str] = field(repr=False)

    def environment(self, api_url: str) -> dict[str, str]:
        """The gateway's settings, with the account's REST interface at that address."""
        return {**self.settings, f"{self.account.name.upper()}_API_URL": api_url}


def new_account(carrier: str) -> OwnAccount:
    """With new credentials. KeyError for a carrier that there is not."""
    return _NEW[carrier]()


def _twilio() -> OwnAccount:
    account = TwilioAccount("AC" + secrets.token_hex(16), secrets.token_hex(16))
    told = {"TWILIO_ACCOUNT_SID": account.sid, "TWILIO_AUTH_TOKEN": account.auth_token}
    return OwnAccount(account, told)


def _telnyx() -> OwnAccount:
    account = TelnyxAccount("KEY" + secrets.token_hex(16), secrets.token_bytes(32))
    told = {"TELNYX_API_KEY": account.api_key, "TELNYX_PUBLIC_KEY": account.public_key}
    return OwnAccount(account, told)


def _plivo() -> OwnAccount:
    account = PlivoAccount("MA" + secrets.token_hex(9).upper(), secrets.token_hex(20))
    return OwnAccount(account, {"PLIVO_AUTH_ID": account.auth_id, "PLIVO_AUTH_TOKEN": account.auth_token})


def _vonage() -> OwnAccount:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = base64.b64encode(secrets.token_bytes(32)).decode()
    account = VonageAccount(str(uuid.uuid4()), secret, public.decode())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    told = {
        "VONAGE_APPLICATION_ID": account.application_id,
        "VONAGE_SIGNATURE_SECRET": account.signature_secret,
        "VONAGE_PRIVATE_KEY": private.decode(),
    }
    return OwnAccount(account, told)


_NEW: Final[Mapping[str, Callable[[], OwnAccount]]] = {
    "twilio": _twilio,
    "telnyx": _telnyx,
    "plivo": _plivo,
    "vonage": _vonage,
}
