"""What a call is made with: the usual models, or those of the turbo profile."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.hedging import Hedges
from gateway.prewarm import Clients
from gateway.settings import Provider, ProviderKind, Settings
from pipeline.providers.models import FASTEST, fastest


@dataclass(frozen=True, slots=True)
class Gear:
    """Clients of the providers, second requests, and the conversation's settings."""

    clients: Clients
    hedges: Hedges
    conversation: Mapping[str, Any]


def turbo_settings(settings: Settings) -> Settings:
    """The settings with everything replaced that the turbo profile has an own value for."""
    turbo, hedging = settings.turbo, settings.hedging

    def model(kind: ProviderKind, chosen: str, usual: Provider) -> Provider:
        return replace(usual, model=fastest(kind, usual.model) if chosen == FASTEST else chosen)

    return replace(
        settings,
        stt=model("stt", turbo.stt_model, settings.stt),
        llm=model("llm", turbo.llm_model, settings.llm),
        tts=model("tts", turbo.tts_model, settings.tts),
        hedging=replace(hedging, after_s=turbo.hedge_after_s),
        conversation={**settings.conversation, "speculation": turbo.speculation},
    )
