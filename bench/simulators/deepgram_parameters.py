"""What `/v1/listen` and `/v2/listen` accept in their query, and how they refuse: pure.

Parameters, ranges and defaults: Deepgram's API description for both endpoints and the changelog, read
2026-10. What the vendor accepts but this simulator cannot do (compressed audio, several channels, speakers,
other languages) is refused as well, and says so: a silent difference would be worse.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.simulators.deepgram_audio import DECODABLE

Query = Mapping[str, Sequence[str]]

_RAW_ENCODINGS: Final = frozenset(
    ["linear16", "linear32", "mulaw", "alaw", "opus", "ogg-opus", "amr-nb", "amr-wb", "flac", "speex", "g729"]
)
_FLUX_ENCODINGS: Final = frozenset(["linear16", "linear32", "mulaw", "alaw", "opus", "ogg-opus"])
_FLUX_RATES_HZ: Final = frozenset({8000, 16000, 24000, 44100, 48000})
_FLUX_MODELS: Final = frozenset({"flux-general-en", "flux-general-multi"})
_V1_MODEL: Final = re.compile(
    r"nova-3(-general|-medical)?"
    r"|nova-2(-general|-medical|-meeting|-finance|-conversationalai|-voicemail|-video|-drivethru|-automotive"
    r"|-phonecall|-atc)?"
    r"|nova(-general|-phonecall|-medical)?|enhanced(-general|-meeting|-phonecall|-finance)?"
    r"|base(-general|-meeting|-phonecall|-finance|-conversationalai|-voicemail|-video)?"
)
_ENGLISH: Final = re.compile(r"en(-(US|GB|AU|IN|NZ))?|multi")
_KEYTERM_TOKENS: Final = 500
_LETTERS_PER_TOKEN: Final = 4  # the vendor's tokenizer is not published; English averages about four letters
_FLUX_KEYTERMS: Final = 100  # deepgram-python-sdk issue 616, 2025-10: the 101st refuses the upgrade

_V1_NAMES: Final = frozenset(
    [
        "model",
        "language",
        "encoding",
        "sample_rate",
        "channels",
        "multichannel",
        "interim_results",
        "endpointing",
        "utterance_end_ms",
        "vad_events",
        "smart_format",
        "punctuate",
        "numerals",
        "dictation",
        "profanity_filter",
        "keyterm",
        "keywords",
        "diarize",
        "diarize_model",
        "diarize_version",
        "redact",
        "detect_entities",
        "search",
        "replace",
        "extra",
        "tag",
        "version",
        "callback",
        "callback_method",
        "mip_opt_out",
        "no_delay",
        "filler_words",
        "language_hint",
    ]
)
_V2_NAMES: Final = frozenset(
    [
        "model",
        "encoding",
        "sample_rate",
        "eot_threshold",
        "eager_eot_threshold",
        "eot_timeout_ms",
        "keyterm",
        "language_hint",
        "numerals",
        "profanity_filter",
        "redact",
        "mip_opt_out",
        "tag",
    ]
)
_NOT_SIMULATED: Final = frozenset(
    ["diarize_model", "diarize_version", "redact", "search", "replace", "callback", "callback_method"]
)
_NOT_SIMULATED_FLAGS: Final = frozenset({"multichannel", "diarize", "detect_entities"})
_FLAGS: Final = frozenset(
    [
        "interim_results",
        "vad_events",
        "smart_format",
        "punctuate",
        "numerals",
        "dictation",
        "profanity_filter",
        "mip_opt_out",
        "no_delay",
        "filler_words",
    ]
)


class Refused(Exception):
    """The upgrade is answered with `status` and this message in the body and the `dg-error` header."""

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class NovaSettings:
    """`/v1/listen`. `endpointing_s` and `utterance_end_s` are None where off."""

    model: str
    encoding: str
    sample_rate_hz: int
    interim_results: bool
    endpointing_s: float | None
    utterance_end_s: float | None
    vad_events: bool
    smart_format: bool
    punctuate: bool
    no_delay: bool
    keyterms: tuple[str, ...]

    @property
    def takes_keyterms(self) -> bool:
        return self.model.startswith("nova-3")


@dataclass(frozen=True, slots=True)
class FluxSettings:
    """`/v2/listen`. Without an eager threshold there is no EagerEndOfTurn and no TurnResumed."""

    model: str
    encoding: str
    sample_rate_hz: int
    eot_threshold: float
    eager_eot_threshold: float | None
    eot_timeout_s: float
    keyterms: tuple[str, ...]
    language_hints: tuple[str, ...]
    numerals: bool


def parse_nova(query: Query) -> NovaSettings:
    """Raises `Refused`."""
    _check_names(query, _V1_NAMES)
    model = _one(query, "model", "base")
    if model.startswith("flux"):
        raise Refused(f"Model {model} is only available on /v2/listen.")
    if not _V1_MODEL.fullmatch(model) or not _ENGLISH.fullmatch(_one(query, "language", "en")):
        raise Refused("No such model/language/tier combination found.")
    flags = {name: _flag(query, name) for name in _FLAGS}
    encoding, rate = _audio(query, _RAW_ENCODINGS)
    settings = NovaSettings(
        model=model,
        encoding=encoding,
        sample_rate_hz=rate,
        interim_results=flags["interim_results"],
        endpointing_s=_endpointing_s(query),
        utterance_end_s=_utterance_end_s(query, interim_results=flags["interim_results"]),
        vad_events=flags["vad_events"],
        smart_format=flags["smart_format"],
        punctuate=flags["punctuate"] or flags["smart_format"],
        no_delay=flags["no_delay"],
        keyterms=_keyterms(query),
    )
    if settings.keyterms and not settings.takes_keyterms:
        raise Refused("Keyterms are only supported by Nova-3 models.")
    if "keywords" in query and settings.takes_keyterms:
        raise Refused("Keywords are not supported by Nova-3 models; use keyterm.")
    if _one(query, "channels", "1") != "1":
        raise Refused("channels other than 1 are not simulated.")
    return settings


def parse_flux(query: Query) -> FluxSettings:
    """Raises `Refused`."""
    _check_names(query, _V2_NAMES)
    model = _one(query, "model", "")
    if model not in _FLUX_MODELS:
        raise Refused("model must be one of flux-general-en, flux-general-multi on /v2/listen.")
    if "language_hint" in query and model != "flux-general-multi":
        raise Refused("language_hint is only supported by flux-general-multi.")
    encoding, rate = _audio(query, _FLUX_ENCODINGS)
    if rate not in _FLUX_RATES_HZ:
        raise Refused(f"sample_rate {rate} is not supported.")
    _flag(query, "mip_opt_out")
    _flag(query, "profanity_filter")
    return checked_flux(
        FluxSettings(
            model=model,
            encoding=encoding,
            sample_rate_hz=rate,
            eot_threshold=_number(query, "eot_threshold", float, 0.7),
            eager_eot_threshold=(
                _number(query, "eager_eot_threshold", float, 0.0) if "eager_eot_threshold" in query else None
            ),
            eot_timeout_s=_number(query, "eot_timeout_ms", int, 5000) / 1000,
            keyterms=_keyterms(query),
            language_hints=tuple(query.get("language_hint", ())),
            numerals=_flag(query, "numerals"),
        )
    )


def checked_flux(settings: FluxSettings) -> FluxSettings:
    """The ranges, which hold for the query and for `Configure` alike. Raises `Refused`."""
    if not 0.5 <= settings.eot_threshold <= 1.0:
        raise Refused("eot_threshold must be between 0.5 and 1.0.")
    eager = settings.eager_eot_threshold
    if eager is not None and not 0.3 <= eager <= min(0.9, settings.eot_threshold):
        raise Refused("eager_eot_threshold must be between 0.3 and 0.9, and no higher than eot_threshold.")
    if not 0.5 <= settings.eot_timeout_s <= 60.0:
        raise Refused("eot_timeout_ms must be between 500 and 60000.")
    if len(settings.keyterms) > _FLUX_KEYTERMS:
        raise Refused(f"At most {_FLUX_KEYTERMS} keyterms are allowed.")
    return settings


def keyterm_tokens(keyterms: Sequence[str]) -> int:
    """About how many tokens the vendor counts; 500 are allowed."""
    return sum(-(-len(word) // _LETTERS_PER_TOKEN) for keyterm in keyterms for word in keyterm.split())


def too_many_keyterms(keyterms: Sequence[str]) -> bool:
    return keyterm_tokens(keyterms) > _KEYTERM_TOKENS


def _check_names(query: Query, known: frozenset[str]) -> None:
    unknown = sorted(set(query) - known)
    if unknown:
        raise Refused(f"Unknown query parameter: {unknown[0]}.")
    for name in sorted(_NOT_SIMULATED & set(query)):
        raise Refused(f"{name} is not simulated.")
    for name in sorted(_NOT_SIMULATED_FLAGS & set(query)):
        if _flag(query, name):
            raise Refused(f"{name} is not simulated.")


def _one(query: Query, name: str, default: str) -> str:
    values = query.get(name, [default])
    if len(values) != 1:
        raise Refused(f"{name} was given more than once.")
    return values[0]


def _flag(query: Query, name: str) -> bool:
    value = _one(query, name, "false")
    if value not in ("true", "false"):
        raise Refused(f"{name} must be true or false.")
    return value == "true"


def _number(query: Query, name: str, kind: Callable[[str], float], default: float) -> float:
    try:
        return kind(_one(query, name, str(default)))
    except ValueError:
        raise Refused(f"{name} is not a number.") from None


def _audio(query: Query, known: frozenset[str]) -> tuple[str, int]:
    if "encoding" not in query or "sample_rate" not in query:
        raise Refused(
            "encoding and sample_rate are both required for raw audio; containers are not simulated."
        )
    encoding = _one(query, "encoding", "")
    if encoding not in known:
        raise Refused(f"Unsupported encoding {encoding}.")
    if encoding not in DECODABLE:
        raise Refused(f"encoding {encoding} is not simulated.")
    rate = int(_number(query, "sample_rate", int, 0))
    if not 8000 <= rate <= 48000:
        raise Refused("sample_rate must be between 8000 and 48000.")
    return encoding, rate


def _endpointing_s(query: Query) -> float | None:
    """Default 10 ms. `true` means the default."""
    value = _one(query, "endpointing", "10")
    if value == "false":
        return None
    milliseconds = 10 if value == "true" else _number(query, "endpointing", int, 10)
    if milliseconds < 0:
        raise Refused("endpointing must be false or a number of milliseconds.")
    return milliseconds / 1000


def _utterance_end_s(query: Query, *, interim_results: bool) -> float | None:
    if "utterance_end_ms" not in query:
        return None
    if not interim_results:
        raise Refused("utterance_end_ms requires interim_results=true.")
    milliseconds = _number(query, "utterance_end_ms", int, 1000)
    if not 0 < milliseconds <= 5000:
        raise Refused("utterance_end_ms must be between 1 and 5000.")
    return milliseconds / 1000


def _keyterms(query: Query) -> tuple[str, ...]:
    keyterms = tuple(query.get("keyterm", ()))
    if any(not keyterm.strip() for keyterm in keyterms):
        raise Refused("keyterm must not be empty.")
    if too_many_keyterms(keyterms):
        raise Refused(f"Keyterm limit exceeded: at most {_KEYTERM_TOKENS} tokens are allowed.")
    return keyterms
