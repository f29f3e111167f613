"""Retired models and URLs are refused before any call."""

from typing import Literal

import pytest

from pipeline.errors import ProviderRefused
from pipeline.providers.cartesia import Cartesia, CartesiaConfig, fetch_phrase
from pipeline.providers.deepgram import Deepgram, DeepgramConfig
from pipeline.providers.models import ModelRetired, is_of_family, refuse_retired
from pipeline.providers.sockets import http_url, websocket_url


@pytest.mark.parametrize(
    "model", ["sonic", "sonic-2", "sonic-2-2025-03-07", "sonic-turbo", "sonic-turbo-2025-03-07"]
)
def test_retired_voice_models_are_refused(model: str) -> None:
    with pytest.raises(ModelRetired) as refusal:
        Cartesia(CartesiaConfig("k", voice="v", model=model))
    assert isinstance(refusal.value, ProviderRefused)
    assert (refusal.value.model, refusal.value.retryable) == (model, False)


@pytest.mark.parametrize("model", ["sonic-3", "sonic-3.5-2026-05-04", "sonic-2-2025-06-11", "sonic-next"])
def test_living_and_unknown_voice_models_are_not(model: str) -> None:
    refuse_retired("tts", model)


@pytest.mark.parametrize(
    ("provider", "model", "known"),
    [
        ("stt", "flux-general-en", True),
        ("stt", "nova-2-medical", True),
        ("stt", "8b1d3c9e-0f4a-4d6b-9c1e-2a7f5e3d4c6b", True),
        ("stt", "sonic-3", False),
        ("llm", "anything/at-all", True),
        ("tts", "sonic-3.5-2026-05-04", True),
        ("tts", "flux-general-en", False),
    ],
)
def test_model_of_another_vendor_is_a_slip(
    provider: Literal["stt", "llm", "tts"], model: str, known: bool
) -> None:
    assert is_of_family(provider, model) is known


async def test_phrases_are_not_asked_of_a_retired_model() -> None:
    with pytest.raises(ModelRetired):
        await fetch_phrase(CartesiaConfig("k", voice="v", model="sonic-turbo"), "Hello")


@pytest.mark.parametrize(
    ("base", "socket", "http"),
    [
        ("https://api.deepgram.com", "wss://api.deepgram.com/x", "https://api.deepgram.com/x"),
        ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
        ("wss://host/base", "wss://host/base/x", "https://host/base/x"),
        ("ws://[::1]:9", "ws://[::1]:9/x", "http://[::1]:9/x"),
    ],
)
def test_any_scheme_serves_both_protocols(base: str, socket: str, http: str) -> None:
    assert (websocket_url(base, "/x"), http_url(base, "/x")) == (socket, http)


@pytest.mark.parametrize("url", ["ftp://host", "api.deepgram.com", "", "https://"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="provider URL"):
        Deepgram(DeepgramConfig("k", url=url))
