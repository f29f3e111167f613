"""What Cartesia's text-to-speech endpoints refuse, as pure checks over a request.

Sources: Cartesia docs "Stream Speech (WebSocket)", "Text to Speech (Bytes)", "API conventions", "TTS models"
and the types of cartesia-python 4.2 (read 2026-11). Only documented error codes are used; where the docs name
none, the code is null, as theirs may be. Stricter than the vendor in two points: unknown fields are refused,
so that a misspelt one is seen; and so is what the engines behind this server cannot do (a language other than
English, phoneme times, mp3).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bench.simulators.sound import BYTES_PER_SAMPLE

MODELS = frozenset(
    {
        "sonic-3.5",
        "sonic-3.5-2026-05-04",
        "sonic-3",
        "sonic-3-2026-01-12",
        "sonic-3-2025-10-27",
        "sonic-latest",
    }
)
# Switched off on 1 June 2026, with their dated snapshots.
SUNSET_MODELS = ("sonic-2", "sonic-turbo", "sonic-english", "sonic-multilingual", "sonic")
SAMPLE_RATES_HZ = frozenset({8000, 16000, 22050, 24000, 44100, 48000})
STRUCTURED_ERRORS_SINCE = "2026-03-01"
PLAIN_VOICE_IDS_SINCE = "2026-08-14"
OLDEST_VERSION = "2024-06-10"
DEFAULT_BUFFER_MS = 3000
MAX_BUFFER_MS = 5000

_FIXED_FIELDS = frozenset(
    {
        "model_id",
        "voice",
        "language",
        "locale",
        "output_format",
        "add_timestamps",
        "add_phoneme_timestamps",
        "use_normalized_timestamps",
        "max_buffer_delay_ms",
        "generation_config",
        "normalization",
        "pronunciation_dict_id",
        "speed",
    }
)
_CONTEXT_FIELDS = frozenset({"context_id", "transcript", "continue", "flush", "duration"})
_BYTES_FIELDS = (_FIXED_FIELDS | {"transcript", "duration", "save"}) - {"max_buffer_delay_ms"}
_RANGES = {"speed": (0.6, 1.5), "volume": (0.5, 2.0)}


class SpeechRefused(Exception):
    """The request is answered with an error; `error_code` is null where the vendor documents none."""

    def __init__(self, status: int, title: str, message: str, error_code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.title = title
        self.message = message
        self.error_code = error_code

    def body(self, version: str) -> dict[str, Any]:
        """The error object as this API version words it, without the socket's envelope."""
        if version < STRUCTURED_ERRORS_SINCE:
            return {"status_code": self.status, "error": f"{self.title}: {self.message}"}
        return {
            "status_code": self.status,
            "error_code": self.error_code,
            "title": self.title,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class OutputFormat:
    container: str
    encoding: str
    sample_rate_hz: int

    def bytes_for(self, seconds: float) -> int:
        return round(seconds * self.sample_rate_hz) * BYTES_PER_SAMPLE[self.encoding]


@dataclass(frozen=True, slots=True)
class Generation:
    """One valid generation request. `fixed` must be the same in every request of a context."""

    context_id: str
    transcript: str
    more_follows: bool
    flush: bool
    output: OutputFormat
    timestamps: bool
    buffer_s: float
    fixed: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cancel:
    context_id: str


def check_version(version: str | None) -> str:
    """The API version of a request; raises `SpeechRefused` if there is none or it is no date."""
    if version is None:
        raise _bad("Missing version", "The Cartesia-Version header is required.")
    try:
        date.fromisoformat(version)
    except ValueError:
        raise _bad("Invalid version", "Cartesia-Version must be a date, YYYY-MM-DD.") from None
    if version < OLDEST_VERSION:
        raise _bad("Invalid version", "This version is not served.")
    return version


def parse_socket_message(message: Any, version: str) -> Generation | Cancel:
    """A client message of the WebSocket, decoded from JSON."""
    _require(isinstance(message, dict), "Invalid message", "Expected a JSON object.")
    context_id = message.get("context_id")
    _require(_is_name(context_id), "Invalid context", "context_id is required.")
    if "cancel" in message:
        only = message.keys() <= {"context_id", "cancel"}
        _require(only and message["cancel"] is True, "Invalid cancel", "Send context_id and cancel: true.")
        return Cancel(context_id)
    _refuse_unknown(message, _FIXED_FIELDS | _CONTEXT_FIELDS)
    for flag in ("continue", "flush"):
        _require(isinstance(message.get(flag, False), bool), "Invalid request", f"{flag} must be a boolean.")
    output = _speech(message, version, containers={"raw"})
    buffer_ms = message.get("max_buffer_delay_ms", DEFAULT_BUFFER_MS)
    _require(
        type(buffer_ms) is int and 0 <= buffer_ms <= MAX_BUFFER_MS,
        "Invalid max_buffer_delay_ms",
        f"max_buffer_delay_ms must be between 0 and {MAX_BUFFER_MS}.",
    )
    return Generation(
        context_id=context_id,
        transcript=message["transcript"],
        more_follows=message.get("continue", False),
        flush=message.get("flush", False),
        output=output,
        timestamps=message.get("add_timestamps") is True,
        buffer_s=buffer_ms / 1000,
        fixed={field: value for field, value in message.items() if field in _FIXED_FIELDS},
    )


def parse_bytes_request(body: Any, version: str) -> tuple[str, OutputFormat]:
    """Transcript and format of `POST /tts/bytes`."""
    _require(isinstance(body, dict), "Invalid request", "Expected a JSON object.")
    _refuse_unknown(body, _BYTES_FIELDS)
    output = _speech(body, version, containers={"raw", "wav"})
    require_speakable(body["transcript"])
    return body["transcript"], output


def require_speakable(transcript: str) -> None:
    """The first text of a context must hold something that can be said."""
    said = any(character.isalnum() for character in transcript)
    _require(said, "Invalid transcript", "Your initial transcript is empty or contains only punctuation.")


def _speech(message: Mapping[str, Any], version: str, *, containers: set[str]) -> OutputFormat:
    """Checks what every form of request shares."""
    _check_model(message.get("model_id"))
    _check_voice(message.get("voice"), version)
    _check_language(message)
    _require(isinstance(message.get("transcript"), str), "Invalid transcript", "transcript must be a string.")
    for flag in ("add_timestamps", "add_phoneme_timestamps", "use_normalized_timestamps"):
        value = message.get(flag)
        _require(value is None or isinstance(value, bool), "Invalid request", f"{flag} must be a boolean.")
    _require(
        not message.get("add_phoneme_timestamps"), "Not made here", "This server gives no phoneme times."
    )
    _require(
        message.get("speed") in (None, "slow", "normal", "fast"), "Invalid speed", "slow, normal or fast."
    )
    _check_generation_config(message.get("generation_config"))
    return _output_format(message.get("output_format"), containers)


def _check_model(model: Any) -> None:
    _require(_is_name(model), "Invalid model", "model_id is required.")
    if model in MODELS:
        return
    base = re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model)
    if base in SUNSET_MODELS:
        raise SpeechRefused(410, "Model sunsetted", f"{base} was switched off.", "model_sunsetted")
    raise SpeechRefused(404, "Model not found", "No such model_id.")


