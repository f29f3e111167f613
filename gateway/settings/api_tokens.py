"""Whose tokens the API takes."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.settings.parsers import is_loopback
from gateway.settings.reader import Reader

MIN_JWT_SECRET_BYTES = 32  # RFC 7518 section 3.2: at least the hash's length


@dataclass(frozen=True, slots=True)
class ApiTokens:
    """Whose JWTs the API takes: HS256 under `secret`, RS256 under the keys at `jwks_url`, or none at all."""

    issuer: str = ""
    audience: str = ""
    jwks_url: str = ""
    secret: bytes = field(default=b"", repr=False)


def read_api_tokens(reader: Reader) -> ApiTokens:
    """A way to check tokens needs to know whose and for whom they are."""
    secret = reader.text("API_JWT_SECRET", "", secret=True).encode()
    if secret and len(secret) < MIN_JWT_SECRET_BYTES:
        reader.faults.append(f"API_JWT_SECRET must be at least {MIN_JWT_SECRET_BYTES} bytes")
    jwks_url = reader.url("API_JWKS_URL", "", ("https", "http"))
    if jwks_url.startswith("http:") and not is_loopback(urlsplit(jwks_url).hostname or ""):
        reader.faults.append("API_JWKS_URL must be https: who can change the keys can sign")
    issuer = reader.text("API_JWT_ISSUER", "")
    audience = reader.text("API_JWT_AUDIENCE", "")
    if (secret or jwks_url) and not (issuer and audience):
        reader.faults.append("API_JWT_SECRET and API_JWKS_URL need API_JWT_ISSUER and API_JWT_AUDIENCE")
    return ApiTokens(issuer=issuer, audience=audience, jwks_url=jwks_url, secret=secret)
