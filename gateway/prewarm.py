"""Providers made ready before a call needs them: clients shared by key, and a recogniser opened ahead.

The carrier's webhook arrives before its media do. A session that was opened for media that never come is
closed by the call that opened it, when its wait is over.
"""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Final, Self

from gateway.settings import Settings
from gateway.tenancy.credentials import OrgKeys
from pipeline.errors import ProviderDropped, ProviderError
from pipeline.events import SttEvent
from pipeline.ports import LanguageModel, SpeechToText, SttSession, TextToSpeech
from pipeline.providers.cartesia import Cartesia, CartesiaConfig
from pipeline.providers.cartesia_unpooled import UnpooledCartesia
from pipeline.providers.deepgram import Deepgram, DeepgramConfig
from pipeline.providers.llm import ChatModel, LlmConfig

PROCESS_KEYS: Final = OrgKeys()


class Clients:
    """One client per provider, key and voice, kept for the process's life; calls share its connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._llm: dict[tuple[str, str, str], ChatModel] = {}
        self._tts: dict[CartesiaConfig, Cartesia | UnpooledCartesia] = {}
        self._stt: dict[str, Deepgram] = {}
        self._making = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self.llm(PROCESS_KEYS)
        await self.fallback(PROCESS_KEYS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        owned: list[ChatModel | Cartesia | UnpooledCartesia] = [*self._llm.values(), *self._tts.values()]
        await asyncio.gather(*(client.aclose() for client in owned), return_exceptions=True)

    def stt(self, keys: OrgKeys) -> SpeechToText:
        """The recogniser under the org's key, or the process's."""
        config = self.hearing(keys)
        if config.api_key not in self._stt:
            self._stt[config.api_key] = Deepgram(config)
        return self._stt[config.api_key]

    def hearing(self, keys: OrgKeys) -> DeepgramConfig:
        """How this org is heard."""
        provider = self._settings.stt
        return DeepgramConfig(
            keys.deepgram or provider.api_key, provider.url, provider.model, **provider.waits
        )

    async def llm(self, keys: OrgKeys) -> LanguageModel:
        """The model that thinks for this org."""
        return await self._model(self.thinking(keys))

    def thinking(self, keys: OrgKeys) -> LlmConfig:
        """How this org thinks."""
        provider = self._settings.llm
        return LlmConfig(keys.llm or provider.api_key, provider.model, provider.url, **provider.waits)

    async def fallback(self, keys: OrgKeys) -> LanguageModel | None:
        """The model that is asked when the other one is late or fails, if there is one."""
        config = self.thinking_instead(keys)
        return None if config is None else await self._model(config)

    def thinking_instead(self, keys: OrgKeys) -> LlmConfig | None:
        """An org that brought a key of its own chose who reads its callers' words: no other server does."""
        usual, instead = self._settings.llm, self._settings.hedging.fallback
        if instead is None or (instead.url and keys.llm):
            return None
        key = instead.api_key or keys.llm or usual.api_key
        return LlmConfig(key, instead.model, instead.url or usual.url, **usual.waits)

    async def warm_models(self, keys: OrgKeys) -> None:
        """A connection to each model that the next turn may ask. Never raises."""
        models = [await self.llm(keys), await self.fallback(keys)]
        await asyncio.gather(*(model.warm_up() for model in models if model is not None))

    async def _model(self, config: LlmConfig) -> ChatModel:
        """A new key's client is made in a thread: making it takes some 100 ms of CPU."""
        key = (config.base_url, config.model, config.api_key)
        if key in self._llm:  # not behind the lock: another org's new client is no reason to wait
            return self._llm[key]
        async with self._making:
            if key not in self._llm:
                self._llm[key] = await asyncio.to_thread(ChatModel, config)
        return self._llm[key]

    def tts(self, keys: OrgKeys, voice: str | None) -> TextToSpeech:
        """The synthesiser in this voice."""
        config = self.voice(keys, voice)
        if config not in self._tts:
            pools = self._settings.speedups.pools_tts
            self._tts[config] = Cartesia(config) if pools else UnpooledCartesia(config)
        return self._tts[config]

    def voice(self, keys: OrgKeys, voice: str | None) -> CartesiaConfig:
        """How this org speaks."""
        provider = self._settings.tts
        return CartesiaConfig(
            api_key=keys.cartesia or provider.api_key,
            voice=voice or self._settings.tts_voice,
            url=provider.url,
            model=provider.model,
            phrase_s=self._settings.waits.phrase_s,
            **provider.waits,
        )


class OpenedSession:
    """A recogniser's session held by a task of its own, so that it opens while other things go on."""

    def __init__(self, group: asyncio.TaskGroup, stt: SpeechToText) -> None:
        self._opened: asyncio.Future[SttSession] = asyncio.get_running_loop().create_future()
        self._task = group.create_task(self._hold(stt))

    async def session(self, within_s: float) -> SttSession:
        """The session; one that failed to open is a session whose events are that failure."""
        try:
            async with asyncio.timeout(within_s):
                return await asyncio.shield(self._opened)
        except TimeoutError:
            return FailedSession(ProviderDropped("stt", "open_timeout", retryable=True))
        except ProviderError as failure:
            return FailedSession(failure)

    def close(self) -> None:
        """Close it, now or as soon as it has opened. The group waits for that."""
        self._task.cancel()

    async def _hold(self, stt: SpeechToText) -> None:
        try:
            async with stt.session() as session:
                self._opened.set_result(session)
                await asyncio.get_running_loop().create_future()
        except ProviderError as failure:
            if not self._opened.done():
                self._opened.set_exception(failure)
                self._opened.exception()  # looked at here too: the call may never ask
        finally:
            self._opened.cancel()


class FailedSession:
    """A recogniser that could not be opened, as a session: the conversation meets it like any other fault."""

    def __init__(self, failure: ProviderError) -> None:
        self._failure = failure

    async def send_audio(self, mulaw: bytes) -> None:
        """Nobody listens."""

    def events(self) -> AsyncIterator[SttEvent]:
        """Raises the failure."""
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SttEvent:
        raise self._failure

    async def force_end_of_turn(self) -> None:
        """There is no turn."""
