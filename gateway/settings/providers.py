"""The vendors that hear, think and speak, and their adapters' waits, each under its vendor's name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from gateway.settings.reader import Reader
from pipeline.providers.cartesia_wire import CartesiaConfig
from pipeline.providers.deepgram_config import DeepgramConfig
from pipeline.providers.llm_request import LlmConfig
from pipeline.providers.models import FAMILIES, FASTEST, ModelRetired, is_of_family, refuse_retired

ProviderKind = Literal["stt", "llm", "tts"]
VENDOR_SCHEMES = ("https", "http", "wss", "ws")
WHOLE_FRAMES = "be 20 to 200 in steps of 20"


@dataclass(frozen=True, slots=True)
class Provider:
    """One vendor: where it listens, the process-wide key (an org's own takes its place), which model.

    `waits`: those of the adapter's config, and what else of it is a setting, by its own names.
    """

    url: str
    api_key: str = field(repr=False)
    model: str
    waits: Mapping[str, Any]


def read_stt(reader: Reader) -> Provider:
    """The recogniser."""
    return Provider(
        url=reader.url("DEEPGRAM_URL", "https://api.deepgram.com", VENDOR_SCHEMES),
        api_key=reader.text("DEEPGRAM_API_KEY", secret=True),
        model=living_model(reader, "STT_MODEL", "stt", "flux-general-en"),
        waits=_adapter_waits(reader, DeepgramConfig, "DEEPGRAM_") | _hearing(reader),
    )


def read_llm(reader: Reader) -> Provider:
    """The model."""
    return Provider(
        url=reader.url("LLM_BASE_URL", "https://api.openai.com/v1", VENDOR_SCHEMES),
        api_key=reader.text("LLM_API_KEY", secret=True),
        model=living_model(reader, "LLM_MODEL", "llm", "gpt-4.1-mini"),
        waits=_adapter_waits(reader, LlmConfig, "LLM_"),
    )


def read_tts(reader: Reader) -> Provider:
    """The synthesiser."""
    return Provider(
        url=reader.url("CARTESIA_URL", "https://api.cartesia.ai", VENDOR_SCHEMES),
        api_key=reader.text("CARTESIA_API_KEY", secret=True),
        model=living_model(reader, "TTS_MODEL", "tts", "sonic-3"),
        waits=_adapter_waits(reader, CartesiaConfig, "CARTESIA_"),
    )


def living_model(reader: Reader, name: str, kind: ProviderKind, default: str) -> str:
    """`default` "": another setting decides."""
    model = reader.text(name, default)
    if model not in ("", FASTEST) and not is_of_family(kind, model):
        begins = ", ".join(f"{each.rstrip('-')}-…" for each in FAMILIES[kind])
        reader.faults.append(f"{name} must be one of its vendor's models ({begins}), not {model!r}")
    try:
        refuse_retired(kind, model)
    except ModelRetired:
        reader.faults.append(f"{name} names {model}, which its vendor has switched off; {default} works")
    return model


def _adapter_waits(reader: Reader, config: type[Any], prefix: str) -> dict[str, Any]:
    """The waits of a provider's adapter. That for a phrase is the edge's, `PHRASE_S`."""
    defaults: dict[str, Any] = {
        each.name: each.default for each in fields(config) if each.name.endswith("_s")
    }
    return reader.numbers({name: wait for name, wait in defaults.items() if name != "phrase_s"}, prefix)


def _hearing(reader: Reader) -> dict[str, int]:
    usual = DeepgramConfig(api_key="").chunk_ms
    return {"chunk_ms": reader.parsed("DEEPGRAM_CHUNK_MS", str(usual), _whole_frames, WHOLE_FRAMES, usual)}


def _whole_frames(text: str) -> int:
    milliseconds = int(text)
    if milliseconds not in range(20, 201, 20):
        raise ValueError(text)
    return milliseconds
