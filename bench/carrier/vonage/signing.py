"""Vonage's signed webhooks and upgrades: a JWT, HS256 under the account's signature secret.

Vonage docs, "Signed webhooks" (read 2026-11). The standard library signs: Vonage's own package checks such
tokens but makes none, and the gateway's checking is not to be judged by its own library.
"""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping


def claims(api_key: str, application_id: str, body: bytes | None, at_s: int) -> Mapping[str, str | int]:
    """What Vonage's token says. `body` is a post's, None for a GET or an upgrade; `at_s` is unix time."""
    told: dict[str, str | int] = {
        "iss": "Vonage",
        "iat": at_s,
        "jti": str(uuid.uuid4()),
        "api_key": api_key,
        "application_id": application_id,
    }
    if body is not None:
        told["payload_hash"] = hashlib.sha256(body).hexdigest()
    return told


def signed_token(told: Mapping[str, str | int], secret: str) -> str:
    """The compact JWT (RFC 7515, HS256)."""
    signed = ".".join(_part(each) for each in ({"alg": "HS256", "typ": "JWT"}, told))
    mac = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64(mac)}"


def _part(fields: Mapping[str, str | int]) -> str:
    return _base64(json.dumps(fields, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
