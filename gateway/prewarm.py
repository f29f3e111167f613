"""Providers made ready before a call needs them: clients shared by key, and a recogniser opened ahead.

The carrier's webhook arrives before its media do. A session that was opened for media that never come is
closed by the call that opened it, when its wait is over.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from gateway.client_pool import ClientPool
from gateway.settings import Settings
from gateway.tenancy.credentials import OrgKeys
from pipeline.errors import ProviderDropped, ProviderError
from pipeline.events import SttEvent
from pipeline.ports import LanguageModel, SpeechToText, SttSession, TextToSpeech
from pipeline.providers.audio_format import PHONE, AudioFormat
from pipeline.providers.cartesia import Cartesia, CartesiaConfig
from pipeline.providers.cartesia_pcm import PcmVoice
from pipeline.providers.cartesia_unpooled import UnpooledCartesia
from pipeline.providers.deepgram import Deepgram, DeepgramConfig
from pipeline.providers.llm import ChatModel, LlmConfig

PROCESS_KEYS: Final = OrgKeys()
SPARE_CLIENTS: Final = 64
"""Of each vendor: those of so many keys stay for the next call when no call uses them."""


class Clients:
    """One client per vendor and key; calls share its connections.

    A call holds a `lease` for as long as it lasts. Clients of the process's own keys stay to the end.
    """

    def __init__(
        self, settings: Settings, *, spare: int = SPARE_CLIENTS, usual: "Clients | None" = None
    ) -> None:
        """`usual`: whose synthesiser's sockets these share; it must outlive these."""
        self._settings = settings
        self._usual = usual
        self._llm: ClientPool[tuple[str, str, str], ChatModel] = ClientPool(spare)
        self._tts: ClientPool[tuple[str, str], Cartesia] = ClientPool(spare) if usual is None else usual._tts
        self._making = asyncio.Lock()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._llm)
            if self._usual is None:
                await stack.enter_async_context(self._tts)
            stack.enter_context(self.lease(PROCESS_KEYS))
            await self.llm(PROCESS_KEYS)
            await self.fallback(PROCESS_KEYS)
            self._open = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    @contextmanager
    def lease(self, keys: OrgKeys) -> Iterator[None]:
        """While it lasts no client of these keys is closed for want of use."""
        models = (self.thinking(keys), self.thinking_instead(keys))
        with ExitStack() as held:
            held.enter_context(self._tts.lease(_socket_of(self.voice(keys, None))))
            for config in models:
                if config is not None:
                    held.enter_context(self._llm.lease(_pool_of(config)))
            yield

    def stt(self, keys: OrgKeys, audio: AudioFormat = PHONE) -> SpeechToText:
        """The recogniser of such audio under the org's key, or the process's."""
        return Deepgram(replace(self.hearing(keys), audio=audio))

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
        key = _pool_of(config)
        model = self._llm.get(key)
        if model is not None:  # not behind the lock: another org's new client is no reason to wait
            return model
        async with self._making:
            model = self._llm.get(key)
            if model is None:
                model = self._llm.add(key, await asyncio.to_thread(ChatModel, config))
        return model

    def tts(self, keys: OrgKeys, voice: str | None) -> TextToSpeech:
        """The synthesiser in this voice."""
        config = self.voice(keys, voice)
        if not self._settings.speedups.pools_tts:
            return UnpooledCartesia(config)
        return self._speaking(config).voiced(config)

    def pcm(self, keys: OrgKeys, voice: str | None) -> PcmVoice:
        """The same voice for audio that is played elsewhere."""
        config = self.voice(keys, voice)
        return PcmVoice(self._speaking(config), config)

    def _speaking(self, config: CartesiaConfig) -> Cartesia:
        return self._tts.get(_socket_of(config)) or self._tts.add(_socket_of(config), Cartesia(config))

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


def _socket_of(config: CartesiaConfig) -> tuple[str, str]:
    return config.url, config.api_key


def _pool_of(config: LlmConfig) -> tuple[str, str, str]:
    return config.base_url, config.model, config.api_key


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

    async def send_audio(self, audio: bytes) -> None:
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
