"""Which models the vendors have switched off, so that a dead one stops the start and not a call.

Cartesia docs, TTS models, read 2026-11: `sonic`, `sonic-english`, `sonic-multilingual`, `sonic-turbo` and the
base snapshot of `sonic-2` went away on 1 June 2026. Deepgram lists no streaming model of ours as withdrawn.
"""

import re
from typing import Final, Literal

from pipeline.errors import ProviderRefused

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

RETIRED: Final[dict[str, frozenset[str]]] = {
    "stt": frozenset(),
    "llm": frozenset(),
    "tts": frozenset(
        {"sonic", "sonic-english", "sonic-multilingual", "sonic-2", "sonic-2-2025-03-07", "sonic-turbo"}
    ),
}
RETIRED_FAMILIES: Final[dict[str, tuple[str, ...]]] = {"stt": (), "llm": (), "tts": ("sonic-turbo-",)}


FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "stt": ("flux-", "nova", "enhanced", "base", "whisper"),
    "llm": ("",),
    "tts": ("sonic",),
}
"""How the vendors' model names begin; a model trained for one account goes by a UUID."""


FASTEST: Final = "fastest"
"""In a model's place: the vendor's fastest that does the same work as the usual one."""
_FASTEST_ENGLISH_EARS: Final = "flux-general-en"
_ENGLISH_EARS: Final = frozenset({"nova", "nova-2", "nova-3", "nova-2-general", "nova-3-general"})


def fastest(provider: Literal["stt", "llm", "tts"], usual: str) -> str:
    """The fastest model known that can take the place of `usual`, which it is itself where none is known.

    Of Deepgram's, Flux ends turns soonest (260 ms at the median as published); it knows no medical vocabulary
    and `flux-general-en` no other language, so neither `nova-3-medical` nor `flux-general-multi` gives way to
    it. Cartesia has none faster than `sonic-3` since `sonic-turbo` went. Which model a server of chat
    completions answers soonest with, only its operator knows: OpenAI's fastest without reasoning,
    `gpt-4.1-nano`, went on 23 October 2026. Read 2026-11.

    >>> fastest("stt", "nova-3"), fastest("stt", "nova-3-medical"), fastest("tts", "sonic-3")
    ('flux-general-en', 'nova-3-medical', 'sonic-3')
    """
    return _FASTEST_ENGLISH_EARS if provider == "stt" and usual in _ENGLISH_EARS else usual


class ModelRetired(ProviderRefused):
    """The vendor has switched this model off; only another setting helps."""

    def __init__(self, provider: Literal["stt", "llm", "tts"], model: str) -> None:
        super().__init__(provider, "model_retired", retryable=False)
        self.model = model


def refuse_retired(provider: Literal["stt", "llm", "tts"], model: str) -> None:
    """Raises `ModelRetired` if the vendor no longer serves `model`; knows nothing of models it never heard
    of.
    """
    if model in RETIRED[provider] or model.startswith(RETIRED_FAMILIES[provider]):
        raise ModelRetired(provider, model)


def is_of_family(provider: Literal["stt", "llm", "tts"], model: str) -> bool:
    """Whether the vendor could know this name: a slip such as a voice's model for the recogniser is not.

    >>> is_of_family("stt", "nova-3-medical"), is_of_family("stt", "sonic-3")
    (True, False)
    """
    return model.startswith(FAMILIES[provider]) or _UUID.fullmatch(model) is not None
