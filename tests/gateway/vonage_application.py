"""A Vonage application of the tests', and requests signed in its account's name as Vonage signs them."""

import hashlib
import time
import warnings
from functools import cache
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.tenancy.credentials import VonageAccount


@cache
def _key(_name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(name: str) -> str:
    return _key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


PUBLIC_KEY = _key("ours").public_key()
OTHER_PEM = pem("another")
OURS = VonageAccount("aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", pem("ours"), "vonage-signature-secret-32-bytes!")


def bearer(
    body: bytes | None, account: VonageAccount = OURS, *, at_s: float | None = None, **changes: Any
) -> str:
    """What a post of this body, or an upgrade, is authorised by; a claim of None is left out."""
    claims = {
        "iss": "Vonage",
        "iat": int(time.time() if at_s is None else at_s),
        "jti": str(uuid4()),
        "api_key": "k1",
        "application_id": account.application_id,
        "payload_hash": None if body is None else hashlib.sha256(body).hexdigest(),
    }
    told = {name: value for name, value in (claims | changes).items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the secret's length is the vendor's choice
        return "Bearer " + jwt.encode(told, account.signature_secret, algorithm="HS256")
