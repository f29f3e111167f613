"""What Vapi asks of a custom voice: one piece of text, spoken at one rate. Pure.

Vapi docs, "Custom voice", and its OpenAPI document, `ServerMessageVoiceRequest` (read 2026-11). The schema
spells the outer key wrongly in one place, so whatever object comes first counts where `message` is missing.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from gateway.errors import VapiRequestInvalid
from gateway.vapi.wire_json import decoded
from pipeline.providers.cartesia_wire import PcmRate

RATES_HZ: Final[tuple[PcmRate, ...]] = (8000, 16000, 22050, 24000, 44100)


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """What to say, which may be nothing, and how many samples a second. `number`: the clinic's, as Vapi tells
    it, "" if not.
    """

    text: str = field(repr=False)
    rate_hz: PcmRate
    number: str = field(default="", repr=False)


class _Phone(msgspec.Struct):
    number: Any = None


class _Message(msgspec.Struct, rename="camel"):
    type: str
    text: str
    sample_rate: float
    phone_number: msgspec.Raw = msgspec.Raw(b"null")


_envelope: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_message: Final = msgspec.json.Decoder(_Message)


def parse_speech_request(body: bytes, most_characters: int) -> SpeechRequest:
    """Raises `VapiRequestInvalid`."""
    message = _decoded(body)
    if message.type != "voice-request":
        raise VapiRequestInvalid("type must be voice-request")
    if len(message.text) > most_characters:
        raise VapiRequestInvalid(f"text must have {most_characters} characters at most")
    return SpeechRequest(message.text, _rate_hz(message), _number(message))


def _number(message: _Message) -> str:
    """ "" where none is told."""
    try:
        told = msgspec.json.decode(message.phone_number, type=_Phone).number
    except (msgspec.DecodeError, RecursionError):
        return ""
    return told if isinstance(told, str) else ""


def _decoded(body: bytes) -> _Message:
    try:
        parts = decoded(_envelope, body)
        objects = (part for part in parts.values() if bytes(part).lstrip().startswith(b"{"))
        told = parts.get("message") or next(objects, None)
        if told is None:
            raise VapiRequestInvalid("message is missing")
        return decoded(_message, bytes(told))
    except (msgspec.DecodeError, RecursionError):
        raise VapiRequestInvalid("message must be JSON with type, text and sampleRate") from None


def _rate_hz(message: _Message) -> PcmRate:
    """As a whole number, which the synthesiser wants, however Vapi writes it."""
    for rate_hz in RATES_HZ:
        if rate_hz == message.sample_rate:
            return rate_hz
    raise VapiRequestInvalid(f"sampleRate must be one of {', '.join(map(str, RATES_HZ))}")
