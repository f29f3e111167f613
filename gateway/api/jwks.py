"""An identity provider's public keys (RFC 7517), fetched when needed and kept for a while.

A key id that nobody knows makes it look again, so that a rotated key works at once, but no more often than
every `retry_s`: forged tokens cannot make us a flood. While the provider is away the keys go on for
`stale_s`.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import jwt
import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.errors import KeysUnavailable
from pipeline.ports import Clock

log = structlog.get_logger("gateway.api")

MIN_RSA_BITS: Final = 2048  # RFC 7518 section 3.3
MAX_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLives:
    """Seconds. `fetch_s`: one look at most; the others as the module says."""

    fetch_s: float
    fresh_s: float
    stale_s: float
    retry_s: float


@dataclass(slots=True)
class Jwks:
    """The RS256 keys at one URL. Shared by all requests; at most one fetch is under way."""

    url: str
    http: aiohttp.ClientSession
    clock: Clock
    lives: KeyLives
    _keys: dict[str | None, jwt.PyJWK] = field(default_factory=dict)
    _fetched_s: float | None = None
    _tried_s: float | None = None
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def key(self, key_id: str | None) -> jwt.PyJWK | None:
        """The key of this id (of the only one, if the token names none); None if the provider has no such.

        Raises `KeysUnavailable` if the provider's keys are not known and cannot be had.
        """
        found = self._find(key_id)
        if found is None or self._age_s() > self.lives.fresh_s:
            async with self._looking:
                await self._look_again(key_id)
            found = self._find(key_id)
        if self._age_s() > self.lives.stale_s:
            raise KeysUnavailable("the identity provider's keys cannot be had")
        return found

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def _age_s(self) -> float:
        return float("inf") if self._fetched_s is None else self.clock.now_s() - self._fetched_s

    async def _look_again(self, key_id: str | None) -> None:
        if self._find(key_id) is not None and self._age_s() <= self.lives.fresh_s:
            return  # somebody has looked while we waited
        now_s = self.clock.now_s()
        if self._tried_s is not None and now_s - self._tried_s < self.lives.retry_s:
            return
        self._tried_s = now_s
        try:
            self._keys = await self._fetch()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            log.warning("jwks_unavailable", error=type(error).__name__)
        else:
            self._fetched_s = now_s

    async def _fetch(self) -> dict[str | None, jwt.PyJWK]:
        limit = aiohttp.ClientTimeout(total=self.lives.fetch_s)
        async with self.http.get(self.url, timeout=limit, allow_redirects=False) as response:
            if response.status != 200:
                raise ValueError("status")
            text = await response.content.read(MAX_BYTES + 1)
            while len(text) <= MAX_BYTES and (more := await response.content.read(MAX_BYTES)):
                text += more
        if len(text) > MAX_BYTES:
            raise ValueError("size")
        return usable_keys(text)


def usable_keys(text: bytes) -> dict[str | None, jwt.PyJWK]:
    """The keys of a JWK set that may verify RS256, by id. Raises ValueError if there is none."""
    document = msgspec.json.decode(text, type=dict[str, Any])
    listed = document.get("keys")
    found = {}
    for entry in listed if isinstance(listed, list) else []:
        if (key := _rs256(entry)) is not None:
            found[key.key_id] = key
    if not found:
        raise ValueError("no usable key")
    return found


def _rs256(entry: object) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or entry.get("kty") != "RSA":
        return None
    if entry.get("alg", "RS256") != "RS256" or entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(entry, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    # A set with a private key in it is a mistake; the key is not used for it.
    return key if isinstance(key.key, RSAPublicKey) and key.key.key_size >= MIN_RSA_BITS else None
