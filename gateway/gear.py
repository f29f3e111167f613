"""What a call is made with: the usual models, or those of the turbo profile."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.hedging import Hedges
from gateway.prewarm import Clients
from gateway.settings import Settings


@dataclass(frozen=True, slots=True)
class Gear:
    """Clients of the providers, second requests, and the conversation's settings."""

    clients: Clients
    hedges: Hedges
    conversation: Mapping[str, Any]


def turbo_settings(settings: Settings) -> Settings:
    """The settings with everything replaced that the turbo profile has an own value for."""
    turbo, hedging = settings.turbo, settings.hedging
    return replace(
        settings,
        stt=replace(settings.stt, model=turbo.stt_model or settings.stt.model),
        llm=replace(settings.llm, model=turbo.llm_model or settings.llm.model),
        tts=replace(settings.tts, model=turbo.tts_model or settings.tts.model),
        hedging=replace(hedging, after_s=turbo.hedge_after_s),
        conversation={**settings.conversation, "speculation": turbo.speculation},
    )
