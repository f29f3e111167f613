"""Makes the API for one application: its guard, and the way to the identity provider's keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from gateway.api.dispatch import Dispatch
from gateway.api.guard import Guard
from gateway.api.jwks import Jwks, KeyLives
from gateway.api.mount import Api
from gateway.api.operations import ApiContext
from gateway.api.reach import ServedOrgs
from gateway.api.tokens import TokenCheck
from gateway.settings import Settings
from pipeline.ports import Clock


@asynccontextmanager
async def open_api(context: ApiContext, clock: Clock) -> AsyncIterator[Api]:
    """What `context` holds outlives it."""
    async with aiohttp.ClientSession() as http:
        tokens = _token_check(context.settings, http, clock)
        yield Api(Guard(context.pool, context.metrics, tokens), Dispatch(context, ServedOrgs(context.pool)))


def _token_check(settings: Settings, http: aiohttp.ClientSession, clock: Clock) -> TokenCheck | None:
    """None where no issuer is configured: then staff tokens alone are good."""
    chosen, waits = settings.api_tokens, settings.waits
    if not chosen.issuer:
        return None
    lives = KeyLives(
        fetch_s=waits.jwks_fetch_s,
        fresh_s=waits.jwks_fresh_s,
        stale_s=waits.jwks_stale_s,
        retry_s=waits.jwks_retry_s,
    )
    return TokenCheck(
        issuer=chosen.issuer,
        audience=chosen.audience,
        leeway_s=waits.jwt_leeway_s,
        secret=chosen.secret or None,
        jwks=Jwks(chosen.jwks_url, http, clock, lives) if chosen.jwks_url else None,
    )