def _check_voice(voice: Any, version: str) -> None:
    if isinstance(voice, str):
        known = version >= PLAIN_VOICE_IDS_SINCE and _is_name(voice)
        _require(known, "Invalid voice", 'Before version 2026-08-14 voice is {"mode": "id", "id": ...}.')
        return
    _require(isinstance(voice, dict), "Invalid voice", "voice is required.")
    _require(_is_name(voice.get("id")), "Invalid voice", "voice.id is required; embeddings are not accepted.")
    mode = voice.get("mode", "id" if version >= PLAIN_VOICE_IDS_SINCE else None)
    _require(mode == "id", "Invalid voice", "voice.mode must be id.")
    _require(voice.keys() <= {"id", "mode"}, "Invalid voice", "voice takes an id.")


def _check_language(message: Mapping[str, Any]) -> None:
    language, locale = message.get("language"), message.get("locale")
    _require(language is None or locale is None, "Invalid language", "Set language or locale, never both.")
    asked = language or locale or "en"
    english = isinstance(asked, str) and asked.split("-")[0] == "en"
    _require(english, "Not made here", "This server speaks English only.")


def _check_generation_config(config: Any) -> None:
    if config is None:
        return
    known = isinstance(config, dict) and config.keys() <= {"speed", "volume", "emotion"}
    _require(known, "Invalid generation_config", "speed, volume and emotion are known.")
    for field, (low, high) in _RANGES.items():
        value = config.get(field)
        within = value is None or (type(value) in (int, float) and low <= value <= high)
        _require(within, "Invalid generation_config", f"{field} must be between {low} and {high}.")


def _output_format(output: Any, containers: set[str]) -> OutputFormat:
    _require(isinstance(output, dict), "Invalid output_format", "output_format is required.")
    container, encoding, rate = (output.get(key) for key in ("container", "encoding", "sample_rate"))
    _require(
        container in containers, "Invalid output_format", f"container must be of {sorted(containers)} here."
    )
    _require(
        output.keys() <= {"container", "encoding", "sample_rate"},
        "Invalid output_format",
        "Unknown field in output_format.",
    )
    _require(encoding in BYTES_PER_SAMPLE, "Invalid output_format", "No such encoding.")
    _require(type(rate) is int and rate in SAMPLE_RATES_HZ, "Invalid output_format", "No such sample_rate.")
    return OutputFormat(str(container), str(encoding), rate)


def _refuse_unknown(message: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(message.keys() - known)
    _require(not unknown, "Invalid request", f"Unknown field: {', '.join(unknown)}.")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _require(truth: bool, title: str, message: str) -> None:
    if not truth:
        raise _bad(title, message)


def _bad(title: str, message: str) -> SpeechRefused:
    return SpeechRefused(400, title, message)
