"""A strict token endpoint for Google service accounts: a signed assertion in, an access token out.

Sources: Google docs "Using OAuth 2.0 for server to server applications", RFC 7523 section 3 (read 2026-11).
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE: Final = "https://oauth2.googleapis.com/token"
GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES: Final = frozenset(
    f"https://www.googleapis.com/auth/{name}"
    for name in ("calendar", "calendar.readonly", "calendar.events", "calendar.freebusy")
)
_TOKEN_LIFE_S: Final = 3600
_LONGEST_ASSERTION_S: Final = 3600
_CLOCKS_DIFFER_S: Final = 300
_CLAIMS: Final = frozenset({"iss", "scope", "aud", "exp", "iat", "sub"})


class GrantRefused(Exception):
    """No token for this assertion. `error` as in RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


@dataclass(frozen=True, slots=True)
class Account:
    """A service account with one key. `delegates`: the users it may act for."""

    email: str
    key_id: str
    key: rsa.RSAPrivateKey = field(repr=False)
    delegates: frozenset[str] = frozenset()

    @classmethod
    def generate(cls, email: str, *, delegates: frozenset[str] = frozenset()) -> "Account":
        """Takes some 100 ms: make one for many tests."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(email, secrets.token_hex(20), key, delegates)

    def key_file(self, **changes: str) -> bytes:
        """The JSON that Google's console hands out for the key."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        parts = {
            "type": "service_account",
            "project_id": "clinic-calendars",
            "private_key_id": self.key_id,
            "private_key": pem.decode(),
            "client_email": self.email,
            "client_id": "104857600000000000000",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "universe_domain": "googleapis.com",
        }
        return json.dumps(parts | changes).encode()


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token stands for. `user`: who it acts as."""

    user: str
    scopes: frozenset[str]
    expires_at: float


class Tokens:
    """Accounts, and the tokens handed out to them. Assertions name Google's endpoint, wherever this is."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.accounts: dict[str, Account] = {}
        self.granted: dict[str, Grant] = {}

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a token request, or `GrantRefused`."""
        if form.get("grant_type") != GRANT:
            raise GrantRefused("unsupported_grant_type", "Invalid grant_type")
        if form.keys() != {"grant_type", "assertion"}:
            raise GrantRefused("invalid_request", "Expected grant_type and assertion alone")
        account, claims = self._verified(form["assertion"])
        grant = Grant(
            user=_user(account, claims),
            scopes=_scopes(claims),
            expires_at=self._clock() + _TOKEN_LIFE_S,
        )
        token = "ya29." + secrets.token_urlsafe(32)
        self.granted[token] = grant
        return {"access_token": token, "expires_in": _TOKEN_LIFE_S - 1, "token_type": "Bearer"}

    def found(self, token: str) -> Grant | None:
        """What the token stands for, while it is good."""
        grant = self.granted.get(token)
        return grant if grant is not None and grant.expires_at > self._clock() else None

    def revoke_all(self) -> None:
        """Every token handed out so far is refused from now on."""
        self.granted.clear()

    def _verified(self, assertion: str) -> tuple[Account, dict[str, Any]]:
        try:
            header = jwt.get_unverified_header(assertion)
            unverified = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise GrantRefused("invalid_grant", "Invalid JWT: not a JWT") from None
        account = self.accounts.get(str(unverified.get("iss")))
        if account is None:
            raise GrantRefused("invalid_grant", "Invalid grant: account not found")
        if header.get("alg") != "RS256" or header.get("kid") != account.key_id:
            raise GrantRefused("invalid_grant", "Invalid JWT Signature.")
        try:
            claims = jwt.decode(
                assertion,
                account.key.public_key(),
                algorithms=["RS256"],
                options={"require": ["iss", "aud", "exp", "iat"], "verify_exp": False, "verify_iat": False},
                audience=AUDIENCE,
            )
        except jwt.InvalidSignatureError:
            raise GrantRefused("invalid_grant", "Invalid JWT Signature.") from None
        except jwt.PyJWTError:
            raise GrantRefused("invalid_grant", "Invalid JWT: a claim is missing or wrong") from None
        self._check_times(claims)
        return account, claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        if unknown := sorted(claims.keys() - _CLAIMS):
            raise GrantRefused("invalid_grant", f"Invalid JWT: unknown claims {', '.join(unknown)}")
        issued, expires, now = claims["iat"], claims["exp"], self._clock()
        short_lived = 0 < expires - issued <= _LONGEST_ASSERTION_S
        current = issued <= now + _CLOCKS_DIFFER_S and expires > now - _CLOCKS_DIFFER_S
        if not (short_lived and current):
            raise GrantRefused(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            )


def _user(account: Account, claims: Mapping[str, Any]) -> str:
    user = str(claims.get("sub", account.email))
    if user != account.email and user not in account.delegates:
        raise GrantRefused(
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method.",
            status=401,
        )
    return user


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    scopes = frozenset(str(claims.get("scope", "")).split())
    if not scopes or scopes - SCOPES:
        raise GrantRefused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    return scopes
