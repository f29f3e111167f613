"""Who asks? From the `Authorization` header (RFC 6750) to a principal, before anything else is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg
import structlog

from booking.errors import BookingUnavailable
from booking.staff import PREFIX as STAFF
from booking.staff import resolve_token
from gateway.api.operations import PLATFORM_SCOPE, Operation, Platform, Principal
from gateway.api.problems import SCOPE_MISSING, UNAUTHENTICATED, UNAVAILABLE, Refused
from gateway.api.roles import granted
from gateway.api.tokens import MAX_CHARACTERS, TokenCheck
from gateway.errors import CredentialRefused, KeysUnavailable
from gateway.metrics import Metrics

log = structlog.get_logger("gateway.api")

_CHALLENGE: Final = 'Bearer realm="clinic-voice-gateway"'


@dataclass(frozen=True, slots=True)
class Guard:
    """Admits staff tokens, and JWTs where an issuer is configured."""

    pool: asyncpg.Pool
    metrics: Metrics
    tokens: TokenCheck | None

    async def admit(self, authorization: Sequence[str]) -> Principal | Platform:
        """The header's principal. Raises `Refused`: 401, or 503 if that cannot be told now."""
        token = _bearer(authorization)
        if token is None:
            raise self._refused("token_missing", _CHALLENGE)
        try:
            return await self._principal(token)
        except CredentialRefused as refused:
            raise self._refused(f"token_{refused.reason}", f'{_CHALLENGE}, error="invalid_token"') from None
        except (BookingUnavailable, KeysUnavailable):
            raise Refused(UNAVAILABLE) from None

    async def _principal(self, token: str) -> Principal | Platform:
        if token.startswith(STAFF):
            holder = await resolve_token(self.pool, token)
            if holder is None:
                raise CredentialRefused("unknown")
            scopes = granted(holder.scopes)
            return Principal(holder.org_id, f"staff {holder.token_id}", scopes, holder.token_id)
        if self.tokens is None:
            raise CredentialRefused("unknown")
        return await self.tokens.principal(token)

    def _refused(self, reason: str, challenge: str) -> Refused:
        self.metrics.refused.labels(f"api_{reason}").inc()
        log.warning("api_refused", reason=reason)
        return Refused(UNAUTHENTICATED, headers={"WWW-Authenticate": challenge})


def require_scope(principal: Principal, operation: Operation) -> None:
    """Raises `Refused`: 403. What is the platform's alone no scope of an org's token opens."""
    ours = principal.is_platform or operation.scope != PLATFORM_SCOPE
    if operation.scope not in principal.scopes or not ours:
        raise scope_missing(operation)


def scope_missing(operation: Operation) -> Refused:
    challenge = f'{_CHALLENGE}, error="insufficient_scope", scope="{operation.scope}"'
    return Refused(SCOPE_MISSING, detail=operation.scope, headers={"WWW-Authenticate": challenge})


def _bearer(authorization: Sequence[str]) -> str | None:
    """The token of the one header there may be."""
    if len(authorization) != 1 or len(authorization[0]) > MAX_CHARACTERS + len("Bearer "):
        return None
    scheme, _, token = authorization[0].partition(" ")
    token = token.strip()
    return token if scheme.casefold() == "bearer" and token and " " not in token else None
