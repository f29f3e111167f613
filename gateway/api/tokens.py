"""JSON Web Tokens (RFC 7519, and RFC 8725 on what goes wrong with them) of a clinic's identity provider.

The algorithm decides which key is looked at and the key's kind admits one algorithm alone, so that a public
key can never be used as a shared secret. Issuer, audience and expiry must be there; the org is named by
`org_id`, or `clinic_id` in older tokens. A token that names none is the platform's, if its scopes say so.
`clinic_role` is a role there (`roles`); `role` is left to those who name a database role by it, as Supabase.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import jwt

from gateway.api.jwks import Jwks
from gateway.api.operations import PLATFORM_SCOPE, Platform, Principal
from gateway.api.roles import granted, role_scope
from gateway.errors import CredentialRefused

MAX_CHARACTERS: Final = 8192
_REQUIRED: Final = ["exp", "aud", "iss"]
_MAX_SCOPES: Final = 64
_ORG_CLAIMS: Final = ("org_id", "clinic_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCheck:
    """Who may have signed a token, for whom. Without `secret` no HS256, without `jwks` no RS256."""

    issuer: str
    audience: str
    leeway_s: float
    secret: bytes | None = field(default=None, repr=False)
    jwks: Jwks | None = None

    async def principal(self, token: str) -> Principal | Platform:
        """Whom the token speaks for. Raises `CredentialRefused`, or `KeysUnavailable`."""
        if len(token) > MAX_CHARACTERS:
            raise CredentialRefused("malformed")
        try:
            key, algorithm = await self._key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=self.leeway_s,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise CredentialRefused("expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise CredentialRefused("invalid") from None
        subject, scopes = "jwt " + _subject(claims), _scopes(claims)
        if PLATFORM_SCOPE in scopes and not any(name in claims for name in _ORG_CLAIMS):
            return Platform(subject)
        return Principal(org_id=_org(claims), subject=subject, scopes=granted(scopes | _role(claims)))

    async def _key(self, header: Mapping[str, Any]) -> tuple[bytes | jwt.PyJWK, str]:
        match header.get("alg"):
            case "HS256" if self.secret is not None:
                return self.secret, "HS256"
            case "RS256" if self.jwks is not None:
                key_id = header.get("kid")
                found = await self.jwks.key(key_id if isinstance(key_id, str) else None)
                if found is not None:
                    return found, "RS256"
        raise CredentialRefused("algorithm_or_key")


def _org(claims: Mapping[str, Any]) -> UUID:
    named = [claims[name] for name in _ORG_CLAIMS if name in claims]
    if not named or any(each != named[0] for each in named):
        raise CredentialRefused("no_org")
    try:
        return UUID(named[0])
    except (ValueError, TypeError, AttributeError):
        raise CredentialRefused("no_org") from None


def _subject(claims: Mapping[str, Any]) -> str:
    subject = str(claims.get("sub", ""))
    if not subject.isprintable():  # lone surrogates among others, which are no text
        raise CredentialRefused("subject")
    return subject


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """`scope`, words in one string (RFC 8693 section 4.2), or a list; `scp` as some providers call it."""
    told = claims.get("scope", claims.get("scp", ""))
    words = told.split() if isinstance(told, str) else told if isinstance(told, list) else []
    return frozenset(word for word in words[:_MAX_SCOPES] if isinstance(word, str))


def _role(claims: Mapping[str, Any]) -> frozenset[str]:
    """The scope that stands for the role named; a role that there is not makes the token no good."""
    if "clinic_role" not in claims:
        return frozenset()
    named = claims["clinic_role"]
    scope = role_scope(named) if isinstance(named, str) else None
    if scope is None:
        raise CredentialRefused("role")
    return frozenset({scope})
