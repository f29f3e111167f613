"""Plivo's request signature, version 3: base64 of HMAC-SHA256 over address, form and a nonce.

Plivo docs, "Signature validation" (read 2026-11): headers `X-Plivo-Signature-V3` (one or several, between
commas) and `X-Plivo-Signature-V3-Nonce`; the key is the account's auth token. There is no timestamp in it: a
replay is stopped by the media token, not here. Which form of the address an upgrade signs is not said, so any
scheme of the configured address counts; the host and the path never vary.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, urlsplit

SIGNATURE_HEADER: Final = "X-Plivo-Signature-V3"
NONCE_HEADER: Final = "X-Plivo-Signature-V3-Nonce"
MOST_NONCE: Final = 128
_SCHEMES: Final = ("wss", "https", "ws", "http")


def plivo_signature(
    auth_token: str, url: str, nonce: str, fields: Iterable[tuple[str, str]] | None = None
) -> str:
    """What Plivo puts into its header; `fields` are a post's, None for a GET or an upgrade."""
    signed = f"{_base(url, fields)}.{nonce}".encode("utf-8", "surrogateescape")
    return b64encode(hmac.digest(auth_token.encode(), signed, "sha256")).decode()


def plivo_signed(
    auth_token: str,
    url: str,
    nonce: str,
    signatures: str,
    fields: Iterable[tuple[str, str]] | None = None,
) -> bool:
    """Whether one of `signatures` is Plivo's for this request."""
    if not 0 < len(nonce) <= MOST_NONCE:
        return False
    expected = plivo_signature(auth_token, url, nonce, fields).encode()
    given = signatures.encode("utf-8", "surrogateescape").split(b",")
    return any([hmac.compare_digest(expected, each.strip()) for each in given])  # noqa: C419  all in equal time


def plivo_signed_upgrade(auth_token: str, url: str, nonce: str, signatures: str) -> bool:
    """The same for a WebSocket upgrade to `url`."""
    rest = url.partition("://")[2]
    forms = [f"{scheme}://{rest}" for scheme in _SCHEMES]
    return any([plivo_signed(auth_token, form, nonce, signatures) for form in forms])  # noqa: C419  equal time


def _base(url: str, fields: Iterable[tuple[str, str]] | None) -> str:
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, True)))
    form = "".join(name + value for name, value in sorted(fields or ()))
    if form:
        return f"{base}?{query}.{form}" if query else f"{base}?{form}"
    return f"{base}?{query}" if query else base
