"""Plivo's request signature, version 3, by Plivo's own package where it is installed.

Plivo docs, "Signature validation" (read 2026-11): base64 of HMAC-SHA256 under the auth token, over address,
parameters, a full stop and a nonce. Without the package this module's own arithmetic signs; the tests hold
both against each other.
"""

import base64
import hashlib
import hmac
import importlib
from collections.abc import Mapping
from types import ModuleType
from urllib.parse import parse_qsl, urlsplit

SIGNATURE = "X-Plivo-Signature-V3"
NONCE = "X-Plivo-Signature-V3-Nonce"


def signature(auth_token: str, url: str, nonce: str, fields: Mapping[str, str] | None = None) -> str:
    """`fields` are a post's; None for a GET or an upgrade."""
    package = _package()
    if package is None:
        return own_signature(auth_token, url, nonce, fields)
    base = (
        package.construct_get_url(url, {})
        if fields is None
        else package.construct_post_url(url, dict(fields))
    )
    signed: bytes = package.get_signature_v3(auth_token, bytes(base), nonce)
    return signed.decode()


def own_signature(auth_token: str, url: str, nonce: str, fields: Mapping[str, str] | None = None) -> str:
    """The same without Plivo's package."""
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, True)))
    form = "".join(f"{name}{fields[name]}" for name in sorted(fields)) if fields else ""
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if query or form:
        base += f"?{query}"
    if query and form:
        base += "."
    signed = hmac.new(auth_token.encode(), f"{base}{form}.{nonce}".encode(), hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


def _package() -> ModuleType | None:
    try:
        return importlib.import_module("plivo.utils.signature_v3")
    except ImportError:
        return None
