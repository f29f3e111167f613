"""The three providers of a run, simulated in this process and timed by its turns.

Their engines cost next to nothing: a hearing that is told the words, a model that says one reply, a voice of
tones. So what is measured is the gateway and the delays that were drawn.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.demo.plan import OFFLINE_KEY, OFFLINE_MODEL, PROVIDERS, Provider
from bench.harness.ears import TimedEars
from bench.harness.sound import REPLY_HZ, STOCK_HZ
from bench.harness.turns import Turns
from bench.simulators.cartesia import CartesiaSimulator
from bench.simulators.chat import ChatSimulator, Pace
from bench.simulators.deepgram import DeepgramSimulator
from bench.simulators.replies import Reply, WireMessage, WireTool
from bench.simulators.sound import Samples, Sound, Word

KEYS: Final = frozenset({OFFLINE_KEY})
_RATE_HZ: Final = 8000
MS_PER_CHAR: Final = 20
_AMPLITUDE: Final = 0.3


class _OneReply:
    """Satisfies `bench.simulators.replies.ChatModel`."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def reply(self, messages: Sequence[WireMessage], tools: Sequence[WireTool]) -> Reply:
        return Reply(self._turns.reply_to(messages))


class PitchedVoice:
    """Says a turn's own words at one pitch and all else at another, so that a filler is told from a reply."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    async def speak(self, text: str) -> AsyncGenerator[Sound, None]:
        pitch_hz = STOCK_HZ if self._turns.in_text(text) is None else REPLY_HZ
        at_s = np.arange(len(text) * MS_PER_CHAR * _RATE_HZ // 1000) / _RATE_HZ
        samples: Samples = (_AMPLITUDE * np.sin(2 * np.pi * pitch_hz * at_s)).astype(np.float32)
        yield Sound(samples, _RATE_HZ, _words(text))


def _words(text: str) -> tuple[Word, ...]:
    words: list[Word] = []
    at = 0
    for written in text.split():
        at = text.index(written, at)
        end = at + len(written)
        words.append(Word(written, at * MS_PER_CHAR / 1000, end * MS_PER_CHAR / 1000))
        at = end
    return tuple(words)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the providers listen; 0 is any free port."""

    deepgram: int = 0
    llm: int = 0
    cartesia: int = 0


@asynccontextmanager
async def open_providers(turns: Turns, ports: Ports | None = None) -> AsyncIterator[Mapping[Provider, str]]:
    """Their addresses, while the body runs."""
    ports = ports or Ports()
    pace = Pace(between_tokens_s=turns.draws.between_tokens_s)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        deepgram = await enter(
            DeepgramSimulator(
                lambda: TimedEars(turns), keys=KEYS, port=ports.deepgram, record=False, ends=turns
            )
        )
        llm = await enter(
            ChatSimulator(
                _OneReply(turns), keys=KEYS, pace=pace, port=ports.llm, record=False, thinks=turns.thinks
            )
        )
        cartesia = await enter(
            CartesiaSimulator(
                PitchedVoice(turns), keys=KEYS, port=ports.cartesia, record=False, starts=turns.starts
            )
        )
        yield {"deepgram": deepgram.url, "llm": llm.url, "cartesia": cartesia.url}


def providers_environment(urls: Mapping[Provider, str]) -> dict[str, str]:
    """The settings by which our gateway asks these providers."""
    environ = {"LLM_MODEL": OFFLINE_MODEL}
    for provider, url in urls.items():
        key_name, url_name = PROVIDERS[provider]
        environ |= {key_name: OFFLINE_KEY, url_name: url}
    return environ
