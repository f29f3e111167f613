"""How turns are judged, and what an org gets whose calls are answered critically late."""

from dataclasses import dataclass

from gateway.latency import CRITICAL_MS, LatencyRules
from gateway.settings.parsers import OFF_OR_SECONDS, SPECULATION_LEVELS, seconds_or_off, speculation
from gateway.settings.providers import living_model
from gateway.settings.reader import Reader, defaults_of
from pipeline.providers.models import FASTEST


@dataclass(frozen=True, slots=True)
class Turbo:
    """What an org whose calls are answered critically late gets instead.

    A model `fastest` is the fastest known that does the usual one's work, see `pipeline.providers.models`.
    """

    switches: bool = True
    stt_model: str = FASTEST
    llm_model: str = FASTEST
    tts_model: str = FASTEST
    hedge_after_s: float | None = 0.4
    speculation: str = "interim"


def read_turbo(reader: Reader) -> Turbo:
    """Each model is one that its vendor still serves."""
    levels = f"be one of {', '.join(SPECULATION_LEVELS)}"
    usual = Turbo()
    return Turbo(
        switches=reader.switch("LATENCY_PROFILES", default=True),
        stt_model=living_model(reader, "TURBO_STT_MODEL", "stt", FASTEST),
        llm_model=living_model(reader, "TURBO_LLM_MODEL", "llm", FASTEST),
        tts_model=living_model(reader, "TURBO_TTS_MODEL", "tts", FASTEST),
        hedge_after_s=reader.parsed(
            "TURBO_LLM_HEDGE_AFTER_S", f"{usual.hedge_after_s}", seconds_or_off, OFF_OR_SECONDS, None
        ),
        speculation=reader.parsed(
            "TURBO_SPECULATION", usual.speculation, speculation, levels, usual.speculation
        ),
    )


def read_latency(reader: Reader) -> LatencyRules:
    """The rules, `LATENCY_` before their names."""
    rules = LatencyRules(**reader.numbers(defaults_of(LatencyRules), "LATENCY_"))
    if rules.back_ms >= CRITICAL_MS:
        reader.faults.append(f"LATENCY_BACK_MS must be below {CRITICAL_MS:g}, not {rules.back_ms:g}")
    if rules.min_turns > rules.turns:
        reader.faults.append("LATENCY_MIN_TURNS must not be above LATENCY_TURNS")
    return rules
