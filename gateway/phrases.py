"""Stock phrases as audio, made once per voice: process memory over Redis over the vendor's `/tts/bytes`.

A call never waits for them: what is not there yet is fetched in the background and synthesised by the call
itself this time.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final

import structlog

from gateway.errors import SharedStoreAway
from gateway.shared_store import SharedStore
from pipeline.errors import ProviderError
from pipeline.ports import Clock
from pipeline.providers.cartesia import CartesiaConfig

log = structlog.get_logger("gateway.phrases")

_FAILURES: Final = 4_096
_ROOM_BYTES: Final = 32 * 1024 * 1024
"""Over an hour of speech: the phrases of some 250 voices. Those not spoken for longest go first."""
_KEPT_S: Final = 30 * 24 * 3600
_AGAIN_AFTER_S: Final = 30.0
_FORMAT: Final = "mulaw-8000"

Fetch = Callable[[CartesiaConfig, str], Awaitable[bytes]]


class PhraseCache:
    """One process's phrases. Fetching runs in `group`."""

    def __init__(
        self,
        fetch: Fetch,
        *,
        store: SharedStore,
        group: asyncio.TaskGroup,
        clock: Clock,
        fetch_s: float,
        room_bytes: int = _ROOM_BYTES,
        keeps: bool = True,
    ) -> None:
        """`keeps` False: nothing is ever fetched, and each call synthesises all that it says."""
        self._fetch = fetch
        self._store = store
        self._group = group
        self._clock = clock
        self._fetch_s = fetch_s
        self._keeps = keeps
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._memory_bytes = 0
        self._room_bytes = room_bytes
        self._under_way: set[str] = set()
        self._failed_at_s: dict[str, float] = {}

    def get(self, voice: CartesiaConfig, text: str) -> bytes | None:
        """The phrase in this voice (mu-law, 8 kHz), if it is here."""
        key = phrase_key(voice, text)
        if key in self._memory:
            self._memory.move_to_end(key)
        return self._memory.get(key)

    def want(self, voice: CartesiaConfig, texts: Iterable[str]) -> None:
        """See to it that these are here soon. Returns at once; a failed one is tried again later."""
        for text in texts if self._keeps else ():
            key = phrase_key(voice, text)
            if key not in self._memory and key not in self._under_way and self._may_try(key):
                self._under_way.add(key)
                self._group.create_task(self._bring(key, voice, text))

    def _may_try(self, key: str) -> bool:
        failed_at_s = self._failed_at_s.get(key)
        return failed_at_s is None or self._clock.now_s() - failed_at_s > _AGAIN_AFTER_S

    async def _bring(self, key: str, voice: CartesiaConfig, text: str) -> None:
        try:
            audio = await self._from_store(key)
            if audio is None:
                async with asyncio.timeout(self._fetch_s):
                    audio = await self._fetch(voice, text)
                await self._into_store(key, audio)
            self._keep(key, audio)
        except (ProviderError, TimeoutError) as error:
            fault = error.fault if isinstance(error, ProviderError) else "phrase_timeout"
            self._note_failure(key)
            log.warning("phrase_not_cached", provider="tts", fault=fault)
        except Exception as error:  # the edge of a worker whose group holds the whole gateway
            self._note_failure(key)
            log.error("phrase_failed", provider="tts", exc_info=error)
        finally:
            self._under_way.discard(key)

    def _note_failure(self, key: str) -> None:
        self._failed_at_s[key] = self._clock.now_s()
        if len(self._failed_at_s) > _FAILURES:
            del self._failed_at_s[next(iter(self._failed_at_s))]

    def _keep(self, key: str, audio: bytes) -> None:
        self._failed_at_s.pop(key, None)
        self._memory_bytes += len(audio) - len(self._memory.pop(key, b""))
        self._memory[key] = audio
        while self._memory_bytes > self._room_bytes and len(self._memory) > 1:
            _, oldest = self._memory.popitem(last=False)
            self._memory_bytes -= len(oldest)

    async def _from_store(self, key: str) -> bytes | None:
        try:
            return await self._store.get(key) or None
        except SharedStoreAway:
            return None

    async def _into_store(self, key: str, audio: bytes) -> None:
        with suppress(SharedStoreAway):
            await self._store.put(key, audio, _KEPT_S)


def phrase_key(voice: CartesiaConfig, text: str) -> str:
    """Voice, model, language, format and text, and nothing of the org: equal speech is made once."""
    parts = (voice.url, voice.voice, voice.model, str(voice.language), _FORMAT, text)
    return "gw:phrase:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
